"""Loaded models with something done to what they say: a plant in their logits, or another batch."""

from collections.abc import Callable, Sequence

import numpy as np
import torch

from maskaudit.audit.measuring.model import Encoded, Ids, MaskedLM, Numbers

# Logits at each read, [n, vocabulary], float64, with the piece ids of the sentence of each.
Change = Callable[[Numbers, Sequence[Ids]], Numbers]


class Wrapped:
    """A model that passes on all that it is asked."""

    def __init__(self, model: MaskedLM) -> None:
        self._model = model
        # What is known of the weights by their digest is not known of what is done to them.
        self.identity = model.identity.model_copy(update={"weights": ""})
        self.mask_token, self.mask_id = model.mask_token, model.mask_id
        self.unknown_id, self.special_ids = model.unknown_id, model.special_ids
        self.longest = model.longest

    def encode(self, texts: Sequence[str]) -> list[Encoded]:
        """Tokenise as the model does."""
        return self._model.encode(texts)

    def token(self, index: int) -> str:
        """The model's piece of this id."""
        return self._model.token(index)

    def bare(self, ids: Sequence[int]) -> str:
        """The model's pieces in a row."""
        return self._model.bare(ids)

    def log_probs(self, sentences: Sequence[Ids], reads: Sequence[tuple[int, int]]) -> Numbers:
        """The model's log p, [n, vocabulary], float64, nats."""
        return self._model.log_probs(sentences, reads)

    def attention(self, sentences: Sequence[Ids]) -> Numbers:
        """The model's own attention."""
        return self._model.attention(sentences)

    def states(self, sentences: Sequence[Ids]) -> Numbers:
        """The model's own states."""
        return self._model.states(sentences)


class Planted(Wrapped):
    """A model whose logits are changed after it was loaded.

    Adding to a logit is adding to log p and normalising again: nothing is approximate.
    """

    def __init__(self, model: MaskedLM, change: Change) -> None:
        super().__init__(model)
        self._change = change

    def log_probs(self, sentences: Sequence[Ids], reads: Sequence[tuple[int, int]]) -> Numbers:
        """Log p after the change, [n, vocabulary], float64, nats."""
        logits = super().log_probs(sentences, reads)
        changed = self._change(logits, [sentences[row] for row, _ in reads])
        log_p: Numbers = torch.log_softmax(torch.from_numpy(changed), dim=-1).numpy()
        return log_p


class OneByOne(Wrapped):
    """A model that is run on each sentence alone."""

    def log_probs(self, sentences: Sequence[Ids], reads: Sequence[tuple[int, int]]) -> Numbers:
        """Log p, a forward pass a read, [n, vocabulary], float64, nats."""
        found = [self._model.log_probs([sentences[row]], [(0, place)]) for row, place in reads]
        return np.concatenate(found)
