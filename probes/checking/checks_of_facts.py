"""Checks of facts in several kinds of sentence: texts, `of`, and the kinds of `plain`."""

from collections import Counter, defaultdict
from collections.abc import Iterator

from maskaudit.audit.texts.characters import folded
from maskaudit.audit.texts.toml_files import did_you_mean
from maskaudit.probes.checking.checks_of_language import Fault
from maskaudit.probes.schema import ProbeSet

_TWO = 2


def faults_of_repeated_texts(probe_set: ProbeSet) -> Iterator[Fault]:
    """Yield a fault at each text that repeats another, in whatever case.

    Texts that differ in case alone may stand side by side where that is what is asked: as one fact
    in two kinds.
    """
    places: dict[str, list[int]] = defaultdict(list)
    for number, fact in enumerate(probe_set.facts):
        # An empty text has a fault of its own.
        alike = [probe_set.facts[n] for n in places[folded(fact.text)]] if fact.text else []
        at = ("facts", number, "text")
        if any(other.text == fact.text for other in alike):
            yield Fault(at, f"facts: the text {fact.text!r} appears twice; expected once")
        elif any(
            not fact.of or other.of != fact.of or other.relation == fact.relation for other in alike
        ):
            yield Fault(
                at,
                f"facts: the text {fact.text!r} appears twice, in another case; expected once, or "
                "with the same `of` and another `relation`",
            )
        places[folded(fact.text)].append(number)


def faults_of_kinds(probe_set: ProbeSet) -> Iterator[Fault]:
    """Yield each fault of `of` in facts, and of `plain` in the header.

    A fact that is asked once is of no other, and a kind has one plain kind, with which it shares
    facts: otherwise its drop would be of no fact, or of different ones.
    """
    counts = Counter(fact.of for fact in probe_set.facts if fact.of)
    for number, fact in enumerate(probe_set.facts):
        if fact.of and counts[fact.of] < _TWO:
            others = [name for name in counts if name != fact.of]
            yield Fault(
                ("facts", number, "of"),
                f"facts[{number + 1}] ({fact.id}).of: no other fact is of "
                f"{fact.of!r}{did_you_mean(fact.of, others)}",
            )
    yield from _faults_of_plain(probe_set)


def _faults_of_plain(probe_set: ProbeSet) -> Iterator[Fault]:
    at = ("set", "plain")
    facts_of: dict[str, set[str]] = defaultdict(set)
    for fact in probe_set.facts:
        facts_of[fact.relation] |= {fact.of} if fact.of else set()
    plain = probe_set.header.plain
    if unknown := [name for name in plain if name not in facts_of]:
        message = f"set.plain: no fact has the relation {unknown[0]!r}"
        yield Fault(at, f"{message}{did_you_mean(unknown[0], list(facts_of))}")
        # Against a plain kind that is not there every other would share no facts.
        return
    for kind in (name for name in facts_of if plain and name not in plain):
        shared = [name for name in plain if facts_of[name] & facts_of[kind]]
        if len(shared) != 1:
            told = f"with {' and '.join(map(repr, shared))}" if shared else "with no plain kind"
            yield Fault(
                at,
                f"set.plain: the relation {kind!r} shares facts {told}; expected facts with the "
                "same `of` in it and in one plain kind",
            )
