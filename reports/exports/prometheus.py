"""An audit in Prometheus' text format, version 0.0.4, for node_exporter's textfile collector.

Names follow Prometheus' conventions: a unit at the end of a name, one unit to a name, shares as
ratios from 0 to 1, time in seconds. Every sample is labelled with the candidate, so that files of
several candidates may lie in one folder, where no two samples may be the same.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from maskaudit.audit.estimating.headline import headlines
from maskaudit.audit.estimating.numbers import find, is_percent, share_of
from maskaudit.audit.estimating.statistics.interval import LEVEL
from maskaudit.reports.effects import CANDIDATE, REFERENCE
from maskaudit.reports.exports.audited import Audited, lost_items, shown
from maskaudit.reports.words import verdicts, wording

# What a name ends in, by the unit of a number that is no share of a whole.
UNITS = {
    "": "",
    "nats": "_nats",
    "nats²": "_nats_squared",
    "nats squared": "_nats_squared",
    "log of a factor": "_log_factor",
    "bits": "_bits",
    "0 to 1": "_ratio",
    "standard deviations": "_standard_deviations",
    "fills": "_fills",
    "pieces": "_pieces",
    "words": "_words",
    "perplexity": "_perplexity",
}
_PARTS = {
    "": "Estimate of a headline number",
    "_low": f"Low end of the {wording.level(LEVEL)} interval of a headline number",
    "_high": f"High end of the {wording.level(LEVEL)} interval of a headline number",
}


@dataclass
class _Gauge:
    """One metric: its name, what it is, and its samples by labels."""

    name: str
    meaning: str
    samples: dict[tuple[tuple[str, str], ...], float] = field(default_factory=dict)

    def add(self, labels: Mapping[str, str], value: float) -> None:
        """Add a sample, unless its value is unknown: an absent sample is Prometheus' unknown.

        Of two with the same labels, which one of a stranger's records might have, the first stays:
        a collector refuses a whole file in which two samples are the same.
        """
        if not math.isnan(value):
            self.samples.setdefault(tuple(labels.items()), value)

    def lines(self) -> Iterator[str]:
        """The metric as it is written; nothing without samples."""
        if self.samples:
            yield f"# HELP {self.name} {self.meaning}"
            yield f"# TYPE {self.name} gauge"
        for labels, value in self.samples.items():
            listed = ",".join(f'{name}="{_escaped(text)}"' for name, text in labels)
            yield f"{self.name}{{{listed}}} {_number(value)}"


def prometheus(audited: Audited) -> str:
    """Headline estimates with their intervals, lost items, the audit's time, and verdicts."""
    gauges = [*_estimates(audited), _lost(audited), *_of_audit(audited), *_verdicts(audited)]
    return "".join(f"{line}\n" for gauge in gauges for line in gauge.lines())


def _estimates(audited: Audited) -> Iterator[_Gauge]:
    """A metric for each unit and each end of the interval; samples of one name stand together."""
    gauges = {
        (part, unit): _Gauge(f"maskaudit_estimate{part}{unit}", f"{meaning}, {_in_words(unit)}.")
        for unit in dict.fromkeys(UNITS.values())
        for part, meaning in _PARTS.items()
    }
    for row in headlines(audited.record.estimates).to_dict("records"):
        unit, whole = _unit(row["estimator"])
        labels = {
            "candidate": audited.names[CANDIDATE],
            "probe_set": shown(row["probe_set"]),
            "estimator": shown(row["estimator"]),
            "slice": shown(row["slice"]),
            "subject": row["subject"],
            "model": audited.names[row["subject"]],
        }
        for part, column in (("", "estimate"), ("_low", "low"), ("_high", "high")):
            gauges[part, unit].add(labels, row[column] / whole)
    yield from gauges.values()


def _unit(estimator: str) -> tuple[str, float]:
    """What the name of a metric ends in for this number, and what the number is divided by."""
    if is_percent(estimator):
        return "_ratio", 100.0
    whole = share_of(estimator)
    if whole is not None:
        return "_ratio", whole
    entry = find(estimator)
    # A number of another version may be unknown here.
    return UNITS[entry.unit] if entry else "", 1.0


def _in_words(unit: str) -> str:
    if unit == "_ratio":
        return "from 0 to 1, or a difference of two such numbers"
    return f"in {unit.strip('_').replace('_', ' ')}" if unit else "without a unit"


def _lost(audited: Audited) -> _Gauge:
    gauge = _Gauge("maskaudit_lost_items", "Items of a set that a model has no score of.")
    for (probe_set, model), items in lost_items(audited.record).items():
        labels = {
            "candidate": audited.names[CANDIDATE],
            "probe_set": shown(probe_set),
            "subject": model,
            "model": audited.names[model],
        }
        gauge.add(labels, items)
    return gauge


def _of_audit(audited: Audited) -> Iterator[_Gauge]:
    """When the audit was made, and by what."""
    manifest, names = audited.record.manifest, audited.names
    candidate = {"candidate": names[CANDIDATE]}
    made = datetime.fromisoformat(manifest.created)
    when = made if made.tzinfo else made.replace(tzinfo=UTC)
    time = _Gauge("maskaudit_audit_timestamp_seconds", "When the audit was made, in Unix time.")
    time.add(candidate, when.timestamp())
    yield time
    info = _Gauge("maskaudit_audit_info", "The record, the reference and the version; always 1.")
    reference = names[REFERENCE] if REFERENCE in manifest.models else ""
    record = shown(audited.record.name)
    about = {"record": record, "reference": reference, "version": shown(manifest.maskaudit)}
    info.add({**candidate, **about}, 1)
    yield info


def _verdicts(audited: Audited) -> Iterator[_Gauge]:
    """Each verdict as a sample for every status, of which one is 1, and the exit code of all.

    A verdict that changes then changes values, and no series ends.
    """
    if audited.judgement is None:
        return
    candidate = {"candidate": audited.names[CANDIDATE]}
    gauge = _Gauge("maskaudit_verdict", "Whether the verdict of a gate has this status, 1 or 0.")
    # The worst first, so that it is the one that stays where two have one name.
    for verdict in verdicts.worst_first(audited.judgement):
        status = verdicts.status(verdict)
        labels = {
            **candidate,
            "gate": shown(verdict.gate),
            "name": shown(verdict.name),
            "rule": shown(verdict.rule),
            "probe_set": shown(verdict.probe_set),
            "estimator": shown(verdict.estimator),
            "slice": shown(verdict.slice),
            "subject": shown(verdict.subject),
        }
        for other in verdicts.STATUSES:
            gauge.add({**labels, "status": other.replace(" ", "_")}, float(other == status))
    yield gauge
    code = _Gauge("maskaudit_gates_exit_code", "What the gates end with: 0 pass, 1 fail, 3 open.")
    code.add(candidate, audited.judgement.exit_code)
    yield code


def _escaped(text: str) -> str:
    # The backslash first: later it would escape the other escapes again.
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _number(value: float) -> str:
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    # The shortest text that reads back as the same number, and a count without a point.
    return repr(float(value)).removesuffix(".0")
