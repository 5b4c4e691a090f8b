"""The distance between the predictions of two models, whatever their leans."""

import math
from dataclasses import replace

import pandas as pd

from maskaudit.audit.estimating.estimators.divergence import MODELS
from maskaudit.audit.recording.manifest import Manifest
from maskaudit.audit.recording.rows.slices import ALL
from maskaudit.reports.blocks import Block, Column, Rows, Section, Table, Text
from maskaudit.reports.effects import CANDIDATE, REFERENCE, RELATION, Effect, Effects, Names, Tables
from maskaudit.reports.sections import measures
from maskaudit.reports.words import caveats, wording

_TITLE = "How far apart the two models are"
_TITLES = {
    "kl": ("KL divergence, nats", "how much the candidate’s expectations surprise the reference’s"),
    "jsd": ("Jensen–Shannon divergence, bits", "0 where both expect the same, 1 where nothing"),
    "tv": ("Total variation", "0 where both expect the same, 1 where nothing"),
    "top1": ("Same likeliest word", "share of the sentences"),
    "agreement@10": ("Shared among the ten likeliest", "share of the words"),
}
_SCOPES = {"S1": "other sentences of the same kind"}
_SHARES = {"top1", "agreement@10"}
_UNBOUNDED = {"kl"}  # all others lie between 0 and 1
_DIGITS = 2
_DISTANCES = [part.name for part in MODELS]


def distance(manifest: Manifest, tables: Tables, names: Names) -> Section:
    """The distances of each set with intervals; for an older record, plain means without them."""
    related = tables.effects.where(
        lambda row: (row.subject, row.slice) == (RELATION, ALL) and row.estimator in _DISTANCES
    )
    # Records of format 1 have the distances, and no estimates of them.
    means = None if related else _means(manifest, tables)
    if not related and means is None:
        why = manifest.not_measured or ["This record has no such measurement."]
        return Section(
            "distance",
            _TITLE if names.paired else "Distance to another model",
            tuple(Text(f"Not measured. {wording.visible(reason, None)}") for reason in why),
            "Distance",
        )
    certain = "with 95 % intervals, and none is tested" if means is None else "without intervals"
    text = Text(
        f"All that {names.the(REFERENCE)} and {names.the(CANDIDATE)} expect in the hidden place, "
        "compared over the whole vocabulary. This has nothing to do with groups: two models can be "
        f"far apart and lean alike. The numbers are averages over sentences, {certain}."
    )
    if means is not None:
        return Section("distance", _TITLE, (text, means), "Distance")
    blocks: tuple[Block, ...] = (text, *_estimated(manifest, related))
    return Section("distance", _TITLE, blocks, "Distance")


def _estimated(manifest: Manifest, related: Effects) -> tuple[Block, ...]:
    measured = related.estimators
    rows = []
    for probe_set in dict.fromkeys(row.probe_set for row in related.all):
        effects = related.of_set(probe_set)
        by_measure = {name: effects.at(name, ALL, (RELATION,)) for name in measured}
        cells = [
            measures.number(name, _possible(name, by_subject[RELATION]), RELATION, _DIGITS)
            if by_subject
            else wording.UNKNOWN
            for name, by_subject in by_measure.items()
        ]
        title = wording.visible(manifest.probe_sets[probe_set].title)
        sizes = (
            wording.number(max(getattr(row.effect, count) for row in effects.all))
            # Of numbers over units the first counts the units and the second their clusters.
            for count in ("n_frames", "n_attributes")
        )
        rows.append((title, *sizes, *cells))
    columns = [Column("Set", is_number=False), Column("Sentences"), Column("Clusters")]
    columns += [
        Column(_TITLES[name][0] if name in _TITLES else name, number=name) for name in measured
    ]
    table = Table(
        "distances",
        "Averages over the sentences of each set, with 95 % intervals",
        tuple(columns),
        (Rows(tuple(rows)),),
        note="Not tested. A cluster is a frame, or what else hangs together. Limits are cut at "
        "what is possible.",
        basis=caveats.scopes(related.scopes, _SCOPES),
        is_compact=True,
    )
    return (table,)


def _possible(name: str, effect: Effect) -> Effect:
    """The same effect with its limits clipped to the range of a distance or a share."""
    # A jackknife interval is symmetric and knows of no range.
    highest = math.inf if name in _UNBOUNDED else 1.0
    if math.isnan(effect.low):
        return effect
    return replace(effect, low=max(effect.low, 0.0), high=min(effect.high, highest))


def _means(manifest: Manifest, tables: Tables) -> Table | None:
    """The means of the distances kept by the scoring pass; None where it kept none."""
    paired, items = tables.paired, tables.items
    between = paired[(paired["model"] == REFERENCE) & (paired["other_model"] == CANDIDATE)]
    if between.empty:
        return None
    # A sentence counts once in a set, whatever number of targets is asked in it.
    probes = items.loc[items["role"] == "probe", ["probe_set", "context"]].drop_duplicates()
    means = (
        probes.merge(between[["context", "measure", "value"]], on="context")
        .groupby(["probe_set", "measure"])["value"]
        .mean()
    )
    counts = probes[probes["context"].isin(between["context"])].groupby("probe_set").size()
    rows = tuple(
        (
            wording.visible(part.title),
            wording.number(int(counts[probe_set])),
            *(_mean(measure, means.get((probe_set, measure))) for measure in _TITLES),
        )
        for probe_set, part in manifest.probe_sets.items()
        if probe_set in counts
    )
    columns = [Column("Set", is_number=False), Column("Sentences")]
    columns += [Column(column) for column, _ in _TITLES.values()]
    meanings = "; ".join(f"{column}: {meaning}" for column, meaning in _TITLES.values())
    return Table(
        "distances",
        "Averages over the sentences of each set",
        tuple(columns),
        (Rows(rows),),
        note=f"{meanings}.",
        basis="Scope S0: speaks of these very sentences and no others; without intervals, and not "
        "tested.",
    )


def _mean(measure: str, value: float | None) -> str:
    if value is None or pd.isna(value):
        return wording.UNKNOWN
    return wording.percent(float(value)) if measure in _SHARES else wording.plain(float(value), 3)
