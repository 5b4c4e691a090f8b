"""What a record shows of a set itself: how well it ranks, how exact it is, how it is balanced."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from statistics import median
from typing import Any

import pandas as pd

from maskaudit.audit.errors import InputError
from maskaudit.audit.estimating.registry.names import (
    ACCURACY,
    CONTRAST,
    CORRECTED,
    DEPENDABILITY,
    FRAMES_NEEDED,
    FREQUENCY_APART,
    GENERALIZABILITY,
    PIECES_APART,
    STYLE_CONTRAST,
    STYLE_SD,
    STYLES_HOLDING,
    WORDS_APART,
)
from maskaudit.audit.estimating.statistics.d_study import Planned, needed, planned
from maskaudit.audit.estimating.statistics.interval import Interval
from maskaudit.audit.recording.manifest import ProbeSet
from maskaudit.audit.recording.record import Record
from maskaudit.audit.recording.rows.slices import Slice
from maskaudit.audit.verifying.recomputed import Numbers
from maskaudit.audit.verifying.verify import load_held
from maskaudit.probes.checking.size import Size
from maskaudit.probes.schema import ProbeSet as Asked
from maskaudit.reports.effects import DIFFERENCE, Names
from maskaudit.reports.page import names_of
from maskaudit.reports.words import wording

_OF_BALANCE = {PIECES_APART: "pieces", WORDS_APART: "words", FREQUENCY_APART: "log frequency"}
_USED = frozenset({
    GENERALIZABILITY, DEPENDABILITY, FRAMES_NEEDED, STYLE_CONTRAST, STYLE_SD, STYLES_HOLDING,
    CONTRAST, ACCURACY, *_OF_BALANCE,
})  # fmt: skip
_TWICE = 2.0


@dataclass(frozen=True)
class Measured:
    """What a record shows of one of its sets, by subject.

    `estimates` are the set's rows of that table; a set of several groups has a number for each two
    of them.
    """

    record: str
    names: Names
    part: ProbeSet
    estimates: pd.DataFrame

    @classmethod
    def of(cls, record: Record, probe_set: Asked) -> "Measured":
        """That of a set as its file has it; raises `InputError` where the record has another."""
        header, sets = probe_set.header, record.manifest.probe_sets
        if header.name not in sets:
            raise InputError(
                f"{record.name}: has no set {header.name!r}; expected a record of it, which has "
                f"{', '.join(sets)}"
            )
        part = sets[header.name]
        # Both, for an author may change the sentences and forget the version.
        asked = (header.version, Size.of(probe_set).sentences)
        if asked != (part.version, part.sentences):
            raise InputError(
                f"{record.name}: has {header.name} in version {part.version} with "
                f"{part.sentences:,} sentences; expected version {asked[0]} with {asked[1]:,}, as "
                "the file has it: audit it again"
            )
        rows = record.estimates
        chosen = (rows["probe_set"] == header.name) & (rows["mode"] == CORRECTED)
        return cls(record.name, names_of(record.manifest), part, rows[chosen])

    def rows(self) -> Iterator[tuple[str, Sequence[str]]]:
        """The rows of a card: a name, and a text for each subject."""
        models = ", ".join(map(self.names.label, self.names.models))
        pairs = math.comb(len(self.part.groups or ()), 2)
        of = f"; median (least to most) of {pairs} pairs of groups" if pairs > 1 else ""
        yield "measured on", [f"{models} (record {self.record}){of}"]
        for name, texts in (
            ("reliability", self._reliability),
            ("styles", self._styles),
            ("exactness", self._exactness),
            ("needed", self._needed),
            ("balance", self._balance),
        ):
            by_subject = ((subject, "; ".join(texts(subject))) for subject in self.names.subjects)
            yield name, [f"{self.names.label(own)}: {text}" for own, text in by_subject if text]

    def as_json(self) -> dict[str, Any]:
        """The numbers by subject and name, each a list with an entry for every two groups."""
        return {
            "record": self.record,
            "models": {own: getattr(self.names, own) for own in self.names.models},
            "subjects": {
                subject: {
                    **{name: self._entries(subject, name) for name in sorted(_USED)},
                    "planned": [
                        {**_plain(planned(one, _TWICE)), "half_width": _known(_half(one))}
                        for one in self._intervals(subject, CONTRAST)
                    ],
                    "needed": [
                        _plain(needed(one, self._aim(one)))
                        for one in self._intervals(subject, CONTRAST)
                        if self._aim(one) > 0
                    ],
                }
                for subject in self.names.subjects
            },
        }

    def _entries(self, subject: str, name: str) -> list[dict[str, Any]]:
        numbers = ("estimate", "low", "high")
        return [
            {"slice": row["slice"], **{key: _known(row[key]) for key in numbers}}
            for row in self._of(subject, name).to_dict("records")
        ]

    def _of(self, subject: str, name: str) -> pd.DataFrame:
        rows = self.estimates
        return rows[
            (rows["subject"] == subject) & (rows["estimator"] == name) & rows["estimate"].notna()
        ]

    def _intervals(self, subject: str, name: str) -> list[Interval]:
        """The intervals of a number between every two groups; those without limits are left out."""
        columns = [field.name for field in fields(Interval)]
        rows = self._of(subject, name)
        whole = [Slice.parse(text).kind in {"all", "contrast"} for text in rows["slice"]]
        found = [
            Interval(**{name: float(row[name]) for name in columns})
            for row in rows[whole].to_dict("records")
        ]
        return [one for one in found if not math.isnan(one.low)]

    def _values(self, subject: str, name: str) -> list[float]:
        return [float(value) for value in self._of(subject, name)["estimate"]]

    def _reliability(self, subject: str) -> Iterator[str]:
        for name, letter in ((GENERALIZABILITY, "G"), (DEPENDABILITY, "Φ")):
            rows = self._of(subject, name)
            # Of several pairs of groups, the limits of one are not those of their median.
            limits = (
                f" ({wording.between(*rows.iloc[0][['low', 'high']])})" if len(rows) == 1 else ""
            )
            if len(rows):
                yield f"{letter} {_over([*rows['estimate']], wording.plain)}{limits}"
        if values := self._values(subject, FRAMES_NEEDED):
            frames = f"{self.part.frames:,}" if self.part.frames else "some"
            yield f"Φ of 0.95 takes {_over(values, _count)} frames (it has {frames})"

    def _styles(self, subject: str) -> Iterator[str]:
        if values := self._values(subject, STYLE_SD):
            yield f"contrasts of styles have an SD of {_over(values, wording.plain)} nats"
        if values := self._values(subject, STYLES_HOLDING):
            n_styles = int(self._of(subject, STYLES_HOLDING)["n_styles"].max())
            holding = [value * n_styles for value in values]
            yield f"it holds by itself in {_over(holding, _count)} of {n_styles} styles"
        rows = self._of(subject, STYLE_CONTRAST)
        styles = [Slice.parse(text).value for text in rows["slice"]]
        # Between several pairs of groups each style stands several times, and has no one number.
        if len(set(styles)) == len(styles):
            both = zip(styles, rows["estimate"], strict=True)
            yield ", ".join(f"{name} {wording.signed(value)}" for name, value in both)

    def _exactness(self, subject: str) -> Iterator[str]:
        if intervals := self._intervals(subject, CONTRAST):
            widths = _over([*map(_half, intervals)], wording.plain)
            yield f"contrast {self._contrast(intervals)}± {widths} nats"
            plans = [planned(one, _TWICE) for one in intervals]
            for name in ("frames", "attributes", "both"):
                values = [getattr(plan, name) for plan in plans]
                what = name if name == "both" else f"the {name}"
                if not any(map(math.isnan, values)):
                    yield f"± {_over(values, wording.plain)} with twice {what}"
            if bottleneck := _commonest(plans):
                yield f"more {bottleneck} would help more"
        # Facts are crossed with nothing: the width falls with the root of their number.
        for one in self._intervals(subject, ACCURACY)[:1]:
            yield (
                f"facts {wording.plain(one.estimate)} ± {wording.plain(_half(one))}; "
                f"± {wording.plain(_half(one) / math.sqrt(_TWICE))} with twice the facts"
            )

    def _needed(self, subject: str) -> Iterator[str]:
        aimed = [(one, self._aim(one)) for one in self._intervals(subject, CONTRAST)]
        found = [needed(one, aim) for one, aim in aimed if aim > 0]
        if not found:
            return
        margin = self._margin
        aim = "half of that" if margin is None else f"± {wording.plain(margin)} nats, its margin"
        if all(one.both == 1 for one in found):
            yield f"{aim}: it has enough"
            return
        frames, attributes = self._counts(subject)
        ways = (
            _as_many([one.frames for one in found], frames, "frames"),
            _as_many([one.attributes for one in found], attributes, "attributes"),
            f"{_over([one.both for one in found], wording.plain)} times both",
        )
        yield f"{aim}: {', or '.join(filter(None, ways))}"

    def _contrast(self, intervals: Sequence[Interval]) -> str:
        """The contrast itself where there is one; several would say nothing in a row."""
        return f"{wording.signed(intervals[0].estimate)} " if len(intervals) == 1 else ""

    def _counts(self, subject: str) -> tuple[int, int]:
        rows = self._of(subject, CONTRAST)
        return int(rows["n_frames"].max()), int(rows["n_attributes"].max())

    def _balance(self, subject: str) -> Iterator[str]:
        # A difference of two models has one set of words.
        if subject == DIFFERENCE:
            return
        for name, what in _OF_BALANCE.items():
            if values := self._values(subject, name):
                yield f"{what} {_over(values, wording.signed)}"

    @property
    def _margin(self) -> float | None:
        margins = self.part.margins
        return margins.contrast.nats if margins and margins.contrast else None

    def _aim(self, interval: Interval) -> float:
        """The half width that is asked for: the set's margin, or half of what it has."""
        return self._margin or _half(interval) / 2


def record_with(folder: Path, *, trust: bool = False) -> tuple[Record, list[str]]:
    """A record whose numbers of these kinds were made again, and notes for people.

    Raises `InputError` where it does not hold.
    """
    return load_held(folder, lambda _: Numbers(names=_USED), trust=trust)


def _half(interval: Interval) -> float:
    return (interval.high - interval.low) / 2


def _over(values: Sequence[float], shown: Callable[[float], str]) -> str:
    """One number, or the median and the range of the numbers of several pairs of groups."""
    least, most = shown(min(values)), shown(max(values))
    return least if least == most else f"{shown(median(values))} ({least} to {most})"


def _as_many(times: Sequence[float], today: int, what: str) -> str:
    """How many frames or attributes; empty where that is unknown, or where no number would do."""
    if any(map(math.isnan, times)):
        return ""
    if not all(map(math.isfinite, times)):
        return f"no number of {what} alone"
    # Rounded up: one fewer would not be enough.
    return f"{_over([math.ceil(one * today) for one in times], _count)} {what} (it has {today:,})"


def _count(value: float) -> str:
    return wording.number(round(value))


def _commonest(plans: Sequence[Planned]) -> str:
    """Of which more would help more, for most pairs of groups; empty where neither does."""
    named = [plan.bottleneck for plan in plans if plan.bottleneck]
    # Sorted, so that of two that are named equally often it is always the same one.
    return max(sorted(set(named)), key=named.count) if named else ""


def _known(value: float) -> float | None:
    # JSON has neither NaN nor infinity.
    return float(value) if math.isfinite(value) else None


def _plain(plan: Any) -> dict[str, float | None]:  # noqa: ANN401 - `Planned` or `Needed`
    return {field.name: _known(getattr(plan, field.name)) for field in fields(plan)}
