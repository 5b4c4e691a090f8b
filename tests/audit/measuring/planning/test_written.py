"""A word is read in the sentence it is written in, whatever the tokenizer does with a mask."""

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest
from transformers import XLMRobertaTokenizer, pipeline

from maskaudit.audit.measuring import scoring
from maskaudit.audit.measuring.backends import torch_model
from maskaudit.audit.measuring.model import Ids
from maskaudit.audit.measuring.planning.read_plan import Plan, plan
from maskaudit.audit.measuring.planning.target_pieces import Writer
from maskaudit.probes.expand import Expanded, from_rows
from maskaudit.probes.frames.capitals import SentenceCase
from tests import oracle, tiny

FAMILIES = tuple(tiny.tokenizers())
# A family of each kind, for every run of the tests; all others are tested as slow ones.
FEW = ("WordPiece uncased", "byte-level BPE lstrip", "Unigram", "words")
MARKS = (" saw", ".", ",", "?", ";", ")", '"', "'")
CLOSING = ("”", "’", "»", " »", "›", "」", "。", "…", "—")
# One piece, several, and (in tokenizers that put white space into pieces) a mark that stands alone.
TARGETS = ("nurse", "farmers", "edly")
OTHERS = ("doctor", "woman", "lawyer", "person")


def each(names: Iterable[str] = FAMILIES) -> pytest.MarkDecorator:
    """Run a test for each of these families; those that are none of the few are slow."""
    cases = [pytest.param(n, marks=() if n in FEW else pytest.mark.slow) for n in names]
    return pytest.mark.parametrize("family", cases)


@pytest.fixture(scope="session")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Give the folder of a tiny model with each tokenizer; the weights of one size are the same."""
    root = tmp_path_factory.mktemp("families")
    return {
        name: tiny.with_tokenizer(root / name.replace(" ", "_"), tokenizer)
        for name, tokenizer in tiny.tokenizers().items()
    }


@pytest.fixture(scope="session")
def loaded(checkpoints: dict[str, Path]) -> dict[str, torch_model.LoadedModel]:
    """Give each of these models as the audit loads it."""
    return {name: torch_model.load(folder) for name, folder in checkpoints.items()}


def cells(*rows: tuple[str, int, str]) -> Expanded:
    """Return items of a sentence, a slot and a target."""
    return from_rows(
        iter(
            {"probe_set": "s", "frame": text, "text": text, "slot": slot, "target": target}
            for text, slot, target in rows
        )
    )


def statuses(made: Plan, expanded: Expanded) -> dict[tuple[str, str], str]:
    """Return the status of each target in each sentence."""
    rows = expanded.items.merge(expanded.contexts, on="context")
    return {(r.text, r.target): made.status[r.item] for r in rows.itertuples()}


def word_for_word(tokenizer: Any, text: str, target: str) -> tuple[Ids, Ids, Ids]:
    """
    Return the pieces before a target, its own, and those after it, without any offsets.

    What stands around a word is what the sentences with other words have in common with it. The
    words differ in their first and last letters, so that they share no piece but the context's.
    """

    def encoded(word: str) -> Ids:
        return tuple(tokenizer(text.replace("[MASK]", word))["input_ids"])

    own, others = encoded(target), [encoded(word) for word in OTHERS]
    before = min(common(own, other) for other in others)
    after = min(common(own[::-1], other[::-1]) for other in others)
    return own[:before], own[before : len(own) - after], own[len(own) - after :]


def in_its_sentence(model: Any, tokenizer: Any, text: str, target: str) -> float:
    """Return log p of the target's pieces from left to right, with plain transformers."""
    before, pieces, after = word_for_word(tokenizer, text, target)
    return sum(
        oracle._log_softmax(
            model,
            [*before, *pieces[:i], *[tokenizer.mask_token_id] * (len(pieces) - i), *after],
        )[len(before) + i, piece].item()
        for i, piece in enumerate(pieces)
    )


def common(first: Sequence[int], second: Sequence[int]) -> int:
    """Return how many pieces two sentences begin with alike."""
    pairs = enumerate(zip(first, second, strict=False))
    return next((i for i, (a, b) in pairs if a != b), min(len(first), len(second)))


@each()
@pytest.mark.parametrize("mark", MARKS)
def test_pieces_and_context_are_those_of_the_written_sentence(
    loaded: dict[str, torch_model.LoadedModel], family: str, mark: str
) -> None:
    """By comparing sentences with several words at the slot; the first read masks all of it."""
    model = loaded[family]
    text = f"We met the [MASK]{mark}"
    targets = [word for word in TARGETS if (family, word) != ("words", "edly")]
    expanded = cells(*((text, 0, target) for target in targets))
    made = plan(expanded, model)
    for item, target in zip(expanded.items["item"], expanded.items["target"], strict=True):
        if family == "words" and target == "farmers":
            assert made.status[item] == "target_unknown"
            continue
        before, pieces, after = word_for_word(model._tokenizer, text, target)
        first, _ = made.item_reads[item, "logp"].reads[0]
        assert first.ids == (*before, *[model.mask_id] * len(pieces), *after)
        assert [piece for _, piece in made.item_reads[item, "logp"].reads] == list(pieces)
        assert made.contexts[expanded.contexts["context"][0]].ids == (
            *before, model.mask_id, *after,
        )  # fmt: skip


@each()
def test_what_follows_a_word_changes_none_of_its_pieces(
    loaded: dict[str, torch_model.LoadedModel], family: str
) -> None:
    """A word, a full stop, a comma, a bracket, a quotation mark."""
    words = ["nurse"] if family == "words" else TARGETS
    expanded = cells(*((f"We met the [MASK]{mark}", 0, w) for mark in MARKS for w in words))
    made = plan(expanded, loaded[family])
    assert set(made.status.values()) == {"ok"}
    for _, rows in expanded.items.groupby("target"):
        assert (
            len({tuple(p for _, p in made.item_reads[i, "logp"].reads) for i in rows["item"]}) == 1
        )


@each()
def test_closing_marks_of_all_countries_change_none_of_its_pieces_either(
    loaded: dict[str, torch_model.LoadedModel], family: str
) -> None:
    """Whether the vocabulary has the mark or not: the word before it is the same."""
    writer = Writer(loaded[family])
    for word in TARGETS:
        asked = [(f"We met the [MASK]{mark}", 0, word) for mark in (".", *CLOSING)]
        plain, *others = writer.write(asked)
        assert plain is not None
        assert [other and other.pieces for other in others] == [plain.pieces] * len(CLOSING)


@each(name for name in FAMILIES if name.endswith(" lstrip"))
def test_the_mask_token_s_flags_change_no_read(
    loaded: dict[str, torch_model.LoadedModel], family: str
) -> None:
    """A mask that takes the space before it or does not: the same words are read alike."""
    texts = [f"We met the [MASK]{mark}" for mark in MARKS] + ["[MASK] saw the nurse."]
    texts += ["the [MASK] was a [MASK]."]
    expanded = cells(*((text, 0, target) for text in texts for target in TARGETS))
    strips, keeps = (
        plan(expanded, loaded[name]) for name in (family, family.removesuffix(" lstrip"))
    )
    assert strips.item_reads == keeps.item_reads
    assert strips.contexts == keeps.contexts


@each()
def test_a_word_is_scored_as_the_oracle_scores_it_in_its_sentence(
    loaded: dict[str, torch_model.LoadedModel], checkpoints: dict[str, Path], family: str
) -> None:
    """Plain transformers, one sentence at a time, the pieces masked from left to right."""
    model, tokenizer = oracle.load(checkpoints[family])
    words = ["nurse", "John"] if family == "words" else TARGETS
    expanded = cells(*((f"We met the [MASK]{mark}", 0, w) for mark in (".", " saw") for w in words))
    scored = scoring.score(expanded, [loaded[family]]).scores.set_index("item")["value"]
    for row in expanded.items.merge(expanded.contexts, on="context").itertuples():
        right = in_its_sentence(model, tokenizer, row.text, row.target)
        assert scored[row.item] == pytest.approx(right, abs=1e-5)


FRENCH = ("« [MASK] saw »", "« [MASK] »", "l’[MASK] saw.", "“[MASK]”", "(l’[MASK])", "l’«[MASK]»")


@each(name for name in FAMILIES if name.startswith("byte"))
@pytest.mark.parametrize("text", FRENCH)
def test_french_quotation_marks_and_apostrophes_are_read_as_written(
    loaded: dict[str, torch_model.LoadedModel],
    checkpoints: dict[str, Path],
    family: str,
    text: str,
) -> None:
    """By the oracle, whatever piece of white space stands between the mark and the word."""
    model, tokenizer = oracle.load(checkpoints[family])
    expanded = cells(*((text, 0, word) for word in TARGETS))
    scored = scoring.score(expanded, [loaded[family]]).scores.set_index("item")["value"]
    for item, word in zip(expanded.items["item"], expanded.items["target"], strict=True):
        assert scored[item] == pytest.approx(
            in_its_sentence(model, tokenizer, text, word), abs=1e-5
        )


def test_a_script_without_spaces_is_read_as_written(tmp_path: Path) -> None:
    """By hand, for a vocabulary with a mark of white space at the start of a text alone."""
    words = ["昨天", "老师", "工人", "▁她", "▁他"]
    single = [(letter, -8.0) for letter in "她他是来了昨天老师工人。"]
    special = [(token, 0.0) for token in ("<s>", "<pad>", "</s>", "<unk>")]
    vocabulary = [*special, ("▁", -3.0), *single, *((word, -4.0) for word in words)]
    tokenizer = XLMRobertaTokenizer(vocab=[*vocabulary, ("<mask>", 0.0)])
    folder = tiny.with_tokenizer(tmp_path / "model", tokenizer)
    plain, _ = oracle.load(folder)
    right = {
        ("昨天[MASK]来了。", "她"): ("▁ 昨天", "她", "来 了 。"),
        ("昨天[MASK]来了。", "他"): ("▁ 昨天", "他", "来 了 。"),
        ("[MASK]是老师。", "她"): ("", "▁她", "是 老师 。"),
        ("她是[MASK]。", "老师"): ("▁她 是", "老师", "。"),
        ("她是[MASK]。", "工人"): ("▁她 是", "工人", "。"),
    }
    expanded = cells(*((text, 0, target) for text, target in right))
    scored = scoring.score(expanded, [torch_model.load(folder)]).scores.set_index("item")["value"]
    for item, pieces in zip(expanded.items["item"], right.values(), strict=True):
        before, own, after = (tokenizer.convert_tokens_to_ids(part.split()) for part in pieces)
        ids = [tokenizer.cls_token_id, *before, tokenizer.mask_token_id, *after]
        log_p = oracle._log_softmax(plain, [*ids, tokenizer.sep_token_id])
        assert scored[item] == pytest.approx(log_p[len(before) + 1, own[0]].item(), abs=1e-5)


def test_a_turkish_capital_is_one_piece_where_the_vocabulary_has_it(tmp_path: Path) -> None:
    """`İzmir` opens the sentence as Turkish writes it, not as `Izmir`, in many pieces."""
    words = ("İzmir", "güzel")
    folder = tiny.build(tmp_path / "model", "bert", 0, words, cased=True)
    pieces = {}
    for language in ("tr", "en"):
        target = SentenceCase(language).opened("izmir")
        made = plan(cells(("[MASK] güzel.", 0, target)), torch_model.load(folder))
        pieces[language] = (*made.written.values(), *made.pieces.values())
    assert pieces == {"tr": ("İzmir", 1), "en": ("Izmir", 5)}


def test_a_target_that_changes_its_neighbours_is_lost_and_the_others_are_not(
    loaded: dict[str, torch_model.LoadedModel],
) -> None:
    """Glued to a word, it may share a piece with it; the others keep their sentence."""
    text = "They know the [MASK]s."
    expanded = cells(*((text, 0, target) for target in ("nurse", "farmer", "doctor", "the")))
    model = loaded["WordPiece uncased"]
    assert len(model.encode(["doctors"])[0].ids) == 4
    assert statuses(plan(expanded, model), expanded) == {
        (text, target): "ok" for target in ("nurse", "farmer", "doctor", "the")
    }
    glued = cells(("We teach[MASK].", 0, "er"), ("We teach[MASK].", 0, "ers"))
    assert set(plan(glued, loaded["byte-level BPE"]).status.values()) <= {
        "ok", "target_changes_context",
    }  # fmt: skip


@each()
def test_the_order_of_targets_and_sentences_changes_nothing(
    loaded: dict[str, torch_model.LoadedModel], family: str
) -> None:
    """Which context most words stand in is decided by its content."""
    rows = [(f"the [MASK]{mark}", 0, t) for mark in MARKS for t in (*TARGETS, "the", "s")]
    one, other = (plan(cells(*order), loaded[family]) for order in (rows, rows[::-1]))
    assert one.item_reads == other.item_reads
    assert one.contexts == other.contexts
    assert one.status == other.status


@each()
def test_as_encoded_is_the_reading_of_fill_mask(
    loaded: dict[str, torch_model.LoadedModel], checkpoints: dict[str, Path], family: str
) -> None:
    """The pipeline's own input has the same pieces."""
    model, tokenizer = oracle.load(checkpoints[family])
    fill = pipeline("fill-mask", model=model, tokenizer=tokenizer, device=-1)
    for text in ("We met the [MASK].", "the [MASK] was old", "[MASK] was old."):
        expanded = cells((text, 0, "nurse"))
        made = plan(expanded, loaded[family], reading="as_encoded")
        [context] = made.contexts.values()
        asked = fill.preprocess(text.replace("[MASK]", tokenizer.mask_token))["input_ids"][0]
        assert list(context.ids) == asked.tolist()
        [item] = expanded.items["item"]
        reads = made.item_reads[item, "logp"].reads
        if len(reads) == 1:
            found = fill(
                text.replace("[MASK]", tokenizer.mask_token),
                targets=[tokenizer.convert_ids_to_tokens(reads[0][1])],
            )
            value = scoring.score(expanded, [loaded[family]], reading="as_encoded").scores["value"]
            assert math.exp(value[0]) == pytest.approx(found[0]["score"], rel=1e-4)
