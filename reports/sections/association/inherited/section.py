"""What a candidate keeps of its reference's leans: how much, which ones, and where it strays."""

from maskaudit.audit.estimating.crossed.cells import RELATION
from maskaudit.audit.estimating.registry.names import (
    ASSOCIATION,
    BENIGN_Q,
    ENTROPY_BENIGN,
    FIDELITY,
    FIDELITY_ADJUSTED,
    INHERITANCE,
    SLOPE,
)
from maskaudit.audit.recording.rows.slices import ALL
from maskaudit.reports.blocks import Block, Defined, Part, Text
from maskaudit.reports.effects import Effect, Effects, Names
from maskaudit.reports.sections.association.examples import Between
from maskaudit.reports.sections.association.inherited.classes import (
    against,
    counted,
    named_classes,
)
from maskaudit.reports.sections.association.inherited.fidelity import fidelity
from maskaudit.reports.sections.association.inherited.size import size_of
from maskaudit.reports.sections.association.inherited.table import ROWS, table
from maskaudit.reports.sections.association.sharpness import numbers_of, sharpness_of

TITLE = "What the candidate inherits"
# These compare sentences regardless of the groups.
_OF_ALL_GROUPS = (FIDELITY, FIDELITY_ADJUSTED)


def inherited(between: Between, estimates: Effects, names: Names) -> tuple[Block, ...]:
    """The part of one set that compares both models.

    Empty for a single model, and for a record without these numbers.
    """
    if not names.paired:
        return ()
    relations = _relations(between, estimates)
    # A record of format 1 has no number about both models at once.
    if SLOPE not in relations:
        return ()
    leans = _leans(between, estimates)
    associations = estimates.at(ASSOCIATION, between.slice(ALL), names.models)
    size = size_of(relations, associations, names)
    sharpness = sharpness_of(relations, names)
    margin = between.part.margins.attribute if between.part.margins else None
    sentences = [size, sharpness, counted(leans, margin)]
    blocks: list[Block] = [Text(" ".join(filter(None, sentences)))]
    blocks.append(table(between, relations))
    if leans:
        blocks += [against(between, estimates, names), *named_classes(leans, margin)]
    blocks += [Text(text) for text in fidelity(relations, names)]
    # The sentences have these; the table names its own.
    said = (*(name for name in _OF_ALL_GROUPS if name in relations), *numbers_of(relations))
    blocks += [Defined(said)] if said else []
    return (Part(TITLE, tuple(blocks)),)


def _relations(between: Between, estimates: Effects) -> dict[str, Effect]:
    """The numbers that relate the two models, by name."""
    names = (*ROWS, *_OF_ALL_GROUPS, BENIGN_Q, ENTROPY_BENIGN)
    by_name = {
        name: estimates.at(name, ALL if name in _OF_ALL_GROUPS else between.slice(ALL), (RELATION,))
        for name in names
    }
    return {name: by_subject[RELATION] for name, by_subject in by_name.items() if by_subject}


def _leans(between: Between, estimates: Effects) -> dict[str, Effect]:
    """The change of each attribute's lean, the largest first; `outcome` holds its class."""
    changes = between.leans(estimates, INHERITANCE, RELATION)
    return dict(sorted(changes.items(), key=lambda pair: (-abs(pair[1].estimate), pair[0])))
