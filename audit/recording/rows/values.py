"""The values that text columns of a record's tables may hold."""

from collections.abc import Mapping
from typing import Literal, get_args

# What a number is about: one model, the candidate minus the reference, or both models together.
Subject = Literal["reference", "candidate", "difference", "relation"]
# The estimator as its authors published it, or with its known faults corrected.
Mode = Literal["published", "corrected"]
# What an interval generalizes to: these sentences, other sentences, other attributes, other terms.
Scope = Literal["S0", "S1", "S2", "S3"]
# Why a number or its interval is missing, or that a ratio over few frames or attributes is
# exploratory. Empty if the number needs no such caution.
Flag = Literal[
    "",
    "too_few_frames",
    "too_few_attributes",
    "too_few_clusters",
    "too_few_families",
    "too_few_styles",
    "too_few_controls",
    "too_few_benign_sets",
    "benign_sets_disagree",
    "benign_entropy_unmoved",
    "nothing_varied",
    "not_estimable",
    "not_bounded",
    "exploratory",
]
# What became of an attribute's lean from reference to candidate; empty for other numbers.
Outcome = Literal["", "inherited", "amplified", "attenuated", "lost", "new", "flipped", "undecided"]
# The sentence a slot is read in: with the target written and then masked, or as the tokenizer
# encodes the text with the mask's own text in it.
Reading = Literal["written", "as_encoded"]
WRITTEN: Reading = "written"
# Whether an item was scored, and if not, why.
Status = Literal[
    "ok",
    "target_unknown",
    "target_changes_context",
    "context_unknown",
    "too_long",
    "empty",
    "mask_lost",
    "several_pieces",
    "not_answered",
]
# Why the distance of two groups or the cosine of two words is missing: in a record's `lost`, beside
# the statuses of scores.
NOT_JOINED = "not_joined"
# Measures of a target at a slot; of a slot without a target; of the likeliest filling of as many
# masks as a target of several pieces has (its `rank` is the target's); and encoder states, whose
# cosines are in `paired`. All others are of whole sentences.
OF_TARGET = ("logp", "stereoset_published")
# In place of these, of a target in censored grade: the least and the most that its log p can be.
AT_LEAST, AT_MOST = "logp_at_least", "logp_at_most"
OF_SLOT = "entropy"
TOP_FILLING = "top_filling"
STATE = "state"
# In `paired`, at every context of a text: what a causal model makes of the predictions for it.
OF_PREDICTION = "prediction_nats"
SUBJECTS: tuple[Subject, ...] = get_args(Subject)
MODES: tuple[Mode, ...] = get_args(Mode)
FLAGS: tuple[Flag, ...] = get_args(Flag)
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
STATUSES: tuple[Status, ...] = get_args(Status)

# The allowed values by table and column; other columns may hold any text.
ALLOWED: Mapping[str, Mapping[str, frozenset[str]]] = {
    "scores": {"status": frozenset(STATUSES)},
    "estimates": {
        "subject": frozenset(SUBJECTS),
        "mode": frozenset(MODES),
        "scope": frozenset(get_args(Scope)),
        "flag": frozenset(FLAGS),
        "outcome": frozenset(OUTCOMES),
    },
}
