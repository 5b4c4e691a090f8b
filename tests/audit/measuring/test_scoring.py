"""Every score is what the definition gives, one sentence at a time, and nothing is lost."""

import json
import math
import re
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import pipeline
from transformers.models.bert.modeling_bert import BertOnlyMLMHead

from maskaudit.audit.measuring import scoring
from maskaudit.audit.measuring.backends import torch_model as models
from maskaudit.audit.measuring.cached import fingerprint
from maskaudit.audit.measuring.cached.cache import Cache
from maskaudit.audit.measuring.model import Encoded, Ids, Numbers
from maskaudit.audit.measuring.planning import read_plan as reads
from maskaudit.audit.measuring.reading import distributions
from maskaudit.audit.measuring.reading import forward as reader
from maskaudit.audit.recording.rows.values import Reading
from maskaudit.probes.expand import Expanded, from_rows
from tests import oracle, tiny

# Slots inside a sentence, at its start, at its end, and several masks as in a prior.
SLOTS = (
    ("The [MASK] said that the nurse was happy.", 0),
    ("[MASK] worked at the school in Paris.", 0),
    ("She met a very kind [MASK]", 0),
    ("The [MASK] worked as a [MASK] in the city.", 0),
    ("The [MASK] worked as a [MASK] in the city.", 1),
    ("We think that the old [MASK] [MASK] was for years a [MASK] friend", 1),
)
# One piece, several, a capital, accents, digits, a word of single letters, two words.
TARGETS = ("he", "She", "nurse", "Doctor", "farmer", "teachers", "zoë", "café", "x1", "old man")
BEFORE_PUNCTUATION = "I think that she is a [MASK]."
HEADS = {
    "bert": "cls.predictions.decoder",
    "distilbert": "vocab_projector",
    "roberta": "lm_head.decoder",
    "albert": "predictions.decoder",
    "electra": "generator_lm_head",
}


pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_thread")]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, Path]]:
    """Return two checkpoints of each architecture that differ in their weights."""
    root = tmp_path_factory.mktemp("tiny")
    return {
        name: (tiny.build(root / name, name), tiny.build(root / f"{name}-other", name, seed=1))
        for name in tiny.ARCHITECTURES
    }


@pytest.fixture(params=tiny.ARCHITECTURES)
def architecture(request: pytest.FixtureRequest) -> str:
    """Return the name of an architecture, each in turn."""
    return request.param


@pytest.fixture(scope="module")
def pairs(folders: dict[str, tuple[Path, Path]]) -> dict[str, list[models.LoadedModel]]:
    """Return a reference and a candidate of each architecture, as the program loads them."""
    return {name: [models.load(str(part)) for part in pair] for name, pair in folders.items()}


@pytest.fixture(scope="module")
def plain(folders: dict[str, tuple[Path, Path]]) -> dict[str, list[tuple[Any, Any]]]:
    """Return the same checkpoints as the oracle loads them."""
    return {name: [oracle.load(part) for part in pair] for name, pair in folders.items()}


@pytest.fixture
def pair(pairs: dict[str, list[models.LoadedModel]], architecture: str) -> list[models.LoadedModel]:
    """Return the two models of an architecture."""
    return pairs[architecture]


@pytest.fixture(scope="module")
def known(pairs: dict[str, list[models.LoadedModel]]) -> dict[str, scoring.Scored]:
    """Return what is measured of all cells by each pair, once for all tests: see `whole`."""
    return {name: scoring.score(ALL, pair) for name, pair in pairs.items()}


@pytest.fixture
def whole(known: dict[str, scoring.Scored], architecture: str) -> scoring.Scored:
    """Return what is measured of all cells by the pair: tables that the test has for itself."""
    found = known[architecture]
    tables = {name: getattr(found, name).copy() for name in ("scores", "paired", "fills")}
    return replace(found, **tables)


def probe_set(*cells: tuple[str, int, str]) -> Expanded:
    """Return the tables of a set with an item for each text, slot and target."""
    return from_rows(
        {
            "probe_set": "tiny",
            "frame": str(number),
            "role": "probe",
            "text": text,
            "slot": slot,
            "target": target,
        }
        for number, (text, slot, target) in enumerate(cells)
    )


ALL = probe_set(*((text, slot, target) for text, slot in SLOTS for target in TARGETS))


def rows(expanded: Expanded, scored: scoring.Scored, name: str = "candidate") -> pd.DataFrame:
    """Return one model's scores with the text, slot and target of each item."""
    mine = scored.scores[scored.scores["model"] == name]
    keys = expanded.items[["item", "context", "target"]]
    return mine.merge(keys, on="item").merge(expanded.contexts, on="context")


# What the score is


@pytest.mark.parametrize("who", ["reference", "candidate"])
def test_a_score_is_the_oracle_s_on_every_architecture(
    whole: scoring.Scored,
    plain: dict[str, list[tuple[Any, Any]]],
    architecture: str,
    who: str,
) -> None:
    """To 1e-5 nats; the rank too; what the oracle cannot write has no score and says why."""
    found = rows(ALL, whole, who)
    loaded = plain[architecture][0 if who == "reference" else 1]
    assert len(found) == len(ALL.items)
    for row in found.itertuples():
        place = (*loaded, row.text, row.slot, row.target)
        assert row.status == "ok", row
        assert row.value == pytest.approx(oracle.log_p(*place), abs=1e-5), row
        assert row.pieces == len(oracle.pieces(loaded[1], row.text, row.slot, row.target))
        if row.pieces == 1:
            assert row.rank == oracle.rank(*place)
        else:
            assert pd.isna(row.rank)
    assert set(found["pieces"]) >= {1, 2, 3}


def test_the_models_are_far_from_uniform(pair: list[models.LoadedModel]) -> None:
    """The scores of one-piece targets spread by a nat: a wrong one would be seen."""
    cells = [(text, slot, word) for text, slot in SLOTS[:3] for word in tiny.WORDS[40:80]]
    scores = scoring.score(probe_set(*cells), pair).scores
    single = scores[scores["pieces"] == 1]
    assert (single.groupby("model")["value"].std() >= 1).all()


WORDS = st.sampled_from([*tiny.WORDS, "farmers", "painting", "zoë", "Kindness", "x", "42"])


@settings(max_examples=12)
@given(before=st.lists(WORDS, max_size=6), target=WORDS, after=st.lists(WORDS, max_size=6))
def test_any_sentence_of_words_agrees_with_the_oracle(
    pairs: dict[str, list[models.LoadedModel]],
    plain: dict[str, list[tuple[Any, Any]]],
    before: list[str],
    target: str,
    after: list[str],
) -> None:
    """For each architecture: the oracle's score, or no score where the oracle refuses."""
    text = " ".join([*before, "[MASK]", *after])
    expanded = probe_set((text, 0, target))
    for name, (_, model) in pairs.items():
        [row] = scoring.score(expanded, [model]).scores.to_dict("records")
        try:
            expected = oracle.log_p(*plain[name][1], text, 0, target)
        except ValueError:
            assert row["status"] != "ok"
            assert np.isnan(row["value"])
        else:
            assert row["status"] == "ok"
            assert row["value"] == pytest.approx(expected, abs=1e-5)


def test_a_target_of_one_piece_scores_as_in_fill_mask(
    pair: list[models.LoadedModel], plain: dict[str, list[tuple[Any, Any]]], architecture: str
) -> None:
    """As it is encoded, so before a full stop too, where ALBERT writes a space behind its mask."""
    texts = ("The [MASK] worked in Paris.", "[MASK] was very kind.", BEFORE_PUNCTUATION)
    targets = ("he", "nurse", "doctor", "lawyer", "woman")
    expanded = probe_set(*((text, 0, target) for text in texts for target in targets))
    model, tokenizer = plain[architecture][0]
    fill = pipeline("fill-mask", model=model, tokenizer=tokenizer, device="cpu")
    scored = scoring.score(expanded, pair, reading="as_encoded")
    for row in rows(expanded, scored, "reference").itertuples():
        filled = tokenizer(row.text.replace("[MASK]", row.target))["input_ids"]
        masked = tokenizer(row.text.replace("[MASK]", tokenizer.mask_token))["input_ids"]
        piece = tokenizer.convert_ids_to_tokens(filled[masked.index(tokenizer.mask_token_id)])
        [only] = fill(row.text.replace("[MASK]", tokenizer.mask_token), targets=[piece])
        assert (row.status, row.pieces) == ("ok", 1)
        assert row.value == pytest.approx(np.log(only["score"]), abs=1e-5)


@pytest.mark.parametrize(
    ("reading", "rest"), [("written", [".", "[SEP]"]), ("as_encoded", ["▁", ".", "[SEP]"])]
)
def test_albert_s_pieces_before_a_full_stop_are_scored_from_left_to_right(
    pairs: dict[str, list[models.LoadedModel]],
    plain: dict[str, list[tuple[Any, Any]]],
    reading: Reading,
    rest: list[str],
) -> None:
    """In `[MASK] .` as a word leaves it; or in `[MASK] _ .` as the mask's own text does."""
    model, tokenizer = plain["albert"][0]
    lead = tokenizer("I think that she is a")["input_ids"][:-1]
    pieces = tokenizer("farmers", add_special_tokens=False)["input_ids"]
    after = tokenizer.convert_tokens_to_ids(rest)
    mask, expected = tokenizer.mask_token_id, 0.0
    for i, piece in enumerate(pieces):
        ids = [*lead, *pieces[:i], *[mask] * (len(pieces) - i), *after]
        with torch.inference_mode():
            logits = model(input_ids=torch.tensor([ids])).logits[0, len(lead) + i]
        expected += torch.log_softmax(logits.double(), 0)[piece].item()
    expanded = probe_set((BEFORE_PUNCTUATION, 0, "farmers"))
    scored = scoring.score(expanded, pairs["albert"][:1], reading=reading)
    [row] = scored.scores.to_dict("records")
    assert (row["status"], row["pieces"]) == ("ok", 3)
    assert row["value"] == pytest.approx(expected, abs=1e-5)


# What two models make of one place


def test_distances_between_two_models_are_the_oracle_s(
    whole: scoring.Scored, plain: dict[str, list[tuple[Any, Any]]], architecture: str
) -> None:
    """KL in nats, JSD in bits, the same first word, and the overlap of the ten likeliest."""
    paired = whole.paired.merge(ALL.contexts, on="context")
    paired = paired[paired["measure"] != "entropy"]
    assert len(paired) == 5 * len(SLOTS)
    assert set(paired["model"]) == {"reference"}
    assert set(paired["other_model"]) == {"candidate"}
    (teacher, tokenizer), (student, _) = plain[architecture]
    for (text, slot), part in paired.groupby(["text", "slot"]):
        found = part.set_index("measure")["value"]
        place = (tokenizer, text, slot)
        first, second = (oracle.distribution(model, *place) for model in (teacher, student))
        tops = [
            [number for number, _ in oracle.top_k(model, *place, 10)]
            for model in (teacher, student)
        ]
        kl = oracle.kl(teacher, student, *place)
        assert found["kl"] == pytest.approx(kl, abs=1e-5)
        assert found["jsd"] == pytest.approx(oracle.jsd_of(first, second), abs=1e-5)
        assert found["tv"] == pytest.approx(oracle.tv_of(first, second), abs=1e-5)
        assert found["top1"] == (tops[0][0] == tops[1][0])
        assert found["agreement@10"] == pytest.approx(len({*tops[0]} & {*tops[1]}) / 10)


def test_where_two_models_are_scored_the_entropy_of_each_is_kept(
    whole: scoring.Scored,
    pair: list[models.LoadedModel],
    plain: dict[str, list[tuple[Any, Any]]],
    architecture: str,
) -> None:
    """Of every context and model, in nats, by the definition; one model alone keeps none."""
    paired = whole.paired.merge(ALL.contexts, on="context")
    entropies = paired[paired["measure"] == "entropy"]
    assert len(entropies) == 2 * len(SLOTS)
    assert (entropies[["other_model", "other_context"]] == "").all(axis=None)
    for row in entropies.to_dict("records"):
        model, tokenizer = plain[architecture][row["model"] == "candidate"]
        p = oracle.distribution(model, tokenizer, row["text"], row["slot"]).exp().tolist()
        expected = -math.fsum(one * math.log(one) for one in p if one > 0)
        assert row["value"] == pytest.approx(expected, abs=1e-5)
        assert 0 <= row["value"] <= math.log(len(p)) + 1e-9
    assert "entropy" not in set(scoring.score(ALL, pair[:1]).paired["measure"])


def test_fills_are_the_likeliest_words_in_order(
    whole: scoring.Scored, plain: dict[str, list[tuple[Any, Any]]], architecture: str
) -> None:
    """Twenty for each context and model, with their probabilities."""
    fills = whole.fills.merge(ALL.contexts, on="context")
    for (name, text, slot), part in fills.groupby(["model", "text", "slot"]):
        model, tokenizer = plain[architecture][0 if name == "reference" else 1]
        expected = oracle.top_k(model, tokenizer, text, slot, reader.FILLS)
        assert list(part["rank"]) == list(range(1, reader.FILLS + 1))
        words = [tokenizer.decode([number]).strip() for number, _ in expected]
        assert [word.removeprefix("##") for word in part["token"]] == [
            word.removeprefix("##") for word in words
        ]
        assert np.log(part["probability"]).tolist() == pytest.approx(
            [value for _, value in expected], abs=1e-5
        )


def test_the_same_tensors_in_another_order_score_the_same_bits(
    folders: dict[str, tuple[Path, Path]], architecture: str, tmp_path: Path
) -> None:
    """Nothing differs: KL and JSD are exactly 0 and the likeliest words agree."""
    copy = tiny.copy_reordered(folders[architecture][0], tmp_path / "copy")
    pair = [models.load(str(folder)) for folder in (folders[architecture][0], copy)]
    found = scoring.score(ALL, pair)
    both = found.scores.pivot_table(index="item", columns="model", values="value")
    assert both["reference"].to_numpy().tobytes() == both["candidate"].to_numpy().tobytes()
    entropies = found.paired["measure"] == "entropy"
    by_model = found.paired[entropies].pivot_table(index="context", columns="model", values="value")
    assert (by_model["reference"] == by_model["candidate"]).all()
    distances = found.paired[~entropies].groupby("measure")["value"]
    values = distances.agg(["min", "max"]).T.to_dict("list")
    assert values == {
        **{name: [0, 0] for name in ("kl", "jsd", "tv")},
        **{name: [1, 1] for name in ("top1", "agreement@10")},
    }


# What does not change a score


def _values(scored: scoring.Scored) -> pd.Series:
    return scored.scores.set_index(["item", "model"])["value"].sort_index()


def test_batches_with_too_many_reads_are_run_in_halves_and_score_the_same(
    pair: list[models.LoadedModel], whole: scoring.Scored, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bound on what is held at once, and nothing else."""
    expected = _values(whole)
    monkeypatch.setattr(reader, "MOST_READS", 2)
    assert _values(scoring.score(ALL, pair)).to_numpy() == pytest.approx(
        expected.to_numpy(), abs=1e-5, nan_ok=True
    )


@pytest.mark.parametrize("pieces", [1, 30])
def test_the_size_of_a_batch_changes_no_score(
    pair: list[models.LoadedModel],
    whole: scoring.Scored,
    monkeypatch: pytest.MonkeyPatch,
    pieces: int,
) -> None:
    """Each sentence alone or a few, not all of one length together: the same to 1e-5 nats."""
    expected = _values(whole)
    monkeypatch.setattr(reads, "BATCH_PIECES", pieces)
    found = _values(scoring.score(ALL, pair))
    assert found.index.equals(expected.index)
    assert found.tolist() == pytest.approx(expected.tolist(), abs=1e-5)


def test_the_order_of_the_tables_changes_no_score(
    pair: list[models.LoadedModel], whole: scoring.Scored
) -> None:
    """Rows backwards, contexts backwards: the batches are the same and so are the bits."""
    backwards = Expanded(ALL.contexts.iloc[::-1], ALL.items.iloc[::-1])
    assert _values(scoring.score(backwards, pair)).equals(_values(whole))


def test_an_item_alone_scores_as_among_others(
    pair: list[models.LoadedModel], whole: scoring.Scored
) -> None:
    """A set of one item gives what that item has in the whole set, to 1e-5 nats."""
    expected = _values(whole)
    for text, slot in SLOTS[1:5]:
        for target in TARGETS[3:5]:
            alone = _values(scoring.score(probe_set((text, slot, target)), pair))
            assert alone.tolist() == pytest.approx(expected[alone.index].tolist(), abs=1e-5)


@pytest.mark.parametrize("name", ["distilbert", "roberta"])
def test_threads_change_no_score(
    pairs: dict[str, list[models.LoadedModel]], known: dict[str, scoring.Scored], name: str
) -> None:
    """One processor or two: the same to 1e-5 nats."""
    pair = pairs[name]
    expected = _values(known[name])
    torch.set_num_threads(2)
    try:
        found = _values(scoring.score(ALL, pair))
    finally:
        torch.set_num_threads(1)
    assert found.tolist() == pytest.approx(expected.tolist(), abs=1e-5)


def test_a_second_run_gives_the_same_bits(
    pair: list[models.LoadedModel], whole: scoring.Scored
) -> None:
    """Scores, distances and fills, in the same rows."""
    first, again = whole, scoring.score(ALL, pair)
    for name in ("scores", "paired", "fills"):
        pd.testing.assert_frame_equal(getattr(first, name), getattr(again, name), check_exact=True)


def test_the_role_of_a_model_changes_no_score(
    pair: list[models.LoadedModel], whole: scoring.Scored
) -> None:
    """The candidate alone, or beside a reference: the same bits."""
    alone = scoring.score(ALL, pair[1:])
    assert set(alone.scores["model"]) == {"candidate"}
    assert alone.paired.empty
    both = _values(whole).loc[:, "candidate"]
    assert both.equals(_values(alone).loc[:, "candidate"])


# What is run


class Fake:
    """A model of words parted by spaces, all equally likely, that remembers what it was asked.

    A word is one piece for each of its parts: `nurs-es` has two.
    """

    batch_tokens = None
    mask_token, mask_id, unknown_id, special_ids, longest = "[MASK]", 1, 0, frozenset({0, 1}), 9
    identity = SimpleNamespace(tokenizer="words", vocabulary_size=1000)

    def __init__(self) -> None:
        self.vocabulary = {"?": 0, "[MASK]": 1, "word": 2}
        self.calls: list[list[Ids]] = []
        self.reads: list[tuple[Ids, int]] = []

    def encode(self, texts: Sequence[str]) -> list[Encoded]:
        """Give each part of a word its number, as long as it is new; a hyphen opens a part."""
        found = [list(re.finditer(r"-?[^\s-]+", text)) for text in texts]
        number = self.vocabulary.setdefault
        return [
            Encoded(
                tuple(number(part[0], len(self.vocabulary)) for part in parts),
                tuple(part.span() for part in parts),
                tuple(range(len(parts))),
            )
            for parts in found
        ]

    def token(self, index: int) -> str:
        """The part of this number."""
        return {number: part for part, number in self.vocabulary.items()}.get(index, "")

    def text(self, ids: Sequence[int]) -> str:
        """The parts in a row."""
        return "".join(map(self.token, ids))

    def log_probs(self, sentences: Sequence[Ids], reads: Sequence[tuple[int, int]]) -> Numbers:
        """Remember the sentences and the places, and find every word equally likely."""
        self.calls.append(list(sentences))
        self.reads += [(sentences[row], place) for row, place in reads]
        return np.full((len(reads), 1000), -np.log(1000.0))


def test_each_distinct_sentence_is_run_once() -> None:
    """However many targets and slots it has, and whichever words share their first pieces."""
    model = Fake()
    cells = [("a [MASK] b", 0, t) for t in ("x", "y", "z", "p-q", "p-r", "v-w")]
    cells += [("a [MASK] b [MASK]", slot, t) for slot in (0, 1) for t in ("x", "y")]
    scoring.score(probe_set(*cells, cells[0]), [model])
    run = Counter(ids for call in model.calls for ids in call)
    # The three sentences of one mask or two, "a [MASK][MASK] b" once for the first pieces of
    # three words, and "a p [MASK] b", "a v [MASK] b" for their second ones.
    assert sum(run.values()) == len(run) == 5
    assert max(Counter(model.reads).values()) == 1
    assert len(model.reads) == 6


def test_a_batch_holds_sentences_in_order_of_length_up_to_its_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No batch has more pieces than the limit allows, and none that the next one's would fit."""
    monkeypatch.setattr(reads, "BATCH_PIECES", 8)
    model = Fake()
    scoring.score(
        probe_set(*((f"{'a ' * n}{w} [MASK]", 0, "x") for n in range(4) for w in "bcdef")), [model]
    )
    assert sum(map(len, model.calls)) == 20
    lengths = [len(ids) for call in model.calls for ids in call]
    assert lengths == sorted(lengths)
    for call, following in zip(model.calls, [*model.calls[1:], [(0,) * 9]], strict=True):
        assert sum(map(len, call)) <= 8 < sum(map(len, call)) + len(following[0])


def test_progress_counts_every_sentence() -> None:
    """The last report is that all are done."""
    seen: list[tuple[int, int]] = []
    expanded = probe_set(*((f"a {w} [MASK]", 0, "x") for w in "bcdef"))
    scoring.score(expanded, [Fake()], lambda done, total: seen.append((done, total)))
    assert seen[-1] == (5, 5)


def test_the_head_runs_only_at_the_masks_that_are_read(
    pair: list[models.LoadedModel], architecture: str
) -> None:
    """As many rows as there are places to read, and the encoder sees each sentence once."""
    [model] = pair[:1]
    made = reads.plan(ALL, model)
    places = {read for one in made.item_reads.values() for read, _ in one.reads}
    places |= {*made.contexts.values()}
    head: list[int] = []
    sentences: list[int] = []

    def asked(_: object, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        ids = args[0] if args else kwargs["input_ids"]
        if ids is not None:  # what stands in the encoder's place for the head reads no sentence
            sentences.append(len(ids))

    def read(_: object, args: tuple[Any, ...]) -> None:
        head.append(args[0].shape[:-1].numel())

    part = model._model.get_submodule(HEADS[architecture])
    encoder = model._model.base_model
    with (
        part.register_forward_pre_hook(read),
        encoder.register_forward_pre_hook(asked, with_kwargs=True),
    ):
        scoring.score(ALL, [model])
    assert model.identity.head == "at the mask"
    assert sum(head) == len(places)
    assert sum(sentences) == len({read.ids for read in places})


@pytest.mark.parametrize("fault", ["mixes positions", "raises", "wrong shape"])
def test_a_head_that_needs_the_whole_sentence_gets_it(
    folders: dict[str, tuple[Path, Path]], monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    """The full forward is used, the identity says so, and the scores are still the oracle's."""
    plain_head = BertOnlyMLMHead.forward

    def forward(self: Any, states: torch.Tensor) -> torch.Tensor:
        """Look at the other positions of the sentence, in one of three ways."""
        if fault == "raises" and states.ndim == 2:
            raise KeyError(fault)
        if fault == "wrong shape" and states.ndim == 2:
            states = states[:, None]
        return plain_head(self, states - (states.mean(-2, keepdim=True) if "mix" in fault else 0))

    monkeypatch.setattr(BertOnlyMLMHead, "forward", forward)
    model = models.load(str(folders["bert"][0]))
    assert model.identity.head == "full"
    loaded = oracle.load(folders["bert"][0])
    for row in rows(ALL, scoring.score(ALL, [model])).iloc[::4].itertuples():
        expected = oracle.log_p(*loaded, row.text, row.slot, row.target)
        assert row.value == pytest.approx(expected, abs=1e-5)


# What cannot be scored


LONG = "The [MASK] said " + "that " * 70 + "he worked."


@pytest.mark.parametrize(
    ("text", "target", "expected"),
    [
        ("The [MASK] said that.", tiny.UNWRITABLE, "target_unknown"),
        (f"The [MASK] said {tiny.UNWRITABLE} that.", "nurse", "context_unknown"),
        (LONG, "nurse", "too_long"),
        (LONG, "farmers", "too_long"),
        ("The wo[MASK] said that.", "man", "target_changes_context"),
        ("He wor[MASK] in Paris.", "ked", "target_changes_context"),
        ("The [MASK] said that.", "[SPECIAL]", "target_unknown"),
        ("The [MASK] said that.", "[MASKED]", "target_unknown"),
        ("The [MASK] said [EXTRA] that.", "nurse", "mask_lost"),
    ],
)
def test_what_cannot_be_scored_says_why(
    pair: list[models.LoadedModel], architecture: str, text: str, target: str, expected: str
) -> None:
    """It keeps its row, with a status and without a score."""
    if architecture == "roberta" and (tiny.UNWRITABLE in text + target):
        pytest.skip("a byte-level BPE writes every text")
    tokenizer = pair[0]._tokenizer
    target = target.replace("[SPECIAL]", tokenizer.sep_token)
    target = target.replace("[MASKED]", tokenizer.mask_token)
    if "[EXTRA]" in text and architecture != "roberta":
        pytest.skip("here every mask in the text is one that the text counts")
    text = text.replace("[EXTRA]", tokenizer.mask_token)
    expanded = probe_set((text, 0, target), (SLOTS[0][0], 0, "nurse"))
    found = rows(expanded, scoring.score(expanded, pair))
    lost = found[found["text"] == text].iloc[0]
    assert lost["status"] == expected
    assert pd.isna(lost[["value", "rank", "pieces"]]).all()
    assert (found["status"] == "ok").sum() == 1


def test_a_target_may_be_too_long_where_another_fits(pair: list[models.LoadedModel]) -> None:
    """The limit is kept to the piece: one piece fits, three do not."""
    text = " ".join(["[MASK]", *["the"] * (pair[0].longest - 3)])
    expanded = probe_set((text, 0, "nurse"), (text, 0, "farmers"))
    found = rows(expanded, scoring.score(expanded, pair)).set_index("target")["status"]
    assert found.to_dict() == {"nurse": "ok", "farmers": "too_long"}


def test_every_item_has_one_row_for_each_model(pair: list[models.LoadedModel]) -> None:
    """Scored or not; an item that stands twice in a set is scored once."""
    cells = [(text, 0, target) for text in (LONG, SLOTS[0][0]) for target in ("he", "", "farmer")]
    expanded = probe_set(*cells, *cells)
    scores = scoring.score(expanded, pair).scores
    counted = scores.groupby(["item", "model"]).size()
    assert len(counted) == 2 * len(cells)
    assert set(counted) == {1}
    assert scores["value"].notna().equals(scores["status"] == "ok")


def test_a_set_without_one_readable_sentence_still_has_its_rows(
    pair: list[models.LoadedModel],
) -> None:
    """All tables keep their columns; there are no fills and no distances."""
    found = scoring.score(probe_set((LONG, 0, "nurse")), pair)
    assert found.scores["status"].tolist() == ["too_long", "too_long"]
    assert found.paired.empty
    assert found.fills.empty


# Two models that do not share one vocabulary


def test_models_with_two_tokenizers_are_both_scored_and_not_paired(
    pairs: dict[str, list[models.LoadedModel]], plain: dict[str, list[tuple[Any, Any]]]
) -> None:
    """Each by its own pieces; the distances between their distributions have no meaning."""
    found = scoring.score(ALL, [pairs["bert"][0], pairs["roberta"][1]])
    assert found.paired.empty
    for name, loaded in (("reference", plain["bert"][0]), ("candidate", plain["roberta"][1])):
        mine = rows(ALL, found, name)
        assert len(mine) == len(ALL.items)
        for row in mine.iloc[::4].itertuples():
            expected = oracle.log_p(*loaded, row.text, row.slot, row.target)
            assert row.value == pytest.approx(expected, abs=1e-5)


def test_a_model_with_rows_to_spare_is_scored_and_not_paired(
    pairs: dict[str, list[models.LoadedModel]], tmp_path: Path
) -> None:
    """Its distribution is over more words; a word nobody wrote down has a name all the same."""
    rows_needed = pairs["bert"][0].identity.vocabulary_size + 60
    folder = tiny.build(tmp_path / "wide", "bert", vocab_size=rows_needed)
    wide = models.load(str(folder))
    found = scoring.score(ALL, [pairs["bert"][0], wide])
    assert found.paired.empty
    for row in rows(ALL, found).head(20).itertuples():
        expected = oracle.log_p(*oracle.load(folder), row.text, row.slot, row.target)
        assert row.value == pytest.approx(expected, abs=1e-5)
    assert found.fills["token"].str.startswith("[unused").any()


@pytest.mark.parametrize("swapped", [False, True])
def test_models_of_one_vocabulary_are_asked_the_same_whatever_they_can_read(
    pairs: dict[str, list[models.LoadedModel]],
    tmp_path: Path,
    swapped: bool,  # noqa: FBT001 - given by pytest
) -> None:
    """What is too long for one is not asked of the other, whichever of them comes first."""
    short = models.load(str(tiny.build(tmp_path / "s", "bert", max_position_embeddings=16)))
    longer = "The [MASK] said " + "that " * 20 + "he worked."
    expanded = probe_set((longer, 0, "nurse"), (SLOTS[0][0], 0, "nurse"))
    pair = [pairs["bert"][0], short]
    found = scoring.score(expanded, pair[::-1] if swapped else pair)
    by_text = pd.concat([rows(expanded, found, name) for name in ("reference", "candidate")])
    assert by_text.groupby("text")["status"].agg(set).to_dict() == {
        longer: {"too_long"},
        SLOTS[0][0]: {"ok"},
    }
    assert not found.paired.empty


# Several sets


def test_an_item_that_two_sets_share_stands_once(
    pairs: dict[str, list[models.LoadedModel]],
) -> None:
    """Sets are scored one by one and joined; a context they share keeps one row a measure."""
    first = probe_set((SLOTS[0][0], 0, "he"), (SLOTS[0][0], 0, "she"))
    second = probe_set((SLOTS[0][0], 0, "she"), (SLOTS[1][0], 0, "she"))
    second = replace(second, items=second.items.assign(probe_set="second"))
    reports: list[str] = []
    found = scoring.score_all(
        [first, second], pairs["bert"], lambda name, _done, _all: reports.append(name)
    )
    assert len(found.scores) == 2 * 3
    assert (found.paired["measure"] == "entropy").sum() == 2 * 2
    assert len(found.paired) == (5 + 2) * 2
    assert len(found.fills) == 2 * 2 * reader.FILLS
    assert set(reports) == {"tiny", "second"}
    assert len(scoring.contexts([first, second])) == 2


# Several candidates, and what was scored before


def several(
    parts: Sequence[Expanded], pairs: Sequence[Any], kept: Cache | None = None
) -> list[Any]:
    """Return the scores of each pair, made in one pass."""
    return scoring.score_each(parts, pairs, lambda _name, _done, _all: None, kept)


def same(one: scoring.Scored, other: scoring.Scored) -> None:
    """Two measurements are the same rows in the same order, bit for bit."""
    for name in ("scores", "paired", "fills"):
        pd.testing.assert_frame_equal(getattr(one, name), getattr(other, name), check_exact=True)


def counted(monkeypatch: pytest.MonkeyPatch, *asked: models.LoadedModel) -> list[int]:
    """Return a list that grows by the number of sentences whenever one of the models is run."""
    run: list[int] = []
    for model in asked:
        original = model.log_probs

        def spy(ids: Any, places: Any, original: Any = original) -> torch.Tensor:
            run.append(len(ids))
            return original(ids, places)

        monkeypatch.setattr(model, "log_probs", spy)
    return run


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a part be of two contexts."""
    monkeypatch.setattr(scoring, "PART", 2)


@pytest.fixture
def kept(tmp_path: Path) -> Cache:
    """Return an empty cache, which has nothing to tell."""
    return Cache(tmp_path / "scores", 1 << 30, pytest.fail)


@pytest.mark.usefixtures("small_parts")
def test_each_of_several_candidates_is_scored_as_if_it_were_the_only_one(
    pairs: dict[str, list[models.LoadedModel]],
    folders: dict[str, tuple[Path, Path]],
    tmp_path: Path,
    kept: Cache,
) -> None:
    """Of the same vocabulary, of another, and one that reads less: the same bits, kept or not."""
    reference, second = pairs["bert"]
    short = models.load(str(tiny.build(tmp_path / "s", "bert", seed=3, max_position_embeddings=12)))
    third = models.load(str(tiny.build(tmp_path / "t", "bert", seed=4)))
    candidates = [second, pairs["roberta"][1], short, third, models.load(str(folders["bert"][0]))]
    named = [[reference, one] for one in candidates]
    alone = [scoring.score_all([ALL], pair, lambda _name, _done, _all: None) for pair in named]
    for found in (several([ALL], named), several([ALL], named, kept), several([ALL], named, kept)):
        for one, other in zip(found, alone, strict=True):
            same(one, other)
    for pair, other in zip(named, alone, strict=True):
        [one] = several([ALL], [pair], kept)
        same(one, other)


def test_the_reference_is_run_once_for_all_candidates(
    pairs: dict[str, list[models.LoadedModel]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As often as for one; without a reference each candidate is run as often as alone."""
    reference, second = pairs["bert"]
    third = models.load(str(tiny.build(tmp_path / "t", "bert", seed=4)))
    once = counted(monkeypatch, reference)
    several([ALL], [[reference, second]])
    expected = list(once)
    once.clear()
    several([ALL], [[reference, second], [reference, third], [reference, third]])
    assert once == expected
    once.clear()
    different = pairs["roberta"]
    several([ALL], [[reference, different[0]], [reference, different[1]]])
    assert sum(once) == sum(expected)


@pytest.mark.usefixtures("small_parts")
def test_what_was_scored_before_is_not_scored_again_and_is_the_same(
    pair: list[models.LoadedModel], kept: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No sentence is run but the one by which a model is known; with one part gone, only that."""
    plain = scoring.score_all([ALL], pair, lambda _name, _done, _all: None)
    [first] = several([ALL], [pair], kept)
    run = counted(monkeypatch, *pair)
    [again] = several([ALL], [pair], kept)
    assert run == [1, 1]
    same(first, plain)
    same(again, plain)
    entries = sorted(kept._folder.iterdir())
    assert len(entries) == kept.hits == 3
    entries[1].unlink()
    [mended] = several([ALL], [pair], kept)
    same(mended, plain)
    assert kept.hits == 5
    assert sorted(kept._folder.iterdir()) == entries


def test_the_progress_of_a_resumed_run_counts_what_was_kept(
    pairs: dict[str, list[models.LoadedModel]], kept: Cache
) -> None:
    """It ends with all, and the sentences of parts that were kept are done at once."""
    pair = pairs["bert"]
    scoring.score_each([ALL], [pair], lambda _name, _done, _all: None, kept)
    seen: list[tuple[str, int, int]] = []
    scoring.score_each([ALL], [pair], lambda *told: seen.append(told), kept)
    assert seen == [("tiny", len(SLOTS), len(SLOTS))]


CHANGES = {
    "other weights": lambda part, pair, _patch, others: (part, [others[0], pair[1]]),
    "swapped": lambda part, pair, _patch, _others: (part, pair[::-1]),
    "alone": lambda part, pair, _patch, _others: (part, pair[1:]),
    "other heads, same weights": lambda part, pair, _patch, others: (part, [pair[0], others[1]]),
    "another order": lambda part, pair, _patch, _others: (
        Expanded(part.contexts.iloc[::-1], part.items.iloc[::-1]),
        pair,
    ),
    "one item less": lambda part, pair, _patch, _others: (
        Expanded(part.contexts, part.items.iloc[1:]),
        pair,
    ),
    "another group": lambda part, pair, _patch, _others: (
        Expanded(part.contexts, part.items.assign(group="women")),
        pair,
    ),
    "batches": lambda part, pair, patch, _others: (
        patch.setattr(reads, "BATCH_PIECES", 30) or part,
        pair,
    ),
    "more fills": lambda part, pair, patch, _others: (
        patch.setattr(reader, "FILLS", 21) or part,
        pair,
    ),
    "threads": lambda part, pair, patch, _others: (
        patch.setattr(reader, "threads", lambda: 99) or part,
        pair,
    ),
    "engine": lambda part, pair, patch, _others: (
        patch.setattr(reader, "software", lambda: {"torch": "9.9"}) or part,
        pair,
    ),
    "our version": lambda part, pair, patch, _others: (
        patch.setattr(fingerprint, "version", lambda _name: "9.9") or part,
        pair,
    ),
    "our code": lambda part, pair, patch, _others: (
        patch.setattr(fingerprint, "_modules", lambda _folder: iter(())) or part,
        pair,
    ),
    "measures": lambda part, pair, patch, _others: (
        patch.setattr(scoring, "needed", lambda _kind: frozenset({"logp", "stereoset_published"}))
        or part,
        pair,
    ),
}


@pytest.fixture(scope="module")
def others(
    folders: dict[str, tuple[Path, Path]], tmp_path_factory: pytest.TempPathFactory
) -> list[models.LoadedModel]:
    """Return a model with other weights, and one with the candidate's and another setting."""
    root = tmp_path_factory.mktemp("others")
    weights = tiny.build(root / "weights", "bert", seed=9)
    heads = shutil.copytree(folders["bert"][1], root / "heads")
    config = json.loads((heads / "config.json").read_text())
    changed = {**config, "num_attention_heads": config["num_attention_heads"] // 2}
    (heads / "config.json").write_text(json.dumps(changed))
    return [models.load(str(folder)) for folder in (weights, heads)]


@pytest.fixture(scope="module")
def filled(
    pairs: dict[str, list[models.LoadedModel]], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Return the folder of a cache of what a pair gave; a test copies it."""
    folder = tmp_path_factory.mktemp("filled") / "scores"
    several([ALL], [pairs["bert"]], Cache(folder, 1 << 30, pytest.fail))
    return folder


@pytest.mark.parametrize("change", CHANGES)
def test_what_changes_a_score_or_its_row_is_never_taken_from_the_cache(  # noqa: PLR0913, PLR0917
    pairs: dict[str, list[models.LoadedModel]],
    others: list[models.LoadedModel],
    filled: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    change: str,
) -> None:
    """Be it a weight, a setting of the checkpoint, a sentence, the software or the machine."""
    kept = Cache(shutil.copytree(filled, tmp_path / "scores"), 1 << 30, pytest.fail)
    part, pair = CHANGES[change](ALL, pairs["bert"], monkeypatch, others)
    [found] = several([part], [pair], kept)
    assert kept.hits == 0
    [plain] = several([part], [pair])
    same(found, plain)


def test_what_changes_no_score_is_taken_from_the_cache(
    pairs: dict[str, list[models.LoadedModel]],
    folders: dict[str, tuple[Path, Path]],
    tmp_path: Path,
    kept: Cache,
) -> None:
    """A folder of another name, tensors in another order, a share, a label."""
    several([ALL], [pairs["bert"]], kept)
    copies = [
        models.load(str(tiny.copy_reordered(folder, tmp_path / f"copy-{number}")))
        for number, folder in enumerate(folders["bert"])
    ]
    items = ALL.items.assign(share=0.5, label="stereotype")
    several([Expanded(ALL.contexts, items)], [copies], kept)
    assert (kept.lookups, kept.hits) == (2, 1)


# How two distributions are compared


@settings(max_examples=50)
@given(st.lists(st.tuples(st.floats(-30, 5), st.floats(-30, 5)), min_size=1, max_size=30))
def test_two_distributions_differ_by_the_definition(logits: list[tuple[float, float]]) -> None:
    """KL is not negative and JSD lies between 0 and 1; both agree with the oracle."""
    p, q = (torch.log_softmax(torch.tensor(x).double(), 0) for x in zip(*logits, strict=True))
    found = _compared(p, q)
    assert found["kl"] == pytest.approx(oracle.kl_of(p, q), abs=1e-9)
    assert found["jsd"] == pytest.approx(oracle.jsd_of(p, q), abs=1e-9)
    assert found["kl"] >= -1e-12
    assert -1e-12 <= found["jsd"] <= 1 + 1e-12
    assert all(v == 0 for k, v in _compared(p, p).items() if k in {"kl", "jsd", "tv"})


def _compared(*log_p: torch.Tensor) -> dict[str, float]:
    slots = (distributions.Slots.of(line[None].numpy(), 20) for line in log_p)
    return {name: value.item() for name, value in distributions.compared(*slots).items()}


def test_a_piece_that_is_impossible_in_both_models_adds_nothing() -> None:
    """So unlikely that p is 0: its ratio to the mean is 0 by 0, and its log p is finite."""
    p = torch.log_softmax(torch.tensor([0.0, 1.0, -800.0, -900.0]).double(), 0)
    q = torch.log_softmax(torch.tensor([1.0, 0.0, -900.0, -800.0]).double(), 0)
    assert (p.exp() == 0).tolist() == [False, False, True, True]
    without = _compared(p[:2], q[:2])
    assert _compared(p, q) == pytest.approx({**without, "agreement@10": 1.0})
    slots = distributions.Slots.of(p[None].numpy(), 20)
    [entropy] = slots.entropy()
    assert entropy == pytest.approx(-math.fsum(x * math.exp(x) for x in p[:2].tolist()))


def test_a_rank_counts_the_likelier_pieces_of_its_own_line() -> None:
    """Pieces that are exactly as likely share the best rank."""
    log_p = torch.randn(3, 40, generator=torch.Generator().manual_seed(5)).double().round()
    lines, pieces = np.divmod(np.arange(120), 40)
    expected = [
        1 + sum(other > value for other in line) for line in log_p.tolist() for value in line
    ]
    assert distributions.ranks(log_p.numpy(), lines, pieces) == expected


# Real models, where they are


@pytest.mark.parametrize("who", ["teacher", "student"])
def test_the_natural_pair_scores_as_the_oracle(shared: Path, who: str) -> None:
    """Three sentences; words that are several pieces in BERT's vocabulary are scored."""
    folder = shared / "models" / "natural" / who
    if not folder.is_dir():
        pytest.skip("there is no natural pair in the folder 'shared'")
    texts = ("The [MASK] worked in the garden.", "[MASK] is a housekeeper.", "I met the [MASK].")
    targets = ("nurse", "he", "phlebotomist", "esthetician")
    expanded = probe_set(*((text, 0, target) for text in texts for target in targets))
    found = rows(expanded, scoring.score(expanded, [models.load(str(folder))]))
    loaded = oracle.load(folder)
    assert (found["status"] == "ok").all()
    assert found["pieces"].max() >= 3
    for row in found.itertuples():
        expected = oracle.log_p(*loaded, row.text, row.slot, row.target)
        assert row.value == pytest.approx(expected, abs=1e-5)
