"""Which models of several audits are run together, and which are asked apart."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from maskaudit.audit.measuring.endpoints.endpoint import Endpoint
from maskaudit.audit.measuring.model import MaskedLM
from maskaudit.audit.measuring.reading.forward import Group

# A model that is run here, or one that is asked.
AnyModel = MaskedLM | Endpoint


@dataclass(frozen=True)
class Round:
    """Groups that score the same sentences, each with the numbers of the pairs that need its rows.

    All groups start with the same model: a single group of that model alone, or groups that each
    add one other model.
    """

    longest: int
    groups: list[Group] = field(default_factory=list)
    pairs: list[list[int]] = field(default_factory=list)

    def add(self, group: Group, pair: int) -> None:
        """Add a group for a pair; a model alone is scored once for all pairs."""
        if len(group) > 1 or not self.groups:
            self.groups.append(group)
            self.pairs.append([pair])
        else:
            self.pairs[0].append(pair)


def _named(pair: Sequence[AnyModel]) -> list[tuple[str, AnyModel]]:
    """The models of a pair by their names, taken from the end: a model alone is the candidate."""
    return list(zip(["reference", "candidate"][-len(pair) :], pair, strict=True))


def run_here(pairs: Sequence[Sequence[AnyModel]]) -> Iterator[MaskedLM]:
    """The models that are run here, and not asked."""
    return (model for pair in pairs for model in pair if not isinstance(model, Endpoint))


def asked_of(
    pairs: Sequence[Sequence[AnyModel]],
) -> dict[tuple[str, int], tuple[Endpoint, list[int]]]:
    """Each endpoint under each of its names, once for all pairs, whose numbers are beside it."""
    found: dict[tuple[str, int], tuple[Endpoint, list[int]]] = {}
    for number, pair in enumerate(pairs):
        for name, model in _named(pair):
            if isinstance(model, Endpoint):
                # By identity: in each pair another endpoint may be called the candidate.
                found.setdefault((name, id(model)), (model, []))[1].append(number)
    return found


def rounds(pairs: Sequence[Sequence[AnyModel]]) -> list[Round]:
    """What to run: two models of one vocabulary together, every other model alone."""
    rounds: dict[tuple[Any, ...], Round] = {}
    for number, models in enumerate(pairs):
        named: Group = tuple(
            (name, model) for name, model in _named(models) if not isinstance(model, Endpoint)
        )
        pair = [model for _, model in named]
        if not pair:
            continue
        # Equal tokenizers are not enough: models may have unused rows, and distributions over
        # different numbers of rows cannot be compared.
        kinds = {(model.identity.tokenizer, model.identity.vocabulary_size) for model in pair}
        for group in [named] if len(kinds) == 1 else [(named_model,) for named_model in named]:
            longest = min(model.longest for _, model in group)
            (name, model), *_ = group
            # `longest` decides which sentences are scored: pairs that differ in it run separately.
            key = (name, id(model), longest, len(group))
            rounds.setdefault(key, Round(longest)).add(group, number)
    return list(rounds.values())
