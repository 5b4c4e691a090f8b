"""A masked language model behind a small Protocol, and the only loader of one.

The loader trusts nothing in a checkpoint: safetensors only, no code or kernel from the folder, and
no weight that the file does not hold. What was loaded is identified by digests of the tensors and
of the tokenizer, not by a name.
"""

import hashlib
import json
import os
import re
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
import transformers
from huggingface_hub import is_offline_mode, snapshot_download
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError
from transformers import AutoConfig, AutoModelForMaskedLM, AutoTokenizer
from transformers.utils import logging as transformers_logging

from maskaudit.audit.errors import InputError
from maskaudit.audit.recording.manifest import Identity

# Nothing else of a hub repository is fetched or read: no pickles, no code.
FETCHED = ("*.json", "model*.safetensors", "vocab.txt", "merges.txt", "*.model")
WEIGHTS = "model.safetensors"
# A config that asks for more would be built for hours before it is found to be wrong.
MOST_LAYERS = 1000
# The head at the mask and the full forward may differ by this much, in nats.
TOLERANCE = 1e-5
# SentencePiece and byte-level BPE write a space as part of a piece.
WHITE_SPACE_MARKS = "▁Ġ"
# What a checkpoint's config says that changes no score, or is said elsewhere of its identity.
_NO_SETTING = {"_name_or_path", "architectures", "dtype", "torch_dtype", "transformers_version"}
_CHUNK = 1 << 22

Ids = tuple[int, ...]


@dataclass(frozen=True)
class Encoded:
    """A tokenised sentence: piece ids, and for each its span of characters and its word.

    `words` counts the tokenizer's words from 0; it is None for special tokens.
    """

    ids: Ids
    spans: tuple[tuple[int, int], ...]
    words: tuple[int | None, ...]


class MaskedLM(Protocol):
    """What scoring needs of a model."""

    identity: Identity
    mask_token: str
    mask_id: int
    unknown_id: int | None
    special_ids: frozenset[int]
    longest: int

    def encode(self, texts: Sequence[str]) -> list[Encoded]:
        """Tokenise each text as a sentence; masks are written as the tokenizer's own."""
        ...

    def token(self, index: int) -> str:
        """The piece of vocabulary with this id, as text."""
        ...

    def bare(self, ids: Sequence[int]) -> str:
        """The pieces in a row, without the marks that stand for white space."""
        ...

    def log_probs(self, sentences: Sequence[Ids], reads: Sequence[tuple[int, int]]) -> torch.Tensor:
        """Log p in nats over the whole vocabulary at each read; float64, [n, vocabulary].

        `sentences` are piece ids, all of one length; a read is (sentence, place in it).
        """
        ...

    def attention(self, sentences: Sequence[Ids]) -> torch.Tensor:
        """How much each piece is attended to, [n, length]: mean over layers, heads and queries."""
        ...

    def states(self, sentences: Sequence[Ids]) -> torch.Tensor:
        """The encoder's last states, [n, length, width], float64; sentences of one length."""
        ...


def load(name: str, *, device: str = "cpu") -> "LoadedModel":
    """Load a checkpoint from a folder or the hub (`NAME[@REVISION]`), and prove what it is.

    Raises `InputError` when there is no such model, no safetensors, a weight that would be made up
    at random, code or a kernel named in the config, a weight that is NaN, or no mask token.
    """
    folder, shown, revision = _located(name)
    files = _weight_files(folder, shown)
    config = _loaded_config(folder, shown)
    tokenizer = _loaded_tokenizer(folder, shown)
    model = _loaded_weights(folder, shown, config)
    most = model.config.vocab_size
    # A model may have rows to spare; a tokenizer without its vocabulary has a handful of pieces.
    if not most < 2 * len(tokenizer) <= 2 * most or tokenizer.mask_token_id >= most:
        raise InputError(
            f"model {shown}: the tokenizer has {len(tokenizer)} pieces, the model {most}; they do "
            "not belong together: fetch tokenizer.json again"
        )
    try:
        return LoadedModel(model.to(device), tokenizer, files, shown, revision)
    except InputError:
        raise
    except Exception as error:
        raise InputError(f"model {shown}: it cannot read a sentence ({_first(error)})") from error


class LoadedModel:
    """A checkpoint from disk, ready to score: evaluation mode, float32, no gradient."""

    def __init__(
        self,
        model: Any,  # noqa: ANN401 - a transformers model has no useful static type
        tokenizer: Any,  # noqa: ANN401
        files: Sequence[Path],
        name: str,
        revision: str,
    ) -> None:
        self._model = model.eval().requires_grad_(requires_grad=False)
        self._tokenizer = tokenizer
        self._at_mask = True
        self.mask_token: str = tokenizer.mask_token
        self.mask_id: int = tokenizer.mask_token_id
        self.unknown_id: int | None = tokenizer.unk_token_id
        self.special_ids = frozenset(tokenizer.all_special_ids)
        self.longest = _longest(model.config)
        self._check_head(name)
        self.identity = self._identified(files, name, revision)

    def encode(self, texts: Sequence[str]) -> list[Encoded]:
        """Tokenise each text as a sentence, special tokens included, with the pieces' spans."""
        if not texts:
            return []
        found = self._tokenizer(
            list(texts),
            return_offsets_mapping=True,
            add_special_tokens=True,
            truncation=False,
            verbose=False,  # a sentence that is too long is told by its status
        )
        return [
            Encoded(tuple(ids), tuple(map(tuple, spans)), tuple(found.word_ids(i)))
            for i, (ids, spans) in enumerate(
                zip(found["input_ids"], found["offset_mapping"], strict=True)
            )
        ]

    def token(self, index: int) -> str:
        """The piece of vocabulary with this id, without the marks of its tokenizer."""
        piece = self._tokenizer.convert_ids_to_tokens(index)
        if piece is None:  # a row of the model that no piece of the tokenizer uses
            return f"[unused {index}]"
        return str(self._tokenizer.convert_tokens_to_string([piece])).strip()

    def bare(self, ids: Sequence[int]) -> str:
        """The pieces in a row, without the marks that stand for white space."""
        pieces = self._tokenizer.convert_ids_to_tokens(list(ids))
        return "".join(piece.strip(WHITE_SPACE_MARKS) for piece in pieces)

    def log_probs(self, sentences: Sequence[Ids], reads: Sequence[tuple[int, int]]) -> torch.Tensor:
        """Log p over the vocabulary, [n, vocabulary], float64, nats."""
        logits = self._logits(torch.tensor(sentences), torch.tensor(reads))
        return torch.log_softmax(logits.double(), dim=-1).cpu()

    @torch.inference_mode()
    def states(self, sentences: Sequence[Ids]) -> torch.Tensor:
        """The encoder's last states, [n, length, width], float64."""
        ids = torch.tensor(sentences, device=self._model.device)
        found: torch.Tensor = self._model.base_model(
            input_ids=ids, attention_mask=torch.ones_like(ids)
        ).last_hidden_state
        return found.double().cpu()

    @torch.inference_mode()
    def attention(self, sentences: Sequence[Ids]) -> torch.Tensor:
        """Mean attention to each piece over layers, heads and queries, [n, length], float64.

        Kernels that never form the weights are set aside for it (eager attention).
        """
        usual = self.identity.attention
        self._model.set_attn_implementation("eager")
        try:
            ids = torch.tensor(sentences, device=self._model.device)
            found = self._model.base_model(
                input_ids=ids, attention_mask=torch.ones_like(ids), output_attentions=True
            ).attentions
        finally:
            self._model.set_attn_implementation(usual)
        return torch.stack(found).double().mean(dim=(0, 2, 3)).cpu()

    @torch.inference_mode()
    def _logits(self, ids: torch.Tensor, reads: torch.Tensor) -> torch.Tensor:
        """Logits at each read, [n, vocabulary]."""
        ids, rows, places = ids.to(self._model.device), *reads.to(self._model.device).T
        attention = torch.ones_like(ids)
        if not self._at_mask:
            full: torch.Tensor = self._model(input_ids=ids, attention_mask=attention).logits
            return full[rows, places]
        with gathered(self._model.base_model, rows, places):
            found: torch.Tensor = self._model(input_ids=ids, attention_mask=attention).logits
        return found

    def _check_head(self, name: str) -> None:
        """Compare the head at the mask with the full forward; fall back where they differ."""
        [encoded] = self.encode([f"This is {self.mask_token} ."])
        if encoded.ids.count(self.mask_id) != 1:
            message = f"the tokenizer does not keep {self.mask_token!r} in a text as one mask"
            raise InputError(f"model {name}: {message}")
        asked = [encoded.ids], [(0, encoded.ids.index(self.mask_id))]
        self._at_mask = False
        full = self.log_probs(*asked)
        if not torch.isfinite(full).all():
            message = "gives numbers that are not finite (NaN weights?)"
            raise InputError(f"model {name}: {message}")
        try:
            self._at_mask = True
            short = self.log_probs(*asked)
            self._at_mask = short.shape == full.shape and bool(
                (short - full).abs().max() <= TOLERANCE
            )
        except Exception:  # noqa: BLE001 - whatever a head makes of states that it does not expect
            self._at_mask = False

    def _identified(self, files: Sequence[Path], name: str, revision: str) -> Identity:
        vocabulary = json.dumps(sorted(self._tokenizer.get_vocab().items()))
        config = self._model.config
        return Identity(
            name=name,
            revision=revision,
            architecture=type(self._model).__name__,
            weights=_tensor_digest(files),
            files={file.name: _file_digest(file) for file in files},
            tokenizer=_tokenizer_digest(self._tokenizer),
            vocabulary=hashlib.sha256(vocabulary.encode()).hexdigest(),
            vocabulary_size=config.vocab_size,
            parameters=sum(p.numel() for p in self._model.parameters()),
            layers=int(getattr(config, "num_hidden_layers", 0)),
            stored_dtype=_stored_dtype(files),
            dtype=str(self._model.dtype).removeprefix("torch."),
            device=str(self._model.device),
            attention=str(getattr(config, "_attn_implementation", "")),
            head="at the mask" if self._at_mask else "full",
            config=_config_digest(config),
        )


def engine() -> dict[str, str]:
    """The software that scores; part of every method key."""
    return {"torch": torch.__version__, "transformers": transformers.__version__}


def threads() -> int:
    """How many threads a forward pass uses."""
    return torch.get_num_threads()


@contextmanager
def gathered(encoder: Any, rows: torch.Tensor, places: torch.Tensor) -> Any:  # noqa: ANN401
    """Let the head see only the states at (row, place): the head's cost is the vocabulary's."""

    def gather(_module: object, _inputs: object, output: Any) -> Any:  # noqa: ANN401
        output.last_hidden_state = output.last_hidden_state[rows, places]
        return output

    handle = encoder.register_forward_hook(gather)
    try:
        yield
    finally:
        handle.remove()


def _located(name: str) -> tuple[Path, str, str]:
    """The local folder of a model, the name to show for it and its revision."""
    name = _printable(name)
    if not name:
        raise InputError("model '': the name is empty; expected a folder or a hub id")
    try:
        path = Path(name).expanduser()
        is_folder, exists = path.is_dir(), path.exists()
    except (OSError, RuntimeError) as error:
        raise InputError(f"model {name[:100]}: no path to a folder ({_first(error)})") from error
    if is_folder:
        return path, _shown(path), ""
    if exists or name.startswith((".", "/", "~")):
        found = "is a file" if exists else "does not exist"
        raise InputError(f"model {name}: the path {found}; expected a folder with a checkpoint")
    repo, _, revision = name.removeprefix("hf://").removeprefix("models/").partition("@")
    try:
        folder = Path(
            snapshot_download(repo, revision=revision or None, allow_patterns=list(FETCHED))
        )
    except HFValidationError as error:
        message = f"model {name}: neither a folder here nor a hub id (NAME or ORG/NAME[@REVISION])"
        raise InputError(message) from error
    except (LocalEntryNotFoundError, HfHubHTTPError, OSError) as error:
        raise InputError(f"model {name}: {_unreachable(error, revision)}") from error
    return folder, repo, folder.name


def _printable(text: str) -> str:
    """The text on one line, without what a terminal would obey."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text).strip()


def _unreachable(error: Exception, revision: str) -> str:
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status in (401, 403, 404):
        what = f"no such model or revision {revision!r}" if revision else "no such model"
        return f"{what} on the hub, or it is private (HF_TOKEN); expected a hub id or a folder"
    if is_offline_mode():
        return "not in the local cache, and HF_HUB_OFFLINE is set; fetch it first or name a folder"
    return f"no such folder here, and the hub cannot be reached ({type(error).__name__})"


def _shown(path: Path) -> str:
    """A folder's name without the home and the machine it lies on: at most its last two parts."""
    whole = path.resolve()
    try:
        home = Path.home()
    except RuntimeError:  # a user without a home, as in a container
        home = None
    parts = whole.parts[-1:] if whole.parent == home else whole.parts[-2:]
    return "/".join(part.strip("/") for part in parts if part.strip("/"))


def _weight_files(folder: Path, name: str) -> list[Path]:
    """The files that transformers reads weights from: one, or the shards that an index names."""
    single, index = folder / WEIGHTS, folder / f"{WEIGHTS}.index.json"
    if single.is_file():
        return [single]
    if not index.is_file():
        pickled = sorted(p.name for p in folder.glob("*") if p.suffix in {".bin", ".pt", ".pth"})
        found = f"{pickled[0]}, pickled weights that can run code" if pickled else "no weights"
        raise InputError(
            f"model {name}: found {found}; expected {WEIGHTS} (convert with save_pretrained)"
        )
    places = _json(index, name).get("weight_map")
    shards = sorted({str(file) for file in places.values()}) if isinstance(places, dict) else []
    if not shards or any(Path(file).suffix != ".safetensors" for file in shards):
        raise InputError(f"model {name}: {index.name} names no shards; expected *.safetensors")
    for file in shards:
        if Path(file).name != file or not (folder / file).is_file():
            found = f"names {file[:100]!r}, which is no file in the folder"
            raise InputError(f"model {name}: {index.name} {found}; fetch the model again")
    return [folder / file for file in shards]


def _loaded_config(folder: Path, name: str) -> Any:  # noqa: ANN401 - transformers' own type
    _refuse_foreign(folder, name, _json(folder / "config.json", name))
    try:
        config = AutoConfig.from_pretrained(folder, trust_remote_code=False)
    except Exception as error:
        raise InputError(f"model {name}: config.json cannot be used ({_first(error)})") from error
    layers = getattr(config, "num_hidden_layers", 1)
    if not isinstance(layers, int) or not 0 < layers <= MOST_LAYERS:
        raise InputError(
            f"model {name}: config.json asks for {str(layers)[:20]} layers; expected 1 to "
            f"{MOST_LAYERS}"
        )
    if getattr(config, "is_decoder", False):
        raise InputError(
            f"model {name}: config.json says is_decoder, and a decoder does not see what follows "
            "the mask; expected a masked LM"
        )
    return config


def _refuse_foreign(folder: Path, name: str, config: dict[str, Any]) -> None:
    """Refuse what would have transformers run code or weights that are not the folder's own."""
    for key in ("_attn_implementation", "attn_implementation", "attn_implementation_internal"):
        values = config.get(key)
        for value in values.values() if isinstance(values, dict) else [values]:
            if value is not None and ("/" in str(value) or ":" in str(value)):
                raise InputError(
                    f"model {name}: config.json names the kernel {str(value)!r} under {key}; "
                    "kernels from elsewhere are never run: remove the key"
                )
    known = str(config.get("model_type")) in transformers.CONFIG_MAPPING
    if not known and "auto_map" in config:
        raise InputError(
            f"model {name}: config.json asks for code of its own (auto_map); code from a "
            "checkpoint is never run"
        )
    for key in ("transformers_weights", "quantization_config"):
        if config.get(key) is not None:
            raise InputError(
                f"model {name}: config.json has the key {key}; expected plain weights in {WEIGHTS}"
            )
    if (folder / "adapter_config.json").exists():
        raise InputError(
            f"model {name}: the folder holds an adapter (adapter_config.json), which names another "
            "model to load; merge it and save the whole model"
        )


def _json(path: Path, name: str) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise InputError(f"model {name}: no readable {path.name} in the folder") from error
    except (ValueError, RecursionError) as error:
        found = f"{path.name} is not valid JSON ({_first(error)})"
        raise InputError(f"model {name}: {found}") from error
    if not isinstance(found, dict):
        raise InputError(f"model {name}: {path.name} holds no JSON object")
    return found


def _loaded_tokenizer(folder: Path, name: str) -> Any:  # noqa: ANN401 - transformers' own type
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
    except Exception as error:
        raise InputError(
            f"model {name}: the tokenizer cannot be read ({_first(error)}); expected the files "
            "that save_pretrained writes"
        ) from error
    if not tokenizer.is_fast:
        raise InputError(f"model {name}: the tokenizer gives no offsets; expected a fast tokenizer")
    if tokenizer.mask_token is None or tokenizer.mask_token_id is None:
        raise InputError(f"model {name}: the tokenizer has no mask token; expected a masked LM")
    stored = folder / "tokenizer.json"
    if stored.is_file():
        # transformers rebuilds some normalisers and would lower-case a cased model in silence.
        told = _normalised(_json(stored, name))
        done = _normalised(json.loads(tokenizer.backend_tokenizer.to_str()))
        for key, value in told.items():
            if value != done[key]:
                raise InputError(
                    f"model {name}: tokenizer.json says {key} = {value}, tokenizer_config.json "
                    f"says otherwise; set {key} in tokenizer_config.json"
                )
    return tokenizer


def _normalised(state: dict[str, Any]) -> dict[str, bool]:
    """What a tokenizer does to case and accents, by the name of the setting that decides it."""
    normaliser = state.get("normalizer") or {}
    parts = [normaliser, *(normaliser.get("normalizers") or [])]
    lower = any(part.get("lowercase") or part.get("type") == "Lowercase" for part in parts)
    # BERT's normaliser strips accents where it lower-cases, unless it is told otherwise.
    given = [part["strip_accents"] for part in parts if part.get("strip_accents") is not None]
    other = any(part.get("type") == "StripAccents" for part in parts)
    bert = lower and any(part.get("type") == "BertNormalizer" for part in parts)
    return {"do_lower_case": lower, "strip_accents": given[0] if given else other or bert}


def _loaded_weights(folder: Path, name: str, config: Any) -> Any:  # noqa: ANN401
    os.environ["DISABLE_SAFETENSORS_CONVERSION"] = "1"
    verbosity = transformers_logging.get_verbosity()
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    try:
        model, loading = AutoModelForMaskedLM.from_pretrained(
            folder,
            config=config,
            use_safetensors=True,
            trust_remote_code=False,
            dtype=torch.float32,
            output_loading_info=True,
        )
    except Exception as error:
        found = _first(error)
        if "ignore_mismatched_sizes" in found:
            found = "its tensors do not have the shapes that config.json asks for"
        raise InputError(f"model {name}: the weights cannot be loaded ({found})") from error
    finally:
        transformers_logging.set_verbosity(verbosity)
    if left_out := sorted(k for k in loading["unexpected_keys"] if _in_a_layer(k, model)):
        raise InputError(
            f"model {name}: config.json asks for fewer layers than the checkpoint has: "
            f"{left_out[0]} is left out"
        )
    made_up = sorted({*loading["missing_keys"], *(str(k) for k in loading["mismatched_keys"])})
    if made_up:
        shown = ", ".join(made_up[:4]) + (f" and {len(made_up) - 4} more" if made_up[4:] else "")
        raise InputError(
            f"model {name}: the checkpoint lacks {shown}; these weights would be random. "
            "Expected a model saved with its masked-LM head"
        )
    for key, tensor in model.named_parameters():
        if not torch.isfinite(tensor).all():
            raise InputError(f"model {name}: {key} holds values that are not finite (NaN)")
        # Fresh memory: kernels may round differently where a mapped file is not aligned.
        tensor.data = tensor.data.clone()
    return model


def _in_a_layer(key: str, model: Any) -> bool:  # noqa: ANN401
    """Whether a tensor is of a numbered layer of the encoder; a pooler or another head is not."""
    return key.startswith(f"{model.base_model_prefix}.") and bool(re.search(r"\.\d+\.", key))


def _first(error: Exception) -> str:
    """A library's message on one line, shortened, without paths of this machine."""
    line = " ".join(str(error).split()) or type(error).__name__
    return re.sub(r"(?<![\w.])(?:/[^\s'\"/]+)+/", "…/", line)[:200]


def _longest(config: Any) -> int:  # noqa: ANN401
    """How many pieces fit; RoBERTa's positions start behind the padding's."""
    positions = int(getattr(config, "max_position_embeddings", 0) or 1 << 30)
    offset = (config.pad_token_id or 0) + 1 if _counts_from_padding(config) else 0
    return positions - offset


def _counts_from_padding(config: Any) -> bool:  # noqa: ANN401
    return any(kind in str(config.model_type) for kind in ("roberta", "camembert", "mpnet"))


def _tokenizer_digest(tokenizer: Any) -> str:  # noqa: ANN401
    state = json.loads(tokenizer.backend_tokenizer.to_str())
    state.pop("padding", None)
    state.pop("truncation", None)
    state["special"] = tokenizer.special_tokens_map
    return hashlib.sha256(json.dumps(state, sort_keys=True).encode()).hexdigest()


def _file_digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _headers(files: Sequence[Path]) -> list[tuple[str, dict[str, Any], Path, int]]:
    """(name, entry, file, where its data begin) of each tensor, sorted by name."""
    found = []
    for path in files:
        with path.open("rb") as file:
            size = int.from_bytes(file.read(8), "little")
            header = json.loads(file.read(size))
        found += [
            (name, entry, path, 8 + size)
            for name, entry in header.items()
            if name != "__metadata__"
        ]
    return sorted(found, key=lambda entry: entry[0])


def _tensor_digest(files: Sequence[Path]) -> str:
    """SHA-256 over name, dtype, shape and bytes of the tensors, sorted by name."""
    digest = hashlib.sha256()
    for name, entry, path, start in _headers(files):
        digest.update(json.dumps([name, entry["dtype"], entry["shape"]]).encode())
        first, last = entry["data_offsets"]
        with path.open("rb") as file:
            file.seek(start + first)
            left = last - first
            while left:
                chunk = file.read(min(_CHUNK, left))
                digest.update(chunk)
                left -= len(chunk)
    return digest.hexdigest()


def _config_digest(config: transformers.PreTrainedConfig) -> str:
    """Of all that a checkpoint's settings say, but for names and the software that wrote them."""
    said = {k: v for k, v in config.to_dict().items() if k not in _NO_SETTING}
    return hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()


def _stored_dtype(files: Sequence[Path]) -> str:
    return "+".join(sorted({str(entry["dtype"]) for _, entry, _, _ in _headers(files)}))
