"""The answer to a request is what transformers' own fill-mask says, in the shape of the service."""

import math
from pathlib import Path
from typing import Any

import pytest
from transformers import AutoModelForMaskedLM, AutoTokenizer
from transformers.pipelines import pipeline

from maskaudit.audit.errors import InputError
from maskaudit.audit.measuring.backends.torch_model import LoadedModel, load
from maskaudit.audit.payloads.reading import parsed, request_of
from maskaudit.audit.payloads.request import Request
from maskaudit.audit.phantom import truth
from maskaudit.audit.serving.answering import answered
from tests import oracle, tiny

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_thread")]

ARCHITECTURES = ("bert", "roberta", "albert")
ONE, TWO = "Paris is the [MASK] of France.", "The [MASK] said that [MASK] was happy."
OTHER = "She worked as a [MASK] for years."
TARGETS = {
    "bert": ("nurse", "Paris", "##er", "he", "nurse"),
    "roberta": ("nurse", "Ġnurse", " he", "he"),
    "albert": ("▁nurse", "nurse", "he"),
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return a tiny checkpoint of each family of tokenizers."""
    root = tmp_path_factory.mktemp("tiny")
    return {name: tiny.build(root / name, name) for name in ARCHITECTURES}


@pytest.fixture(scope="module")
def loaded(folders: dict[str, Path]) -> dict[str, LoadedModel]:
    """Return each of them as the program loads it."""
    return {name: load(folder) for name, folder in folders.items()}


def fill_mask(folder: Path, sentences: list[str], **asked: Any) -> Any:
    """Return what transformers' pipeline says of sentences with its own mask in them."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForMaskedLM.from_pretrained(folder)
    own = [text.replace("[MASK]", tokenizer.mask_token) for text in sentences]
    run = pipeline("fill-mask", model=model, tokenizer=tokenizer)
    return run(own, **asked)


def assert_same(found: Any, expected: Any) -> None:
    """Equal in shape and text, and in every score to five digits."""
    if isinstance(expected, list):
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            assert_same(one, other)
    else:
        assert found | {"score": 0} == expected | {"score": 0}
        assert found["score"] == pytest.approx(expected["score"], abs=1e-6)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("sentences", [[ONE], [TWO], [ONE, OTHER], [TWO, OTHER]], ids=repr)
def test_fills_are_those_of_transformers(
    folders: dict[str, Path], loaded: dict[str, LoadedModel], architecture: str, sentences: Any
) -> None:
    """One mask or two, one sentence or two: pieces, texts, scores and nesting."""
    found = answered(Request(tuple(sentences), "fills", 4), loaded[architecture])
    assert_same(found, fill_mask(folders[architecture], sentences, top_k=4))


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("text", [ONE, TWO])
def test_targets_are_those_of_transformers(
    folders: dict[str, Path], loaded: dict[str, LoadedModel], architecture: str, text: str
) -> None:
    """By the piece's name, else by the word that it is; each once, likeliest first."""
    targets = TARGETS[architecture]
    found = answered(Request((text,), "fills", 5, targets), loaded[architecture])
    assert_same(found, fill_mask(folders[architecture], [text], targets=list(targets), top_k=5))


def test_a_target_has_the_probability_of_the_oracle(
    folders: dict[str, Path], loaded: dict[str, LoadedModel]
) -> None:
    """Over the whole vocabulary, not over the targets."""
    request = Request((ONE,), "fills", 2, ("nurse", "doctor"))
    plain = oracle.load(folders["bert"])
    expected = {
        word: math.exp(oracle.log_ps(*plain, ONE, 0, word)[0]) for word in ("nurse", "doctor")
    }
    found = answered(request, loaded["bert"])
    assert isinstance(found, list)
    assert {fill["token_str"]: fill["score"] for fill in found} == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("word", ["farmers", tiny.UNWRITABLE, "", "nurse doctor"])
def test_a_target_of_other_than_one_piece_is_refused(
    loaded: dict[str, LoadedModel], word: str
) -> None:
    """Transformers takes the first of its pieces, and the number is then of another word."""
    with pytest.raises(InputError, match=rf"target '{word}': is no single piece of this model"):
        answered(Request((ONE,), "fills", 5, ("he", word)), loaded["bert"])


def test_answers_of_words_have_no_white_space(loaded: dict[str, LoadedModel]) -> None:
    """A word of RoBERTa's vocabulary begins with a space, which the services leave out."""
    request = Request((ONE, TWO), "words")
    one, two = answered(request, loaded["roberta"])  # type: ignore[misc]
    assert isinstance(one, str)
    assert len(two) == 2
    assert [word.strip() for word in (one, *two)] == [one, *two]


def test_the_model_s_own_mask_is_a_mask(loaded: dict[str, LoadedModel]) -> None:
    """Cards and services write it; that of another model is refused with what to write."""
    own = Request((ONE.replace("[MASK]", "<mask>"),), "words")
    assert answered(own, loaded["roberta"]) == answered(Request((ONE,), "words"), loaded["roberta"])
    with pytest.raises(InputError, match=r"write \[MASK\] for '<mask>'"):
        answered(own, loaded["bert"])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("no mask", r"no \[MASK\] in 'no mask'"),
        ("[MASK] " * 99, "pieces; the model reads at most 64"),
    ],
)
def test_a_sentence_that_cannot_be_answered_refuses_the_request(
    loaded: dict[str, LoadedModel], text: str, told: str
) -> None:
    """Half an answer would be taken for a whole one."""
    with pytest.raises(InputError, match=told):
        answered(Request((ONE, text), "words"), loaded["bert"])


# What the recorded payloads ask, by the name of their file: the shape of the answer, or why not.
RECORDED = {
    "a_list.json": str,
    "b_input_string_list.json": dict,
    "c_input_string_str.json": dict,
    "d_columns.json": dict,
    "e_params.json": "params.top_k: is 2",
    "f_mlflow_split.json": "predictions",
    "g_mlflow_records.json": "predictions",
    "h_mlflow_inputs.json": "predictions",
    "i_hf.json": "target 'heart': is no single piece",
    "j_bert_mask_lower.json": "write [MASK] for '[mask]'",
    "k_roberta_mask.json": "write [MASK] for '<mask>'",
    "l_str.json": str,
    "m_jsonl.jsonl": dict,
    "n_bom.json": str,
    "o_inputs_data.json": "input_data: has 'data', but no 'columns'",
    "p_two_masks.json": "two masks",
}


def outcome(text: str, name: str, model: LoadedModel) -> Any:
    """Return the answer to a body, or the line that refuses it."""
    try:
        return answered(request_of(parsed(text, name), name), model)
    except InputError as error:
        return str(error)


def test_every_recorded_payload_is_answered_in_the_shape_of_its_service_or_refused_by_name(
    shared: Path,
) -> None:
    """By the bundled student, which has no piece for "heart"."""
    folder = shared / "cases" / "payloads"
    if not folder.is_dir():
        pytest.skip("no recorded payloads lie beside the project")
    student = load(truth.STUDENT)
    assert {path.name for path in folder.iterdir()} == set(RECORDED)
    for name, expected in RECORDED.items():
        found = outcome((folder / name).read_text("utf-8-sig"), name, student)
        if expected == "predictions":
            assert [type(word) for word in found["predictions"]] == [str]
        elif expected == "two masks":
            assert [type(part) for part in found] == [list, str]
            assert len(found[0]) == 2
        elif isinstance(expected, str):
            assert isinstance(found, str)
            assert expected in found
        else:
            assert {type(part) for part in found} == {expected}
            assert all(set(part) == {"0"} for part in found if isinstance(part, dict))
