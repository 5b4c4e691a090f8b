"""Main effects and interactions of the factors that a set's groups are crossed by."""

from maskaudit.audit.estimating.registry.names import (
    MAIN_EFFECT,
    OF_FACTORS,
    without_groups,
)
from maskaudit.audit.recording.manifest import ProbeSet
from maskaudit.audit.recording.rows.slices import Slice
from maskaudit.reports.blocks import Block, Cell, Column, Named, Part, Rows, Table, Text
from maskaudit.reports.effects import DIFFERENCE, Effects, Names
from maskaudit.reports.sections import measures
from maskaudit.reports.sections.contrasts.tested import label
from maskaudit.reports.words import caveats, wording

_EXPLAINED = (
    "The groups cross {factors}. A main effect is between two levels of one factor, the mean over "
    "the others; an interaction is what one effect is at the first level of the other factor less "
    "what it is at the second. {positive}"
)


def factors(probe_set: str, part: ProbeSet, estimates: Effects, names: Names) -> list[Block]:
    """The effects of a set's factors, as a part of its section; empty without any."""
    chosen = estimates.where(lambda row: without_groups(row.estimator) in OF_FACTORS)
    if not chosen or not part.factors:
        return []
    rows = []
    for name, slice_ in dict.fromkeys((row.estimator, row.slice) for row in chosen.all):
        by_subject = chosen.at(name, slice_, names.subjects)
        cells: list[str | Cell] = []
        for subject in names.subjects:
            effect = by_subject.get(subject)
            cells += [
                wording.UNKNOWN if effect is None else caveats.nats(effect),
                measures.p_cell(effect),
            ]
        rows.append((Named(_title(name, slice_), name), *cells))
    columns = [Column("Effect", is_number=False)]
    for subject in names.subjects:
        head = "Difference" if subject == DIFFERENCE else names.label(subject)
        columns += [Column(f"{head}, nats"), Column("p, not adjusted")]
    table = Table(
        f"factors-{probe_set}",
        "Main effects and interactions, with 95 % intervals",
        tuple(columns),
        (Rows(tuple(rows)),),
        note=caveats.MDE,
        basis=f"{_counts(chosen)} {caveats.scopes(chosen.scopes)}",
    )
    named = list(dict.fromkeys(factor for own in part.factors.values() for factor in own))
    positive = (
        f"Positive: words of “{label(part.classes, part.contrast[0])}” rather than of "
        f"“{label(part.classes, part.contrast[1])}” go with what is named first."
        # With directions a main effect has the classes of its own levels, and no one sentence fits
        # all.
        if part.contrast and not part.directions
        else ""
    )
    crossed = wording.listed([_plain(name) for name in named])
    text = Text(_EXPLAINED.format(factors=crossed, positive=positive).rstrip())
    return [Part("Main effects and interactions", (text, table))]


def _counts(chosen: Effects) -> str:
    """How many attributes and frames an effect rests on."""
    attributes = max(row.effect.n_attributes for row in chosen.all)
    frames = max(row.effect.n_frames for row in chosen.all)
    return f"{wording.counted(attributes, 'attribute')} in {wording.counted(frames, 'frame')}."


def _title(name: str, slice_: Slice) -> str:
    """What an effect is of, and between which levels."""
    between = " and ".join(map(_plain, slice_.groups))
    # A name has its factors behind a space, as `interaction gender/race`.
    own = name.partition(" ")[2].split("/")
    if without_groups(name) == MAIN_EFFECT:
        return f"{_plain(own[0])}: {between}"
    first, second = map(_plain, slice_.groups)
    return f"{' by '.join(map(_plain, own))}: {first}, by {second}"


def _plain(name: str) -> str:
    return wording.visible(name.replace("_", " "))
