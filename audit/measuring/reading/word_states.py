"""Encoder states of words, pooled over their pieces and sentences, and the cosines between them."""

from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd
import torch

from maskaudit.audit.measuring.planning.joins import Word, word_pairs, words

# A word's state by pooling: that of the first special token, the mean of its pieces, its first.
_Pooled = dict[str, torch.Tensor]


class WordStates:
    """The states of words in their sentences, as one model gives them."""

    def __init__(self) -> None:
        self._states: dict[str, _Pooled] = {}

    def add(self, item: str, states: torch.Tensor, places: Sequence[int]) -> None:
        """Pool the states of a sentence, [pieces, width], over the places of its word."""
        # Copies: a view would keep the states of the whole batch in memory.
        self._states[item] = {
            "cls": states[0].clone(),
            "mean": states[list(places)].mean(0),
            "first": states[places[0]].clone(),
        }

    def cosines(self, items: pd.DataFrame) -> Iterator[dict[str, Any]]:
        """Cosines of target and attribute words; a word's state is the mean over its sentences."""
        if not self._states:
            return
        # A word that lacks a sentence would be another word's mean: it has no cosine.
        means = {
            word: self._mean(word)
            for word in words(items)
            if all(item in self._states for item in word.items)
        }
        for word, other in word_pairs(means):
            for pooling, state in means[word].items():
                cosine = torch.cosine_similarity(state, means[other][pooling], dim=0)
                yield {
                    "context": word.context,
                    "other_context": other.context,
                    "measure": f"cosine_{pooling}",
                    "value": float(cosine),
                }

    def _mean(self, word: Word) -> _Pooled:
        """The word's state for each pooling, averaged over its sentences."""
        pooled = [self._states[item] for item in word.items]
        return {
            pooling: torch.stack([states[pooling] for states in pooled]).mean(0)
            for pooling in pooled[0]
        }
