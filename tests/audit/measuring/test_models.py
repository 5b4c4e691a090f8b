"""What is loaded is the checkpoint that was named, or there is one clear line why not."""

import json
import os
import re
import shutil
import socket
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from huggingface_hub import constants
from huggingface_hub.errors import (
    HfHubHTTPError,
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
)
from safetensors.torch import load_file, save_file

from maskaudit.audit.errors import InputError
from maskaudit.audit.measuring.backends import torch_model as models
from maskaudit.audit.measuring.checkpoints import located
from tests import architectures, oracle, tiny

TEXT = "The [MASK] said that the nurse was happy."
SHA = "0123456789abcdef0123456789abcdef01234567"


pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_thread")]


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail a test that opens a connection."""

    def refuse(*_args: object, **_kwargs: object) -> None:
        pytest.fail("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.fixture(autouse=True)
def _no_pickle(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail a test that reads a pickle, as the loader would."""

    def refuse(*_args: object, **_kwargs: object) -> None:
        pytest.fail("a pickle was loaded")

    monkeypatch.setattr(torch, "load", refuse)
    monkeypatch.setattr("pickle.load", refuse)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return a tiny checkpoint of each architecture, and a cased one."""
    root = tmp_path_factory.mktemp("tiny")
    found = {name: tiny.build(root / name, name) for name in tiny.ARCHITECTURES}
    return {**found, "cased": tiny.build(root / "cased", "bert", cased=True)}


@pytest.fixture
def bert(folders: dict[str, Path]) -> Path:
    """Return the folder of the tiny BERT."""
    return folders["bert"]


def refused(folder: Path | str) -> str:
    """Return the message with which a model is refused: one line, and no path of this machine."""
    with pytest.raises(InputError) as caught:
        models.load(str(folder))
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    assert message.isprintable()
    assert len(message) < 500
    for place in (Path.home(), Path(folder).resolve().parent):
        assert len(place.parts) == 1 or str(place) not in message
    return message


def log_probs(model: models.LoadedModel) -> torch.Tensor:
    """Return log p at the mask of one sentence, as the program reads it."""
    [encoded] = model.encode([TEXT.replace("[MASK]", model.mask_token)])
    place = encoded.ids.index(model.mask_id)
    return torch.from_numpy(model.log_probs([encoded.ids], [(0, place)])[0])


def edit(file: str, **changes: Any) -> Callable[[Path, Path], Path]:
    """Return a function that copies a checkpoint and writes the changes into a JSON file."""

    def copy(source: Path, target: Path) -> Path:
        shutil.copytree(source, target)
        tiny._edit_json(target / file, changes)
        return target

    return copy


# What is loaded


@pytest.mark.parametrize("architecture", tiny.ARCHITECTURES)
def test_a_sound_checkpoint_is_loaded_and_described(
    folders: dict[str, Path], architecture: str
) -> None:
    """Its class, sizes, dtype, device and digests; the sizes are counted by plain transformers."""
    folder = folders[architecture]
    model = models.load(str(folder))
    plain, tokenizer = oracle.load(folder)
    found = model.identity
    assert found.architecture == type(plain).__name__
    assert found.name == f"{folder.parent.name}/{folder.name}"
    assert found.revision == ""
    assert found.parameters == sum(part.numel() for part in plain.parameters())
    assert found.vocabulary_size == len(tokenizer)
    assert found.layers == 2
    assert (found.stored_dtype, found.dtype, found.device) == ("F32", "float32", "cpu")
    assert found.head == "at the mask"
    for digest in (found.weights, found.tokenizer, found.vocabulary, *found.files.values()):
        assert re.fullmatch("[0-9a-f]{64}", digest)
    assert list(found.files) == [tiny.WEIGHTS_FILE]
    assert model.longest == tiny.POSITIONS
    assert json.loads(json.dumps(found.model_dump())) == found.model_dump()


@pytest.mark.parametrize("architecture", tiny.ARCHITECTURES)
def test_the_longest_sentence_is_read_and_one_more_piece_is_not(
    folders: dict[str, Path], architecture: str
) -> None:
    """The limit is where the model's positions end."""
    model = models.load(str(folders[architecture]))
    ids = (model.mask_id,) * model.longest
    assert model.log_probs([ids], [(0, 0)]).shape == (1, model.identity.vocabulary_size)
    with pytest.raises((IndexError, RuntimeError)):
        model.log_probs([(*ids, model.mask_id)], [(0, 0)])


def test_log_probabilities_are_float64_and_sum_to_one(bert: Path) -> None:
    """Over the whole vocabulary, in nats, the oracle's."""
    found = log_probs(models.load(str(bert)))
    assert found.dtype == torch.float64
    assert found.exp().sum().item() == pytest.approx(1, abs=1e-12)
    expected = oracle.distribution(*oracle.load(bert), TEXT, 0)
    assert (found - expected).abs().max() <= 1e-5


@pytest.mark.parametrize(
    "copy",
    [tiny.copy_reordered, tiny.copy_sharded, tiny.copy_as_published],
    ids=lambda copy: copy.__name__,
)
def test_the_same_weights_stored_in_another_way_score_the_same(
    bert: Path, tmp_path: Path, copy: Callable[[Path, Path], Path]
) -> None:
    """To the bit."""
    model = models.load(str(copy(bert, tmp_path / "copy")))
    assert log_probs(model).equal(log_probs(models.load(str(bert))))


def test_a_half_precision_checkpoint_is_scored_in_float32(bert: Path, tmp_path: Path) -> None:
    """The numbers are those of the rounded weights; the identity says how they were stored."""
    folder = tiny.copy_half(bert, tmp_path / "half")
    model = models.load(str(folder))
    assert (model.identity.stored_dtype, model.identity.dtype) == ("F16", "float32")
    expected = oracle.distribution(*oracle.load(folder), TEXT, 0)
    assert (log_probs(model) - expected).abs().max() <= 1e-5


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "bfloat16"])
def test_a_weight_of_any_floating_dtype_is_read(bert: Path, tmp_path: Path, dtype: str) -> None:
    """The score is that of the rounded numbers; a table of positions beside it stays an integer."""
    folder = with_dtype(bert, tmp_path / "copy", dtype)
    model = models.load(str(folder))
    expected = oracle.distribution(*oracle.load(folder), TEXT, 0)
    assert (log_probs(model) - expected).abs().max() <= 1e-5
    assert "I64" in model.identity.stored_dtype


@pytest.mark.parametrize(
    ("dtype", "said"),
    [
        ("int8", "I8"),
        ("uint8", "U8"),
        ("int64", "I64"),
        ("bool", "BOOL"),
        ("complex64", "C64"),
        ("float8_e4m3fn", "F8_E4M3"),
    ],
)
@pytest.mark.filterwarnings("ignore:Casting complex values to real:UserWarning")
def test_what_is_no_weight_is_refused_by_its_name(
    bert: Path, tmp_path: Path, dtype: str, said: str
) -> None:
    """Transformers turns integers, booleans and complex numbers into weights in silence."""
    message = refused(with_dtype(bert, tmp_path / "copy", dtype))
    assert f"{WEIGHT} is stored as {said}, which is no weight; expected F64, F32" in message


WEIGHT = "bert.encoder.layer.1.output.dense.weight"


def with_dtype(source: Path, target: Path, dtype: str) -> Path:
    """Copy the checkpoint with one weight of another dtype, and a table of positions."""
    shutil.copytree(source, target)
    tensors = load_file(target / tiny.WEIGHTS_FILE)
    tensors[WEIGHT] = tensors[WEIGHT].to(getattr(torch, dtype))
    tensors["bert.embeddings.position_ids"] = torch.arange(tiny.POSITIONS)[None]
    save_file(tensors, target / tiny.WEIGHTS_FILE, metadata={"format": "pt"})
    return target


def test_the_switch_between_two_heads_is_told(tmp_path: Path) -> None:
    """DeBERTa's head has other names with `legacy = false`, and config.json may not say so."""
    folder = architectures.build(tmp_path / "new", "deberta", legacy=False)
    assert models.load(str(folder)).identity.architecture == "DebertaForMaskedLM"
    tiny._edit_json(folder / "config.json", {"legacy": True})
    message = refused(folder)
    assert "cls.predictions" in message
    assert "lm_predictions" in message
    assert message.endswith("which may be the head of legacy = false in config.json")


def test_loading_twice_gives_the_same_identity(bert: Path, tmp_path: Path) -> None:
    """Another folder changes the name and nothing else."""
    first = models.load(str(bert)).identity
    again = models.load(str(shutil.copytree(bert, tmp_path / "again"))).identity
    assert first.model_dump() == again.model_dump() | {"name": first.name}


# Digests


def test_the_digest_of_weights_is_of_the_tensors_not_of_the_file(
    bert: Path, tmp_path: Path
) -> None:
    """Another order and other metadata: other files, the same model."""
    first = models.load(str(bert)).identity
    other = models.load(str(tiny.copy_reordered(bert, tmp_path / "copy"))).identity
    assert first.weights == other.weights
    assert first.files != other.files


def test_shards_have_the_digest_of_the_whole(bert: Path, tmp_path: Path) -> None:
    """Each file is named with its own digest."""
    sharded = models.load(str(tiny.copy_sharded(bert, tmp_path / "copy"))).identity
    assert sharded.weights == models.load(str(bert)).identity.weights
    assert len(sharded.files) == 2


def test_one_changed_bit_changes_the_digest_of_weights(bert: Path, tmp_path: Path) -> None:
    """The smallest change of one number of one tensor."""
    copy = shutil.copytree(bert, tmp_path / "copy")
    data = bytearray((copy / tiny.WEIGHTS_FILE).read_bytes())
    data[-4] ^= 1  # the lowest bit of the last number
    (copy / tiny.WEIGHTS_FILE).write_bytes(data)
    first, other = models.load(str(bert)).identity, models.load(str(copy)).identity
    assert first.weights != other.weights
    assert first.tokenizer == other.tokenizer


def test_another_vocabulary_changes_the_digests_of_the_tokenizer(
    bert: Path, tmp_path: Path
) -> None:
    """Two words that change places are another vocabulary, and another tokenizer."""
    words = [*tiny.WORDS]
    words[0], words[1] = words[1], words[0]
    other = models.load(str(tiny.build(tmp_path / "other", "bert", vocabulary=words))).identity
    first = models.load(str(bert)).identity
    assert first.weights == other.weights
    assert first.tokenizer != other.tokenizer
    assert first.vocabulary != other.vocabulary


def test_case_is_part_of_the_tokenizer_s_digest(tmp_path: Path) -> None:
    """With the very same pieces, a tokenizer that lower-cases is another one."""
    cased = tiny.build(tmp_path / "cased", "bert", cased=True)
    uncased = edit("tokenizer_config.json", do_lower_case=True)(cased, tmp_path / "uncased")
    (uncased / "tokenizer.json").write_text(
        (cased / "tokenizer.json").read_text().replace('"lowercase": false', '"lowercase": true')
    )
    first, other = (models.load(str(folder)).identity for folder in (cased, uncased))
    assert first.vocabulary == other.vocabulary
    assert first.tokenizer != other.tokenizer


def test_another_mask_among_the_same_pieces_is_another_tokenizer(
    bert: Path, tmp_path: Path
) -> None:
    """Two models may share sentences only where they share the mask."""
    copy = edit("tokenizer_config.json", mask_token="[PAD]", pad_token="[MASK]")  # noqa: S106
    model = models.load(str(copy(bert, tmp_path / "copy")))
    assert model.mask_id != models.load(str(bert)).mask_id
    assert model.identity.tokenizer != models.load(str(bert)).identity.tokenizer


def test_a_file_that_is_not_read_is_not_in_the_digest(bert: Path, tmp_path: Path) -> None:
    """A stale shard beside the weights, or a pickle, is neither loaded nor counted."""
    copy = shutil.copytree(bert, tmp_path / "copy")
    shutil.copy(copy / tiny.WEIGHTS_FILE, copy / "model-00001-of-00002.safetensors")
    (copy / "pytorch_model.bin").write_bytes(b"cos\nsystem\n.")
    assert models.load(str(copy)).identity.files.keys() == {tiny.WEIGHTS_FILE}
    assert models.load(str(copy)).identity.weights == models.load(str(bert)).identity.weights


# What is refused


BAD = {
    "no head": (tiny.without_head, r"lacks cls\.predictions.* would be random"),
    "other shape": (tiny.with_other_shape, "do not have the shapes that config.json asks for"),
    "NaN": (tiny.with_nan, r"LayerNorm\.weight holds values that are not finite \(NaN\)"),
    "pickle": (tiny.with_pickle_only, r"pytorch_model\.bin, pickled weights that can run code"),
    "no weights": (tiny.without_weights, r"no weights; expected model\.safetensors"),
    "truncated": (tiny.with_truncated_weights, "weights cannot be loaded"),
    "kernel": (tiny.with_kernel, r"kernel 'org/kernel' under _attn_implementation.*remove the key"),
    "remote code": (tiny.with_remote_code, "code from a checkpoint is never run"),
    "no mask": (tiny.without_mask_token, "no mask token; expected a masked LM"),
    "mask outside": (tiny.with_mask_out_of_vocabulary, "204 pieces, the model 203; .* not belong"),
    "one kernel of two": (
        edit("config.json", attn_implementation={"": "sdpa", "text": "org/kernel:flash"}),
        "kernel 'org/kernel:flash' under attn_implementation",
    ),
    "another weights file": (
        edit("config.json", transformers_weights="other.safetensors"),
        "has the key transformers_weights",
    ),
    "quantised": (
        edit("config.json", quantization_config={"quant_method": "gptq", "bits": 4}),
        "needs GPTQ's kernels and a CUDA GPU and is not run here",
    ),
    "decoder": (edit("config.json", is_decoder=True), "says is_decoder"),
    "fewer layers": (
        edit("config.json", num_hidden_layers=1),
        r"fewer layers than the checkpoint has: bert\.encoder\.layer\.1\.",
    ),
    "more layers": (edit("config.json", num_hidden_layers=3), r"lacks bert\.encoder\.layer\.2\."),
    "no layers": (edit("config.json", num_hidden_layers=-1), "asks for -1 layers"),
    "a million layers": (
        edit("config.json", num_hidden_layers=10**6),
        "asks for 1,000,000 layers; expected at most 1,000",
    ),
    "no type": (edit("config.json", model_type=None), "config.json cannot be used"),
    "unknown type": (edit("config.json", model_type="unheard-of"), "config.json cannot be used"),
    "a type that is a list": (edit("config.json", model_type=["bert"]), "config.json"),
    "no masked LM": (edit("config.json", model_type="vit"), "model .*/copy"),
    "huge": (edit("config.json", vocab_size=10**30), "more memory than there is"),
    "words for numbers": (
        edit("config.json", hidden_size="many"),
        "config.json cannot be used .*'hidden_size' expected int",
    ),
    "heads below zero": (edit("config.json", num_attention_heads=-1), "cannot read a sentence"),
    "nonsense length": (edit("tokenizer_config.json", model_max_length="x"), "read a sentence"),
    "no vocabulary": (edit("tokenizer.json", model={"type": "WordPiece"}), "tokenizer"),
    "a normaliser of no kind": (edit("tokenizer.json", normalizer=[1]), "tokenizer"),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_checkpoint_is_refused_with_one_clear_line(
    bert: Path, tmp_path: Path, kind: str
) -> None:
    """It names the model, what was found, and what to do."""
    spoil, expected = BAD[kind]
    message = refused(spoil(bert, tmp_path / "copy"))
    assert message.startswith(f"model {tmp_path.name}/copy: ")
    assert re.search(expected, message), message


@pytest.mark.parametrize("architecture", tiny.ARCHITECTURES)
def test_a_head_made_up_at_random_is_refused_on_every_architecture(
    folders: dict[str, Path], tmp_path: Path, architecture: str
) -> None:
    """The keys that the file lacks are named."""
    message = refused(tiny.without_head(folders[architecture], tmp_path / "copy"))
    assert tiny.HEAD_PREFIXES[architecture][0] in message


def test_one_missing_tensor_of_the_encoder_is_refused(bert: Path, tmp_path: Path) -> None:
    """A single norm is enough."""
    name = "bert.encoder.layer.1.output.LayerNorm.weight"
    assert name in refused(tiny.without_tensor(bert, tmp_path / "copy", name))


@pytest.mark.parametrize("model_type", ["tiny-remote", "bert"])
def test_code_in_the_folder_never_runs(bert: Path, tmp_path: Path, model_type: str) -> None:
    """The model is refused, or loaded as what its type says where that is asked for."""
    folder = tiny.with_remote_code(bert, tmp_path / "copy", model_type)
    assert "own code" in refused(folder)
    if model_type == "bert":
        identity = models.load(str(folder), allow_native=True).identity
        assert identity.architecture == "BertForMaskedLM"
        assert "modeling_remote.RemoteModel" in identity.own_code
        assert not models.load(str(bert)).identity.own_code
    assert not (folder / "EXECUTED").exists()


@pytest.mark.parametrize("kind", ["BertTokenizer", "RemoteModel"])
def test_code_of_a_tokenizer_never_runs(bert: Path, tmp_path: Path, kind: str) -> None:
    """Nor does a module that `tokenizer_config.json` names: `tokenizer.json` is what is read."""
    folder = tiny.with_remote_code(bert, tmp_path / "copy", "bert")
    auto_map = {"AutoTokenizer": ["modeling_remote.RemoteModel", "modeling_remote.RemoteModel"]}
    changes = {"tokenizer_class": kind, "auto_map": auto_map}
    tiny._edit_json(folder / "tokenizer_config.json", changes)
    found = models.load(str(folder), allow_native=True).encode([TEXT])
    assert found == models.load(str(bert)).encode([TEXT])
    assert not (folder / "EXECUTED").exists()


def test_an_adapter_that_names_another_model_is_refused(bert: Path, tmp_path: Path) -> None:
    """With peft installed, transformers would load that model instead."""
    copy = shutil.copytree(bert, tmp_path / "copy")
    (copy / "adapter_config.json").write_text('{"base_model_name_or_path": "org/other"}')
    assert "adapter" in refused(copy)


def test_a_cased_tokenizer_that_would_lower_case_is_refused(
    folders: dict[str, Path], tmp_path: Path
) -> None:
    """The message has the text, both readings, and the setting that is missing."""
    message = refused(tiny.with_case_forgotten(folders["cased"], tmp_path / "copy"))
    assert 'tokenizer.json reads "The Nurse met' in message
    assert re.search(r"as \['The', 'Nurse', .* as \['the', 'nurse', ", message)
    assert "(such as do_lower_case, strip_accents in tokenizer_config.json)" in message


def test_accents_that_would_be_stripped_are_refused(bert: Path, tmp_path: Path) -> None:
    """As with case: what `tokenizer.json` says is not what would be done."""
    copy = shutil.copytree(bert, tmp_path / "copy")
    state = json.loads((copy / "tokenizer.json").read_text())
    state["normalizer"]["strip_accents"] = False
    (copy / "tokenizer.json").write_text(json.dumps(state))
    assert re.search(r"reads 'Café .* as \['\[UNK\]'.* as \['c', ", refused(copy))
    tiny._edit_json(copy / "tokenizer_config.json", {"strip_accents": False})
    assert models.load(str(copy)).encode(["é"]) != models.load(str(bert)).encode(["é"])


def test_a_folder_without_a_vocabulary_is_refused(bert: Path, tmp_path: Path) -> None:
    """Left to itself transformers makes a tokenizer of five pieces, in silence."""
    copy = shutil.copytree(bert, tmp_path / "copy")
    (copy / "tokenizer.json").unlink()
    message = refused(copy)
    assert "has no tokenizer (no tokenizer.json" in message
    assert "AutoTokenizer.from_pretrained(...).save_pretrained(FOLDER)" in message


CONTENTS = {
    "empty": b"",
    "not UTF-8": b'\xff\xfe{"a": 1}',
    "zeros": b"\0" * 64,
    "deep": b"[" * 100_000,
    "a deep object": b'{"a":' * 100_000,
    "a list": b"[]",
    "null": b"null",
    "a long number": b'{"vocab_size": ' + b"9" * 5000 + b"}",
}


@pytest.mark.parametrize("content", CONTENTS)
@pytest.mark.parametrize(
    "file", ["config.json", "tokenizer.json", "tokenizer_config.json", tiny.WEIGHTS_FILE]
)
def test_a_file_of_rubbish_is_refused(bert: Path, tmp_path: Path, file: str, content: str) -> None:
    """Whatever it holds, the message says which part cannot be used."""
    copy = shutil.copytree(bert, tmp_path / "copy")
    (copy / file).write_bytes(CONTENTS[content])
    part = {"config.json": "config", tiny.WEIGHTS_FILE: "weights"}.get(file, "tokenizer")
    assert part in refused(copy)


@pytest.mark.parametrize("kind", ["folder", "loop", "dangling"])
@pytest.mark.parametrize("file", ["config.json", tiny.WEIGHTS_FILE])
def test_what_is_no_file_is_refused(bert: Path, tmp_path: Path, file: str, kind: str) -> None:
    """A folder of that name, a link to itself, a link to nothing."""
    copy = shutil.copytree(bert, tmp_path / "copy")
    (copy / file).unlink()
    if kind == "folder":
        (copy / file).mkdir()
    else:
        (copy / file).symlink_to(copy / (file if kind == "loop" else "nothing"))
    refused(copy)


def test_a_link_to_sound_files_is_followed(bert: Path, tmp_path: Path) -> None:
    """As the cache of the hub stores them."""
    copy = tmp_path / "copy"
    copy.mkdir()
    for file in bert.iterdir():
        (copy / file.name).symlink_to(file)
    assert models.load(str(copy)).identity.weights == models.load(str(bert)).identity.weights


@pytest.mark.parametrize(
    "index",
    [
        {},
        {"weight_map": {}},
        {"weight_map": ["w.safetensors"]},
        {"weight_map": {"a": 1}},
        {"weight_map": {"a": "../model.safetensors"}},
        {"weight_map": {"a": "missing.safetensors"}},
        {"weight_map": {"a": "w.bin"}},
        {"metadata": [1], "weight_map": {"a": "w.safetensors"}},
    ],
    ids=str,
)
def test_an_index_that_names_no_sound_shards_is_refused(
    bert: Path, tmp_path: Path, index: dict[str, Any]
) -> None:
    """Shards are safetensors that lie in the folder itself."""
    copy = shutil.copytree(bert, tmp_path / "copy")
    (copy / tiny.WEIGHTS_FILE).rename(copy / "w.safetensors")
    (copy / f"{tiny.WEIGHTS_FILE}.index.json").write_text(json.dumps(index))
    refused(copy)


def test_every_shard_that_the_index_names_is_in_the_digest(bert: Path, tmp_path: Path) -> None:
    """Whatever the shards are called."""
    copy = tiny.copy_sharded(bert, tmp_path / "copy")
    index = copy / f"{tiny.WEIGHTS_FILE}.index.json"
    index.write_text(index.read_text().replace('"model-', '"part-'))
    for file in copy.glob("model-*.safetensors"):
        file.rename(copy / file.name.replace("model-", "part-"))
    found = models.load(str(copy)).identity
    assert found.weights == models.load(str(bert)).identity.weights
    assert len(found.files) == 2


def test_infinite_log_probabilities_are_refused(bert: Path, tmp_path: Path) -> None:
    """Finite weights may overflow: the scores are looked at too."""
    copy = shutil.copytree(bert, tmp_path / "copy")
    tensors = load_file(copy / tiny.WEIGHTS_FILE)
    tensors["cls.predictions.transform.dense.weight"].fill_(3e38)
    save_file(tensors, copy / tiny.WEIGHTS_FILE, metadata={"format": "pt"})
    assert "not finite" in refused(copy)


@pytest.mark.parametrize(
    "name",
    [
        "/no/such/folder",
        "./no-such-folder",
        "~nobody-of-that-name/model",
        "x" * 5000,
        f"a/{'x' * 300}",
        "\0",
        "a\nb",
        "\x1b[31mred",
        "",
        " ",
        "a b",
        "a/b/c",
        "@main",
        "hf://",
        "http://example.org/model",
        "s3://bucket/model",
    ],
    ids=lambda name: repr(name)[:30],
)
def test_a_name_that_is_no_model_is_refused(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line, with nothing in it that a terminal would obey."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError) as caught:
        models.load(name)
    assert str(caught.value).isprintable()


def test_a_file_is_not_a_model(bert: Path) -> None:
    """The folder is what should be named."""
    with pytest.raises(InputError, match=r"is a file; expected a folder"):
        models.load(str(bert / tiny.WEIGHTS_FILE))


def test_the_name_of_a_folder_does_not_tell_whose_home_it_is_in(
    bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A record may be published."""
    home = tmp_path / "someone"
    shutil.copytree(bert, home / "model")
    monkeypatch.setenv("HOME", str(home))
    assert models.load(str(home / "model")).identity.name == "model"
    assert models.load("~/model").identity.name == "model"


# The hub


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("org/name", ("org/name", None)),
        ("name", ("name", None)),
        ("org/name@v1.0", ("org/name", "v1.0")),
        ("org/name@refs/pr/1", ("org/name", "refs/pr/1")),
        ("hf://org/name", ("org/name", None)),
        ("hf://org/name@main", ("org/name", "main")),
        ("hf://models/org/name@main", ("org/name", "main")),
    ],
)
def test_a_hub_id_is_fetched_at_its_revision(
    bert: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    expected: tuple[str, str | None],
) -> None:
    """The revision recorded is the commit that it stood for; no pickle and no code is asked for."""
    asked: list[tuple[str, str | None]] = []

    def fetch(repo_id: str, *, revision: str | None, allow_patterns: list[str]) -> str:
        asked.append((repo_id, revision))
        assert not any(pattern.endswith((".bin", ".py", ".pt", "*")) for pattern in allow_patterns)
        return str(shutil.copytree(bert, tmp_path / SHA))

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(located, "snapshot_download", fetch)
    found = models.load(name).identity
    assert asked == [expected]
    assert (found.name, found.revision) == (expected[0], SHA)


def _no_answer(status: int) -> HfHubHTTPError:
    """Return the error of the hub's client for an answer of this status."""
    response = SimpleNamespace(status_code=status, headers={}, request=None)
    kind = RepositoryNotFoundError if status == 404 else HfHubHTTPError
    return kind(f"{status}\nat /home/someone/.cache", response=response)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (_no_answer(404), "no such model on the hub, or it is private"),
        (_no_answer(401), "no such model on the hub, or it is private"),
        (_no_answer(503), "the hub cannot be reached"),
        (LocalEntryNotFoundError("not found\nat /home/someone"), "the hub cannot be reached"),
        (OSError("no route"), "the hub cannot be reached"),
    ],
)
def test_a_model_that_cannot_be_fetched_gets_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, error: Exception, expected: str
) -> None:
    """It names the id and does not repeat the client's paths."""

    def fetch(*_args: object, **_kwargs: object) -> str:
        raise error

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(located, "snapshot_download", fetch)
    monkeypatch.setattr(located, "is_offline_mode", lambda: False)
    with pytest.raises(InputError) as caught:
        models.load("org/name")
    assert str(caught.value).startswith("model org/name: ")
    assert expected in str(caught.value)
    assert "/home" not in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_an_unknown_revision_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The name may be right and the revision wrong."""

    def fetch(*_args: object, **_kwargs: object) -> str:
        raise _no_answer(404)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(located, "snapshot_download", fetch)
    with pytest.raises(InputError, match=r"no such model or revision 'v9'"):
        models.load("org/name@v9")


@pytest.fixture
def cache(bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a hub cache that holds the tiny BERT as `org/name` at one commit, and no network."""
    root = tmp_path / "hub"
    repo = root / "models--org--name"
    snapshot = repo / "snapshots" / SHA
    (repo / "blobs").mkdir(parents=True)
    (repo / "refs").mkdir()
    snapshot.mkdir(parents=True)
    for file in bert.iterdir():
        blob = shutil.copy(file, repo / "blobs" / f"blob-{file.name}")
        (snapshot / file.name).symlink_to(os.path.relpath(blob, snapshot))
    (repo / "refs" / "main").write_text(SHA)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(root))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    return root


@pytest.mark.usefixtures("cache")
@pytest.mark.parametrize("name", ["org/name", "org/name@main", f"org/name@{SHA}", "hf://org/name"])
def test_a_cached_model_is_loaded_without_a_network(bert: Path, name: str) -> None:
    """Whatever it was asked for as, the revision recorded is the commit."""
    found = models.load(name).identity
    assert (found.name, found.revision) == ("org/name", SHA)
    assert found.weights == models.load(str(bert)).identity.weights


@pytest.mark.usefixtures("cache")
@pytest.mark.parametrize("name", ["org/other", "org/name@v2"])
def test_a_model_that_is_not_cached_says_what_to_do_offline(name: str) -> None:
    """Fetch it first, or name a folder."""
    with pytest.raises(InputError) as caught:
        models.load(name)
    message = str(caught.value)
    assert "not in the local cache, and HF_HUB_OFFLINE is set" in message
    assert message.endswith("fetch it first or name a folder")
    assert len(message.splitlines()) == 1


# The tokenizer behind the model


@pytest.mark.parametrize("architecture", tiny.ARCHITECTURES)
def test_texts_are_encoded_as_the_tokenizer_does_one_by_one(
    folders: dict[str, Path], architecture: str
) -> None:
    """With special tokens and spans, nothing padded or cut."""
    model = models.load(str(folders[architecture]))
    _, tokenizer = oracle.load(folders[architecture])
    texts = ["She is a nurse.", f"He met {model.mask_token}", "x" * 200, ""]
    for text, found in zip(texts, model.encode(texts), strict=True):
        alone = tokenizer(text, return_offsets_mapping=True)
        assert list(found.ids) == alone["input_ids"]
        assert list(found.spans) == alone["offset_mapping"]
    assert model.encode([]) == []


def test_the_natural_pair_shares_its_tokenizer_and_not_its_weights(shared: Path) -> None:
    """Teacher and student may be compared word by word."""
    folder = shared / "models" / "natural"
    if not folder.is_dir():
        pytest.skip("there is no natural pair in the folder 'shared'")
    teacher, student = (models.load(str(folder / who)).identity for who in ("teacher", "student"))
    assert teacher.tokenizer == student.tokenizer
    assert teacher.vocabulary_size == student.vocabulary_size == 30522
    assert teacher.weights != student.weights
    assert teacher.layers > student.layers
    assert (teacher.head, student.head) == ("at the mask", "at the mask")


def test_settings_that_change_scores_are_part_of_who_a_model_is(tmp_path, folders):
    """The same weights with other heads are another model; in another folder they are the same."""
    here, there, other = tmp_path / "here", tmp_path / "there", tmp_path / "other"
    for folder in (here, there, other):
        shutil.copytree(folders["bert"], folder)
    config = json.loads((other / "config.json").read_text("utf-8"))
    config["layer_norm_eps"] = 1e-3
    (other / "config.json").write_text(json.dumps(config), "utf-8")
    first, same, changed = (models.load(str(path)).identity for path in (here, there, other))
    assert first.config == same.config
    assert first.weights == changed.weights
    assert first.config != changed.config
