"""Verdicts as finished strings: one wording for terminal, page, Markdown, JUnit and pytest."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from maskaudit.audit.estimating import numbers
from maskaudit.audit.judging.rules import RULES, Change
from maskaudit.audit.judging.verdicts import Judgement, Verdict
from maskaudit.reports.words import caveats, wording

# The worst first. A warning would stop the run but for its severity; a waived verdict is one that a
# named owner has accepted.
FAIL, NOT_MEASURED, INCONCLUSIVE = "fail", "not measured", "inconclusive"
WARNING, WAIVED, PASS = "warning", "waived", "pass"
STATUSES = (FAIL, NOT_MEASURED, INCONCLUSIVE, WARNING, WAIVED, PASS)
NOTHING = "nothing was judged"
NO_RULE = "NO RULE SET"
# How many verdicts a line names.
_TOLD = 3
BOUNDS = "one-sided 95 % bounds"
_EXITS = {
    0: "Exit code 0: every gate passed.",
    1: "Exit code 1: a gate failed.",
    3: "Exit code 3: not everything could be judged, and what was not judged did not pass.",
}
_NOT_STOPPING = "Exit code 0: nothing stops; what only warns or is waived did not pass."
_NEEDLESS = {
    "pass": " It is not needed: the gate passes.",
    "not_measured": " It is of no use: nothing was measured.",
}
_LEAST_DIGITS, _ENOUGH_DIGITS, _MOST_DIGITS = 2, 4, 8
_NUMBERS = ("estimate", "low", "high", "std_error", "df", "p", "p_adjusted", "margin", "mde")
_WORDS = ("rule", "severity", "harm", "probe_set", "axis", "slice", "estimator", "mode", "subject")
_MORE_WORDS = ("against", "scale", "method", "rule_digest", "rule_first")
_COUNTS = ("n_frames", "frames_needed", "holds_in", "n_styles")


@dataclass(frozen=True)
class Row:
    """A verdict as visible, unambiguous strings; a field with nothing to report is empty.

    `status` is one of `STATUSES`. `more` holds one sentence each on the smallest detectable effect,
    the frames needed to decide, and the waiver.
    """

    status: str
    label: str
    estimate: str
    bounds: str
    margin: str
    reason: str
    more: tuple[str, ...]

    @property
    def numbers(self) -> str:
        """The numbers in a line: +0.31 nats (one-sided 95 % bounds +0.22 and +0.40), margin 0.2."""
        bounds = f" ({BOUNDS} {self.bounds})" if self.bounds else ""
        return ", ".join(part for part in (self.estimate + bounds, self.margin) if part)


def status(verdict: Verdict) -> str:
    """The status of a verdict, one of `STATUSES`; a waiver cannot replace a missing measurement."""
    if verdict.verdict == "pass":
        return PASS
    if verdict.verdict == "not_measured":
        return NOT_MEASURED
    # Before the severity: a waiver has an owner and a last day, and says more than a warning.
    if verdict.waiver is not None:
        return WAIVED
    if verdict.severity == "warn":
        return WARNING
    return verdict.verdict


def label(verdict: Verdict) -> str:
    """The label of a verdict in a terminal or test: gate[gender/gender-occupation]."""
    return f"{name(verdict.gate)}[{name(verdict.name)}]"


def name(text: str) -> str:
    """A name that can be seen and typed: without the marks that isolate right-to-left text."""
    return wording.visible(text, None).strip("\u2068\u2069")


def rows(judgement: Judgement) -> tuple[Row, ...]:
    """Every verdict as a row, in the order of `worst_first`."""
    return tuple(row(verdict) for verdict in worst_first(judgement))


def worst_first(judgement: Judgement) -> list[Verdict]:
    """The verdicts by status, then by their excess over the margin, then in the given order."""
    return sorted(judgement.verdicts, key=lambda v: (STATUSES.index(status(v)), -_excess(v)))


def row(verdict: Verdict) -> Row:
    """A verdict as strings."""
    digits = _digits(verdict)
    unit = _unit(verdict)
    # A change has a direction. Of the numbers with a bound only leans have one, not shares.
    signs = verdict.rule != "bound" or unit in {"nats", "log units"}

    def shown(value: float, *, with_sign: bool = signs) -> str:
        return "" if math.isnan(value) else wording.fixed(value, digits, with_sign=with_sign)

    low, high = shown(verdict.low), shown(verdict.high)
    margin = shown(verdict.margin, with_sign=False)
    noun = "bound" if verdict.rule == "bound" else "margin"
    return Row(
        status(verdict),
        label(verdict),
        _with(shown(verdict.estimate), unit),
        f"{low} and {high}" if low and high else "",
        f"{noun} {_with(margin, unit)}{_in_styles(verdict)}{_against(verdict)}" if margin else "",
        sentence(verdict.reason),
        tuple(_remarks(verdict, _with(shown(verdict.mde, with_sign=False), unit))),
    )


def heading(judgement: Judgement) -> str:
    """The number of gates and the count of each status: 2 gates: 1 fail, 1 pass."""
    gates = len({verdict.gate for verdict in judgement.verdicts})
    total = wording.counted(gates, "gate")
    if gates != len(judgement.verdicts):
        total += f" with {wording.counted(len(judgement.verdicts), 'verdict')}"
    return f"{total}: {counts(judgement)}"


def counts(judgement: Judgement) -> str:
    """The count of each status, the worst first: 1 fail, 1 pass."""
    found = Counter(status(verdict) for verdict in judgement.verdicts)
    parts = [f"{wording.number(found[word])} {word}" for word in STATUSES if found[word]]
    return ", ".join(parts) or NOTHING


def worst(verdicts: Iterable[Verdict]) -> str:
    """The worst status among verdicts, one of `STATUSES`; `NOTHING` where there are none."""
    return min(map(status, verdicts), key=STATUSES.index, default=NOTHING)


def about(judgement: Judgement) -> str:
    """The record that was judged, and the policy."""
    record, policy = (wording.visible(text, None) for text in (judgement.record, judgement.policy))
    return f"Record {record}, judged by {policy}."


def meaning(judgement: Judgement) -> str:
    """The meaning of the exit code, in a sentence."""
    if judgement.exit_code == 0 and any(v.verdict != "pass" for v in judgement.verdicts):
        return _NOT_STOPPING
    return _EXITS[judgement.exit_code]


def lines(judgement: Judgement) -> list[str]:
    """The whole judgement for a terminal: heading, verdicts with reasons, notes, exit code."""
    printed = [heading(judgement), about(judgement)]
    width = max((len(verdict_row.status) for verdict_row in rows(judgement)), default=0)
    for verdict_row in rows(judgement):
        first, *rest = _row_lines(verdict_row)
        printed.append(f"{verdict_row.status:{width}}  {first}")
        printed += [" " * (width + 2) + line for line in rest]
    return [*printed, *rules(judgement), *notes(judgement), meaning(judgement)]


def word(judgement: Judgement | None) -> str:
    """The worst status of all verdicts in capitals, or that no rule was set."""
    return NO_RULE if judgement is None else worst(judgement.verdicts).upper()


def release(judgement: Judgement | None) -> str:
    """What the rules say, in a line: the counts, and the worst that did not pass; empty if none."""
    if judgement is None:
        return ""
    policy = wording.visible(judgement.policy, None)
    open_ = [verdict for verdict in worst_first(judgement) if status(verdict) != PASS]
    told = [
        f" {label(verdict)}{_against(verdict)}: {status(verdict)}. {sentence(verdict.reason)}"
        for verdict in open_[:_TOLD]
    ]
    more = f" And {wording.number(len(open_) - _TOLD)} more." if len(open_) > _TOLD else ""
    return f"{heading(judgement)}, by {policy}.{''.join(told)}{more}"


def notes(judgement: Judgement) -> list[str]:
    """Further notes on the judgement, one line each."""
    return [f"Note: {wording.visible(note, None)}" for note in judgement.notes]


def rules(judgement: Judgement) -> list[str]:
    """Which rules are older than the numbers they judge, and which may be younger, a line each.

    Each rule has its digest and, where the record tells it, the day of the first record with it.
    """
    told: dict[str, dict[str, None]] = {}
    for verdict in judgement.verdicts:
        if verdict.rule_digest:
            digest = wording.short_digest(verdict.rule_digest)
            since = f", since {wording.date(verdict.rule_first)}" if verdict.rule_first else ""
            # Keys of a dict as an ordered set: a gate may have many verdicts.
            told.setdefault(_age(verdict), {})[f"{name(verdict.gate)} ({digest}{since})"] = None
    return [f"{age}: {', '.join(found)}." for age, found in told.items()]


def _age(verdict: Verdict) -> str:
    """Whether a rule was there before the numbers that it judges, as the head of a list."""
    if verdict.rule_before:
        return "Rules older than the record"
    if verdict.rule_before is None:
        return "Rules of which the record cannot say whether they are older than it"
    if verdict.rule_first:
        return "Rules younger than the first record of these numbers"
    return "Rules that the run did not read before it measured, and that may be younger"


def as_text(verdict: Verdict) -> str:
    """One verdict in a few lines: status and label, numbers, reason."""
    verdict_row = row(verdict)
    first, *rest = _row_lines(verdict_row)
    return "\n".join([f"{verdict_row.status}: {first}", *rest])


def properties(verdict: Verdict) -> list[tuple[str, str | float | int]]:
    """The values of a verdict by name, for other programs; unknown values are omitted."""
    words = {name: getattr(verdict, name) for name in (*_WORDS, *_MORE_WORDS)}
    numbers = {name: getattr(verdict, name) for name in _NUMBERS}
    counts = {name: getattr(verdict, name) for name in _COUNTS}
    waiver = verdict.waiver
    waived = f"{waiver.owner}, until {waiver.until.isoformat()}: {waiver.reason}" if waiver else ""
    texts = {"gate": verdict.gate, "verdict": verdict.verdict, "reason": verdict.reason, **words}
    return [
        *((name, wording.visible(text, None)) for name, text in texts.items() if text),
        *((name, value) for name, value in numbers.items() if not math.isnan(value)),
        *((name, count) for name, count in counts.items() if count is not None),
        *([("waiver", wording.visible(waived, None))] if waived else []),
    ]


def _row_lines(verdict_row: Row) -> list[str]:
    """The lines of a row, without its status."""
    first = (
        f"{verdict_row.label}: {verdict_row.numbers}" if verdict_row.numbers else verdict_row.label
    )
    return [first, *([verdict_row.reason] if verdict_row.reason else []), *verdict_row.more]


def _remarks(verdict: Verdict, mde: str) -> Iterator[str]:
    """A sentence each on the smallest detectable effect, the frames needed, and the waiver."""
    if verdict.verdict == INCONCLUSIVE and mde:
        is_change = isinstance(RULES.get(verdict.rule), Change)
        measure = "change" if is_change else "distance from its limit"
        yield f"The smallest {measure} that this test finds four times in five: {mde}."
    is_average = verdict.holds_in is None
    if (
        verdict.verdict == INCONCLUSIVE
        and is_average
        and isinstance(RULES.get(verdict.rule), Change)
    ):
        # Both one-sided bounds are the ends of a 90 % interval, as two one-sided tests have it.
        most = max(-verdict.low, verdict.high)
        if not math.isnan(most):
            shown = _with(wording.at_most(most, _digits(verdict)), _unit(verdict))
            yield f"The change is at most {shown} either way (90 % interval)."
    if verdict.verdict == INCONCLUSIVE and verdict.frames_needed is not None:
        actual = "" if verdict.n_frames is None else f"; there were {verdict.n_frames:,}"
        frames = "frame" if verdict.frames_needed == 1 else "frames"
        yield f"Would be decided by {caveats.needed(verdict.frames_needed)} {frames}{actual}."
    if verdict.waiver is not None:
        waiver = verdict.waiver
        owner, until = wording.visible(waiver.owner, None), wording.date(waiver.until.isoformat())
        needless = _NEEDLESS.get(verdict.verdict, "")
        yield f"Waived by {owner} until {until}: {_closed(waiver.reason)}{needless}"


def _against(verdict: Verdict) -> str:
    return f" against {wording.visible(verdict.against, None)}" if verdict.against else ""


def _in_styles(verdict: Verdict) -> str:
    if verdict.holds_in is None:
        return ""
    return f" in {verdict.holds_in} of {verdict.n_styles} styles"


def sentence(clause: str) -> str:
    """A clause as a sentence; an opening name, such as that of a file, keeps its case."""
    shown = _closed(clause) if clause else ""
    return wording.opened(shown) if shown.split(" ")[0].rstrip(",.").isalpha() else shown


def _closed(text: str) -> str:
    shown = wording.visible(text, None)
    return shown if shown.endswith((".", "!", "?")) else f"{shown}."


def _with(number: str, unit: str) -> str:
    return f"{number} {unit}".strip() if number else ""


def _unit(verdict: Verdict) -> str:
    """The unit of the judged number; empty for a share or a slope."""
    if verdict.scale == "log":
        return "log units"
    # A bound limits a percentage itself; any other rule judges a change of it.
    if numbers.is_percent(verdict.estimator):
        return "%" if verdict.rule == "bound" else "points"
    entry = numbers.find(verdict.estimator)
    return entry.unit if entry and entry.unit not in {"share", "0 to 1"} else ""


def _excess(verdict: Verdict) -> float:
    """How far a verdict exceeds its margin, in units of the margin; 0 where that is unknown."""
    harmful = -verdict.estimate if verdict.harm == "down" else verdict.estimate
    harmful = abs(harmful) if verdict.harm == "either" else harmful
    # A margin of 0 cannot be a unit; the excess is then left as it is.
    beyond = (harmful - verdict.margin) / (abs(verdict.margin) or 1.0)
    return 0.0 if math.isnan(beyond) else beyond


def _digits(verdict: Verdict) -> int:
    """The fewest decimals, from 2 to 8, that misstate neither the margin nor the bounds.

    The margin must be exact or, from 4 decimals on, at least nonzero. A bound must not round to the
    margin, its negative or 0 unless it equals it. Where 7 decimals do not suffice, returns 8.
    """
    margin = verdict.margin

    def enough(digits: int) -> bool:
        shown = 0.0 if math.isnan(margin) else round(margin, digits)
        is_exact = math.isnan(margin) or math.isclose(shown, margin)
        return (is_exact or (digits >= _ENOUGH_DIGITS and shown != 0)) and all(
            # Of a bound that is the limit itself no digit would show a difference.
            value == limit or round(value, digits) != round(limit, digits)
            for value in (verdict.low, verdict.high)
            for limit in (margin, -margin, 0.0)
        )

    return next(filter(enough, range(_LEAST_DIGITS, _MOST_DIGITS)), _MOST_DIGITS)
