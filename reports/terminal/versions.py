"""Two versions of a model, and the accepted baselines, as lines for a terminal."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from maskaudit.audit.estimating.estimators.log_odds import LOG_ODDS
from maskaudit.audit.estimating.headline import headline
from maskaudit.audit.estimating.names import CONTRAST, LOG_MAGNITUDE_RATIO
from maskaudit.audit.judging.accepting.baseline import Accepted, Baseline
from maskaudit.audit.judging.accepting.held import Held
from maskaudit.audit.judging.comparing.changes import LEAN
from maskaudit.audit.judging.comparing.repeat import TOLERANCE
from maskaudit.audit.judging.comparing.versions import Versions
from maskaudit.audit.recording.manifest import Identity, ProbeSetKey
from maskaudit.audit.recording.slices import Slice
from maskaudit.reports import wording
from maskaudit.reports.effects import DIFFERENCE

SENTENCE = 90
_NUMBERS = {
    LEAN: "leans (log-odds beyond those of the average word in the same sentence, in nats)",
    LOG_ODDS.name: "log-odds in nats",
}
NOT_KEPT = (
    "Fills and distances between distributions are not kept by item, so they are not compared."
)


def compared(
    found: Versions, changes: pd.DataFrame, probe_sets: Mapping[str, ProbeSetKey], top: int
) -> str:
    """The changes between two versions: each set's numbers and its `top` worst cells."""
    lines = [f"{found.old}, then {found.new}", *_what(found), ""]
    for name in _worst_first(found.estimates) if found.largest else ():
        own = changes[changes["probe_set"] == name]
        title = wording.visible(probe_sets[name].title)
        lines += [f"{title} ({name})", *_summary(found.estimates, name), *_cells(own, top), ""]
    return "\n".join([*lines, NOT_KEPT])


def compared_json(found: Versions, changes: pd.DataFrame, top: int) -> dict[str, Any]:
    """The same as plain JSON values, unknown numbers as null; `top` cells per set."""
    names = found.estimates["probe_set"].unique()
    worst = pd.concat([changes[changes["probe_set"] == name].head(top) for name in names])
    return {
        "old": found.old,
        "new": found.new,
        "same_model": found.same_model,
        "identical": found.largest == 0,
        "compared": found.compared,
        "largest": found.largest if math.isfinite(found.largest) else None,
        "refused": dict(found.refused),
        "lost": [dict(part) for part in found.lost],
        "left_out": len(found.left_out),
        "notes": list(found.notes),
        "summary": rows(headline(found.estimates, DIFFERENCE)),
        "changes": rows(worst.sort_values("worse", ascending=False, kind="stable")),
    }


def held(found: Held, name: str) -> str:
    """Whether a record could be accepted as a baseline, and what prevents it."""
    lines = [
        f"Not as the {who} was measured: {probe_set}: {reason}"
        for who, refused in found.refused.items()
        for probe_set, reason in refused.items()
    ]
    worse = found.changes[found.changes["worse"]]
    lines += [
        f"Credibly worse than the {row['against']}: {row['probe_set']}, "
        f"{_number(str(row['estimator']), Slice.parse(row['slice']))} {_value(row)} "
        "(one-sided 95 % bounds)"
        for row in worse.to_dict("records")
    ]
    if not lines:
        judged = wording.counted(len(found.changes), "number")
        told = f"It can be accepted as {name}: none of {judged} is credibly worse."
        return told if len(found.changes) else f"It can be accepted as {name}; nothing was judged."
    flags = ["--new-anchor"] * any(found.refused.values()) + ["--allow-worse"] * bool(len(worse))
    lines.append(f"It is accepted as {name} only with {' and '.join(flags)}, and a reason.")
    return "\n".join(lines)


def held_json(found: Held) -> dict[str, Any]:
    """The same as plain JSON values."""
    worse = bool(found.changes["worse"].any())
    return {
        "acceptable": not worse and not any(found.refused.values()),
        "worse": worse,
        "not_compared": {who: dict(refused) for who, refused in found.refused.items()},
        "judged": rows(found.changes),
    }


def shown(baseline: Baseline, anchor: Baseline) -> str:
    """A baseline: its model, date and reason, and the numbers a reviewer saw; and its anchor."""
    if anchor.about.scores == baseline.about.scores:
        told = f"{wording.opened(anchor.version.name)}: the same version."
    else:
        told = _shown(anchor)
    return f"{_shown(baseline)}\n\n{told}"


def _shown(baseline: Baseline) -> str:
    about = baseline.about
    model = baseline.version.model
    reason = wording.visible(about.reason, None)
    lines = [
        f"{wording.opened(baseline.version.name)}: accepted {about.accepted}, {reason}",
        f"  model   {_model(model)}",
        f"  record  {wording.visible(about.record, None)}{_history(about)}",
        f"  method  {', '.join(f'{key} {value}' for key, value in about.method.items())}",
    ]
    for gate in about.margins:
        limit = "margin" if "margin" in gate else "bound"
        lines.append(
            f"  {limit} {gate.get(limit)} of {gate['id']}: {wording.visible(gate['reason'], None)}"
        )
    for name, part in about.probe_sets.items():
        lines += ["", f"{wording.visible(part.title)} ({name}, version {part.version})"]
        lines += [f"  {key} {value}" for key, value in about.numbers.get(name, {}).items()]
        lines += [f"  since {key} {value}" for key, value in about.changes.get(name, {}).items()]
        if name in about.not_compared:
            lines.append(f"  not compared with what was before: {about.not_compared[name]}")
    return "\n".join(lines)


def accepted(baseline: Baseline, *, first: bool) -> str:
    """What to do with the files that were written."""
    name = baseline.about.name
    place = baseline.path.parent
    files = [f"{name}.toml", f"{name}.parquet"]
    if first:
        files += [f"{name}.anchor.toml", f"{name}.anchor.parquet"]
    also = ", and as its anchor" if first else ""
    return (
        f"Accepted {wording.visible(baseline.about.record, None)} as the baseline {name}{also}.\n"
        f"Review and commit: {', '.join(str(place / file) for file in files)}"
    )


def rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of a table as plain JSON values, with unknown and infinite numbers as null."""
    return [
        {str(key): None if _unknown(value) else value for key, value in row.items()}
        for row in table.astype(object).to_dict("records")
    ]


def _unknown(value: object) -> bool:
    return value is pd.NA or (isinstance(value, float) and not math.isfinite(value))


def _what(found: Versions) -> Iterator[str]:
    """What was compared and what was not, before any number."""
    counted = wording.counted(found.compared, "score")
    same = "The same model" if found.same_model else "Another model version"
    if found.largest == 0:
        yield f"{same}: nothing changed, all {counted} are identical (to seven digits)."
    elif found.largest <= TOLERANCE:
        yield f"{same}: nothing changed beyond rounding; {counted} are equal to 0.00001."
    else:
        yield f"{same}: {counted} compared, the largest change is {wording.size(found.largest)}."
    for note in found.notes:
        yield f"Note: {note}"
    for name, reason in found.refused.items():
        yield f"Not compared: {name}: {reason}"
    for part in found.lost:
        who = "older" if part["version"] == "old" else "newer"
        examples = f": {wording.quoted(part['examples'])}" if part["examples"] else ""
        yield (
            f"Lost: {part['probe_set']}: {wording.counted(part['items'], 'item')} that the {who} "
            f"version alone could not score ({part['measure']}, {part['status']}{examples})"
        )
    if found.left_out:
        yield f"Left out: {wording.counted(len(found.left_out), 'cell')} that one of them lacks."


def _worst_first(estimates: pd.DataFrame) -> list[str]:
    """The sets by how clearly their contrast rose; sets without one follow in their order."""
    chosen = estimates[
        (estimates["estimator"] == CONTRAST) & (estimates["subject"] == DIFFERENCE)
    ].assign(clear=lambda own: own["estimate"] / own["std_error"])
    by_set = chosen.groupby("probe_set")["clear"].max().sort_values(ascending=False)
    return list(dict.fromkeys([*by_set.index.astype(str), *estimates["probe_set"]]))


def _summary(estimates: pd.DataFrame, name: str) -> Iterator[str]:
    own = estimates[estimates["probe_set"] == name]
    for row in headline(own, DIFFERENCE).to_dict("records"):
        if math.isnan(row["estimate"]):
            continue
        tested = not math.isnan(row["p"])
        is_adjusted = not math.isnan(row["p_adjusted"])
        p = wording.p_value(row["p_adjusted"] if is_adjusted else row["p"]) if tested else ""
        told = f", {p}, {'' if is_adjusted else 'not '}adjusted" if p else ""
        yield f"  {_number(str(row['estimator']), Slice.parse(row['slice']))} {_value(row)}{told}"


def _number(estimator: str, slice_: Slice) -> str:
    """The name of a number in a line."""
    between = slice_.between
    name = {
        CONTRAST: "stereotype contrast, change in nats",
        LOG_MAGNITUDE_RATIO: "size of all leans, times what it was",
    }.get(estimator, f"{estimator}, change")
    return f"{name}{f' ({between})' if between else ''}:"


def _value(row: Mapping[Any, Any]) -> str:
    numbers = (row["estimate"], row["low"], row["high"])
    if row["estimator"] != LOG_MAGNITUDE_RATIO:
        return wording.with_interval(*numbers)
    factor, low, high = map(wording.odds, numbers)
    return factor if math.isnan(row["low"]) else f"{factor} ({low} to {high})"


def _cells(changes: pd.DataFrame, top: int) -> Iterator[str]:
    """The worst cells of a set; a remark where cells changed but none for the worse."""
    worse = changes[changes["worse"] > TOLERANCE]
    worst = worse.head(top)
    if worst.empty:
        if not worse.empty:
            return
        if len(changes) and (changes["change"].abs() > TOLERANCE).any():
            yield "  no cell moved towards the stereotype"
        return
    number = str(worst["number"].iloc[0])
    yield f"  {_NUMBERS.get(number, number)}, worst first:"
    for row in worst.to_dict("records"):
        way = "towards the stereotype" if row["directed"] else "either way"
        where = ", ".join(wording.visible(row[key]) for key in ("attribute", "groups") if row[key])
        more = f" (and {row['sentences'] - 1} more)" if row["sentences"] > 1 else ""
        yield (
            f"    {wording.signed(row['old'])}, then {wording.signed(row['new'])}: "
            f"{wording.size(row['worse'])} {way}{f'; {where}' if where else ''}; "
            f"“{wording.visible(row['sentence'], SENTENCE)}”{more}"
        )


def _model(identity: Identity) -> str:
    name = wording.visible(str(identity.name))
    return f"{name} (weights {wording.short_digest(identity.weights)})"


def _history(about: Accepted) -> str:
    """What this baseline replaced, and what was unusual about that."""
    told = [f"replaces {about.replaces}" if about.replaces else "the first of its name"]
    told += ["although credibly worse"] * about.allowed_worse
    told += ["a new anchor"] * (about.new_anchor and bool(about.replaces))
    return f" ({', '.join(told)})"
