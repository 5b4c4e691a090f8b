"""Whether scores hold exactly the rows that a part of a set asks for, with a value or a reason.

Scores that were just made hold them by construction; those of a cache are another's word.
"""

import math
from collections.abc import Mapping

import pandas as pd

from maskaudit.audit.measuring.model import MaskedLM
from maskaudit.audit.measuring.planning.reads import (
    OF_SENTENCE,
    OF_SLOT,
    OF_TARGET,
    TOP_FILLING,
    unavailable,
)
from maskaudit.audit.recording.rows.due import Asked, are_among
from maskaudit.audit.recording.rows.tables import UNIQUE, are_in
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
    if not set(scores["model"]) <= models.keys():
        return "has scores of other models"
    slots = part.contexts["context"][part.contexts["slot"].notna()]
    asked = Asked.of(part.items, slots)
    for name, model in models.items():
        own = scores[scores["model"] == name]
        due = _due(own, asked, model, measures)
        # No row is there twice, of either.
        if len(due) != len(own) or not are_among(due, own).all():
            return "does not hold the rows that are asked for"
    return _fault_of_contexts(entry, part, models)


def _is_asked(scores: pd.DataFrame, part: Expanded) -> "pd.Series[bool]":
    """Whether a row has a measure of its item's kind: of a whole sentence, or of a slot."""
    sentences = set(part.contexts["context"][part.contexts["slot"].isna()])
    of_sentence = set(part.items["item"][part.items["context"].isin(sentences)])
    return scores["item"].isin(of_sentence) == scores["measure"].isin(OF_SENTENCE)


def _due(
    scores: pd.DataFrame, asked: Asked, model: MaskedLM, measures: frozenset[str]
) -> pd.DataFrame:
    """Item and measure of each row that one model's scores must have.

    Which items could be scored, and in how many pieces, is taken from the scores themselves.
    """
    lost = scores.loc[scores["status"] != "ok", "item"]
    several = scores.loc[scores["pieces"].fillna(0) > 1, "item"]
    due = asked.due(measures, unavailable(model, measures).keys(), several)
    return pd.concat([due[~are_in(due["item"], lost)], asked.unread(measures, lost)])


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
    # Equal, and of no given number: a small vocabulary has fewer pieces than are kept elsewhere.
    most = counts["size"].max()
    if (counts["size"] != most).any() or (counts["max"] != most).any():
        return "does not hold the fills that are asked for"
    between = set(paired["context"][paired["other_model"] != ""])
    if len(models) > 1 and between != set(fills["context"]):
        return "does not hold the distances that are asked for"
    return ""
