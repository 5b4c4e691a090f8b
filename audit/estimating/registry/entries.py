"""Entries of the numbers outside the named estimators: from cells, and from fills of facts."""

from collections.abc import Mapping

from maskaudit.audit.estimating.registry import bounds, facts, robustness, texts
from maskaudit.audit.estimating.registry.entry import (
    INHERITED,
    LEANS,
    OWN_PART,
    RANKINGS,
    RESULTS,
    YARDSTICKS,
    Entry,
)
from maskaudit.audit.estimating.registry.names import (
    AGAINST_REST,
    ASSOCIATION,
    BEYOND_WORLD,
    CONTRAST,
    CONTRAST_AGAINST_REST,
    CORRELATION,
    DEPENDABILITY,
    EXPECTED_SIGN_CHANGES,
    FIDELITY,
    FIDELITY_ADJUSTED,
    FLIPS,
    FRAMES_NEEDED,
    GENERALIZABILITY,
    GROUP_SPREAD,
    INHERITANCE,
    INTERACTION,
    LARGEST,
    LEAN,
    LOG_KAPPA,
    LOG_MAGNITUDE_RATIO,
    MAGNITUDE,
    MAIN_EFFECT,
    SIGN_CHANGES,
    SLOPE,
    WORLD_INTERCEPT,
    WORLD_SLOPE,
    contrast_of,
)

_CELLS = frozenset({"association"})
_ENTRIES = (
    Entry(
        name=CONTRAST,
        unit="nats",
        definition="The average log-odds of the class of attributes that a stereotype ties to the "
        "first group, less that of the class tied to the second, in the same frames. Positive "
        "follows the stereotype.",
        does_not_show="A lean that is the same for both classes, or one inside a class.",
        kinds=_CELLS,
        null=0.0,
        is_directed=True,
        power=1,
        harm="up",
        shown=RESULTS,
    ),
    Entry(
        name=contrast_of("lpbs"),
        unit="nats",
        definition="The same contrast of the averages beyond the prior.",
        does_not_show="What the contrast does not show.",
        kinds=_CELLS,
        null=0.0,
        is_directed=True,
        power=1,
        harm="up",
        shown=RESULTS,
    ),
    Entry(
        name=LEAN,
        unit="nats",
        definition="An attribute’s log-odds less the average of the set’s attributes, frame by "
        "frame.",
        does_not_show="How far the whole set leans.",
        kinds=_CELLS,
        null=0.0,
        is_directed=True,
        power=1,
        shown=LEANS,
    ),
    Entry(
        name=LARGEST,
        unit="nats",
        definition="The lean times the share of its variance that is not noise, for the ten "
        "largest of a subject.",
        does_not_show="How sure it is; the interval beside it is that of the raw lean.",
        kinds=_CELLS,
        is_directed=True,
        power=1,
        shown=LEANS,
    ),
    Entry(
        name=ASSOCIATION,
        unit="nats²",
        definition="How far the attributes depart from the set’s average attribute, whichever way: "
        "the average over attributes of the squared lean, from products of two different frames, "
        "so that noise adds nothing. 0 or below: no association found. Its p is that of a "
        "permutation test (labels of the groups swapped frame by frame).",
        does_not_show="A lean that all attributes share, or the direction of any.",
        kinds=_CELLS,
        null=0.0,
        power=2,
        harm="up",
        log_ratio=LOG_KAPPA,
        shown=RESULTS,
    ),
    Entry(
        name=MAGNITUDE,
        unit="nats²",
        definition="How far the attributes lean at all: the average over attributes of the squared "
        "log-odds, from products of two different frames, so that noise adds nothing. It may come "
        "out below 0, which is read as 0.",
        does_not_show="Whether what it finds is about attributes, or only how common the groups’ "
        "words are.",
        kinds=_CELLS,
        power=2,
        harm="up",
        log_ratio=LOG_MAGNITUDE_RATIO,
        shown=RESULTS,
    ),
    Entry(
        name=AGAINST_REST,
        unit="nats",
        definition="In a set of three groups or more, the average over attributes of log p(group) "
        "less the mean of log p over all other groups. Positive leans to the group.",
        does_not_show="Whether a lean comes from the attributes or from how common the group’s "
        "words are, so it is never tested; or which of the other groups it is against.",
        kinds=_CELLS,
        power=1,
    ),
    Entry(
        name=CONTRAST_AGAINST_REST,
        unit="nats",
        definition="In a set of three groups or more, the average of log p(group) less the mean of "
        "log p over all other groups, over the class that is stereotyped with the group, less the "
        "same average over the classes stereotyped with other groups. Positive follows the "
        "stereotype, whatever the order of the groups.",
        does_not_show="Which of the other groups it is against.",
        kinds=_CELLS,
        null=0.0,
        power=1,
        harm="up",
    ),
    Entry(
        name=GROUP_SPREAD,
        unit="nats²",
        definition="In a set of three groups or more, how far the attributes set the groups apart: "
        "the variance over groups (divisor: groups less 1) of an attribute’s log p beyond the "
        "average attribute’s, mean over attributes, from products of two different frames, so that "
        "noise adds nothing. It is half the mean association over all pairs of groups. 0 or below: "
        "none found. Its p is that of a permutation test (labels of the groups permuted frame by "
        "frame).",
        does_not_show="Which group is apart, in which direction, or what all attributes share, "
        "such as how common the groups’ words are.",
        kinds=_CELLS,
        source="the variance over groups of Ahn & Oh 2021 (cbs), made a U-statistic; permutation "
        "within blocks: Good 2005",
        null=0.0,
        power=2,
        harm="up",
    ),
    Entry(
        name=MAIN_EFFECT,
        unit="nats",
        definition="Of groups that cross several factors, such as race by gender: the contrast of "
        "the set’s classes between two levels of one factor, each the mean over the groups of that "
        "level. Positive: the first class goes with the first level.",
        does_not_show="Whether it is the same at each level of the other factors; the interaction "
        "does.",
        kinds=_CELLS,
        null=0.0,
        power=1,
        since=8,
        shown=OWN_PART,
    ),
    Entry(
        name=INTERACTION,
        unit="nats",
        definition="Of groups that cross two factors: how much further the contrast of the set’s "
        "classes between two levels of the one factor goes at the first level of the other than "
        "at the second; a difference of differences, mean over the levels of further factors. 0: "
        "the two effects add up.",
        does_not_show="Which group it comes from: it is as much that of any of the four.",
        kinds=_CELLS,
        null=0.0,
        power=1,
        since=8,
        shown=OWN_PART,
    ),
    Entry(
        name=GENERALIZABILITY,
        unit="",
        definition="G: the share of the variance between attributes’ averages that other frames "
        "would find again, when only the order of the attributes matters (Brennan 2001; ICC(C,k)). "
        "0 to 1.",
        does_not_show="Whether a level or a difference is precise; a difference of two models that "
        "lean alike has G near 0 however well it is known.",
        kinds=_CELLS,
        shown=RANKINGS,
    ),
    Entry(
        name=DEPENDABILITY,
        unit="",
        definition="Φ: the same when the height of the numbers matters too, so that frames that "
        "move all attributes count as noise (Brennan 2001; ICC(A,k)). 0 to 1.",
        does_not_show="Whether a level or a difference is precise.",
        kinds=_CELLS,
        shown=RANKINGS,
    ),
    Entry(
        name=FRAMES_NEEDED,
        unit="",
        definition="The least number of frames with which Φ would be .95 or more.",
        does_not_show="How many frames a contrast or a difference needs.",
        kinds=_CELLS,
        shown=RANKINGS,
    ),
    Entry(
        name=WORLD_SLOPE,
        unit="",
        definition="How steeply the log-odds of an attribute rise with the logit of its share in "
        "the world, by least squares over attributes. 1 follows the world; 0 does not follow it; "
        "the difference of two models is held against 0. Shares below .005 or above .995 are taken "
        "as these.",
        does_not_show="Whether the world’s shares are the right yardstick; noise in the shares "
        "flattens the slope.",
        kinds=_CELLS,
        null=1.0,
        harm="up",
        shown=YARDSTICKS,
    ),
    Entry(
        name=WORLD_INTERCEPT,
        unit="nats",
        definition="The log-odds that the line over the world’s shares has at a share of one half.",
        does_not_show="A lean that grows with the share; that is the slope.",
        kinds=_CELLS,
        is_directed=True,
        subjects="models",
        shown=YARDSTICKS,
    ),
    Entry(
        name=BEYOND_WORLD,
        unit="nats",
        definition="Log-odds less the logit of the share in the world: 0 where a model’s share is "
        "the world’s. Positive: more of the first group than in the world.",
        does_not_show="Whether the world’s share is itself fair, or the one that the model’s text "
        "had.",
        kinds=_CELLS,
        is_directed=True,
        subjects="models",
        shown=YARDSTICKS,
    ),
    Entry(
        name=LOG_KAPPA,
        unit="log of a factor",
        definition="Amplification, as a logarithm: half the log of the candidate’s association "
        "over the reference’s. Its exponential says how many times as large the leans are; 0 is as "
        "large.",
        does_not_show="Whether the leans are the same ones; the correlation does. It is too large "
        "where the candidate’s association is barely above 0.",
        kinds=_CELLS,
        formula="½ log(U_SS/U_TT)",
        of_pair=True,
        null=0.0,
        harm="up",
        shown=INHERITED,
        title="Amplification: how many times as large the leans are",
        form="factor",
    ),
    Entry(
        name=SLOPE,
        unit="",
        definition="How steeply the candidate’s leans follow the reference’s: the covariance over "
        "attributes of the two, over the reference’s variance, each from products of two different "
        "frames, so that noise, shared or not, does not flatten it. 1: inherited as they are.",
        does_not_show="Leans of the candidate that the reference has no part in, or a shift that "
        "all attributes share.",
        kinds=_CELLS,
        formula="U_TS/U_TT",
        of_pair=True,
        null=1.0,
        shown=INHERITED,
        title="Slope: how steeply the candidate’s leans follow the reference’s",
    ),
    Entry(
        name=CORRELATION,
        unit="",
        definition="The correlation of the two models’ leans over attributes, with the noise of "
        "the frames taken out. 1: the same pattern. It may come out slightly above 1.",
        does_not_show="How large the leans are.",
        kinds=_CELLS,
        formula="U_TS/√(U_TT U_SS)",
        of_pair=True,
        shown=INHERITED,
        title="Pattern: their correlation, noise taken out (r)",
    ),
    Entry(
        name=LOG_MAGNITUDE_RATIO,
        unit="log of a factor",
        definition="Half the log of the candidate’s magnitude over the reference’s: like "
        "amplification, with the average that all attributes share included.",
        does_not_show="Whether what grew is an association or a common shift.",
        kinds=_CELLS,
        of_pair=True,
        null=0.0,
        harm="up",
        shown=INHERITED,
        title="Magnitude: the same, with what all attributes share",
        form="factor",
    ),
    Entry(
        name=FLIPS,
        unit="",
        definition="The share of attributes that lean one way in the reference and the other way "
        "in the candidate: the larger p of the two, adjusted over the attributes (Benjamini and "
        "Hochberg), is below .025. 0 to 1.",
        does_not_show="Flips that are too small to be shown.",
        kinds=_CELLS,
        of_pair=True,
        shown=INHERITED,
        title="Attributes shown to be on opposite sides",
        form="share",
    ),
    Entry(
        name=SIGN_CHANGES,
        unit="",
        definition="The share of attributes whose estimated lean has the other sign in the "
        "candidate. 0 to 1.",
        does_not_show="Real changes; leans near zero change their sign by noise.",
        kinds=_CELLS,
        of_pair=True,
        shown=INHERITED,
        title="Attributes whose estimate changes its sign",
        form="share",
    ),
    Entry(
        name=EXPECTED_SIGN_CHANGES,
        unit="",
        definition="The share of sign changes that noise alone would give, were the leans the "
        "same: arccos of the correlation that two measurements of the same leans would have, over "
        "π. 0 to 1.",
        does_not_show="Which of the attributes changed by more than noise.",
        kinds=_CELLS,
        formula="arccos(r)/π, r = √(G_T G_S) + MSE_TS/√(MSA_T MSA_S), whose second term is the "
        "noise that both share",
        of_pair=True,
        shown=INHERITED,
        title="The same, as noise alone would have it",
        form="share",
    ),
    Entry(
        name=INHERITANCE,
        unit="nats",
        definition="An attribute’s lean in the candidate less that in the reference, with the "
        "class that is shown of it: by credible leans and a credible change, and by what lies "
        "within the margin that is declared for attributes.",
        does_not_show="That an undecided attribute did not change, or that it did: its change is "
        "not known.",
        kinds=_CELLS,
        of_pair=True,
        null=0.0,
        is_directed=True,
        power=1,
        shown=INHERITED,
    ),
    Entry(
        name=FIDELITY,
        unit="nats",
        definition="How much further the candidate’s expectations are from the reference’s (KL "
        "divergence over the vocabulary) in sentences with the set’s attributes than in neutral "
        "sentences in the same frames. 0: no further.",
        does_not_show="In which direction the expectations moved, or whether it has to do with "
        "groups at all.",
        kinds=_CELLS,
        of_pair=True,
        null=0.0,
        shown=INHERITED,
    ),
    Entry(
        name=FIDELITY_ADJUSTED,
        unit="nats",
        definition="The same with the reference’s entropy in each sentence held equal, by least "
        "squares within frames: an open place leaves more room to differ.",
        does_not_show="What entropy does other than in a straight line.",
        kinds=_CELLS,
        of_pair=True,
        null=0.0,
        shown=INHERITED,
    ),
)
# The numbers made from cells and from first fills; those of the headline first.
DERIVED: Mapping[str, Entry] = {
    entry.name: entry
    for entry in (
        *_ENTRIES,
        *facts.ENTRIES,
        *texts.ENTRIES,
        *robustness.ENTRIES,
        *bounds.ENTRIES,
    )
}
