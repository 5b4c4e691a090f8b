"""The likeliest words at the masks of any sentence, by one or both models."""

from collections.abc import Mapping, Sequence

import pandas as pd

from maskaudit.audit.errors import InputError
from maskaudit.audit.measuring.distributions import likeliest
from maskaudit.audit.measuring.model import MaskedLM, Numbers
from maskaudit.audit.recording import tables
from maskaudit.probes.expand import context_id
from maskaudit.probes.sentence import MASK


def fills(
    sentences: Sequence[str], models: Mapping[str, MaskedLM], top: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The tables `contexts` and `fills`, with the `top` fills of every mask by each model.

    Raises `InputError` if a sentence has no `[MASK]` or is too long for a model, or if a tokenizer
    does not keep every mask.
    """
    faults = [
        f"no {MASK} in {text!r}; expected at least one" for text in sentences if MASK not in text
    ]
    if faults:
        raise InputError(*faults)
    contexts = [
        {"context": context_id(text, slot), "text": text, "slot": slot}
        for text in sentences
        for slot in range(text.count(MASK))
    ]
    rows = []
    for name, model in models.items():
        for text in dict.fromkeys(sentences):
            for slot, log_p in enumerate(_log_probs(text, name, model)):
                rows += [
                    {"context": context_id(text, slot), "model": name, **fill}
                    for fill in likeliest(log_p, model, top)
                ]
    unique = pd.DataFrame(contexts).drop_duplicates("context")
    return tables.table("contexts", unique), tables.table("fills", rows)


def _log_probs(text: str, name: str, model: MaskedLM) -> Numbers:
    """Log p at each mask of one sentence, [masks, vocabulary], in nats."""
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
    return model.log_probs([encoded.ids], [(0, place) for place in places])
