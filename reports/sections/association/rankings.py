"""How well a set ranks its attributes: information, not a verdict on any level or difference."""

from maskaudit.audit.estimating.registry.names import DEPENDABILITY, FRAMES_NEEDED, GENERALIZABILITY
from maskaudit.audit.recording.rows.slices import ALL
from maskaudit.reports.blocks import Block, Cell, Column, Folded, Rows, Table, Text
from maskaudit.reports.effects import Effect, Effects, Names
from maskaudit.reports.sections.association.examples import Between
from maskaudit.reports.words import caveats, wording

_TOO_FEW = {"too_few_frames", "too_few_attributes"}
_EXPLAINED = (
    "How far the order of the attributes would come out the same with other frames. This is "
    "about rankings alone: the contrasts above carry their own intervals. The difference "
    "between two models is not ranked here; where they lean alike it has nothing to rank, and its "
    "G near 0 would be no fault."
)


def rankings(between: Between, estimates: Effects, names: Names) -> tuple[Block, ...]:
    """G, Φ and the frames needed for a dependable ranking, for each model; collapsed."""
    slice_ = between.slice(ALL)
    numbers = {
        name: estimates.at(name, slice_, names.models)
        for name in (GENERALIZABILITY, DEPENDABILITY, FRAMES_NEEDED)
    }
    if not numbers[GENERALIZABILITY]:
        return ()
    rows = tuple(
        (
            names.head(model),
            *(_share(numbers[name][model]) for name in (GENERALIZABILITY, DEPENDABILITY)),
            _needed(numbers[FRAMES_NEEDED][model]),
            wording.number(numbers[FRAMES_NEEDED][model].n_frames),
            wording.number(numbers[FRAMES_NEEDED][model].n_attributes),
        )
        for model in names.models
        if all(model in by_model for by_model in numbers.values())
    )
    table = Table(
        f"rankings-{between.tag}",
        "How well the set ranks its attributes, with 95 % intervals",
        (
            Column("Model", is_number=False),
            Column("G, order alone", number=GENERALIZABILITY),
            Column("Φ, order and height", number=DEPENDABILITY),
            Column("Frames for Φ of .95", number=FRAMES_NEEDED),
            Column("Frames here"),
            Column("Attributes"),
        ),
        (Rows(rows),),
        note="Not tested. The frames needed are a point without an interval.",
        basis=caveats.scopes(effect.scope for effect in numbers[GENERALIZABILITY].values()),
    )
    # Folded, since it says something of the set and nothing of a model's lean.
    return (Folded("How well this set ranks its attributes", (Text(_EXPLAINED), table)),)


def _needed(effect: Effect) -> str:
    # A refused number is NaN too, which `needed` would read as one that no frames suffice for.
    return caveats.refusal(effect) if effect.flag in _TOO_FEW else caveats.needed(effect.estimate)


def _share(effect: Effect) -> str | Cell:
    return caveats.beside(wording.fixed_interval(effect.numbers, 3), caveats.refusal(effect))
