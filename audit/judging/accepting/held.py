"""A record compared with what was accepted before: the baseline and its anchor."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from maskaudit.audit.errors import NotJudgedError
from maskaudit.audit.estimating.cells import DIFFERENCE
from maskaudit.audit.estimating.names import CONTRAST, LOG_MAGNITUDE_RATIO
from maskaudit.audit.estimating.statistics import multiplicity
from maskaudit.audit.judging import decision
from maskaudit.audit.judging.accepting.baseline import load, load_anchor
from maskaudit.audit.judging.comparing.pairing import Version, version
from maskaudit.audit.judging.comparing.repeat import TOLERANCE
from maskaudit.audit.judging.comparing.versions import Versions, versions
from maskaudit.audit.recording.record import Record

_TOLD = ("probe_set", "slice", "estimator")


@dataclass(frozen=True)
class Held:
    """A record compared with what was accepted before.

    `versions` are the comparisons by the accepted version's name; `refused` gives, for each
    accepted version, the probe sets that could not be compared and what differs. `changes` has a
    row for each contrast and each log ratio of magnitudes of the tested sets: estimate, one-sided
    95 % bounds, the p value against no harm (`p`, and `p_adjusted` by Holm over all rows), and
    whether it is `worse`.
    """

    versions: Mapping[str, Versions]
    refused: Mapping[str, Mapping[str, str]]
    changes: pd.DataFrame


def hold(record: Record, folder: str | Path, name: str) -> Held:
    """Compare a record with the baseline and its anchor; `refused` lists what is not comparable.

    If both are the same version the anchor is not compared again. Raises the same errors as `load`,
    and `NotJudgedError` if the record has no scores.
    """
    new = measured(record)
    found = [load(folder, name)]
    anchor = load_anchor(folder, name)
    if anchor.about.scores != found[0].about.scores:
        found.append(anchor)
    compared: dict[str, Versions] = {}
    refused: dict[str, Mapping[str, str]] = {}
    for accepted in found:
        who = accepted.version.name
        try:
            compared[who] = versions(accepted.version, new)
        except NotJudgedError as error:
            refused[who] = {"all": str(error)}
        else:
            refused[who] = compared[who].refused
    return Held(compared, refused, _judged(compared, record))


def measured(record: Record) -> Version:
    """The candidate of a record as a version. Raises `NotJudgedError` if it has no score."""
    found = version(record)
    if found.scores["value"].isna().all():
        raise NotJudgedError(f"{found.name}: the candidate has no score, so there is no baseline")
    return found


def _judged(compared: Mapping[str, Versions], record: Record) -> pd.DataFrame:
    """Judge whether each contrast and log ratio of magnitudes is credibly worse than before.

    Worse means p < .05 against a change of 0 or less, one-sided and adjusted by Holm over every
    row, and an estimate above `TOLERANCE`. The lower one-sided bound is then above 0 too.
    """
    sets = record.manifest.probe_sets
    tested = [name for name, part in sets.items() if part.expect == "lean"]
    rows = []
    for who, found in compared.items():
        own = found.estimates
        judged = (own["estimator"] == CONTRAST) & (own["subject"] == DIFFERENCE)
        judged |= own["estimator"] == LOG_MAGNITUDE_RATIO
        judged &= own["probe_set"].isin(tested) & own["std_error"].notna()
        for row in own[judged].to_dict("records"):
            one = decision.change(row["estimate"], row["std_error"], row["df"], 0.0, "up")
            found_ = {"estimate": row["estimate"], "low": one.low, "high": one.high, "p": one.p}
            rows.append({"against": who, **{key: row[key] for key in _TOLD}, **found_})
    columns = ["against", *_TOLD, "estimate", "low", "high", "p"]
    whole = pd.DataFrame(rows, columns=columns)
    adjusted = multiplicity.holm(whole["p"].to_numpy(dtype=float))
    # A difference that another batch size alone could cause is no change, however small its p.
    worse = (adjusted < decision.ALPHA) & (whole["estimate"] > TOLERANCE)
    return whole.assign(p_adjusted=adjusted, worse=worse)


def not_compared(held: Held) -> dict[str, str]:
    """What differs, by probe set, for the file; a reason of the baseline replaces the anchor's."""
    found: dict[str, str] = {}
    for refused in held.refused.values():
        found |= {name: reason for name, reason in refused.items() if name not in found}
    return found
