"""The likeliest words at the masks of any sentence, by one or both models."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from maskaudit.audit.errors import InputError
from maskaudit.audit.measuring.model import Ids, MaskedLM, Numbers
from maskaudit.audit.measuring.reading.distributions import Slots
from maskaudit.audit.recording.rows import tables
from maskaudit.probes.frames.sentence import MASK
from maskaudit.probes.ids import context_id

# What people write for a mask: another case, or the mask of another model.
_LIKE_A_MASK = re.compile(r"[\[<({]mask[\]>)}]|\bmask\b", re.IGNORECASE)


@dataclass(frozen=True)
class Masked:
    """A sentence as a model reads it: its pieces, and the places of its masks among them."""

    ids: Ids
    places: tuple[int, ...]

    def log_probs(self, model: MaskedLM) -> Numbers:
        """Log p at each mask, the others masked too, [masks, vocabulary], in nats."""
        return model.log_probs([self.ids], [(0, place) for place in self.places])


def with_masks(text: str, models: Collection[MaskedLM]) -> str:
    """The sentence with `[MASK]` for the mask of one of the models, if it has no `[MASK]` itself.

    Cards of models and services' samples write the model's own mask, such as `<mask>`.
    """
    for model in models:
        if MASK not in text:
            text = text.replace(model.mask_token, MASK)
    return text


def fills(
    sentences: Sequence[str], models: Mapping[str, MaskedLM], top: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The tables `contexts` and `fills`, with the `top` fills of every mask by each model.

    Raises `InputError` if a sentence has no `[MASK]` or is too long for a model, or if a tokenizer
    does not keep every mask.
    """
    check_masks(sentences)
    contexts = [
        {"context": context_id(text, slot), "text": text, "slot": slot}
        for text in sentences
        for slot in range(text.count(MASK))
    ]
    found = [tables.table("fills", [])]
    for name, model in models.items():
        for text in dict.fromkeys(sentences):
            columns = Slots.of(masked(text, name, model).log_probs(model), top).fills(model)
            n_slots = text.count(MASK)
            # As many rows for each slot as a vocabulary of few pieces has.
            most = len(columns["rank"]) // n_slots
            places = [context_id(text, slot) for slot in range(n_slots) for _ in range(most)]
            found.append(tables.table("fills", {"context": places, "model": name, **columns}))
    unique = pd.DataFrame(contexts).drop_duplicates("context")
    return tables.table("contexts", unique), tables.conform("fills", pd.concat(found))


def check_masks(sentences: Sequence[str]) -> None:
    """Raise `InputError`, with a line for each, if sentences have no `[MASK]`."""
    if faults := [_without_mask(text) for text in sentences if MASK not in text]:
        raise InputError(*faults)


def masked(text: str, name: str, model: MaskedLM) -> Masked:
    """The sentence as the model reads it; `name` is how a message calls the model.

    Raises `InputError` if it is too long, or if the tokenizer does not keep every mask.
    """
    [encoded] = model.encode([text.replace(MASK, model.mask_token)])
    if len(encoded.ids) > model.longest:
        raise InputError(
            f"{text[:40]!r}… has {len(encoded.ids)} pieces; "
            f"the {name} reads at most {model.longest}"
        )
    places = [place for place, piece in enumerate(encoded.ids) if piece == model.mask_id]
    # The text may hold the model's own mask token, or the tokenizer may lose a mask.
    if len(places) != text.count(MASK):
        masks = f"{text[:40]!r}… has {len(places)} masks for the {name}"
        raise InputError(
            f"{masks}; expected {text.count(MASK)}: write each as {MASK}, between spaces"
        )
    return Masked(encoded.ids, tuple(places))


def _without_mask(text: str) -> str:
    found = _LIKE_A_MASK.search(text)
    hint = f" (write {MASK} for {found.group()!r})" if found else ""
    return f"no {MASK} in {text!r}; expected at least one{hint}"
