"""Two versions of a model, and the accepted baselines, as lines for a terminal."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from maskaudit.audit.estimating.estimators.of_groups.log_odds import LOG_ODDS
from maskaudit.audit.estimating.headline import headline
from maskaudit.audit.estimating.quoted import Family
from maskaudit.audit.estimating.registry.names import CONTRAST, LOG_MAGNITUDE_RATIO
from maskaudit.audit.estimating.statistics import equivalence
from maskaudit.audit.judging.accepting.baseline import Accepted, Baseline
from maskaudit.audit.judging.accepting.comparison import Comparison
from maskaudit.audit.judging.comparing.changes import LEAN
from maskaudit.audit.judging.comparing.repeat import TOLERANCE
from maskaudit.audit.judging.comparing.versions import Versions
from maskaudit.audit.recording.manifest import Identity, ProbeSetKey
from maskaudit.audit.recording.margins import Margin
from maskaudit.audit.recording.rows.slices import Slice
from maskaudit.reports.effects import DIFFERENCE, SHOWN, Effects
from maskaudit.reports.words import quotes, sameness, wording

SENTENCE = 90
_NUMBERS = {
    LEAN: "leans (log-odds beyond those of the average word in the same sentence, in nats)",
    LOG_ODDS.name: "log-odds in nats",
}
NOT_KEPT = "Only item scores are compared; likeliest words and distances of distributions are not."


def compared(
    versions: Versions, changes: pd.DataFrame, probe_sets: Mapping[str, ProbeSetKey], top: int
) -> str:
    """The changes between two versions: each set's numbers and its `top` worst cells."""
    lines = [f"From {versions.old} to {versions.new}", *_overview(versions), ""]
    family = quotes.family_of(Effects.of(versions.estimates), DIFFERENCE, versions.adjust)
    # Of versions that are equal to the last digit there is nothing to list.
    for place, name in enumerate(_worst_first(versions.estimates) if versions.largest else ()):
        set_changes = changes[changes["probe_set"] == name]
        title = wording.visible(probe_sets[name].title)
        lines += [
            f"{title} ({name})",
            *_summary(versions.estimates, name, family, _margin_of(probe_sets[name]), place == 0),
            *_cells(set_changes, top),
            "",
        ]
    return "\n".join([*lines, NOT_KEPT])


def compared_json(versions: Versions, changes: pd.DataFrame, top: int) -> dict[str, Any]:
    """The same as plain JSON values, unknown numbers as null; `top` cells per set."""
    names = versions.estimates["probe_set"].unique()
    # Set by set, since a set that changed much would fill all the places.
    worst = pd.concat([changes[changes["probe_set"] == name].head(top) for name in names])
    return {
        "old": versions.old,
        "new": versions.new,
        "same_model": versions.same_model,
        "identical": versions.largest == 0,
        "compared": versions.compared,
        "largest": versions.largest if math.isfinite(versions.largest) else None,
        "refused": dict(versions.refused),
        "lost": [dict(part) for part in versions.lost],
        "left_out": len(versions.left_out),
        "notes": list(versions.notes),
        "summary": rows(headline(versions.estimates, DIFFERENCE)),
        # Stable, because the default algorithm of pandas may put equal changes in any order.
        "changes": rows(worst.sort_values("worse", ascending=False, kind="stable")),
    }


def held(result: Comparison, name: str) -> str:
    """Whether a record could be accepted as a baseline, and what prevents it."""
    lines = [
        f"Not comparable with the {who}: {probe_set}: {reason}"
        for who, refused in result.refused.items()
        for probe_set, reason in refused.items()
    ]
    worse = result.changes[result.changes["worse"]]
    lines += [
        f"Credibly worse than the {row['against']}: {row['probe_set']}, "
        f"{_number(str(row['estimator']), Slice.parse(row['slice']))} {_value(row)} "
        "(one-sided 95 % bounds)"
        for row in worse.to_dict("records")
    ]
    if not lines:
        judged = wording.counted(len(result.changes), "number")
        sentence = f"This record can be accepted as {name}: none of {judged} is credibly worse."
        return (
            sentence
            if len(result.changes)
            else f"This record can be accepted as {name}, but no number could be judged."
        )
    flags = ["--new-anchor"] * any(result.refused.values()) + ["--allow-worse"] * bool(len(worse))
    lines.append(
        f"To accept it as {name} all the same, give {' and '.join(flags)}, and a --reason."
    )
    return "\n".join(lines)


def held_json(result: Comparison) -> dict[str, Any]:
    """The same as plain JSON values."""
    worse = bool(result.changes["worse"].any())
    return {
        "acceptable": not worse and not any(result.refused.values()),
        "worse": worse,
        "not_compared": {who: dict(refused) for who, refused in result.refused.items()},
        "judged": rows(result.changes),
    }


def shown(baseline: Baseline, anchor: Baseline) -> str:
    """A baseline: its model, date and reason, and the numbers a reviewer saw; and its anchor."""
    # By their digest, because the anchor is a file of its own even where it is the same version.
    if anchor.about.scores == baseline.about.scores:
        anchor_text = f"{wording.opened(anchor.version.name)}: the same version."
    else:
        anchor_text = _details(anchor)
    return f"{_details(baseline)}\n\n{anchor_text}"


def _details(baseline: Baseline) -> str:
    about = baseline.about
    model = baseline.version.model
    reason = wording.visible(about.reason, None)
    lines = [
        f"{wording.opened(baseline.version.name)}: accepted {about.accepted}, {reason}",
        f"  model   {_model(model)}",
        f"  record  {wording.visible(about.record, None)}{_history(about)}",
        f"  method  {wording.visible(_joined(about.method), None)}",
    ]
    for gate in about.margins:
        limit = "margin" if "margin" in gate else "bound"
        lines.append(
            f"  {limit} {gate.get(limit)} of {gate['id']}: {wording.visible(gate['reason'], None)}"
        )
    for name, part in about.probe_sets.items():
        lines += [
            "",
            f"{wording.visible(part.title)} ({name}, version {wording.visible(part.version)})",
        ]
        # A set may be new since the version before, and then has no changes.
        numbers, changes = (table.get(name, {}) for table in (about.numbers, about.changes))
        lines += [f"  {wording.visible(f'{key} {numbers[key]}', None)}" for key in numbers]
        lines += [f"  since {wording.visible(f'{key} {changes[key]}', None)}" for key in changes]
        if name in about.not_compared:
            reason = wording.visible(about.not_compared[name], None)
            lines.append(f"  not compared with the baseline before it: {reason}")
    return "\n".join(lines)


def _joined(method: Mapping[str, str]) -> str:
    return ", ".join(f"{key} {value}" for key, value in method.items())


def accepted(baseline: Baseline, *, first: bool) -> str:
    """What to do with the files that were written."""
    name = baseline.about.name
    folder = baseline.path.parent
    files = [f"{name}.toml", f"{name}.parquet"]
    if first:
        files += [f"{name}.anchor.toml", f"{name}.anchor.parquet"]
    also = ", and as its anchor" if first else ""
    return (
        f"Accepted {wording.visible(baseline.about.record, None)} as the baseline {name}{also}.\n"
        f"Review and commit: {', '.join(str(folder / file) for file in files)}"
    )


def rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of a table as plain JSON values, with unknown and infinite numbers as null."""
    return [
        {str(key): None if _unknown(value) else value for key, value in row.items()}
        for row in table.astype(object).to_dict("records")
    ]


def _unknown(value: object) -> bool:
    return value is pd.NA or (isinstance(value, float) and not math.isfinite(value))


def _overview(versions: Versions) -> Iterator[str]:
    """What was compared and what was not, before any number."""
    counted = wording.counted(versions.compared, "score")
    same = "The same model" if versions.same_model else "Another model version"
    if versions.largest == 0:
        # Seven digits, since versions are compared as float32 (`pairing.version`).
        yield f"{same}: nothing changed, all {counted} are identical (to seven digits)."
    elif versions.largest <= TOLERANCE:
        yield f"{same}: nothing changed beyond rounding; {counted} agree to within 0.00001."
    else:
        yield f"{same}: {counted} compared, the largest change is {wording.size(versions.largest)}."
    for note in versions.notes:
        yield f"Note: {note}"
    for name, reason in versions.refused.items():
        yield f"Not compared: {name}: {reason}"
    for part in versions.lost:
        who = "older" if part["version"] == "old" else "newer"
        examples = f": {wording.quoted(part['examples'])}" if part["examples"] else ""
        yield (
            f"Lost: {part['probe_set']}: {wording.counted(part['items'], 'item')} that only "
            f"the {who} version could not score ({part['measure']}, {part['status']}{examples})"
        )
    if versions.left_out:
        yield f"Left out: {wording.counted(len(versions.left_out), 'cell')} missing in one version."


def _worst_first(estimates: pd.DataFrame) -> list[str]:
    """The sets by how clearly their contrast rose; sets without one follow in their order."""
    chosen = estimates[
        (estimates["estimator"] == CONTRAST) & (estimates["subject"] == DIFFERENCE)
        # With its sign: a contrast that fell is no worse, however clearly it fell.
    ].assign(clear=lambda table: table["estimate"] / table["std_error"])
    by_set = chosen.groupby("probe_set")["clear"].max().sort_values(ascending=False)
    return list(dict.fromkeys([*by_set.index.astype(str), *estimates["probe_set"]]))


def _summary(
    estimates: pd.DataFrame,
    name: str,
    family: Family | None,
    margin: Margin | None,
    is_first: bool,  # noqa: FBT001 - whether the set comes first
) -> Iterator[str]:
    """The numbers of a set; what the data chose, being first or shown, is quoted as chosen.

    After a contrast of which no change is shown stands what it is the same within.
    """
    set_estimates = estimates[estimates["probe_set"] == name]
    for row in headline(set_estimates, DIFFERENCE).to_dict("records"):
        if math.isnan(row["estimate"]):
            continue
        tested = not math.isnan(row["p"])
        is_adjusted = not math.isnan(row["p_adjusted"])
        p = wording.p_value(row["p_adjusted"] if is_adjusted else row["p"]) if tested else ""
        p_text = f", {p}, {'' if is_adjusted else 'not '}adjusted" if p else ""
        # Being listed first, or called shown, is a choice that the data made.
        is_chosen = is_adjusted and (is_first or row["p_adjusted"] < SHOWN)
        value = _quoted(row, family) if family and is_chosen else _value(row)
        same = _same(row, margin) if tested else ""
        number = _number(str(row["estimator"]), Slice.parse(row["slice"]))
        yield f"  {number} {value}{p_text}{same}"


def _margin_of(described: ProbeSetKey) -> Margin | None:
    """The margin that is declared for the contrast of a set."""
    return described.margins.contrast if described.margins else None


def _same(row: Mapping[Any, Any], margin: Margin | None) -> str:
    """What a contrast whose change is not shown is the same within; empty for other numbers."""
    # A control has no adjusted p.
    chance = row["p"] if math.isnan(row["p_adjusted"]) else row["p_adjusted"]
    if row["estimator"] != CONTRAST or chance < SHOWN:
        return ""
    numbers = (row["estimate"], row["std_error"], row["df"])
    said = sameness.brief_of(equivalence.same_within(*numbers), margin, paired=True)
    return f"; no change shown, {said}" if said else ""


def _number(estimator: str, slice_: Slice) -> str:
    """The name of a number in a line."""
    between = slice_.between
    name = {
        CONTRAST: "stereotype contrast, change in nats",
        LOG_MAGNITUDE_RATIO: "size of all leans, relative to the older version",
    }.get(estimator, f"{estimator}, change")
    return f"{name}{f' ({between})' if between else ''}:"


def _value(row: Mapping[Any, Any]) -> str:
    numbers = (row["estimate"], row["low"], row["high"])
    if row["estimator"] != LOG_MAGNITUDE_RATIO:
        return wording.with_interval(*numbers)
    # Stored as a logarithm, read as a factor.
    factor, low, high = map(wording.odds, numbers)
    return factor if math.isnan(row["low"]) else f"{factor} ({low} to {high})"


def _quoted(row: Mapping[Any, Any], family: Family) -> str:
    """A contrast that the data chose, with what a sentence quotes of it."""
    quote = family.quote(row["estimate"], row["std_error"], row["df"])
    if quote.n_tested == 1:
        return _value(row)
    level, why = quotes.because(quote.level, quote.n_tested)
    limits = wording.between(quote.low, quote.high, with_sign=True)
    value, likely = wording.signed(row["estimate"]), wording.signed(quote.likely)
    nearer = "" if likely == value else f"; likely nearer {likely}"
    interval = f"{level} interval {limits}{why}" if why else limits
    return f"{value} ({interval}{nearer})"


def _cells(changes: pd.DataFrame, top: int) -> Iterator[str]:
    """The worst cells of a set; a remark where cells changed but none for the worse."""
    worse = changes[changes["worse"] > TOLERANCE]
    worst = worse.head(top)
    if worst.empty:
        # With `--top 0` there are worse cells, and none of them is wanted.
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
    return f"{name} ({identity.digest_of} {wording.short_digest(identity.weights)})"


def _history(about: Accepted) -> str:
    """What this baseline replaced, and what was unusual about that."""
    remarks = [f"replaces {about.replaces}" if about.replaces else "the first of its name"]
    remarks += [f"the best of {about.best_of} candidates"] * (about.best_of > 1)
    remarks += ["although credibly worse"] * about.allowed_worse
    remarks += ["a new anchor"] * (about.new_anchor and bool(about.replaces))
    return f" ({', '.join(remarks)})"
