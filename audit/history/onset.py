"""The first of several versions in which a lean is credible, or credibly changed, and since when.

Two versions answer the same sentences, so their difference is known far better than either number:
where a lean came in is told from differences that are paired by item.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

# Not scipy.stats, which takes more than a second to import.
from scipy import special

from maskaudit.audit.errors import InputError, NotJudgedError
from maskaudit.audit.estimating.registry.names import CONTRAST
from maskaudit.audit.history.series import DIFFERENCE
from maskaudit.audit.judging.comparing.versions import versions
from maskaudit.audit.recording.manifest import Manifest
from maskaudit.audit.recording.record import Record
from maskaudit.audit.recording.rows.methods import Method, differences
from maskaudit.audit.recording.rows.slices import Slice

if TYPE_CHECKING:
    import pandas as pd

ALPHA = 0.05
CANDIDATE = "candidate"
# With one version nothing came in: it is there, or it is not shown to be.
LEAST = 2
_LINE = ("probe_set", "slice", "mode")


@dataclass(frozen=True)
class Asked:
    """What is asked of the versions.

    `subject` is `candidate`, or `difference` for the lean beyond the reference's. `change` asks for
    a change from the first version in either direction, else for a lean towards the stereotype.
    Either counts beyond `limit` nats, which must be fixed beforehand. `probe_sets` are those asked
    about, () for all. `alpha` is the probability of any wrong statement.
    """

    subject: str = CANDIDATE
    change: bool = False
    limit: float = 0.0
    probe_sets: tuple[str, ...] = ()
    alpha: float = ALPHA


@dataclass(frozen=True)
class Number:
    """A number of one version in nats: its lean, or with `change` its change from the first.

    `low` and `high` are its own 95 % interval. `p` is against a lean of `limit` at most, or against
    a change of `limit` at most in either direction; NaN where it has no standard error.
    """

    estimate: float
    low: float
    high: float
    p: float


@dataclass(frozen=True)
class Onset:
    """Where one contrast came in: its numbers by version, and what is shown of them.

    `shown` says of each version whether it is credible by itself, and `first` is the index of the
    first such version; None without one. `before` is how many versions, from the oldest on, are
    credibly below that one (above it, if `sign` is -1); those between them are unclear. `sign` is
    the direction of the change, 1 for a lean.
    """

    probe_set: str
    slice: str
    mode: str
    title: str
    numbers: tuple[Number, ...]
    shown: tuple[bool, ...]
    first: int | None = None
    before: int = 0
    sign: int = 1

    @property
    def unclear(self) -> range:
        """The indices of the versions that may have it already, and may not."""
        return range(self.before, self.first or 0)


@dataclass(frozen=True)
class Bisected:
    """All contrasts that were asked about, over the versions in their order.

    `versions` are the names of the records, `called` what people call them: the candidates' names
    where these differ. `alpha_each` is the level of each chain of tests. `repeats` are records
    left out as the same models as an earlier one, with that one; `refused` has the sets that cannot
    be held against each other, with the reason.
    """

    asked: Asked
    versions: tuple[str, ...]
    called: tuple[str, ...]
    onsets: tuple[Onset, ...]
    alpha_each: float
    repeats: tuple[tuple[str, str], ...]
    refused: tuple[tuple[str, str], ...]

    @property
    def found(self) -> bool:
        """Whether any of them is credible in any version."""
        return any(onset.first is not None for onset in self.onsets)


def bisect(records: Sequence[Record], asked: Asked | None = None) -> Bisected:
    """Find the first version in which each contrast is credible, and since when it may have been.

    `records` are in the order of the versions. Each contrast of each version, and each direction
    of a change, has a chain of tests at an equal share of alpha: first whether it is credible in
    that version; only if so, whether the first version is below it, then the second, and so on,
    until one is not shown to be. A chain that stops at its first failure errs with probability
    of its own level at most, and the shares sum to alpha, so all statements hold together with
    probability 1 - alpha under any dependence: the versions share their probes (Bonferroni over
    fixed sequences; Maurer et al. 1995, Bretz et al. 2009). A version that is not credible is not
    shown to be free of the lean: it is called below only by its paired difference from the first
    credible one. Raises `InputError` for fewer than two versions or an unknown probe set, and
    `NotJudgedError` where no contrast can be held against each other.
    """
    asked = asked or Asked()
    distinct, repeats = _distinct(records, asked)
    if len(distinct) < LEAST:
        raise InputError(
            f"{len(distinct)} version of a model among {len(records)} "
            f"record{'' if len(records) == 1 else 's'}; expected at least {LEAST}, each with its "
            "own weights, the oldest first"
        )
    lines, refused = _lines(distinct, asked)
    if not lines:
        reasons = "; ".join(f"{name} ({reason})" for name, reason in refused)
        raise NotJudgedError(
            "no contrast can be held against each other over these versions: "
            + (reasons or "no probe set has a contrast with a direction")
        )
    paired = _Pairs(distinct, tuple(dict.fromkeys(line[0] for line in lines)))
    # The first version has no change from itself, and so no chain of its own.
    chains = len(distinct) - 1 if asked.change else len(distinct)
    alpha_each = asked.alpha / (len(lines) * chains * (2 if asked.change else 1))
    onsets = [_onset(line, distinct, paired, asked, alpha_each) for line in lines]
    return Bisected(
        asked,
        tuple(record.name for record in distinct),
        _called(distinct),
        tuple(onsets),
        alpha_each,
        tuple(repeats),
        tuple(refused),
    )


def _called(records: Sequence[Record]) -> tuple[str, ...]:
    """What each version is called: the last part of its model's name, or its record's name."""
    models = [record.manifest.models[CANDIDATE].name for record in records]
    names = [name.rstrip("/").rsplit("/", 1)[-1] for name in models]
    if len(set(names)) == len(names):
        return tuple(names)
    return tuple(record.name for record in records)


def _distinct(
    records: Sequence[Record], asked: Asked
) -> tuple[list[Record], list[tuple[str, str]]]:
    """The first record of each version, and the others with that one."""
    seen: dict[tuple[str, ...], Record] = {}
    repeats = []
    for record in records:
        identity = _identity(record.manifest, asked.subject)
        earlier = seen.setdefault(identity, record)
        if earlier is not record:
            repeats.append((record.name, earlier.name))
    return list(seen.values()), repeats


def _identity(manifest: Manifest, subject: str) -> tuple[str, ...]:
    names = [subject] if subject in manifest.models else sorted(manifest.models)
    models = [manifest.models[name] for name in names]
    return tuple(part for model in models for part in (str(model.weights), model.tokenizer))


Line = tuple[str, str, str]


def _lines(records: Sequence[Record], asked: Asked) -> tuple[list[Line], list[tuple[str, str]]]:
    """The contrasts that all versions have, made in one way, and the sets that are refused."""
    known = {name for record in records for name in record.manifest.probe_sets}
    if unknown := [name for name in asked.probe_sets if name not in known]:
        raise InputError(
            f"--probe-set {unknown[0]!r}: is in no record; expected one of "
            f"{', '.join(sorted(known))}"
        )
    rows = [_rows(record, asked) for record in records]
    lines = dict.fromkeys(line for of_record in rows for line in of_record)
    refused: dict[str, str] = {}
    if asked.subject == DIFFERENCE and len({_reference(record) for record in records}) > 1:
        # First, and so the reason that is told: nothing is comparable to another reference.
        refused = {line[0]: "the reference is not the same in all records" for line in lines}
    for line in lines:
        reason = next(_unlike(line, records, rows), "")
        if reason:
            refused.setdefault(line[0], reason)
    return [line for line in lines if line[0] not in refused], list(refused.items())


def _reference(record: Record) -> str:
    reference = record.manifest.models.get("reference")
    return "" if reference is None else f"{reference.weights}|{reference.tokenizer}"


def _rows(record: Record, asked: Asked) -> dict[Line, "pd.Series"]:
    """The contrasts of one record that were asked about, by line."""
    estimates = record.estimates
    chosen = estimates[
        (estimates["estimator"] == CONTRAST) & (estimates["subject"] == asked.subject)
    ]
    found = {}
    for _, row in chosen.iterrows():
        part = record.manifest.probe_sets[row["probe_set"]]
        is_asked = not asked.probe_sets or row["probe_set"] in asked.probe_sets
        # A control is expected not to lean; without a direction no lean is one towards anything.
        is_tested = part.expect != "none" and part.has_direction(Slice.parse(row["slice"]).groups)
        if is_asked and is_tested:
            found[row["probe_set"], row["slice"], row["mode"]] = row
    return found


def _unlike(
    line: Line, records: Sequence[Record], rows: Sequence[dict[Line, "pd.Series"]]
) -> Iterator[str]:
    """Yield why the versions' numbers of one contrast cannot be held against each other."""
    first = records[0].manifest.probe_sets.get(line[0])
    for record, of_record in zip(records, rows, strict=True):
        if line not in of_record:
            yield f"{record.name} has no such number of it"
        elif line in rows[0] and first is not None:
            # Before the sentences: a method's key names what differs, and a digest does not.
            methods = (Method.parse(part[line]["method"]) for part in (rows[0], of_record))
            if other := "; ".join(differences(*methods)):
                yield f"{record.name} measured it in another way: {other}"
            elif record.manifest.probe_sets[line[0]].items_digest != first.items_digest:
                yield f"{record.name} asked other sentences, so nothing is paired"


class _Pairs:
    """The paired changes between two of the versions; each pair is estimated once."""

    def __init__(self, records: Sequence[Record], probe_sets: Sequence[str]) -> None:
        self._change = cache(self._estimated)
        self._records, self._sets = records, probe_sets

    def change(self, line: Line, old: int, new: int) -> "pd.Series | None":
        """The row of the change of a contrast, the newer version minus the older; None without."""
        return self._change(old, new).get(line)

    def _estimated(self, old: int, new: int) -> dict[Line, "pd.Series"]:
        compared = versions(
            self._records[old],
            self._records[new],
            probe_sets=self._sets,
            wanted=lambda name: name == CONTRAST,
        )
        estimates = compared.estimates
        chosen = estimates[
            (estimates["estimator"] == CONTRAST) & (estimates["subject"] == DIFFERENCE)
        ]
        return {(row["probe_set"], row["slice"], row["mode"]): row for _, row in chosen.iterrows()}


def _onset(
    line: Line, records: Sequence[Record], paired: _Pairs, asked: Asked, alpha_each: float
) -> Onset:
    """The first credible version of one contrast, and how many of those before are below it."""
    title = records[-1].manifest.probe_sets[line[0]].title
    numbers: list[Number]
    if asked.change:
        changes = [paired.change(line, 0, i) for i in range(1, len(records))]
        numbers = [Number(0.0, 0.0, 0.0, math.nan)]
        numbers += [_number(row, asked.limit, two_sided=True) for row in changes]
    else:
        numbers = [_number(_rows(r, asked).get(line), asked.limit) for r in records]
    # p of both directions are halves of the two-sided one's; each direction has its own chain.
    level = 2 * alpha_each if asked.change else alpha_each
    shown = tuple(number.p <= level for number in numbers)
    onset = Onset(*line, title, tuple(numbers), shown)
    if not any(shown):
        return onset
    first = shown.index(True)
    sign = -1 if asked.change and numbers[first].estimate < 0 else 1
    # Credibly changed from the first version beyond the limit, it is credibly off it as well.
    before = 1 if asked.change else 0
    while before < first and _below(paired.change(line, before, first), sign) <= alpha_each:
        before += 1
    return replace(onset, first=first, before=before, sign=sign)


def _number(row: "pd.Series | None", limit: float, *, two_sided: bool = False) -> Number:
    if row is None:
        return Number(math.nan, math.nan, math.nan, math.nan)
    estimate = float(row["estimate"])
    size = abs(estimate) if two_sided else estimate
    p = _p_more(size - limit, float(row["std_error"]), float(row["df"]))
    # Doubled: the direction was chosen by the number itself.
    return Number(
        estimate, float(row["low"]), float(row["high"]), min(1.0, 2 * p) if two_sided else p
    )


def _below(row: "pd.Series | None", sign: int) -> float:
    """The one-sided p value against an older version that is not below the newer; NaN without."""
    if row is None:
        return math.nan
    return _p_more(sign * float(row["estimate"]), float(row["std_error"]), float(row["df"]))


def _p_more(excess: float, std_error: float, df: float) -> float:
    """The one-sided p value against an excess of 0 at most."""
    if std_error == 0:
        return float(excess <= 0)
    # The lower tail of -t keeps its digits where 1 - cdf(t) would round to 0.
    return float(special.stdtr(df, -excess / std_error))
