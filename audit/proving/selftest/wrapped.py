"""Wrappers of loaded models that change their logits or their batches."""

from collections.abc import Callable, Sequence

import numpy as np
import torch

from maskaudit.audit.measuring.model import Encoded, Ids, MaskedLM, Need, Numbers

# Takes logits at each read, [n, vocabulary], float64, and the piece ids of each read's sentence.
Change = Callable[[Numbers, Sequence[Ids]], Numbers]


class Wrapped:
    """A model that forwards every call to another model."""

    def __init__(self, model: MaskedLM) -> None:
        self._model = model
        # The digest identifies the unchanged weights, so it must not identify the wrapped model.
        self.identity = model.identity.model_copy(update={"weights": ""})
        self.mask_token, self.mask_id = model.mask_token, model.mask_id
        self.unknown_id, self.special_ids = model.unknown_id, model.special_ids
        self.longest, self.batch_tokens = model.longest, model.batch_tokens

    def encode(self, texts: Sequence[str]) -> list[Encoded]:
        """Tokenise as the model does."""
        return self._model.encode(texts)

    def token(self, index: int) -> str:
        """Return the model's piece with this id."""
        return self._model.token(index)

    def text(self, ids: Sequence[int]) -> str:
        """Return these pieces as text."""
        return self._model.text(ids)

    def log_probs(self, sentences: Sequence[Ids], reads: Sequence[tuple[int, int]]) -> Numbers:
        """Return the model's log p, [n, vocabulary], float64, nats."""
        return self._model.log_probs(sentences, reads)

    def attention(self, sentences: Sequence[Ids]) -> Numbers:
        """Return the model's attention."""
        return self._model.attention(sentences)

    def states(self, sentences: Sequence[Ids]) -> Numbers:
        """Return the model's hidden states."""
        return self._model.states(sentences)

    def lacks(self, need: Need) -> str:
        """Return why the model cannot give what is needed; empty if it can."""
        return self._model.lacks(need)


class Planted(Wrapped):
    """A model whose logits are changed after loading.

    The change is applied to log p, which is then normalised again. This is exact, since logits and
    log p differ by a constant.
    """

    def __init__(self, model: MaskedLM, change: Change) -> None:
        super().__init__(model)
        self._change = change

    def log_probs(self, sentences: Sequence[Ids], reads: Sequence[tuple[int, int]]) -> Numbers:
        """Return log p after the change, [n, vocabulary], float64, nats."""
        logits = super().log_probs(sentences, reads)
        changed = self._change(logits, [sentences[row] for row, _ in reads])
        log_p: Numbers = torch.log_softmax(torch.from_numpy(changed), dim=-1).numpy()
        return log_p


class OneByOne(Wrapped):
    """A model that reads each sentence in a forward pass of its own."""

    def log_probs(self, sentences: Sequence[Ids], reads: Sequence[tuple[int, int]]) -> Numbers:
        """Return log p from one forward pass per read, [n, vocabulary], float64, nats."""
        log_p = [
            self._model.log_probs([sentences[row]], [(0, position)]) for row, position in reads
        ]
        return np.concatenate(log_p)
