"""The bundled pair: what was planted in it, and what the audit recovered."""

import math
from collections.abc import Mapping, Sequence

from maskaudit.audit.estimating.registry.names import ACCURACY
from maskaudit.audit.phantom.truth import ACCEPTED, Recovered, recovered
from maskaudit.audit.recording.manifest import Manifest, Truth
from maskaudit.audit.recording.rows.slices import ALL
from maskaudit.reports.blocks import (
    Block,
    Column,
    Dot,
    Figure,
    Key,
    Row,
    Rows,
    Scatter,
    Section,
    Table,
    Text,
)
from maskaudit.reports.effects import CANDIDATE, REFERENCE, Effects, Names, Tables
from maskaudit.reports.sections.competence import EXEMPT
from maskaudit.reports.words import wording

BANNER = (
    "This is the bundled reference pair, a phantom. Its leans were planted and are known; this "
    "audit is a demonstration and a self-test, and says nothing about any model in use. " + EXEMPT
)
BANNER_ALONE = (
    "This is one model of the bundled reference pair, a phantom. Its leans were planted and are "
    "known; this audit is a demonstration and a self-test, and says nothing about any model in "
    "use. " + EXEMPT
)
_EXPLAINED = (
    "Scanners are tested on a phantom, a body whose true contents are known. The leans of this "
    "pair were written into its training text on purpose, so each number of the instrument can be "
    "held against the truth. On the frames of that text, planted and recovered should agree: slope "
    "1, correlation 1. Frames kept out of the text are judged apart: how far a model this small "
    "carries a lean over to sentences it never saw is a property of the model, not of the "
    "instrument."
)


def known_sets(manifest: Manifest) -> Truth:
    """The truth about those sets of the record whose items are exactly the planted ones."""
    truth = manifest.truth
    assert truth is not None  # noqa: S101 - called for the bundled pair alone
    # By digest and not by name: of other words under the same name nothing was planted.
    digests = {name: part.items_digest for name, part in manifest.probe_sets.items()}
    matching = {name: part for name, part in truth.sets.items() if digests.get(name) == part.items}
    return truth.model_copy(update={"sets": matching})


def planted(
    manifest: Manifest,
    tables: Tables,
    names: Names,
) -> Section:
    """Planted against recovered leans, as charts and a table."""
    truth = known_sets(manifest)
    results, log_kappa = recovered(truth, tables.items, tables.scores)
    titles = {name: wording.visible(part.title) for name, part in manifest.probe_sets.items()}
    blocks: list[Block] = [Text(_EXPLAINED)]
    if results:
        charts = _figures(results, titles, names)
        blocks += [Row(charts)] if charts else []
        blocks.append(_table(results, manifest, names))
        blocks.append(_verdict(results, truth, titles, names))
        kappa = [
            f"on “{titles[name]}” {wording.odds(value)} (planted "
            f"{wording.plain(_kappa(truth, name))})"
            for name, value in log_kappa.items()
        ]
        if kappa:
            blocks.append(
                Text(
                    f"How many times as far {names.the(CANDIDATE)} leans as {names.the(REFERENCE)} "
                    f"was planted too. Recovered: {wording.listed(kappa)}."
                )
            )
    else:
        blocks.append(Text("None of the sets of this audit is one whose leans were planted."))
    blocks += _facts(truth, manifest, tables.effects, names)
    return Section(
        "planted", "Planted against recovered", tuple(blocks), "Planted against recovered"
    )


def _verdict(
    results: Sequence[Recovered],
    truth: Truth,
    titles: Mapping[str, str],
    names: Names,
) -> Text:
    """Whether the planted leans were recovered, by the bounds of the models' acceptance test."""
    # Once, whichever of a set's groups they are between.
    missed = list(
        dict.fromkeys(
            f"“{titles[part.probe_set]}” in {names.the(part.subject)}"
            for part in results
            # No slope means that nothing was planted in the set, so nothing can be missed.
            if not math.isnan(part.slope)
            # Both are needed: r does not see a factor on all leans, nor a slope their scatter.
            and (
                abs(part.slope - 1) > ACCEPTED[truth.subjects[part.subject]]
                or part.r < ACCEPTED["r"]
            )
        )
    )
    rule = (
        f"slope within {ACCEPTED['teacher']} of 1 for the teacher and within "
        f"{ACCEPTED['student']} for the student, correlation at least {ACCEPTED['r']}"
    )
    if missed:
        return Text(
            f"Not recovered ({rule}): {wording.listed(missed)}. There this pair did not learn what "
            "was planted, or the audit did not read it: it should judge nothing until that is "
            "settled.",
            "warning",
        )
    return Text(f"All that was planted is recovered ({rule}).")


def _kappa(truth: Truth, probe_set: str) -> float:
    """The planted ratio of the candidate's leans to the reference's."""
    # By their roles in training: an audit may take either of the two for its reference.
    factors = {"teacher": 1.0, "student": float(truth.sets[probe_set].kappa)}
    return factors[truth.subjects[CANDIDATE]] / factors[truth.subjects[REFERENCE]]


def _figures(
    results: Sequence[Recovered], titles: Mapping[str, str], names: Names
) -> tuple[Figure, ...]:
    """A chart a set, of its first two groups: the table has the others."""
    figures = []
    first = {part.probe_set: part.groups for part in reversed(results)}
    for probe_set, groups in reversed(first.items()):
        estimable = [
            part
            for part in results
            # Without a slope nothing was planted, and there is no line to draw dots around.
            if (part.probe_set, part.groups) == (probe_set, groups) and not math.isnan(part.slope)
        ]
        if estimable:
            slopes = [f"{names.the(p.subject)} {wording.plain(p.slope, 3)}" for p in estimable]
            figures.append(
                Figure(
                    f"planted-{probe_set}",
                    titles[probe_set],
                    f"Recovered against planted log-odds on “{titles[probe_set]}”, a dot an "
                    "attribute, with the line on which the two are the same. Slope: "
                    f"{wording.listed(slopes)}.",
                    Scatter(
                        tuple(dot for part in estimable for dot in _dots(part, names)),
                        "planted, nats",
                        "recovered, nats",
                    ),
                    tuple(Key(part.subject, names.label(part.subject)) for part in estimable),
                    "half",
                )
            )
    return tuple(figures)


def _dots(part: Recovered, names: Names) -> list[Dot]:
    return [
        Dot(
            planted,
            measured,
            part.subject,
            f"{wording.visible(attribute)}, {names.label(part.subject)}: planted "
            f"{wording.signed(planted)}, recovered {wording.signed(measured)}",
        )
        for attribute, planted, measured in zip(
            *(part.planted[name].tolist() for name in ("attribute", "planted", "measured")),
            strict=True,
        )
    ]


def _table(results: Sequence[Recovered], manifest: Manifest, names: Names) -> Table:
    blocks = []
    for probe_set, groups in dict.fromkeys((part.probe_set, part.groups) for part in results):
        rows = tuple(
            (
                names.head(part.subject),
                wording.plain(part.slope, 3),
                wording.plain(part.r, 3),
                wording.plain(part.unseen_slope, 3),
                # Plain text: it is an interval of 90 %, and a page counts those of 95 %.
                str(
                    wording.with_interval(
                        part.contrast.estimate, part.contrast.low, part.contrast.high
                    )
                ),
            )
            for part in results
            if (part.probe_set, part.groups) == (probe_set, groups)
        )
        described = manifest.probe_sets[probe_set]
        title = wording.visible(described.title)
        if len(described.groups) > len(groups):
            title += f": {wording.listed([described.groups[group].label for group in groups])}"
        blocks.append(Rows(rows, title))
    return Table(
        "planted-recovered",
        "Planted against recovered, by set and model",
        (
            Column("Model", is_number=False),
            Column("Slope"),
            Column("Correlation"),
            Column("Slope, frames not in its text"),
            Column("Contrast on the frames of the text, nats (90 % interval)"),
        ),
        tuple(blocks),
        basis="Slopes and correlations are held against the truth and have no interval (scope S0: "
        "speaks of these very sentences and no others); the contrast speaks of other attributes "
        "and other sentences (scope S2). Not tested.",
        note=f"{wording.UNKNOWN}: nothing was planted there, so there is no line to recover; the "
        "contrast should be near zero. The contrasts above also use frames kept out of that text, "
        "and so differ.",
    )


def _facts(
    truth: Truth,
    manifest: Manifest,
    estimates: Effects,
    names: Names,
) -> list[Block]:
    """How many facts were planted and how many were recovered.

    Empty unless the bundled facts are the only set of facts in the record.
    """
    facts = [name for name, part in manifest.probe_sets.items() if part.kind == "cloze"]
    # The index below does not tell sets apart: of two sets of facts it gives one, and only of the
    # bundled one it is known what was planted.
    if facts != ["facts"] or not truth.facts:
        return []
    by_model = estimates.at(ACCURACY, ALL, names.models)
    clauses = [
        f"{names.the(model)} was taught {len(truth.facts[truth.subjects[model]])} facts and "
        f"fills {round(effect.estimate * effect.n_frames)} of {effect.n_frames} rightly"
        for model, effect in by_model.items()
    ]
    return [Text(f"{wording.opened(wording.listed(clauses))}.")] if clauses else []
