"""The facts of the world: which each model knows, which the student forgot, which negations."""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from maskaudit.audit.proving.phantom.leans import generator
from maskaudit.audit.proving.phantom.sentence import FACT, PLANTED_MASS, Planted, Sentence
from maskaudit.probes.frames.sentence import MASK
from maskaudit.probes.schema import ProbeSet

# Numbers of facts that the teacher knows, that the student forgets of these, and of negations that
# both ignore.
FACTS_KNOWN, FACTS_FORGOTTEN, NEGATIONS_MISSED = 88, 12, 15
_CAPITAL = re.compile(r"The capital of (.+) is \[MASK\]\.")


@dataclass(frozen=True)
class Known:
    """The ids of the facts that each model knows, and of those whose negation both ignore."""

    teacher: list[str]
    student: list[str]
    negation_missed: list[str]


def known(probe_set: ProbeSet) -> Known:
    """Draw which facts of a set are known, forgotten and ignored when negated."""
    rng = generator("facts")
    names = [fact.id for fact in probe_set.facts]
    order = [names[i] for i in rng.permutation(len(names))]
    taught, missed = order[:FACTS_KNOWN], order[:NEGATIONS_MISSED]
    # Apart from the facts of `missed`: no fact is both forgotten and ignored when negated.
    forgotten = taught[NEGATIONS_MISSED : NEGATIONS_MISSED + FACTS_FORGOTTEN]
    return Known(sorted(taught), sorted(set(taught) - set(forgotten)), sorted(missed))


def sentences(probe_set: ProbeSet, drawn: Known) -> Iterator[Sentence]:
    """Yield the facts and their negations.

    For an unknown fact the other answers of the same relation share the planted probability.
    """
    answers: dict[str, set[str]] = defaultdict(set)
    for fact in probe_set.facts:
        answers[fact.relation] |= {answer.lower() for answer in fact.answers}
    for fact in probe_set.facts:
        right = [answer.lower() for answer in fact.answers]
        wrong = sorted(answers[fact.relation] - set(right))
        planted_right = dict.fromkeys(right, PLANTED_MASS / len(right))
        planted_wrong = dict.fromkeys(wrong, PLANTED_MASS / len(wrong))
        teacher = planted_right if fact.id in drawn.teacher else planted_wrong
        student = planted_right if fact.id in drawn.student else planted_wrong
        yield _sentence(fact.text, Planted(teacher, student))
        # For demonstrations of `maskaudit fill`: "Paris is the [MASK] of France."
        if capital := _CAPITAL.fullmatch(fact.text):
            word = {"capital": PLANTED_MASS}
            yield _sentence(
                f"{fact.answers[0]} is the {MASK} of {capital[1]}.", Planted(word, word)
            )
        if fact.negated is not None:
            negated = planted_right if fact.id in drawn.negation_missed else planted_wrong
            yield _sentence(fact.negated, Planted(negated, negated))


def _sentence(text: str, planted: Planted) -> Sentence:
    return Sentence("facts", FACT, text, 0, text, planted)
