"""The oracle and the tiny checkpoints are themselves checked, against other tools and by hand."""

import hashlib
import math
from collections.abc import Callable
from itertools import pairwise, product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from scipy.spatial.distance import jensenshannon
from scipy.special import rel_entr
from transformers import AutoModelForMaskedLM, AutoTokenizer, pipeline

from tests import oracle, tiny

TEXTS = (
    "The [MASK] said that the nurse was happy.",
    "She met a [MASK] in the city of Paris.",
    "We think that the [MASK] has worked at the school for years, and John knows it.",
    "I like the very kind [MASK] of the old house",
)
ONE_PIECE = ("he", "she", "nurse", "doctor", "lawyer", "woman", "man", "person")
SENTENCE = "the farmers said that he was very kind to the teacher"


pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_thread")]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return a tiny checkpoint of each architecture."""
    root = tmp_path_factory.mktemp("tiny")
    return {name: tiny.build(root / name, name) for name in tiny.ARCHITECTURES}


@pytest.fixture(params=tiny.ARCHITECTURES)
def architecture(request: pytest.FixtureRequest) -> str:
    """Return the name of an architecture, each in turn."""
    return request.param


@pytest.fixture
def loaded(folders: dict[str, Path], architecture: str) -> tuple[Any, Any]:
    """Return the model and the tokenizer of an architecture."""
    return oracle.load(folders[architecture])


@pytest.fixture
def bert(folders: dict[str, Path]) -> tuple[Any, Any]:
    """Return the model and the tokenizer of the tiny BERT."""
    return oracle.load(folders["bert"])


# The tiny checkpoints


def test_a_checkpoint_is_complete_and_in_float32(
    folders: dict[str, Path], architecture: str
) -> None:
    """No weight is missing, none is left over, and nothing was rounded."""
    model, info = AutoModelForMaskedLM.from_pretrained(
        folders[architecture], output_loading_info=True
    )
    assert not any(info.values())
    assert model.dtype == torch.float32


def test_log_probabilities_spread_by_more_than_a_nat(loaded: tuple[Any, Any]) -> None:
    """A nearly uniform model would make every wrong score look right."""
    words = tiny.WORDS[40:80]
    scores = [oracle.log_p(*loaded, text, 0, word) for text, word in product(TEXTS, words)]
    assert np.std(scores, ddof=1) >= 1


def test_a_target_scores_differently_in_different_contexts(loaded: tuple[Any, Any]) -> None:
    """The score depends on the sentence, and so a score of the wrong sentence is seen."""
    scores = [[oracle.log_p(*loaded, text, 0, word) for text in TEXTS] for word in ONE_PIECE]
    assert np.std(scores, axis=1, ddof=1).mean() > 0.1


def test_the_same_seed_builds_the_same_files(tmp_path: Path, architecture: str) -> None:
    """The files are equal byte for byte; another seed changes the weights and nothing else."""
    digests = [
        {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in folder.iterdir()}
        for folder in (
            tiny.build(tmp_path / "first", architecture),
            tiny.build(tmp_path / "again", architecture),
            tiny.build(tmp_path / "other", architecture, seed=1),
        )
    ]
    first, again, other = digests
    assert first == again
    assert {name for name in first if first[name] != other[name]} == {tiny.WEIGHTS_FILE}


@pytest.mark.parametrize("n_pieces", [1, 2, 3])
def test_the_listed_words_have_their_number_of_pieces(
    loaded: tuple[Any, Any], architecture: str, n_pieces: int
) -> None:
    """`WORDS_BY_PIECES` holds in every slot that is not the first word of its sentence."""
    words = tiny.WORDS_BY_PIECES[architecture][n_pieces]
    counts = {len(oracle.pieces(loaded[1], text, 0, word)) for text in TEXTS for word in words}
    assert words
    assert counts == {n_pieces}


def test_a_given_vocabulary_makes_its_words_single_pieces(
    tmp_path: Path, architecture: str
) -> None:
    """The words asked for are whole; a word that was left out is cut."""
    words = ("the", "was", "a", "here", "gardener", "Xanthippe")
    folder = tiny.build(tmp_path / "own", architecture, vocabulary=words)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    n_pieces = [
        len(oracle.pieces(tokenizer, "the [MASK] was here", 0, word))
        for word in ("gardener", "Xanthippe", "doctor")
    ]
    assert n_pieces[:2] == [1, 1]
    assert n_pieces[2] > 1


def test_overrides_reach_the_configuration(tmp_path: Path) -> None:
    """A vocabulary padded beyond the tokenizer's is one of the shapes real checkpoints have."""
    folder = tiny.build(tmp_path / "padded", "bert", vocab_size=256, num_hidden_layers=1)
    model, tokenizer = oracle.load(folder)
    assert len(tokenizer) < oracle.distribution(model, tokenizer, TEXTS[0], 0).numel() == 256
    assert model.config.num_hidden_layers == 1


def test_an_unknown_architecture_is_named(tmp_path: Path) -> None:
    """The message lists what could be built."""
    with pytest.raises(ValueError, match=r"must be one of bert.*; not 'gpt'"):
        tiny.build(tmp_path, "gpt")


# Pieces, by hand


@pytest.mark.parametrize(
    ("name", "text", "target", "expected"),
    [
        ("bert", "The [MASK] was old.", "nurse", ["nurse"]),
        ("bert", "The [MASK] was old.", "Farmers", ["farm", "##er", "##s"]),
        ("bert", "[MASK] was old.", "He", ["he"]),
        ("bert", "The [MASK] was old.", "truck farmer", ["truck", "farm", "##er"]),
        ("bert", "The un[MASK] man.", "kind", ["##k", "##i", "##n", "##d"]),
        ("distilbert", "The [MASK] was old.", "teacher", ["teach", "##er"]),
        ("electra", "The old [MASK].", "zoo", ["z", "##o", "##o"]),
        ("roberta", "[MASK] was old.", "He", ["He"]),
        ("roberta", "That [MASK] was old.", "he", ["Ġhe"]),
        ("roberta", '"[MASK] was old," he said.', "He", ["He"]),
        ("roberta", "The [MASK] was old.", "farmers", ["Ġfarm", "er", "s"]),
        ("roberta", "[MASK] are old.", "Farmers", ["Farm", "er", "s"]),
        ("roberta", "The [MASK]s are old.", "nurse", ["Ġnurse"]),
        ("roberta", "The [MASK] was old.", "\N{LATIN SMALL LETTER E WITH ACUTE}", ["Ġ", "Ã", "©"]),
        ("albert", "The [MASK] was old.", "Farmers", ["▁farm", "er", "s"]),
        ("albert", "[MASK] was old.", "He", ["▁he"]),
        ("albert", "The [MASK] was old.", "zoo", ["▁", "z", "o", "o"]),
    ],
)
def test_pieces_are_those_of_the_written_sentence(
    folders: dict[str, Path], name: str, text: str, target: str, expected: list[str]
) -> None:
    """Leading spaces, sentence starts and case are as the tokenizer has them in the sentence."""
    tokenizer = AutoTokenizer.from_pretrained(folders[name])
    assert oracle.pieces(tokenizer, text, 0, target) == expected


def test_a_cased_vocabulary_tells_he_from_capital_he(tmp_path: Path) -> None:
    """The two are different ids with different scores."""
    model, tokenizer = oracle.load(tiny.build(tmp_path / "cased", "bert", cased=True))
    assert oracle.pieces(tokenizer, "[MASK] was old.", 0, "He") == ["He"]
    assert oracle.pieces(tokenizer, "[MASK] was old.", 0, "he") == ["he"]
    scores = {oracle.log_p(model, tokenizer, "[MASK] was old.", 0, word) for word in ("He", "he")}
    assert len(scores) == 2


@pytest.mark.parametrize("name", ["bert", "distilbert", "electra", "albert"])
def test_a_target_the_vocabulary_cannot_write_is_refused(
    folders: dict[str, Path], name: str
) -> None:
    """An unknown token has a probability, but not the target's."""
    tokenizer = AutoTokenizer.from_pretrained(folders[name])
    with pytest.raises(ValueError, match=r"makes \['(\[UNK\]|<unk>)'\]"):
        oracle.written(tokenizer, TEXTS[0], 0, f"{tiny.UNWRITABLE}")


def test_byte_level_bpe_writes_every_target(folders: dict[str, Path]) -> None:
    """The snowman is three bytes, and the space before it a fourth."""
    tokenizer = AutoTokenizer.from_pretrained(folders["roberta"])
    assert len(oracle.pieces(tokenizer, TEXTS[0], 0, tiny.UNWRITABLE)) == 4


@pytest.mark.parametrize(
    ("name", "text", "target"),
    [
        ("bert", "The [MASK]s are old.", "nurse"),
        ("albert", "She is a [MASK].", "nurse"),
        ("roberta", "She met the  [MASK] here.", "nurse"),
    ],
)
def test_a_target_that_changes_the_other_tokens_is_refused(
    folders: dict[str, Path], name: str, text: str, target: str
) -> None:
    """
    Not only where a letter touches the slot.

    ALBERT's tokenizer writes a full stop after a mask in two pieces, after a word in one. A
    byte-level BPE's mask takes both spaces before it, a word only one of them.
    """
    tokenizer = AutoTokenizer.from_pretrained(folders[name])
    with pytest.raises(ValueError, match="changes the tokens around it"):
        oracle.written(tokenizer, text, 0, target)


@pytest.mark.parametrize(
    ("text", "slot", "target"),
    [
        (TEXTS[0], 1, "nurse"),
        (TEXTS[0], -1, "nurse"),
        ("No slot.", 0, "nurse"),
        (TEXTS[0], 0, ""),
        (TEXTS[0], 0, " "),
        (TEXTS[0], 0, "[MASK]"),
        (TEXTS[0], 0, "[SEP]"),
    ],
)
def test_what_is_no_target_or_no_slot_is_refused(
    bert: tuple[Any, Any], text: str, slot: int, target: str
) -> None:
    """Slots are counted from 0; nothing, and a special token, are no words."""
    with pytest.raises(ValueError, match="slot"):
        oracle.written(bert[1], text, slot, target)


# Scores, against transformers' own pipeline


def _fill(loaded: tuple[Any, Any], text: str, piece: str, mask_number: int) -> float:
    """Return the log-probability the fill-mask pipeline gives the piece at one of the masks."""
    model, tokenizer = loaded
    fill = pipeline("fill-mask", model=model, tokenizer=tokenizer, device="cpu")
    found = fill(text.replace("[MASK]", tokenizer.mask_token), targets=[piece])
    rows = found if isinstance(found[0], list) else [found]
    return math.log(rows[mask_number][0]["score"])


@pytest.mark.parametrize("target", ["he", "nurse"])
@pytest.mark.parametrize("text", TEXTS)
def test_a_target_of_one_piece_scores_as_in_the_pipeline(
    loaded: tuple[Any, Any], text: str, target: str
) -> None:
    """Our float64 log-softmax is the log of the pipeline's probability."""
    (piece,) = oracle.pieces(loaded[1], text, 0, target)
    expected = _fill(loaded, text, piece, 0)
    assert oracle.log_p(*loaded, text, 0, target) == pytest.approx(expected, abs=1e-5)


def test_the_slot_that_is_named_is_read_and_the_others_stay_masked(loaded: tuple[Any, Any]) -> None:
    """With three masks in the sentence each has its own probabilities."""
    text = "The [MASK] said that [MASK] was very [MASK] to the nurse."
    scores = []
    for slot in range(3):
        (piece,) = oracle.pieces(loaded[1], text, slot, "she")
        scores.append(oracle.log_p(*loaded, text, slot, "she"))
        assert scores[slot] == pytest.approx(_fill(loaded, text, piece, slot), abs=1e-5)
    assert min(abs(a - b) for a, b in pairwise(sorted(scores))) > 1e-3


def test_pieces_are_scored_from_left_to_right(loaded: tuple[Any, Any]) -> None:
    """The first piece with all masked, the next with the first one written, and so on."""
    template = "We met the [MASK] in Paris."
    first, second, third = oracle.pieces(loaded[1], template, 0, "farmers")
    expected = (
        _fill(loaded, "We met the [MASK] [MASK] [MASK] in Paris.", first, 0),
        _fill(loaded, "We met the farm [MASK] [MASK] in Paris.", second, 0),
        _fill(loaded, _last_masked(loaded[1]), third, 0),
    )
    assert oracle.log_ps(*loaded, template, 0, "farmers") == pytest.approx(expected, abs=1e-5)
    assert oracle.log_p(*loaded, template, 0, "farmers") == pytest.approx(sum(expected), abs=3e-5)


def _last_masked(tokenizer: Any) -> str:
    """Return the sentence with `farmer` written and its last piece masked."""
    text = "We met the farmer [MASK] in Paris."
    ids = tokenizer(text.replace("[MASK]", tokenizer.mask_token))["input_ids"]
    written = oracle.written(tokenizer, "We met the [MASK] in Paris.", 0, "farmers")
    assert ids == [*written.before, *written.pieces[:2], tokenizer.mask_token_id, *written.after]
    return text


def test_the_three_ways_to_score_pieces_agree_on_one_piece_only(loaded: tuple[Any, Any]) -> None:
    """They are different numbers as soon as a word is cut."""
    ways = (oracle.log_p, oracle.log_p_independent, oracle.log_p_original)
    one, three = ([way(*loaded, TEXTS[0], 0, word) for way in ways] for word in ("man", "farmers"))
    assert one == pytest.approx([one[0]] * 3, abs=1e-12)
    assert min(abs(a - b) for a, b in pairwise(sorted(three))) > 1e-3


def test_the_last_piece_given_the_others_is_the_same_left_to_right_and_alone(
    bert: tuple[Any, Any],
) -> None:
    """Of two pieces: the original PLL minus the left-to-right score concerns the first only."""
    model, tokenizer = bert
    before, (first, second), after = oracle.written(tokenizer, TEXTS[0], 0, "farmer")
    ids = torch.tensor([[*before, tokenizer.mask_token_id, second, *after]])
    with torch.inference_mode():
        row = model(ids).logits[0, len(before)].double().log_softmax(-1)
    expected = row[first].item() + oracle.log_ps(*bert, TEXTS[0], 0, "farmer")[1]
    assert oracle.log_p_original(*bert, TEXTS[0], 0, "farmer") == pytest.approx(expected, abs=1e-5)


# Distributions


def test_a_distribution_adds_up_to_one(loaded: tuple[Any, Any]) -> None:
    """It is over the whole vocabulary."""
    row = oracle.distribution(*loaded, TEXTS[0], 0)
    assert row.shape == (len(loaded[1]),)
    assert row.exp().sum().item() == pytest.approx(1, abs=1e-12)


def test_the_top_words_are_the_pipeline_s_and_have_the_first_ranks(loaded: tuple[Any, Any]) -> None:
    """Same words, same order, same log-probabilities."""
    model, tokenizer = loaded
    fill = pipeline("fill-mask", model=model, tokenizer=tokenizer, device="cpu")
    expected = fill(TEXTS[1].replace("[MASK]", tokenizer.mask_token), top_k=7)
    top = oracle.top_k(*loaded, TEXTS[1], 0, 7)
    assert [number for number, _ in top] == [row["token"] for row in expected]
    logs = [math.log(row["score"]) for row in expected]
    assert [score for _, score in top] == pytest.approx(logs, abs=1e-5)


def test_the_rank_is_the_place_among_all_words(loaded: tuple[Any, Any]) -> None:
    """The likeliest has rank 1; a target of several pieces has no rank."""
    order = [number for number, _ in oracle.top_k(*loaded, TEXTS[0], 0, len(loaded[1]))]
    (number,) = oracle.written(loaded[1], TEXTS[0], 0, "doctor").pieces
    assert oracle.rank(*loaded, TEXTS[0], 0, "doctor") == order.index(number) + 1
    with pytest.raises(ValueError, match="has 3 pieces"):
        oracle.rank(*loaded, TEXTS[0], 0, "farmers")


def test_divergences_agree_with_scipy(loaded: tuple[Any, Any]) -> None:
    """SciPy's Jensen-Shannon distance is the square root of ours."""
    rows = [oracle.distribution(*loaded, text, 0) for text in TEXTS[:2]]
    p, q = (row.exp().numpy() for row in rows)
    assert oracle.kl_of(*rows) == pytest.approx(rel_entr(p, q).sum(), rel=1e-9)
    expected = jensenshannon(p, q, base=2) ** 2
    assert oracle.jsd_of(*rows) == pytest.approx(expected, rel=1e-9)
    assert oracle.jsd(*loaded, *TEXTS[:2], 0) == pytest.approx(expected, rel=1e-9)
    assert oracle.tv_of(*rows) == pytest.approx(abs(p - q).sum() / 2, rel=1e-9)


def test_divergences_of_known_distributions() -> None:
    """A fair and a loaded coin, and two coins that never agree."""
    fair, loaded = (torch.tensor(p, dtype=torch.float64).log() for p in ([0.5, 0.5], [0.25, 0.75]))
    heads, tails = (torch.tensor(p, dtype=torch.float64).log() for p in ([1.0, 0.0], [0.0, 1.0]))
    assert oracle.kl_of(fair, loaded) == pytest.approx(0.5 * math.log(4 / 3), rel=1e-12)
    assert oracle.tv_of(fair, loaded) == pytest.approx(0.25, rel=1e-12)
    assert oracle.jsd_of(heads, tails) == pytest.approx(1, rel=1e-12)
    assert oracle.tv_of(heads, tails) == 1


def test_a_model_does_not_differ_from_itself(loaded: tuple[Any, Any], tmp_path: Path) -> None:
    """The divergence is exactly 0; from a model of another seed it is not, nor is it symmetric."""
    model, tokenizer = loaded
    name = model.config.model_type
    other, _ = oracle.load(tiny.build(tmp_path / "other", name, seed=1))
    assert oracle.kl(model, model, tokenizer, TEXTS[0], 0) == 0
    there, back = (
        oracle.kl(*pair, tokenizer, TEXTS[0], 0) for pair in ((model, other), (other, model))
    )
    assert min(there, back, abs(there - back)) > 1e-3


def test_different_vocabularies_are_not_compared(folders: dict[str, Path]) -> None:
    """A divergence needs the same words on both sides."""
    model, tokenizer = oracle.load(folders["bert"])
    row = oracle.distribution(model, tokenizer, TEXTS[0], 0)
    with pytest.raises(ValueError, match="vocabularies differ"):
        oracle.kl_of(row, row[:-1])


def test_the_simplex_keeps_the_differences_of_its_targets(loaded: tuple[Any, Any]) -> None:
    """Normalising inside a set adds one number to all its log-probabilities."""
    targets = ["he", "she", "farmers"]
    inside = oracle.simplex(*loaded, TEXTS[0], 0, targets)
    scores = torch.tensor([oracle.log_p(*loaded, TEXTS[0], 0, target) for target in targets])
    assert inside.exp().sum().item() == pytest.approx(1, abs=1e-12)
    assert (inside - scores).std().item() < 1e-5


# Sentences


@pytest.mark.parametrize(
    ("sentence_score", "word_score"),
    [(oracle.pll, oracle.log_p_original), (oracle.pll_word_l2r, oracle.log_p)],
)
def test_a_sentence_is_the_sum_of_its_words(
    loaded: tuple[Any, Any],
    sentence_score: Callable[..., float],
    word_score: Callable[..., float],
) -> None:
    """Each word is a target in its own slot; the words have one, two and three pieces."""
    words = SENTENCE.split()
    expected = 0.0
    for i, word in enumerate(words):
        text = " ".join([*words[:i], "[MASK]", *words[i + 1 :]])
        expected += word_score(*loaded, text, 0, word)
    assert sentence_score(*loaded, SENTENCE) == pytest.approx(expected, abs=1e-4)


def test_the_two_pseudo_likelihoods_differ_in_cut_words_only(loaded: tuple[Any, Any]) -> None:
    """Every token has a score; those of whole words are the same in both."""
    plain = oracle.pll_tokens(*loaded, SENTENCE)
    l2r = oracle.pll_word_l2r_tokens(*loaded, SENTENCE)
    assert len(plain) == len(l2r) == len(loaded[1](SENTENCE)["input_ids"]) - 2
    differing = [i for i, (a, b) in enumerate(zip(plain, l2r, strict=True)) if abs(a - b) > 1e-9]
    assert differing == [1, 2, len(plain) - 2]


# Checkpoints stored in another way


@pytest.mark.parametrize(
    "copy",
    [tiny.copy_reordered, tiny.copy_sharded, tiny.copy_as_published],
    ids=lambda c: c.__name__,
)
def test_the_same_tensors_give_the_same_scores(
    folders: dict[str, Path], tmp_path: Path, copy: Callable[[Path, Path], Path]
) -> None:
    """How the tensors are stored does not matter, to the last digit."""
    target = copy(folders["bert"], tmp_path / "copy")
    first, second = (
        oracle.log_p(*oracle.load(folder), TEXTS[0], 0, "farmers")
        for folder in (folders["bert"], target)
    )
    assert first == second
    _, info = AutoModelForMaskedLM.from_pretrained(target, output_loading_info=True)
    assert not info["missing_keys"]


def test_a_reordered_file_has_the_same_tensors_and_another_digest(
    folders: dict[str, Path], tmp_path: Path
) -> None:
    """A digest of the file is no identity of the model."""
    source, target = folders["bert"], tiny.copy_reordered(folders["bert"], tmp_path / "copy")
    files = [folder / tiny.WEIGHTS_FILE for folder in (source, target)]
    one, two = (load_file(file) for file in files)
    assert one.keys() == two.keys()
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert files[0].read_bytes() != files[1].read_bytes()


def test_a_half_precision_checkpoint_is_scored_in_float32(
    folders: dict[str, Path], tmp_path: Path
) -> None:
    """The library would run it as it is stored; the oracle does not."""
    target = tiny.copy_half(folders["bert"], tmp_path / "half")
    assert AutoModelForMaskedLM.from_pretrained(target).dtype == torch.float16
    assert oracle.load(target)[0].dtype == torch.float32


# Broken checkpoints: each is broken in the way it says, and how the library takes it


def test_a_missing_head_is_named_by_the_loading_information_only(
    folders: dict[str, Path], tmp_path: Path, architecture: str
) -> None:
    """The library makes up a random head and goes on."""
    target = tiny.without_head(folders[architecture], tmp_path / "headless")
    _, info = AutoModelForMaskedLM.from_pretrained(target, output_loading_info=True)
    assert info["missing_keys"]
    assert all(key.startswith(tiny.HEAD_PREFIXES[architecture]) for key in info["missing_keys"])


def test_a_single_missing_tensor_is_named(folders: dict[str, Path], tmp_path: Path) -> None:
    """One tensor of the encoder is as bad as the head."""
    name = "bert.encoder.layer.1.output.dense.weight"
    target = tiny.without_tensor(folders["bert"], tmp_path / "less", name)
    _, info = AutoModelForMaskedLM.from_pretrained(target, output_loading_info=True)
    assert info["missing_keys"] == {name}


def test_nan_weights_load_and_score_nan(folders: dict[str, Path], tmp_path: Path) -> None:
    """Nothing but the numbers themselves tells."""
    loaded = oracle.load(tiny.with_nan(folders["bert"], tmp_path / "nan"))
    assert oracle.distribution(*loaded, TEXTS[0], 0).isnan().all()


@pytest.mark.parametrize(
    ("spoil", "error"),
    [
        (tiny.with_pickle_only, OSError),
        (tiny.without_weights, OSError),
        (tiny.with_truncated_weights, SafetensorError),
        (tiny.with_other_shape, RuntimeError),
        (tiny.with_kernel, ImportError),
        (tiny.with_remote_code, ValueError),
    ],
    ids=lambda value: value.__name__,
)
def test_an_unsound_checkpoint_does_not_load(
    folders: dict[str, Path],
    tmp_path: Path,
    spoil: Callable[[Path, Path], Path],
    error: type[Exception],
) -> None:
    """The library's own errors, of many kinds; no code of the folder runs."""
    target = spoil(folders["bert"], tmp_path / "bad")
    with pytest.raises(error):
        AutoModelForMaskedLM.from_pretrained(
            target, use_safetensors=True, trust_remote_code=False, attn_implementation="sdpa"
        )
    assert not (target / "EXECUTED").exists()


def test_code_beside_a_known_architecture_is_ignored(
    folders: dict[str, Path], tmp_path: Path
) -> None:
    """The model loads, and the code has not run."""
    target = tiny.with_remote_code(folders["bert"], tmp_path / "known", model_type="bert")
    loaded = oracle.load(target)
    assert math.isfinite(oracle.log_p(*loaded, TEXTS[0], 0, "nurse"))
    assert not (target / "EXECUTED").exists()


def test_a_tokenizer_may_have_no_mask_token(folders: dict[str, Path], tmp_path: Path) -> None:
    """It loads, and has none to write."""
    target = tiny.without_mask_token(folders["bert"], tmp_path / "maskless")
    assert AutoTokenizer.from_pretrained(target).mask_token is None


def test_a_mask_token_may_be_no_word_of_the_model(folders: dict[str, Path], tmp_path: Path) -> None:
    """The library gives it an id behind the last row of the embeddings."""
    target = tiny.with_mask_out_of_vocabulary(folders["bert"], tmp_path / "outside")
    model, tokenizer = oracle.load(target)
    assert tokenizer.mask_token_id == model.config.vocab_size


def test_a_cased_tokenizer_may_forget_its_case(tmp_path: Path) -> None:
    """The library lower-cases what `tokenizer.json` says is cased."""
    source = tiny.build(tmp_path / "cased", "bert", cased=True)
    target = tiny.with_case_forgotten(source, tmp_path / "forgotten")
    first, second = (AutoTokenizer.from_pretrained(folder) for folder in (source, target))
    assert first.tokenize("He") == ["He"]
    assert second.tokenize("He") == ["he"]
