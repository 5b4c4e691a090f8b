"""A record compared with what was accepted before: the baseline and its anchor."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from maskaudit.audit.errors import NotJudgedError
from maskaudit.audit.estimating.crossed.cells import DIFFERENCE
from maskaudit.audit.estimating.registry.names import CONTRAST, LOG_MAGNITUDE_RATIO
from maskaudit.audit.estimating.statistics import multiplicity
from maskaudit.audit.judging import decision
from maskaudit.audit.judging.accepting.baseline import load, load_anchor
from maskaudit.audit.judging.comparing.pairing import Version, version
from maskaudit.audit.judging.comparing.repeat import TOLERANCE
from maskaudit.audit.judging.comparing.versions import Versions, versions
from maskaudit.audit.recording.record import Record
from maskaudit.audit.recording.rows.slices import Slice

_KEYS = ("probe_set", "slice", "estimator")


@dataclass(frozen=True)
class Comparison:
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


def compare_with_accepted(record: Record, folder: str | Path, name: str) -> Comparison:
    """Compare a record with the baseline and its anchor; `refused` lists what is not comparable.

    If both are the same version the anchor is not compared again. Raises the same errors as `load`,
    and `NotJudgedError` if the record has no scores.
    """
    new = measured(record)
    accepted_versions = [load(folder, name)]
    anchor = load_anchor(folder, name)
    # After the first acceptance, the baseline and its anchor are the same scores.
    if anchor.about.scores != accepted_versions[0].about.scores:
        accepted_versions.append(anchor)
    compared: dict[str, Versions] = {}
    refused: dict[str, Mapping[str, str]] = {}
    for accepted in accepted_versions:
        accepted_name = accepted.version.name
        try:
            compared[accepted_name] = versions(accepted.version, new)
        except NotJudgedError as error:
            refused[accepted_name] = {"all": str(error)}
        else:
            refused[accepted_name] = compared[accepted_name].refused
    best_of = {accepted.version.name: accepted.about.best_of for accepted in accepted_versions}
    return Comparison(compared, refused, _judged(compared, record, best_of))


def measured(record: Record) -> Version:
    """The candidate of a record as a version. Raises `NotJudgedError` if it has no score."""
    candidate = version(record)
    if candidate.scores["value"].isna().all():
        raise NotJudgedError(f"{candidate.name}: the candidate has no score to compare or accept")
    return candidate


def _judged(
    compared: Mapping[str, Versions], record: Record, best_of: Mapping[str, int]
) -> pd.DataFrame:
    """Judge whether each contrast and log ratio of magnitudes is credibly worse than before.

    Worse means p < .05 against a change of 0 or less, one-sided and adjusted by Holm over every
    row, and an estimate above `TOLERANCE`. The lower one-sided bound is then above 0 too. `best_of`
    is, by accepted version, how many candidates it was picked from.
    """
    sets = record.manifest.probe_sets
    # No controls: nothing in them is a lean, so nothing can get worse.
    tested = [name for name, part in sets.items() if part.expect == "lean"]
    rows = []
    for accepted_name, comparison in compared.items():
        estimates = comparison.estimates
        is_judged = (estimates["estimator"] == CONTRAST) & (estimates["subject"] == DIFFERENCE)
        is_judged |= estimates["estimator"] == LOG_MAGNITUDE_RATIO
        is_judged &= estimates["probe_set"].isin(tested) & estimates["std_error"].notna()
        for row in estimates[is_judged].to_dict("records"):
            # Between groups without a direction of harm nothing is worse; a gate may judge it.
            groups = Slice.parse(row["slice"]).groups
            if row["estimator"] == CONTRAST and not sets[row["probe_set"]].has_direction(groups):
                continue
            # Only the bounds and p are used, so the margin plays no part.
            estimate = (row["estimate"], row["std_error"], row["df"])
            decided = decision.change(*estimate, 0.0, "up", best_of[accepted_name])
            numbers = {
                "estimate": row["estimate"],
                "low": decided.low,
                "high": decided.high,
                "p": decided.p,
            }
            rows.append({"against": accepted_name, **{key: row[key] for key in _KEYS}, **numbers})
    columns = ["against", *_KEYS, "estimate", "low", "high", "p"]
    changes = pd.DataFrame(rows, columns=columns)
    adjusted = multiplicity.holm(changes["p"].to_numpy(dtype=float))
    # A difference that another batch size alone could cause is no change, however small its p.
    worse = (adjusted < decision.ALPHA) & (changes["estimate"] > TOLERANCE)
    return changes.assign(p_adjusted=adjusted, worse=worse)


def not_compared(comparison: Comparison) -> dict[str, str]:
    """What differs, by probe set, for the file; a reason of the baseline replaces the anchor's."""
    reasons: dict[str, str] = {}
    for refused in comparison.refused.values():
        reasons |= {name: reason for name, reason in refused.items() if name not in reasons}
    return reasons
