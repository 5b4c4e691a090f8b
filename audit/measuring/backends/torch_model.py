"""Models run by torch: a checkpoint is verified, loaded with transformers and queried.

The loader trusts nothing in a checkpoint: it reads only safetensors, runs no code or kernel from
the folder, and accepts no weight that the file does not contain. A loaded model is identified by
digests of its tensors and its tokenizer, not by its name.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import torch

from maskaudit.audit import collector
from maskaudit.audit.errors import InputError
from maskaudit.audit.measuring.backends.attention import (
    UnavailableError,
    by_piece,
    layers_of,
    local_layers,
)
from maskaudit.audit.measuring.backends.fitting import fitting
from maskaudit.audit.measuring.backends.identified import identified
from maskaudit.audit.measuring.backends.lower_precision import ALIKE, lowered, trials
from maskaudit.audit.measuring.backends.packed import Packed, packed
from maskaudit.audit.measuring.backends.proof import difference, is_as_exact, is_same
from maskaudit.audit.measuring.backends.runs import Run, gathered, in_order, runs
from maskaudit.audit.measuring.backends.trials import at_ends, sentence_of, usable_length
from maskaudit.audit.measuring.checkpoints.located import Located, first_line, locate
from maskaudit.audit.measuring.checkpoints.tokenizer import Tokenizer
from maskaudit.audit.measuring.engine import EXACT, Engine
from maskaudit.audit.measuring.loading.checkpoint import opened
from maskaudit.audit.measuring.model import Encoded, Ids, Need, Numbers
from maskaudit.audit.vocabulary import silent

# The pieces of a long sentence on which attention and states are tried; its weights take 150 MB in
# a model of 12 layers of 12 heads.
LONG_SENTENCE = 512


def load(
    model: str | Path,
    *,
    engine: Engine = EXACT,
    allow_native: bool = False,
    note: Callable[[str], None] = silent,
) -> "LoadedModel":
    """Load a checkpoint from a folder or the hub (`NAME[@REVISION]`) and verify it.

    `engine` says how it is run, as `devices.prepared` found it possible. With `allow_native` a
    checkpoint that brings code of its own is scored by transformers' class of its model type
    instead. `note` receives sentences for the user, now or while it is run.

    Raises `InputError` if the model does not exist, has no safetensors, lacks a weight (which would
    be random), names code or a kernel in its config, has a weight that is not finite, has no mask
    token, or has a tokenizer that does not fit its vocabulary; and for a lower precision if its
    layers cannot be run by our own pass.
    """
    located = locate(model)
    name, found = located.name, opened(located, allow_native=allow_native)
    parts = found.model, found.tokenizer, found.files
    try:
        collector.resume()
        return LoadedModel(
            *parts, located, engine, lambda told: note(f"model {name}: {told}"), found.facts
        )
    except InputError:
        raise
    except Exception as error:
        message = f"model {name}: it cannot read a sentence ({first_line(error)})"
        raise InputError(message) from error


class LoadedModel:
    """A checkpoint from disk, ready to score: evaluation mode, no gradient.

    It is float32; with an engine of another precision, copies of its layers are in that.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - what is loaded, and how it is run
        self,
        model: Any,  # noqa: ANN401 - a transformers model has no useful static type
        tokenizer: Tokenizer,
        files: Sequence[Path],
        located: Located,
        engine: Engine = EXACT,
        note: Callable[[str], None] = silent,
        made: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        self._model = model.eval().requires_grad_(requires_grad=False)
        self._name, self._engine, self._note = located.name, engine, note
        self.batch_tokens = engine.batch_tokens
        self._encode, self._spelled = tokenizer.encode, tokenizer.token
        self._tokenizer = tokenizer.built
        self._at_mask = True
        self._packed: Packed | None = None
        self._check_ids: Ids = ()
        self._lacking: dict[Need, str] = {}
        self._tokens: dict[int, str] = {}
        self._words: dict[Ids, str] = {}
        self.mask_token: str = self._tokenizer.mask_token
        self.mask_id: int = self._tokenizer.mask_token_id
        self.unknown_id: int | None = self._tokenizer.unk_token_id
        self.special_ids = frozenset(self._tokenizer.all_special_ids)
        self._check_head()
        self._check_context()
        self.longest = self._usable_length()
        # Only now: on an accelerator a position that is out of range would end the process.
        if engine.device != "cpu":
            self._model.to(engine.device)
            self._check_head()
        self._packed = self._proved()
        # Left out of what is exact, as in records from before there was a choice.
        lower: dict[str, Any] = {}
        if engine.dtype != "float32":
            self._packed, lower["from_float32"] = self._lowered()
        self.identity = identified(
            self._model,
            self._tokenizer,
            files,
            located,
            engine,
            head="at the mask" if self._at_mask else "full",
            encoder="transformers" if self._packed is None else "packed",
            **lower,
            **made,
        )

    def encode(self, texts: Sequence[str]) -> list[Encoded]:
        """Tokenise each text as a sentence, special tokens included (see `Encoded`).

        Raises `InputError` for a text that the checkpoint's own files read otherwise.
        """
        try:
            return self._encode(texts)
        except InputError as error:
            raise InputError(f"model {self._name}: {error}") from error

    def token(self, index: int) -> str:
        """The vocabulary piece with this id as text, without the tokenizer's white-space marks."""
        # The likeliest pieces of a slot are much the same from slot to slot: each is spelled once.
        if index not in self._tokens:
            self._tokens[index] = self._spelled(index)
        return self._tokens[index]

    def text(self, ids: Sequence[int]) -> str:
        """The pieces as text, without white space around; "" for a mark of white space alone."""
        word = tuple(ids)
        # The targets of a set are much the same from sentence to sentence.
        if word not in self._words:
            pieces = self._tokenizer.convert_ids_to_tokens(list(word))
            self._words[word] = str(self._tokenizer.convert_tokens_to_string(pieces)).strip()
        return self._words[word]

    def decoded(self, ids: Sequence[int], *, with_special: bool = True) -> str:
        """The pieces as transformers' pipelines write them, white space around included."""
        return str(self._tokenizer.decode(list(ids), skip_special_tokens=not with_special))

    def pieces(self, text: str) -> Ids:
        """The piece of this name, such as `Ġnurse`; else the pieces of a text that stands alone."""
        index = self._tokenizer.convert_tokens_to_ids(text)
        if index is not None and index != self.unknown_id:
            return (index,)
        return tuple(self._tokenizer(text, add_special_tokens=False)["input_ids"])

    def log_probs(self, sentences: Sequence[Ids], reads: Sequence[tuple[int, int]]) -> Numbers:
        """Log p over the vocabulary at each read, [n, vocabulary], float64, nats."""
        # Softmax in double precision: in float32 the sum over a large vocabulary would add errors
        # of its own to those of the logits.
        return fitting(self._log_probs, sentences, reads, self._engine.device, self._note)

    def _log_probs(self, sentences: Sequence[Ids], reads: Sequence[tuple[int, int]]) -> Numbers:
        logits = self._logits(runs(sentences, reads, self._model.device))
        # Metal has no double precision.
        wide = logits.cpu() if logits.device.type == "mps" else logits
        return _numbers(torch.log_softmax(wide.double(), dim=-1))

    @torch.inference_mode()
    def states(self, sentences: Sequence[Ids]) -> Numbers:
        """The encoder's last hidden states, [n, length, width], float64."""
        ids = torch.tensor(sentences, device=self._model.device)
        output = self._model.base_model(input_ids=ids, attention_mask=torch.ones_like(ids))
        # A model with a decoder calls the decoder's states the last ones.
        hidden = getattr(output, "encoder_last_hidden_state", None)
        hidden = getattr(output, "last_hidden_state", None) if hidden is None else hidden
        if hidden is None or hidden.shape[:-1] != ids.shape:
            raise UnavailableError("it returns no encoder state of each piece")
        if not torch.isfinite(hidden).all():
            raise UnavailableError("its encoder states are not finite")
        return _numbers(hidden.double())

    def attention(self, sentences: Sequence[Ids]) -> Numbers:
        """Mean attention to each piece over layers, heads and queries, [n, length], float64.

        Raises `UnavailableError` if the model returns no weights of pieces that sum to 1.
        """
        layers = self._attention_layers(sentences)
        weights = by_piece(layers, self._local, len(sentences[0]))
        return _numbers(weights.double().mean(dim=(0, 2, 3)))

    def lacks(self, need: Need) -> str:
        """Why the model cannot give its attention or its states; empty if it can.

        Tried once, on a short and on a long sentence. Its distributions were tried when it loaded.
        """
        if need == "distributions":
            return ""
        if need not in self._lacking:
            self._lacking[need] = self._tried(need)
        return self._lacking[need]

    def _tried(self, need: Need) -> str:
        give = {"attention": self.attention, "states": self.states}[need]
        try:
            for length in self._trial_lengths():
                give([self._sentence_of(length)])
        except UnavailableError as error:
            return str(error)
        except Exception as error:  # noqa: BLE001 - a model may fail in any way at what it lacks
            return f"it fails when asked for its {need} ({first_line(error)})"
        return ""

    def _trial_lengths(self) -> tuple[int, int]:
        """A short and a long sentence; attention of the longest would need gigabytes."""
        return min(self.longest, len(self._check_ids)), min(self.longest, LONG_SENTENCE)

    @cached_property
    def _local(self) -> tuple[bool, ...]:
        short, long = (
            self._attention_layers([self._sentence_of(length)]) for length in self._trial_lengths()
        )
        return local_layers(short, long)

    @torch.inference_mode()
    def _attention_layers(self, sentences: Sequence[Ids]) -> tuple[torch.Tensor, ...]:
        """The attention weights of each layer as the model returns them.

        Runs with eager attention: other kernels do not return the attention weights.
        """
        previous = self.identity.attention
        self._model.set_attn_implementation("eager")
        try:
            ids = torch.tensor(sentences, device=self._model.device)
            output = self._model.base_model(
                input_ids=ids, attention_mask=torch.ones_like(ids), output_attentions=True
            )
        finally:
            # Scores must come from one kernel: another would change their last bits.
            self._model.set_attn_implementation(previous)
        return layers_of(output)

    @torch.inference_mode()
    def _logits(self, batch: Sequence[Run]) -> torch.Tensor:
        """Logits at each read, [n, vocabulary]."""
        if self._packed is not None:
            return self._packed.logits(batch)
        return in_order([self._logits_of(run) for run in batch], batch)

    def _logits_of(self, run: Run) -> torch.Tensor:
        """Logits at the reads of sentences of one length, by transformers' own forward pass."""
        attention = torch.ones_like(run.ids)
        if not self._at_mask:
            full: torch.Tensor = self._model(input_ids=run.ids, attention_mask=attention).logits
            return full[run.rows, run.places]
        with gathered(self._model.base_model, run.rows, run.places):
            at_places: torch.Tensor = self._model(
                input_ids=run.ids, attention_mask=attention
            ).logits
        return at_places

    def _check_head(self) -> None:
        """Compare the head at the mask with the full forward pass; use the latter if they differ.

        Raises `InputError` if the tokenizer does not keep the mask or log p is not finite.
        """
        [encoded] = self.encode([f"This is {self.mask_token} ."])
        self._check_ids = encoded.ids
        if encoded.ids.count(self.mask_id) != 1:
            message = f"the tokenizer does not keep {self.mask_token!r} in a text as one mask"
            raise InputError(f"model {self._name}: {message}")
        query = [encoded.ids], [(0, encoded.ids.index(self.mask_id))]

        def log_p(*, at_mask: bool) -> Numbers:
            self._at_mask = at_mask
            return self.log_probs(*query)

        # The full pass comes first: it is the reference, and a model that cannot do it is refused.
        if not np.isfinite(log_p(at_mask=False)).all():
            message = "its log probabilities are not finite (NaN weights?)"
            raise InputError(f"model {self._name}: {message}")
        try:
            self._at_mask = is_same(log_p, self._model)
        except Exception:  # noqa: BLE001 - a head may fail in any way on states of another shape
            self._at_mask = False

    @torch.inference_mode()
    def _proved(self, tolerance: float | None = None) -> Packed | None:
        """The encoder as `Packed`, if it is as exact as transformers' own forward pass (`proof`).

        Tried on a short sentence and on the longest, at their ends and in the middle. With a
        tolerance, in nats, it is taken if it differs by no more.
        """
        found = packed(self._model) if self._at_mask else None
        if found is None:
            return None
        sentences = [self._sentence_of(length) for length in (len(self._check_ids), self.longest)]
        batch = runs(sentences, at_ends(sentences), self._model.device)
        own, model = self._logits, self._model
        if tolerance is not None:
            return found if difference(found.logits, own(batch), batch) <= tolerance else None
        # By torch's own kernels if those that are faster should round by too much.
        ways = (found, found.plain()) if found.is_laid_out else (found,)
        return next((w for w in ways if is_as_exact(w, own, model, batch, self._trial)), None)

    def _trial(self) -> list[Run]:
        """The trial sentences, read at their masks."""
        return runs(*trials(self.encode, self.mask_token, self.mask_id), self._model.device)

    def _lowered(self) -> tuple[Packed, float]:
        """The layers in the engine's precision, and how far log p by them is from float32.

        Raises `InputError` where that cannot be.
        """
        exact, dtype = self._packed, self._engine.dtype
        try:
            lower, difference = lowered(exact or self._proved(ALIKE), exact, dtype, self._by)
        except InputError as error:
            raise InputError(f"model {self._name}: {error}") from error
        self._note(
            f"in {dtype} log p of any piece is within {difference:.3g} nats of float32 on trial "
            "sentences"
        )
        return lower, difference

    def _by(self, layers: Packed | None) -> Numbers:
        """Log p at the masks of the trial sentences, by these layers or by transformers."""
        self._packed = layers
        return self.log_probs(*trials(self.encode, self.mask_token, self.mask_id))

    def _check_context(self) -> None:
        """Raise `InputError` if the prediction at the mask ignores the words around it.

        A kernel that is not installed may be replaced by zeros, without any message.
        """
        special = {*self.special_ids, self.mask_id}
        pieces = list(islice((i for i in range(len(self._tokenizer)) if i not in special), 4))
        place = self._check_ids.index(self.mask_id)
        sentences = [
            tuple(piece if i not in special else i for i in self._check_ids) for piece in pieces
        ]
        log_p = [self.log_probs([ids], [(0, place)]) for ids in dict.fromkeys(sentences)]
        if len(log_p) > 1 and all(np.array_equal(other, log_p[0]) for other in log_p[1:]):
            raise InputError(
                f"model {self._name}: its prediction at the mask is the same whatever words "
                "stand around it, so there is nothing to audit (transformers computes some kinds "
                "of attention only with a kernel that is not installed); expected a model that "
                "reads the sentence"
            )

    def _usable_length(self) -> int:
        config = self._model.config.get_text_config()
        claimed = getattr(config, "max_position_embeddings", None)
        longest = usable_length(claimed if isinstance(claimed, int) else None, self._can_read)
        if longest < len(self._check_ids):
            raise InputError(
                f"model {self._name}: it reads at most {longest} pieces, with the same result each "
                "time; expected a model that reads a sentence"
            )
        return longest

    def _can_read(self, length: int) -> bool:
        """Whether a sentence of this many pieces is read, with the same result each time."""
        query = [self._sentence_of(length)], [(0, 0)]
        try:
            before = torch.get_rng_state()
            log_p = self.log_probs(*query)
            # Some models hash long sentences at random: such a score could not be repeated.
            is_drawn = not torch.equal(before, torch.get_rng_state())
            is_stable = not is_drawn or np.array_equal(log_p, self.log_probs(*query))
        except Exception:  # noqa: BLE001 - each architecture fails in its own way at a length
            return False
        return is_stable and bool(np.isfinite(log_p).all())

    def _sentence_of(self, length: int) -> Ids:
        """A sentence of this many pieces: that of `_check_head`, its words repeated or cut."""
        return sentence_of(length, self._check_ids, self.special_ids, self.mask_id)


def _numbers(tensor: torch.Tensor) -> Numbers:
    """The tensor as an array of the same dtype; a tensor on the CPU is not copied."""
    array: Numbers = tensor.cpu().numpy()
    return array
