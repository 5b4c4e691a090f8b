"""Named numbers beside their definitions: of estimators that a record may hold, any of them."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from maskaudit.audit.estimating import cloze
from maskaudit.audit.estimating.clustered import EXACT, WILSON
from maskaudit.audit.estimating.crossed import (
    ASSOCIATION,
    BEYOND_WORLD,
    CONTRAST,
    DEPENDABILITY,
    FRAMES_NEEDED,
    GENERALIZABILITY,
    LARGEST,
    LEAN,
    MAGNITUDE,
    WORLD_INTERCEPT,
    WORLD_SLOPE,
)
from maskaudit.audit.estimating.estimators import Estimator, UnitEstimator
from maskaudit.audit.estimating.estimators.catalogue import ALL
from maskaudit.audit.estimating.estimators.log_odds import LOG_ODDS
from maskaudit.audit.estimating.estimators.prior import LPBS, PRIOR
from maskaudit.audit.estimating.teacher_student import (
    CORRELATION,
    EXPECTED_SIGN_CHANGES,
    FIDELITY,
    FIDELITY_ADJUSTED,
    FLIPS,
    INHERITANCE,
    LOG_KAPPA,
    LOG_MAGNITUDE_RATIO,
    SIGN_CHANGES,
    SLOPE,
)
from maskaudit.audit.recording.manifest import ProbeSet
from maskaudit.audit.recording.slices import ALL as ALL_SLICE
from maskaudit.audit.recording.slices import Slice
from maskaudit.reports import caveats, wording
from maskaudit.reports.blocks import Block, Cell, Column, Definitions, Folded, Rows, Table, Term
from maskaudit.reports.effects import DIFFERENCE, Effect, Effects, Names

ACCURACY, NEGATED = cloze.ACCURACY, cloze.NEGATED
# The numbers of a set with groups that its table of results and its table of leans show.
RESULTS = (
    CONTRAST,
    LOG_ODDS.name,
    ASSOCIATION,
    MAGNITUDE,
    PRIOR.name,
    LPBS.name,
    f"{CONTRAST}_{LPBS.name}",
)
# What is shown in a place of its own, and so among no further measures.
PLACED = (
    *RESULTS,
    *(LEAN, LARGEST),
    *(GENERALIZABILITY, DEPENDABILITY, FRAMES_NEEDED),
    *(WORLD_SLOPE, WORLD_INTERCEPT, BEYOND_WORLD),
)
# What is about both models together.
INHERITED = (
    *(SLOPE, LOG_KAPPA, CORRELATION, LOG_MAGNITUDE_RATIO),
    *(FLIPS, SIGN_CHANGES, EXPECTED_SIGN_CHANGES),
    *(INHERITANCE, FIDELITY, FIDELITY_ADJUSTED),
)
_PERCENT_DIGITS, _DIGITS, _MOST_DIGITS = 2, 3, 8
# Numbers that are made of an estimator's cells, or that stand for themselves.
_OWN: Mapping[str, tuple[str, ...]] = {
    CONTRAST: (
        (
            "The average log-odds of the class of attributes that a stereotype ties to the first "
            "group, less that of the class tied to the second, in the same frames. Positive "
            "follows the stereotype. Unit: nats."
        ),
        "Does not show: a lean that is the same for both classes, or one inside a class.",
    ),
    f"{CONTRAST}_{LPBS.name}": (
        "The same contrast of the averages beyond the prior. Unit: nats.",
        "Does not show: what the contrast does not show.",
    ),
    LEAN: (
        (
            "An attribute’s log-odds less the average of the set’s attributes, frame by frame. "
            "Unit: nats."
        ),
        "Does not show: how far the whole set leans.",
    ),
    LARGEST: (
        (
            "The lean times the share of its variance that is not noise, for the ten largest of a "
            "subject. Unit: nats."
        ),
        "Does not show: how sure it is; the interval beside it is that of the raw lean.",
    ),
    ASSOCIATION: (
        (
            "How far the attributes depart from the set’s average attribute, whichever way: the "
            "average over attributes of the squared lean, from products of two different frames, "
            "so that noise adds nothing. 0 or below: no association found. Its p is that of a "
            "permutation test (labels of the groups swapped frame by frame). Unit: nats²."
        ),
        "Does not show: a lean that all attributes share, or the direction of any.",
    ),
    MAGNITUDE: (
        (
            "How far the attributes lean at all: the average over attributes of the squared "
            "log-odds, from products of two different frames, so that noise adds nothing. It may "
            "come out below 0, which is read as 0. Unit: nats²."
        ),
        (
            "Does not show: whether what it finds is about attributes, or only how common the "
            "groups’ words are."
        ),
    ),
    GENERALIZABILITY: (
        (
            "G: the share of the variance between attributes’ averages that other frames would "
            "find again, when only the order of the attributes matters (Brennan 2001; ICC(C,k)). "
            "0 to 1."
        ),
        (
            "Does not show: whether a level or a difference is precise; a difference of two models "
            "that lean alike has G near 0 however well it is known."
        ),
    ),
    DEPENDABILITY: (
        (
            "Φ: the same when the height of the numbers matters too, so that frames that move all "
            "attributes count as noise (Brennan 2001; ICC(A,k)). 0 to 1."
        ),
        "Does not show: whether a level or a difference is precise.",
    ),
    FRAMES_NEEDED: (
        "The least number of frames with which Φ would be .95 or more.",
        "Does not show: how many frames a contrast or a difference needs.",
    ),
    WORLD_SLOPE: (
        (
            "How steeply the log-odds of an attribute rise with the logit of its share in the "
            "world, by least squares over attributes. 1 follows the world; 0 does not follow it; "
            "the difference of two models is held against 0. Shares below .005 or above .995 are "
            "taken as these."
        ),
        (
            "Does not show: whether the world’s shares are the right yardstick; noise in the "
            "shares flattens the slope."
        ),
    ),
    WORLD_INTERCEPT: (
        (
            "The log-odds that the line over the world’s shares has at a share of one half. "
            "Unit: nats."
        ),
        "Does not show: a lean that grows with the share; that is the slope.",
    ),
    BEYOND_WORLD: (
        (
            "Log-odds less the logit of the share in the world: 0 where a model’s share is the "
            "world’s. Positive: more of the first group than in the world. Unit: nats."
        ),
        (
            "Does not show: whether the world’s share is itself fair, or the one that the model’s "
            "text had."
        ),
    ),
    SLOPE: (
        (
            "How steeply the candidate’s leans follow the reference’s: the covariance over "
            "attributes of the two, over the reference’s variance, each from products of two "
            "different frames, so that noise, shared or not, does not flatten it. 1: inherited as "
            "they are."
        ),
        (
            "Does not show: leans of the candidate that the reference has no part in, or a shift "
            "that all attributes share."
        ),
    ),
    LOG_KAPPA: (
        (
            "Amplification, as a logarithm: half the log of the candidate’s association over the "
            "reference’s. Its exponential says how many times as large the leans are; 0 is as "
            "large. Unit: log of a factor."
        ),
        "Does not show: whether the leans are the same ones; the correlation does.",
    ),
    CORRELATION: (
        (
            "The correlation of the two models’ leans over attributes, with the noise of the "
            "frames taken out. 1: the same pattern. It may come out slightly above 1."
        ),
        "Does not show: how large the leans are.",
    ),
    LOG_MAGNITUDE_RATIO: (
        (
            "Half the log of the candidate’s magnitude over the reference’s: like amplification, "
            "with the average that all attributes share included. Unit: log of a factor."
        ),
        "Does not show: whether what grew is an association or a common shift.",
    ),
    FLIPS: (
        (
            "The share of attributes that lean one way in the reference and the other way in the "
            "candidate, both with a p below .05 (Benjamini and Hochberg over the attributes). 0 to "
            "1."
        ),
        "Does not show: flips that are too small to be shown.",
    ),
    SIGN_CHANGES: (
        "The share of attributes whose estimated lean has the other sign in the candidate. 0 to 1.",
        "Does not show: real changes; leans near zero change their sign by noise.",
    ),
    EXPECTED_SIGN_CHANGES: (
        (
            "The share of sign changes that noise alone would give, were the leans the same: "
            "arccos of the correlation that two measurements of the same leans would have, over π. "
            "0 to 1."
        ),
        "Does not show: which of the attributes changed by more than noise.",
    ),
    INHERITANCE: (
        (
            "An attribute’s lean in the candidate less that in the reference, with the class that "
            "the credible signs of both and of this change give it. Unit: nats."
        ),
        "Does not show: that an undecided attribute did not change.",
    ),
    FIDELITY: (
        (
            "How much further the candidate’s expectations are from the reference’s (KL "
            "divergence over the vocabulary) in sentences with the set’s attributes than in "
            "neutral sentences in the same frames. 0: no further. Unit: nats."
        ),
        (
            "Does not show: in which direction the expectations moved, or whether it has to do "
            "with groups at all."
        ),
    ),
    FIDELITY_ADJUSTED: (
        (
            "The same with the reference’s entropy in each sentence held equal, by least squares "
            "within frames: an open place leaves more room to differ. Unit: nats."
        ),
        "Does not show: what entropy does other than in a straight line.",
    ),
    ACCURACY: (
        "The share of facts whose likeliest word is a right answer.",
        "Does not show: how sure the model is, or whether the right answer comes second.",
    ),
    NEGATED: (
        "The share of negated sentences whose likeliest word is the answer that is now wrong.",
        "Does not show: what a right answer to the negated sentence would be.",
    ),
}


def estimator_of(name: str) -> Estimator | None:
    """The estimator that a number comes from, by its own name or by one of its numbers."""
    name = name.partition(" ")[0]  # "log_odds women/men" where a set has several groups
    name = name.removesuffix(WILSON).removesuffix(EXACT)
    for part in ALL:
        own = {key for numbers in _numbers_of(part).values() for key in numbers}
        if name == part.name or name in own:
            return part
    return None


def _numbers_of(part: Estimator) -> Mapping[str, Mapping[str, Any]]:
    return part.numbers if isinstance(part, UnitEstimator) else {}


def by_estimator(estimates: Effects) -> dict[str, list[str]]:
    """The names of the numbers of some estimates, by the estimator that they come from."""
    found: dict[str, list[str]] = {}
    for name in estimates.estimators:
        part = estimator_of(name)
        found.setdefault(part.name if part else name, []).append(name)
    return found


def meaning(name: str) -> tuple[str, ...]:
    """What a number is, what it does not show and where it comes from, a sentence or more each."""
    part = estimator_of(name)
    if part is None:
        return _OWN.get(name, ("This version of maskaudit has no definition of this number.",))
    hidden = f"{part.does_not_show[:1].lower()}{part.does_not_show[1:]}"
    return (
        f"{part.definition} Unit: {part.unit}.",
        f"Does not show: {hidden}",
        f"Source: {part.source}.",
    )


def definitions(names: Iterable[str], *, short: bool = False) -> Definitions:
    """The numbers and their meanings; `short` leaves out what they do not show and their source."""
    parts = {name: estimator_of(name) for name in names}
    own = dict.fromkeys(part.name if part else name for name, part in parts.items())
    told = {name: meaning(name) for name in own}
    terms = (Term(name, t[:1] if short else (t[0], " ".join(t[1:]))) for name, t in told.items())
    return Definitions(tuple(terms), is_beside=True)


def of_results(estimates: Effects) -> Folded:
    """What the lines of a table of results are, in the order of the table, in one sentence each."""
    found = estimates.estimators
    told = definitions([name for name in RESULTS if name in found], short=True)
    return Folded("What these measures are", (told,))


def columns(names: Names) -> tuple[Column, ...]:
    """The heads of a table with a row a measure and a column a subject."""
    return (
        Column("Measure", is_number=False),
        *(Column(names.label(subject)) for subject in names.subjects),
    )


def row(
    title: str, found: Mapping[str, Effect], cells: Mapping[str, str | Cell], names: Names
) -> tuple[str | Cell, ...]:
    """A row of such a table; below its title what its numbers rest on."""
    attributes = max(effect.n_attributes for effect in found.values())
    codes = sorted({effect.scope for effect in found.values()})
    frames = wording.counted(max(effect.n_frames for effect in found.values()), "frame")
    rests = f"{wording.counted(attributes, 'attribute')} in {frames}, {' and '.join(codes)}"
    shown = (cells.get(subject, wording.UNKNOWN) for subject in names.subjects)
    return (caveats.beside(title, rests), *shown)


def is_percent(name: str) -> bool:
    """Whether a number goes from 0 to 100."""
    part = estimator_of(name)
    return part is not None and (part.unit.startswith("%") or "0 to 100" in part.unit)


def number(
    name: str, effect: Effect, subject: str, digits: int | None = None, more: str = ""
) -> str | Cell:
    """An estimate of a named number and its interval; below it its mde, or why it has none."""
    if digits is None:
        digits = _PERCENT_DIGITS if is_percent(name) else _digits(effect)
    shown = wording.fixed_interval(effect.numbers, digits, with_sign=subject == DIFFERENCE)
    least = caveats.could_find(effect, lambda value: wording.fixed(value, digits))
    return caveats.beside(shown, more, least, caveats.refusal(effect))


def _digits(effect: Effect) -> int:
    """Three decimals, and as many more as a small number needs to be told from nothing."""
    largest = max((abs(value) for value in effect.numbers if not math.isnan(value)), default=0.0)
    return min(_MOST_DIGITS, max(_DIGITS, 1 - math.floor(math.log10(largest or 1))))


def p_cell(effect: Effect | None) -> str:
    """The p of an estimate; a dash where there is nothing to test it against."""
    return wording.UNKNOWN if effect is None or math.isnan(effect.p) else wording.p_number(effect.p)


def slice_label(slice_: Slice, classes: Mapping[str, Any]) -> str:
    """A slice as a table names it."""
    if not slice_.is_part:
        return wording.visible(str(slice_))
    own = str(classes.get(slice_.value, {}).get("label") or slice_.value)
    own = own.replace("_", " ").replace("-", " ")
    return wording.visible(f"{slice_.between}: {own}" if slice_.groups else own)


def further(
    probe_set: str,
    part: ProbeSet,
    estimates: Effects,
    shown: Sequence[str],
    names: Names,
) -> tuple[Block, ...]:
    """The numbers of a set that have no place of their own on the page, with their definitions."""
    own = estimates.where(
        lambda one: (
            one.estimator not in shown
            and one.subject in names.subjects
            and one.slice.kind != "attribute"
        )
    )
    if not own:
        return ()
    inside = own.where(lambda one: one.slice.is_part)
    outside = own.where(lambda one: not one.slice.is_part)
    blocks: list[Block] = []
    if outside:
        blocks.append(_table(f"further-{probe_set}", "Further measures", part, outside, names))
    if inside:
        table = _table(
            f"further-classes-{probe_set}", "Further measures by class", part, inside, names
        )
        blocks.append(Folded("Further measures by class", (table,)))
    return (*blocks, definitions(by_estimator(own)))


def _table(name: str, caption: str, part: ProbeSet, own: Effects, names: Names) -> Table:
    several = {name for name in own.estimators if len(own.of_estimators({name}).modes) > 1}
    rows = []
    for estimator, mode, slice_ in dict.fromkeys(
        (one.estimator, one.mode, one.slice) for one in own.all
    ):
        found = own.in_mode(mode).at(estimator, slice_, names.subjects)
        title = estimator if slice_ == ALL_SLICE else (
            f"{estimator}, {slice_label(slice_, part.classes)}"
        )  # fmt: skip
        rows.append(
            (
                wording.visible(f"{title} ({mode} mode)" if estimator in several else title),
                *(
                    number(estimator, found[subject], subject)
                    if subject in found
                    else wording.UNKNOWN
                    for subject in names.subjects
                ),
                *((p_cell(found.get(DIFFERENCE)),) if names.paired else ()),
            )
        )
    columns = [Column("Measure", is_number=False)]
    columns += [Column(names.label(subject)) for subject in names.subjects]
    columns += [Column("p of the difference, not adjusted")] if names.paired else []
    return Table(
        name,
        f"{caption}, with 95 % intervals",
        tuple(columns),
        (Rows(tuple(rows)),),
        note=caveats.MDE,
        basis=_basis(own),
    )


def _basis(own: Effects) -> str:
    """The counts and the scope of further measures, which may differ in the first."""
    sizes = dict.fromkeys((one.effect.n_attributes, one.effect.n_frames) for one in own.all)
    counts = [f"{wording.number(clusters)} ({wording.number(units)})" for clusters, units in sizes]
    return (
        f"Clusters, and in brackets the units in them: {wording.listed(counts)}. "
        f"{caveats.scopes(own.scopes, {**caveats.SCOPES, **caveats.OF_UNITS})}"
    )
