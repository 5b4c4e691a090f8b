"""Models run by torch: a checkpoint is verified, loaded with transformers and queried.

The loader trusts nothing in a checkpoint: it reads only safetensors, runs no code or kernel from
the folder, and accepts no weight that the file does not contain. A loaded model is identified by
digests of its tensors and its tokenizer, not by its name.
"""

import hashlib
import json
import os
import re
from collections.abc import Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from transformers import AutoModelForMaskedLM
from transformers.utils import logging as transformers_logging

from maskaudit.audit.errors import InputError
from maskaudit.audit.measuring.checkpoints.checkpoint import recognise, weight_files
from maskaudit.audit.measuring.checkpoints.config import load_config
from maskaudit.audit.measuring.checkpoints.digests import (
    config_digest,
    file_digest,
    stored_dtype,
    tensor_digest,
    tokenizer_digest,
)
from maskaudit.audit.measuring.checkpoints.located import first_line, locate
from maskaudit.audit.measuring.checkpoints.tokenizer import load_tokenizer
from maskaudit.audit.measuring.model import Encoded, Ids, Numbers
from maskaudit.audit.recording.manifest import Identity

# The largest difference, in nats, between the head at the mask and the full forward pass.
TOLERANCE = 1e-5


def load(model: str | Path, *, device: str = "cpu") -> "LoadedModel":
    """Load a checkpoint from a folder or the hub (`NAME[@REVISION]`) and verify it.

    Raises `InputError` if the model does not exist, has no safetensors, lacks a weight (which would
    be random), names code or a kernel in its config, has a weight that is not finite, has no mask
    token, or has a tokenizer that does not fit its vocabulary.
    """
    located = locate(model)
    folder, name = located.folder, located.name
    recognise(folder, name)
    files = weight_files(folder, name)
    config = load_config(folder, name)
    tokenizer = load_tokenizer(folder, name)
    loaded = _loaded_weights(folder, name, config)
    n_rows = loaded.config.vocab_size
    # A model may have unused rows, but a tokenizer with at most half as many pieces as the model
    # has rows has lost its vocabulary.
    if not n_rows < 2 * len(tokenizer) <= 2 * n_rows or tokenizer.mask_token_id >= n_rows:
        raise InputError(
            f"model {name}: the tokenizer has {len(tokenizer)} pieces, the model {n_rows}; they do "
            "not belong together: fetch tokenizer.json again"
        )
    try:
        return LoadedModel(loaded.to(device), tokenizer, files, name, located.revision)
    except InputError:
        raise
    except Exception as error:
        message = f"model {name}: it cannot read a sentence ({first_line(error)})"
        raise InputError(message) from error


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
        """Tokenise each text as a sentence, special tokens included (see `Encoded`)."""
        if not texts:
            return []
        batch = self._tokenizer(
            list(texts),
            return_offsets_mapping=True,
            add_special_tokens=True,
            truncation=False,
            verbose=False,  # the status of an item already reports a sentence that is too long
        )
        return [
            Encoded(tuple(ids), tuple(map(tuple, spans)), tuple(batch.word_ids(i)))
            for i, (ids, spans) in enumerate(
                zip(batch["input_ids"], batch["offset_mapping"], strict=True)
            )
        ]

    def token(self, index: int) -> str:
        """The vocabulary piece with this id as text, without the tokenizer's white-space marks."""
        piece = self._tokenizer.convert_ids_to_tokens(index)
        if piece is None:  # the model has more rows than the tokenizer has pieces
            return f"[unused {index}]"
        return str(self._tokenizer.convert_tokens_to_string([piece])).strip()

    def text(self, ids: Sequence[int]) -> str:
        """The pieces as text, without white space around; "" for a mark of white space alone."""
        pieces = self._tokenizer.convert_ids_to_tokens(list(ids))
        return str(self._tokenizer.convert_tokens_to_string(pieces)).strip()

    def log_probs(self, sentences: Sequence[Ids], reads: Sequence[tuple[int, int]]) -> Numbers:
        """Log p over the vocabulary at each read, [n, vocabulary], float64, nats."""
        # Softmax in double precision: in float32 the sum over a large vocabulary would add errors
        # of its own to those of the logits.
        logits = self._logits(torch.tensor(sentences), torch.tensor(reads))
        return _numbers(torch.log_softmax(logits.double(), dim=-1))

    @torch.inference_mode()
    def states(self, sentences: Sequence[Ids]) -> Numbers:
        """The encoder's last hidden states, [n, length, width], float64."""
        ids = torch.tensor(sentences, device=self._model.device)
        hidden: torch.Tensor = self._model.base_model(
            input_ids=ids, attention_mask=torch.ones_like(ids)
        ).last_hidden_state
        return _numbers(hidden.double())

    @torch.inference_mode()
    def attention(self, sentences: Sequence[Ids]) -> Numbers:
        """Mean attention to each piece over layers, heads and queries, [n, length], float64.

        Runs with eager attention: other kernels do not return the attention weights.
        """
        previous = self.identity.attention
        self._model.set_attn_implementation("eager")
        try:
            ids = torch.tensor(sentences, device=self._model.device)
            weights = self._model.base_model(
                input_ids=ids, attention_mask=torch.ones_like(ids), output_attentions=True
            ).attentions
        finally:
            # Scores must come from one kernel: another would change their last bits.
            self._model.set_attn_implementation(previous)
        return _numbers(torch.stack(weights).double().mean(dim=(0, 2, 3)))

    @torch.inference_mode()
    def _logits(self, ids: torch.Tensor, reads: torch.Tensor) -> torch.Tensor:
        """Logits at each read, [n, vocabulary]."""
        ids, rows, places = ids.to(self._model.device), *reads.to(self._model.device).T
        attention = torch.ones_like(ids)
        if not self._at_mask:
            full: torch.Tensor = self._model(input_ids=ids, attention_mask=attention).logits
            return full[rows, places]
        with gathered(self._model.base_model, rows, places):
            at_places: torch.Tensor = self._model(input_ids=ids, attention_mask=attention).logits
        return at_places

    def _check_head(self, name: str) -> None:
        """Compare the head at the mask with the full forward pass; use the latter if they differ.

        Raises `InputError` if the tokenizer does not keep the mask or log p is not finite.
        """
        [encoded] = self.encode([f"This is {self.mask_token} ."])
        if encoded.ids.count(self.mask_id) != 1:
            message = f"the tokenizer does not keep {self.mask_token!r} in a text as one mask"
            raise InputError(f"model {name}: {message}")
        query = [encoded.ids], [(0, encoded.ids.index(self.mask_id))]
        self._at_mask = False
        # The full pass comes first: it is the reference, and a model that cannot do it is refused.
        full = self.log_probs(*query)
        if not np.isfinite(full).all():
            message = "its log probabilities are not finite (NaN weights?)"
            raise InputError(f"model {name}: {message}")
        try:
            self._at_mask = True
            at_mask = self.log_probs(*query)
            self._at_mask = at_mask.shape == full.shape and bool(
                np.abs(at_mask - full).max() <= TOLERANCE
            )
        except Exception:  # noqa: BLE001 - a head may fail in any way on states of another shape
            self._at_mask = False

    def _identified(self, files: Sequence[Path], name: str, revision: str) -> Identity:
        # Sorted, because `get_vocab` promises no order.
        vocabulary = json.dumps(sorted(self._tokenizer.get_vocab().items()))
        config = self._model.config
        return Identity(
            name=name,
            revision=revision,
            architecture=type(self._model).__name__,
            weights=tensor_digest(files),
            files={file.name: file_digest(file) for file in files},
            tokenizer=tokenizer_digest(self._tokenizer),
            vocabulary=hashlib.sha256(vocabulary.encode()).hexdigest(),
            vocabulary_size=config.vocab_size,
            parameters=sum(p.numel() for p in self._model.parameters()),
            layers=int(getattr(config, "num_hidden_layers", 0)),
            stored_dtype=stored_dtype(files),
            dtype=str(self._model.dtype).removeprefix("torch."),
            device=str(self._model.device),
            attention=str(getattr(config, "_attn_implementation", "")),
            head="at the mask" if self._at_mask else "full",
            config=config_digest(config),
        )


def engine() -> dict[str, str]:
    """Versions of the software that computes scores; part of every method key."""
    return {"torch": torch.__version__, "transformers": transformers.__version__}


def threads() -> int:
    """The number of threads of a forward pass."""
    return torch.get_num_threads()


@contextmanager
def gathered(encoder: Any, rows: torch.Tensor, places: torch.Tensor) -> Any:  # noqa: ANN401
    """Pass only the states at (row, place) to the head, which is costly for a large vocabulary."""

    def gather(_module: object, _inputs: object, output: Any) -> Any:  # noqa: ANN401
        # [n sentences, length, width] becomes [n reads, width]; heads act on each state alone,
        # which `_check_head` verifies.
        output.last_hidden_state = output.last_hidden_state[rows, places]
        return output

    handle = encoder.register_forward_hook(gather)
    try:
        yield
    finally:
        handle.remove()


def _loaded_weights(folder: Path, name: str, config: Any) -> Any:  # noqa: ANN401
    # Otherwise transformers may ask the hub, in the background, to convert a model's weights.
    os.environ["DISABLE_SAFETENSORS_CONVERSION"] = "1"
    verbosity = transformers_logging.get_verbosity()
    # transformers would warn of missing weights first; the error below says what to do.
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
        reason = first_line(error)
        if "ignore_mismatched_sizes" in reason:
            reason = "its tensors do not have the shapes that config.json asks for"
        raise InputError(f"model {name}: the weights cannot be loaded ({reason})") from error
    finally:
        transformers_logging.set_verbosity(verbosity)
    if left_out := sorted(k for k in loading["unexpected_keys"] if _in_a_layer(k, model)):
        raise InputError(
            f"model {name}: config.json asks for fewer layers than the checkpoint has: "
            f"{left_out[0]} is left out"
        )
    missing = sorted({*loading["missing_keys"], *(str(k) for k in loading["mismatched_keys"])})
    if missing:
        names = ", ".join(missing[:4]) + (f" and {len(missing) - 4} more" if missing[4:] else "")
        raise InputError(
            f"model {name}: the checkpoint lacks {names}; these weights would be random. "
            "Expected a model saved with its masked-LM head"
        )
    for key, tensor in model.named_parameters():
        if not torch.isfinite(tensor).all():
            raise InputError(f"model {name}: {key} holds values that are not finite (NaN)")
        # Copy to fresh memory: kernels may round differently on an unaligned mapped file.
        tensor.data = tensor.data.clone()
    return model


def _in_a_layer(key: str, model: Any) -> bool:  # noqa: ANN401
    """Whether a tensor belongs to a numbered encoder layer, unlike a pooler or another head."""
    return key.startswith(f"{model.base_model_prefix}.") and bool(re.search(r"\.\d+\.", key))


def _longest(config: Any) -> int:  # noqa: ANN401
    """The largest number of pieces; RoBERTa's position ids start after the padding id."""
    # A config without a limit, as for relative positions, accepts any length.
    positions = int(getattr(config, "max_position_embeddings", 0) or 1 << 30)
    offset = (config.pad_token_id or 0) + 1 if _counts_from_padding(config) else 0
    return positions - offset


def _counts_from_padding(config: Any) -> bool:  # noqa: ANN401
    return any(kind in str(config.model_type) for kind in ("roberta", "camembert", "mpnet"))


def _numbers(tensor: torch.Tensor) -> Numbers:
    """The tensor as an array of the same dtype; a tensor on the CPU is not copied."""
    array: Numbers = tensor.cpu().numpy()
    return array
