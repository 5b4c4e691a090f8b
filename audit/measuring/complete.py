"""Whether scores hold exactly the rows that a part of a set asks for, with a value or a reason.

Scores that were just made hold them by construction; those of a cache are another's word.
"""

import math
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet

import pandas as pd

from maskaudit.audit.measuring.model import MaskedLM
from maskaudit.audit.measuring.planning.reads import (
    OF_SENTENCE,
    OF_SLOT,
    OF_TARGET,
    TOP_FILLING,
    unavailable,
)
from maskaudit.audit.recording.tables import UNIQUE
from maskaudit.probes.expand import Expanded

_VALUES = {"scores": "value", "paired": "value", "fills": "probability"}
# A mean over the pieces in which two sentences differ is undefined where they do not.
_MAY_BE_UNKNOWN = {"crows_meade", "crows_meade_published", "sss"}
_ALWAYS_KNOWN = {OF_SLOT, TOP_FILLING, *OF_TARGET, *OF_SENTENCE} - _MAY_BE_UNKNOWN


def fault(
    entry: Mapping[str, pd.DataFrame],
    part: Expanded,
    models: Mapping[str, MaskedLM],
    measures: frozenset[str],
) -> str:
    """What is wrong with the rows for a part, as scored by the models; empty if nothing is."""
    for name, columns in UNIQUE.items():
        frame = entry[name]
        if frame.duplicated(columns).any():
            return f"has a row of {name} twice"
        if frame[_VALUES[name]].isin([math.inf, -math.inf]).any():
            return f"has an infinite number in {name}"
    scores = entry["scores"]
    known = scores["measure"].isin(_ALWAYS_KNOWN - ({*OF_TARGET} - measures))
    if (
        scores["value"].isna() & known & (scores["status"] == "ok") & _is_asked(scores, part)
    ).any():
        return "has a score without a value or a reason"
    if set(scores[UNIQUE["scores"]].itertuples(index=False, name=None)) != {
        row
        for model_name, model in models.items()
        for row in _rows(model_name, model, scores, part, measures)
    }:
        return "does not hold the rows that are asked for"
    return _fault_of_contexts(entry, part, models)


def _is_asked(scores: pd.DataFrame, part: Expanded) -> "pd.Series[bool]":
    """Whether a row has a measure of its item's kind: of a whole sentence, or of a slot."""
    sentences = set(part.contexts["context"][part.contexts["slot"].isna()])
    of_sentence = set(part.items["item"][part.items["context"].isin(sentences)])
    return scores["item"].isin(of_sentence) == scores["measure"].isin(OF_SENTENCE)


def _rows(
    name: str, model: MaskedLM, scores: pd.DataFrame, part: Expanded, measures: frozenset[str]
) -> Iterator[tuple[str, str, str]]:
    """Item, model and measure of each row that one model's scores must have.

    Which items could be scored, and in how many pieces, is taken from the scores themselves.
    """
    of_model = scores[scores["model"] == name].drop_duplicates("item").set_index("item")
    available = measures - unavailable(model, measures).keys()
    without_value = min(measures)
    sentences = set(part.contexts["context"][part.contexts["slot"].isna()])
    items = part.items.drop_duplicates("item")
    for item, context, target in zip(items["item"], items["context"], items["target"], strict=True):
        status = of_model["status"].get(item, "ok")
        asked: AbstractSet[str] = set()
        if status == "ok" and context in sentences:
            asked = available & OF_SENTENCE.keys()
        elif status == "ok" and target:
            asked = available & {*OF_TARGET}
            pieces = of_model["pieces"].get(item)
            if TOP_FILLING in available and "logp" in asked and not pd.isna(pieces) and pieces > 1:
                asked |= {TOP_FILLING}
        elif status == "ok":
            asked = {OF_SLOT}
        if not asked and (available or status != "ok"):
            asked = {without_value}
        yield from ((str(item), name, measure) for measure in asked)


def _fault_of_contexts(
    entry: Mapping[str, pd.DataFrame], part: Expanded, models: Mapping[str, MaskedLM]
) -> str:
    scores, paired, fills = (entry[name] for name in ("scores", "paired", "fills"))
    if fills["probability"].isna().any() or paired["value"].isna().any():
        return "has a number that is missing"
    contexts = set(part.contexts["context"])
    named = {*paired["context"], *paired["other_context"], *fills["context"]} - {""}
    subjects = {*paired["model"], *paired["other_model"], *fills["model"]} - {""}
    if not (named <= contexts and subjects <= models.keys()):
        return "has rows of other sentences or models"
    slots = part.contexts["context"][part.contexts["slot"].notna()]
    of_slots = part.items[part.items["context"].isin(slots)]
    read = set(of_slots["context"][of_slots["item"].isin(scores["item"][scores["status"] == "ok"])])
    counts = fills.groupby(["model", "context"])["rank"].agg(["size", "max"])
    for name in models:
        filled = set(fills["context"][fills["model"] == name])
        if not read <= filled or len(filled) * len(models) != len(counts):
            return "does not hold the fills that are asked for"
    most = counts["size"].max()
    if (counts["size"] != most).any() or (counts["max"] != most).any():
        return "does not hold the fills that are asked for"
    between = set(paired["context"][paired["other_model"] != ""])
    if len(models) > 1 and between != set(fills["context"]):
        return "does not hold the distances that are asked for"
    return ""
