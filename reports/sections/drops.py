"""The table of what each kind of sentence of a set of facts costs the models."""

import math

from maskaudit.audit.estimating.registry.names import CHOICE_DROP, DROP
from maskaudit.audit.recording.manifest import ProbeSet
from maskaudit.reports.blocks import Block, Cell, Column, Defined, Rows, Table
from maskaudit.reports.effects import DIFFERENCE, Effect, Effects, Names
from maskaudit.reports.sections import measures
from maskaudit.reports.words import caveats, wording

_COUNTED = {DROP: "facts filled right", CHOICE_DROP: "right choices"}
_NOTE = (
    "p: an exact test on the same facts in both kinds of sentence; McNemar’s where each kind asks "
    f"for a fact once. {caveats.MDE}"
)


def drops(
    probe_set: str, part: ProbeSet, estimates: Effects, estimator: str, names: Names
) -> list[Block]:
    """What each kind costs each model against the plain kind; empty without a plain kind.

    `estimator` says what is counted, first fills or choices.
    """
    chosen = estimates.of_estimators({estimator})
    if not chosen or not part.plain:
        return []
    rows = []
    for slice_ in chosen.slices:
        by_subject = chosen.at(estimator, slice_, names.subjects)
        count = wording.number(max(effect.n_frames for effect in by_subject.values()))
        cells: list[str | Cell] = []
        for subject in names.subjects:
            effect = by_subject.get(subject)
            cells += [
                wording.UNKNOWN if effect is None else points_cell(effect, "every fact alike"),
                measures.p_cell(effect),
            ]
        rows.append((measures.slice_label(slice_, {}), count, *cells))
    columns = [Column("Kind", is_number=False), Column("Facts")]
    for subject in names.subjects:
        head = "Difference" if subject == DIFFERENCE else names.label(subject)
        columns += [Column(f"{head}, points"), Column("p, not adjusted")]
    plain = " or ".join(f"“{name.replace('_', ' ').replace('-', ' ')}”" for name in part.plain)
    table = Table(
        f"{estimator}-{probe_set}",
        f"What a kind of sentence costs: {_COUNTED[estimator]} in the plain kind ({plain}) less in "
        "this one, in points, with 95 % intervals",
        tuple(columns),
        (Rows(tuple(rows)),),
        note=_NOTE,
        basis=caveats.scopes(chosen.scopes, {"S1": "other facts of the same kinds"}),
    )
    return [table, Defined((estimator,))]


def points_cell(effect: Effect, alike: str) -> str | Cell:
    """A difference of shares in points with its interval, or the note that nothing differs."""
    shown = wording.points(effect.estimate)
    # Where nothing varied, an interval of no width would look like certainty.
    if effect.std_error == 0:
        return caveats.beside(shown, alike)
    if not math.isnan(effect.low):
        shown += f" ({wording.points(effect.low)} to {wording.points(effect.high)})"
        shown = wording.Interval(shown, effect.low, effect.high)
    least = caveats.could_find(effect, lambda value: wording.plain(100 * value, 0))
    return caveats.beside(shown, least, caveats.refusal(effect))
