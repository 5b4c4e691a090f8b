"""Tiny masked language models with random weights, saved as checkpoints, sound and broken."""

import json
import math
import shutil
import struct
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from tokenizers import AddedToken, Regex, Tokenizer
from tokenizers.decoders import Fuse
from tokenizers.decoders import Metaspace as MetaspaceDecoder
from tokenizers.models import BPE, WordLevel
from tokenizers.pre_tokenizers import ByteLevel, Metaspace, Split, Whitespace
from tokenizers.processors import BertProcessing
from transformers import (
    AlbertConfig,
    AlbertForMaskedLM,
    AlbertTokenizer,
    BertConfig,
    BertForMaskedLM,
    BertTokenizer,
    DistilBertConfig,
    DistilBertForMaskedLM,
    DistilBertTokenizer,
    ElectraConfig,
    ElectraForMaskedLM,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    PreTrainedTokenizerFast,
    RobertaConfig,
    RobertaForMaskedLM,
    RobertaTokenizer,
)

ARCHITECTURES = ("bert", "distilbert", "roberta", "albert", "electra")
POSITIONS = 64

# Whole words; the words of WORDS_BY_PIECES are there, or left out, on purpose.
_WORDS = """
    he she they it him her his their I we you who the a an this that is was are were be been has had
    as at in on of to for from by with and or but not very said worked works went told met saw
    know knows think thinks like likes
    man woman men women person people boy girl child friend father mother
    doctor nurse lawyer engineer maid cook clerk farm teach paint bank sing garden
    good bad kind clever lazy honest rich poor old young strong happy
    John Mary Paul Emily Greg Anne Jamal black white
    house school city France Paris world hello year years day time truck
"""
WORDS = tuple(_WORDS.split())
SUFFIXES = ("er", "ing", "ly", "ist", "ness", "ed", "s")
PUNCTUATION = ".,;:!?'\"-()"
LETTERS = "abcdefghijklmnopqrstuvwxyz"
DIGITS = "0123456789"

# How many pieces a word has in the middle of a sentence, in every default tokenizer of this file.
_WORDS_BY_PIECES = {
    1: ("he", "she", "nurse", "doctor", "lawyer", "woman", "man", "person"),
    2: ("farmer", "nurses", "teacher", "painting", "kindness", "doctors"),
    3: ("farmers", "teachers", "painters", "singers", "bankers"),
}
WORDS_BY_PIECES = dict.fromkeys(ARCHITECTURES, _WORDS_BY_PIECES)
# A word no WordPiece or Unigram tokenizer here can write; byte-level BPE writes every word.
UNWRITABLE = "\N{SNOWMAN}"

_SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
_UNKNOWN = {"unk_token": "[UNK]"}
# The tensors of the masked-LM head, as they are named in the file.
HEAD_PREFIXES = {
    "bert": ("cls.predictions.",),
    "distilbert": ("vocab_transform.", "vocab_layer_norm.", "vocab_projector."),
    "roberta": ("lm_head.",),
    "albert": ("predictions.",),
    "electra": ("generator_predictions.", "generator_lm_head."),
}

WEIGHTS_FILE = "model.safetensors"


_SMALL = """\
[set]
name = "{}"
version = "1"
kind = "association"
axis = "gender"
title = "Small"
question = "Who?"
how_to_read = "Carefully."
limits = "Many."
licence = "Apache-2.0"
sources = ["written for this test"]
contrast = ["first", "second"]
[groups.women]
terms = [{}]
[groups.men]
terms = [{}]
[classes.first]
attributes = [{{ text = "nurse" }}, {{ text = "maid" }}, {{ text = "teacher" }}]
[classes.second]
attributes = [{{ text = "engineer" }}, {{ text = "farmer" }}, {{ text = "lawyer" }}]
"""


def small_set(
    women: Sequence[str] = ("she",), men: Sequence[str] = ("he",), name: str = "small"
) -> str:
    """Return a probe set as TOML, without frames, of words that every checkpoint here can write."""
    groups = (", ".join(f'{{ text = "{word}" }}' for word in own) for own in (women, men))
    return _SMALL.format(name, *groups)


def build(
    folder: Path,
    architecture: str,
    seed: int = 0,
    vocabulary: Sequence[str] | None = None,
    *,
    cased: bool | None = None,
    **overrides: Any,
) -> Path:
    """
    Save a tiny random checkpoint of the architecture in the folder, and return the folder.

    `vocabulary` replaces `WORDS` (letters, digits, punctuation and suffixes stay); `cased` makes a
    cased WordPiece or Unigram tokenizer; the other overrides go to the configuration.
    """
    folder = Path(folder)
    words = WORDS if vocabulary is None else tuple(vocabulary)
    tokenizer = _tokenizer(architecture, words, cased=cased)
    model = _model(architecture, tokenizer, overrides)
    _randomise(model, seed)
    folder.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


# Tokenizers


def _tokenizer(
    architecture: str, words: Sequence[str], *, cased: bool | None
) -> PreTrainedTokenizerBase:
    """Return the tokenizer of the architecture over the whole words."""
    if architecture == "roberta":
        if cased is False:
            message = "a byte-level BPE is always cased: leave `cased` out for roberta"
            raise ValueError(message)
        return _byte_level_bpe(words)
    if architecture == "albert":
        return _unigram(words, cased=bool(cased))
    if architecture in {"bert", "distilbert", "electra"}:
        kind = DistilBertTokenizer if architecture == "distilbert" else BertTokenizer
        return _wordpiece(kind, words, cased=bool(cased))
    message = f"must be one of {', '.join(ARCHITECTURES)}; not {architecture!r}"
    raise ValueError(message)


def _wordpiece(
    kind: type[BertTokenizer],
    words: Sequence[str],
    *,
    cased: bool,
    strip_accents: bool | None = None,
) -> PreTrainedTokenizerBase:
    """Return a WordPiece tokenizer: whole words, letters, ##letters and ##suffixes."""
    letters = LETTERS + LETTERS.upper() if cased else LETTERS
    pieces = [
        "[PAD]",
        "[UNK]",
        "[CLS]",
        "[SEP]",
        "[MASK]",
        *PUNCTUATION,
        *DIGITS,
        *letters,
        *(f"##{character}" for character in (*letters, *DIGITS)),
        *(f"##{suffix}" for suffix in SUFFIXES),
        *_forms(words, cased=cased),
    ]
    return kind(
        vocab=_ids(pieces),
        do_lower_case=not cased,
        strip_accents=strip_accents,
        model_max_length=POSITIONS,
    )


def _byte_level_bpe(
    words: Sequence[str], *, lstrip: bool = True, add_prefix_space: bool = False
) -> PreTrainedTokenizerBase:
    """
    Return a byte-level BPE that writes each word as one piece, after a space and at a start.

    With `lstrip` the mask takes the space before it; `add_prefix_space` writes one before the text.

    Every word in turn gets the merges it still lacks. A later merge has a lower priority than all
    the merges of the words before it, so it cannot undo them.
    """
    merges: list[tuple[str, str]] = []
    for word in (*SUFFIXES, *(f"Ġ{word}" for word in words), *_forms(words, cased=True)):
        pieces = _apply_merges(word, merges)
        while len(pieces) > 1:
            merges.append((pieces[0], pieces[1]))
            pieces = [pieces[0] + pieces[1], *pieces[2:]]
    tokens = [*sorted(ByteLevel.alphabet()), *("".join(merge) for merge in merges)]
    return RobertaTokenizer(
        vocab=_ids(["<s>", "<pad>", "</s>", "<unk>", *tokens, "<mask>"]),
        merges=merges,  # type: ignore[arg-type] # pairs, as the library makes them of its files
        mask_token=_mask("<mask>", lstrip=lstrip),
        add_prefix_space=add_prefix_space,
        model_max_length=POSITIONS,
    )


def _apply_merges(word: str, merges: Sequence[tuple[str, str]]) -> list[str]:
    """Return the pieces of the word after each merge in turn was made wherever it fits."""
    pieces = list(word)
    for left, right in merges:
        position = 0
        while position < len(pieces) - 1:
            if (pieces[position], pieces[position + 1]) == (left, right):
                pieces[position : position + 2] = [left + right]
            position += 1
    return pieces


def _unigram(words: Sequence[str], *, cased: bool, lstrip: bool = True) -> PreTrainedTokenizerBase:
    """Return a Unigram tokenizer with Metaspace whose whole words are likelier than any split."""
    letters = LETTERS + LETTERS.upper() if cased else LETTERS
    scored = {"<pad>": 0.0, "<unk>": 0.0, "[CLS]": 0.0, "[SEP]": 0.0, "[MASK]": 0.0, "▁": -9.0}
    scored |= dict.fromkeys(PUNCTUATION, -5.0)
    scored |= dict.fromkeys((*letters, *DIGITS), -9.0)
    scored |= dict.fromkeys(SUFFIXES, -6.0)
    scored |= dict.fromkeys((f"▁{word}" for word in _forms(words, cased=cased)), -4.0)
    return AlbertTokenizer(
        vocab=list(scored.items()),
        do_lower_case=not cased,
        mask_token=_mask("[MASK]", lstrip=lstrip),
        model_max_length=POSITIONS,
    )


def _mask(text: str, *, lstrip: bool = True) -> Any:
    """Return a mask token that may take the space before it; the library annotates a str."""
    return AddedToken(text, lstrip=lstrip, special=True, normalized=False)


def _forms(words: Iterable[str], *, cased: bool) -> list[str]:
    """Return each word as it is and with a capital, or in lower case only, each form once."""
    if cased:
        return list(dict.fromkeys(form for w in words for form in (w, w[:1].upper() + w[1:])))
    return list(dict.fromkeys(word.lower() for word in words))


def _ids(pieces: Iterable[str]) -> dict[str, int]:
    """Return the number of each piece, from 0, each piece once."""
    return {piece: number for number, piece in enumerate(dict.fromkeys(pieces))}


def tokenizers() -> dict[str, PreTrainedTokenizerBase]:
    """
    Return a tokenizer of each family by name; ` lstrip` at its end is the mask token's flag.

    Two names that differ in the flag alone are one tokenizer but for it: such a mask takes the
    space before it.
    """
    made: dict[str, PreTrainedTokenizerBase] = {
        "WordPiece uncased": _wordpiece(BertTokenizer, WORDS, cased=False),
        "WordPiece cased": _wordpiece(BertTokenizer, WORDS, cased=True),
        "WordPiece accents kept": _wordpiece(
            BertTokenizer, (*WORDS, "é"), cased=False, strip_accents=False
        ),
        "characters": _by_characters(),
        "words": _by_words(WORDS),
    }
    for lstrip in (False, True):
        end = " lstrip" if lstrip else ""
        for prefix in (False, True):
            name = "byte-level BPE prefix space" if prefix else "byte-level BPE"
            made[name + end] = _byte_level_bpe(WORDS, lstrip=lstrip, add_prefix_space=prefix)
        made["Unigram" + end] = _unigram(WORDS, cased=False, lstrip=lstrip)
        made["Metaspace BPE" + end] = _metaspace_bpe(WORDS, lstrip=lstrip)
    return made


def _metaspace_bpe(words: Sequence[str], *, lstrip: bool) -> PreTrainedTokenizerBase:
    """Return a BPE of characters that writes a word with the space before it, as one piece."""
    merges: list[tuple[str, str]] = []
    for word in (*SUFFIXES, *(f"▁{form}" for form in _forms(words, cased=True))):
        pieces = _apply_merges(word, merges)
        while len(pieces) > 1:
            merges.append((pieces[0], pieces[1]))
            pieces = [pieces[0] + pieces[1], *pieces[2:]]
    letters = (*LETTERS, *LETTERS.upper(), *DIGITS, *PUNCTUATION, "▁")
    tokens = [*letters, *("".join(merge) for merge in merges)]
    backend = Tokenizer(BPE(vocab=_ids([*_SPECIAL, *tokens]), merges=merges, **_UNKNOWN))
    backend.pre_tokenizer = Metaspace()
    backend.decoder = MetaspaceDecoder()
    return _wrapped(backend, lstrip=lstrip)


def _by_characters() -> PreTrainedTokenizerBase:
    """Return a tokenizer that makes a piece of every character, a space among them."""
    characters = (*LETTERS, *LETTERS.upper(), *DIGITS, *PUNCTUATION, " ")
    backend = Tokenizer(WordLevel(_ids([*_SPECIAL, *characters]), **_UNKNOWN))
    backend.pre_tokenizer = Split(Regex("."), "isolated")
    backend.decoder = Fuse()
    return _wrapped(backend, lstrip=False)


def _by_words(words: Sequence[str]) -> PreTrainedTokenizerBase:
    """Return a tokenizer that makes a piece of every word and every mark, and splits none."""
    tokens = [*_SPECIAL, *PUNCTUATION, *_forms(words, cased=True)]
    backend = Tokenizer(WordLevel(_ids(tokens), **_UNKNOWN))
    backend.pre_tokenizer = Whitespace()
    return _wrapped(backend, lstrip=False)


def _wrapped(backend: Tokenizer, *, lstrip: bool) -> PreTrainedTokenizerBase:
    """Return the tokenizer as transformers', with [CLS] before each text and [SEP] after it."""
    sep, cls = (_SPECIAL.index(token) for token in ("[SEP]", "[CLS]"))
    backend.post_processor = BertProcessing(("[SEP]", sep), ("[CLS]", cls))
    roles = ("pad_token", "unk_token", "cls_token", "sep_token")
    return PreTrainedTokenizerFast(
        tokenizer_object=backend,
        **dict(zip(roles, _SPECIAL, strict=False)),
        mask_token=_mask("[MASK]", lstrip=lstrip),
        model_max_length=POSITIONS,
    )


def with_tokenizer(folder: Path, tokenizer: PreTrainedTokenizerBase, seed: int = 0) -> Path:
    """Save a tiny random BERT over the tokenizer's vocabulary in the folder, and return it."""
    model = _model("bert", tokenizer, {})
    _randomise(model, seed)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


# Models


def _model(
    architecture: str, tokenizer: PreTrainedTokenizerBase, overrides: dict[str, Any]
) -> PreTrainedModel:
    """Return an uninitialised two-layer model, 32 wide, over the tokenizer's vocabulary."""
    shape = {
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 64,
        "max_position_embeddings": POSITIONS,
    }
    kinds: dict[str, tuple[Any, Any, dict[str, Any]]] = {
        "bert": (BertConfig, BertForMaskedLM, shape),
        "distilbert": (
            DistilBertConfig,
            DistilBertForMaskedLM,
            {
                "dim": 32,
                "n_layers": 2,
                "n_heads": 2,
                "hidden_dim": 64,
                "max_position_embeddings": POSITIONS,
            },
        ),
        # RoBERTa numbers its positions from the padding id + 1, so two rows are never used.
        "roberta": (
            RobertaConfig,
            RobertaForMaskedLM,
            {**shape, "max_position_embeddings": POSITIONS + 2, "type_vocab_size": 1},
        ),
        "albert": (AlbertConfig, AlbertForMaskedLM, {**shape, "embedding_size": 16}),
        "electra": (ElectraConfig, ElectraForMaskedLM, {**shape, "embedding_size": 16}),
    }
    config_class, model_class, arguments = kinds[architecture]
    arguments = {
        **arguments,
        "vocab_size": len(tokenizer),
        "pad_token_id": tokenizer.pad_token_id,
        **overrides,
    }
    if architecture in {"roberta", "albert"}:
        arguments.setdefault("bos_token_id", tokenizer.cls_token_id)
        arguments.setdefault("eos_token_id", tokenizer.sep_token_id)
    model: PreTrainedModel = model_class(config_class(**arguments))
    return model


def _randomise(model: PreTrainedModel, seed: int) -> None:
    """
    Give every parameter random values large enough that predictions differ between contexts.

    At the library's own initialisation (0.02) every model is nearly uniform and a wrong score looks
    right. Much larger than here, rounding grows beyond the 1e-5 nats that a batch may differ by.
    """
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in sorted(model.named_parameters()):
            noise = torch.randn(parameter.shape, generator=generator)
            parameter.copy_(_scaled(name, noise, model.config.vocab_size))


def _scaled(name: str, noise: torch.Tensor, vocab_size: int) -> torch.Tensor:
    """Return the noise at the scale of the parameter of that name, in its own shape."""
    if noise.ndim > 1:
        gain = 1.6 if name.endswith("word_embeddings.weight") else 1.0
        return gain * noise / math.sqrt(noise.shape[-1])
    if noise.shape == (vocab_size,):
        return noise
    if "norm" in name.lower() and name.endswith("weight"):
        return 1.0 + 0.2 * noise
    return 0.2 * noise


# The same checkpoint, stored in another way: still sound


def copy_reordered(source: Path, target: Path) -> Path:
    """Copy the checkpoint with its tensors stored in another order under other metadata."""
    copy = _copy(source, target)
    tensors = load_file(copy / WEIGHTS_FILE)
    header: dict[str, Any] = {"__metadata__": {"format": "pt", "note": "stored in another order"}}
    data = b""
    for name in sorted(tensors, reverse=True):
        tensor = tensors[name]
        raw = tensor.contiguous().numpy().tobytes()
        header[name] = {
            "dtype": {torch.float32: "F32", torch.float16: "F16"}[tensor.dtype],
            "shape": list(tensor.shape),
            "data_offsets": [len(data), len(data) + len(raw)],
        }
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    (copy / WEIGHTS_FILE).write_bytes(struct.pack("<Q", len(text)) + text + data)
    return copy


def copy_sharded(source: Path, target: Path) -> Path:
    """Copy the checkpoint with its tensors spread over two files and an index."""
    copy = _copy(source, target)
    tensors = load_file(copy / WEIGHTS_FILE)
    (copy / WEIGHTS_FILE).unlink()
    names = sorted(tensors)
    halves = (names[: len(names) // 2], names[len(names) // 2 :])
    weight_map: dict[str, str] = {}
    for number, half in enumerate(halves, start=1):
        file = f"model-{number:05d}-of-{len(halves):05d}.safetensors"
        save_file({name: tensors[name] for name in half}, copy / file, metadata={"format": "pt"})
        weight_map |= dict.fromkeys(half, file)
    size = sum(tensor.nbytes for tensor in tensors.values())
    index = {"metadata": {"total_size": size}, "weight_map": weight_map}
    (copy / f"{WEIGHTS_FILE}.index.json").write_text(json.dumps(index, indent=1))
    return copy


def copy_half(source: Path, target: Path) -> Path:
    """Copy the checkpoint in float16: its numbers are rounded, its configuration says so."""
    copy = _copy(source, target)
    _edit_weights(copy, lambda tensors: {name: t.half() for name, t in tensors.items()})
    _edit_json(copy / "config.json", {"dtype": "float16"})
    return copy


def copy_as_published(source: Path, target: Path) -> Path:
    """
    Copy a BERT checkpoint with what the published files have besides: pooler, next-sentence head.

    The norms carry their old names (gamma, beta) and the tied decoder is stored too. Nothing is
    missing from such a file and it scores as the original does.
    """
    copy = _copy(source, target)

    def published(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """Rename the norms and add the tensors a masked-LM model does not use."""
        renamed = {
            name.replace("LayerNorm.weight", "LayerNorm.gamma").replace(
                "LayerNorm.bias", "LayerNorm.beta"
            ): tensor
            for name, tensor in tensors.items()
        }
        words = tensors["bert.embeddings.word_embeddings.weight"]
        width = words.shape[1]
        return renamed | {
            "bert.pooler.dense.weight": torch.eye(width),
            "bert.pooler.dense.bias": torch.zeros(width),
            "cls.seq_relationship.weight": torch.zeros(2, width),
            "cls.seq_relationship.bias": torch.zeros(2),
            "cls.predictions.decoder.weight": words.clone(),
        }

    _edit_weights(copy, published)
    return copy


# Checkpoints that must be refused


def without_head(source: Path, target: Path) -> Path:
    """Copy the checkpoint without the tensors of its masked-LM head."""
    copy = _copy(source, target)
    prefixes = HEAD_PREFIXES[_model_type(copy)]
    _edit_weights(
        copy, lambda t: {name: v for name, v in t.items() if not name.startswith(prefixes)}
    )
    return copy


def without_tensor(source: Path, target: Path, name: str) -> Path:
    """Copy the checkpoint without the one tensor of that name."""
    copy = _copy(source, target)
    _edit_weights(copy, lambda t: {key: value for key, value in t.items() if key != name})
    return copy


def with_other_shape(source: Path, target: Path) -> Path:
    """Copy the checkpoint with one word too many in its configuration, so that shapes disagree."""
    copy = _copy(source, target)
    config = json.loads((copy / "config.json").read_text())
    _edit_json(copy / "config.json", {"vocab_size": config["vocab_size"] + 1})
    return copy


def with_nan(source: Path, target: Path) -> Path:
    """Copy the checkpoint with one NaN in a norm of its encoder, so that all logits are NaN."""
    copy = _copy(source, target)

    def spoilt(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """Set one element of the norm's weight to NaN."""
        name = next(name for name in sorted(tensors) if name.endswith("LayerNorm.weight"))
        tensors[name][0] = math.nan
        return tensors

    _edit_weights(copy, spoilt)
    return copy


def with_pickle_only(source: Path, target: Path) -> Path:
    """Copy the checkpoint with its weights in a pickle, `pytorch_model.bin`, and nowhere else."""
    copy = _copy(source, target)
    torch.save(load_file(copy / WEIGHTS_FILE), copy / "pytorch_model.bin")
    (copy / WEIGHTS_FILE).unlink()
    return copy


def without_weights(source: Path, target: Path) -> Path:
    """Copy the checkpoint without its weights file."""
    copy = _copy(source, target)
    (copy / WEIGHTS_FILE).unlink()
    return copy


def with_truncated_weights(source: Path, target: Path) -> Path:
    """Copy the checkpoint with the last 100 bytes of its weights file cut off."""
    copy = _copy(source, target)
    file = copy / WEIGHTS_FILE
    file.write_bytes(file.read_bytes()[:-100])
    return copy


def with_kernel(source: Path, target: Path, name: str = "org/kernel") -> Path:
    """Copy the checkpoint with a configuration that names a kernel to be fetched and run."""
    copy = _copy(source, target)
    _edit_json(copy / "config.json", {"_attn_implementation": name})
    return copy


def with_remote_code(source: Path, target: Path, model_type: str = "tiny-remote") -> Path:
    """
    Copy the checkpoint with a configuration that points at code in its folder.

    The code writes a file `EXECUTED` in the folder as soon as it is imported. With the
    `model_type` of an architecture the library knows, the library ignores the code.
    """
    copy = _copy(source, target).resolve()
    auto_map = {
        "AutoConfig": "configuration_remote.RemoteConfig",
        "AutoModelForMaskedLM": "modeling_remote.RemoteModel",
    }
    _edit_json(copy / "config.json", {"model_type": model_type, "auto_map": auto_map})
    code = (
        "from pathlib import Path\n"
        "from transformers import BertConfig as RemoteConfig, BertForMaskedLM as RemoteModel\n"
        f"Path({str(copy / 'EXECUTED')!r}).touch()\n"
    )
    for name in ("configuration_remote.py", "modeling_remote.py"):
        (copy / name).write_text(code)
    return copy


def without_mask_token(source: Path, target: Path) -> Path:
    """Copy the checkpoint with a tokenizer that has no mask token."""
    copy = _copy(source, target)
    _edit_json(copy / "tokenizer_config.json", {"mask_token": None})
    return copy


def with_mask_out_of_vocabulary(source: Path, target: Path) -> Path:
    """
    Copy the checkpoint with a tokenizer whose mask token is none of the model's words.

    The library gives such a token a new id, one behind the last row of the embeddings.
    """
    copy = _copy(source, target)
    _edit_json(copy / "tokenizer_config.json", {"mask_token": "[OTHER-MASK]"})
    return copy


def with_case_forgotten(source: Path, target: Path) -> Path:
    """
    Copy a cased WordPiece checkpoint whose `tokenizer_config.json` does not say that it is cased.

    `tokenizer.json` still says so, but the library rebuilds the tokenizer and lower-cases the text.
    """
    copy = _copy(source, target)
    file = copy / "tokenizer_config.json"
    settings = json.loads(file.read_text())
    del settings["do_lower_case"]
    file.write_text(json.dumps(settings, indent=2))
    return copy


def _copy(source: Path, target: Path) -> Path:
    """Copy a checkpoint folder, and return the copy."""
    return Path(shutil.copytree(source, target))


def _edit_json(file: Path, changes: dict[str, Any]) -> None:
    """Write the changes into a JSON object on disk."""
    file.write_text(json.dumps(json.loads(file.read_text()) | changes, indent=2))


def _edit_weights(
    folder: Path, edit: Callable[[dict[str, torch.Tensor]], dict[str, torch.Tensor]]
) -> None:
    """Rewrite the weights file with what the function makes of its tensors."""
    file = folder / WEIGHTS_FILE
    save_file(edit(load_file(file)), file, metadata={"format": "pt"})


def _model_type(folder: Path) -> str:
    """Return the architecture the configuration in the folder names."""
    return str(json.loads((folder / "config.json").read_text())["model_type"])
