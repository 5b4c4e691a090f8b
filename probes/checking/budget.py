"""The number of items that a probe set would make, by arithmetic, and the most that it may."""

from collections.abc import Iterator

from maskaudit.audit.errors import InputError
from maskaudit.probes.schema import Attribute, ImportedSet, ProbeSet

MOST_ITEMS = 2_000_000


def check_budget(probe_set: ProbeSet, most: int, where: str) -> None:
    """Raise `InputError`, with the arithmetic, if a set would make more than `most` items.

    Nothing is expanded or drawn. `where` names the file in the message.
    """
    number = items_of(probe_set)
    if number > most:
        raise InputError(
            f"{where}: {arithmetic(probe_set)} = {number:,} items; the budget is {most:,}: take "
            f"fewer words or frames, or raise it with --most-items {number} (most_items under "
            "[run] in AUDIT.toml)"
        )


def items_of(probe_set: ProbeSet) -> int:
    """The rows of the table of items that a set expands to, as many frames as a grammar draws."""
    if isinstance(probe_set, ImportedSet):
        return len(probe_set.rows) * _sentences_a_row(probe_set)
    if probe_set.facts:
        return sum(_answers(probe_set))
    probes, controls = _attributes(probe_set)
    # Controls have no priors, so each is asked once.
    cells = len(probes) * _versions(probe_set) + len(controls)
    # Contrasts of controls are asked in the texts of the frames alone, not in their variants.
    of_contrasts = _of_contrasts(probe_set) * _frames(probe_set)
    return (cells * _sentences(probe_set) + of_contrasts) * _terms(probe_set)


def arithmetic(probe_set: ProbeSet) -> str:
    """How `items_of` comes about, for people."""
    if isinstance(probe_set, ImportedSet):
        factor = _sentences_a_row(probe_set)
        return f"{len(probe_set.rows):,} rows" + (f" x {factor} sentences" if factor > 1 else "")
    if probe_set.facts:
        return (
            f"the answers of {len(probe_set.facts):,} facts, plain and negated, and their choices"
        )
    probes, controls = _attributes(probe_set)
    versions = _versions(probe_set)
    attributes = f"{len(probes):,} attributes"
    if versions > 1:
        attributes += f" x {versions} versions (each once more without the attribute"
        attributes += ", and with the neutral word)" if probe_set.header.neutral else ")"
    if controls:
        attributes = f"({attributes} + {len(controls):,} controls)"
    n_frames, sentences = _frames(probe_set), _sentences(probe_set)
    frames = f"{sentences:,} frames"
    if sentences != n_frames:
        frames = f"{sentences:,} texts of {n_frames:,} frames"
    groups, terms = len(probe_set.groups), _terms(probe_set)
    words = f"{groups} groups" if terms == groups else f"{terms:,} terms of {groups} groups"
    if n_contrasts := _of_contrasts(probe_set):
        more = f"{n_contrasts:,} controls of contrasts x {n_frames:,} frames"
        return f"({attributes} x {frames} + {more}) x {words}"
    return f"{attributes} x {frames} x {words}"


def _attributes(probe_set: ProbeSet) -> tuple[list[Attribute], list[Attribute]]:
    probes = [one for part in probe_set.classes.values() for one in part.attributes]
    return probes, probe_set.controls.attributes if probe_set.controls else []


def _of_contrasts(probe_set: ProbeSet) -> int:
    return len(probe_set.controls.of_contrasts) if probe_set.controls else 0


def _frames(probe_set: ProbeSet) -> int:
    return len(probe_set.frames) or (probe_set.grammar.frames if probe_set.grammar else 0)


def _sentences(probe_set: ProbeSet) -> int:
    """The texts of all frames; a frame that is drawn from a grammar has one."""
    return sum(len(frame.texts) for frame in probe_set.frames) or _frames(probe_set)


def _terms(probe_set: ProbeSet) -> int:
    return sum(len(group.terms) for group in probe_set.groups.values())


def _versions(probe_set: ProbeSet) -> int:
    """How often an attribute is asked: with the group at the mask its priors are asked, too."""
    if not probe_set.group_at_mask:
        return 1
    return 2 if probe_set.header.neutral is None else 3


def _answers(probe_set: ProbeSet) -> Iterator[int]:
    for fact in probe_set.facts:
        # Each mask is asked by itself, for each word that is right there.
        answers = sum(len(set(words)) for words in fact.by_mask)
        # Wrong words to choose from are asked where the answers are right.
        yield answers * (1 if fact.negated is None else 2) + len(fact.wrong)


def _sentences_a_row(probe_set: ProbeSet) -> int:
    from maskaudit.probes.expand import BLEACHED  # which needs pandas

    return len(BLEACHED) if probe_set.header.kind == "words" else 1


def excerpt(probe_set: ProbeSet, most: int = 100) -> ProbeSet:
    """The set with the first `most` frames, terms of a group, attributes of a class, and facts.

    What a set cannot be given depends on which parts there are, and on whether there are a few of
    each: the excerpt lacks the same. Rows of an import are all kept, for each is an item.
    """
    if isinstance(probe_set, ImportedSet):
        return probe_set
    classes = {
        name: part.model_copy(update={"attributes": part.attributes[:most]})
        for name, part in probe_set.classes.items()
    }
    groups = {
        name: part.model_copy(update={"terms": part.terms[:most]})
        for name, part in probe_set.groups.items()
    }
    frames = [
        frame.model_copy(update={"variants": frame.variants[:most]})
        for frame in probe_set.frames[:most]
    ]
    grammar = probe_set.grammar
    return probe_set.model_copy(
        update={
            "classes": classes,
            "groups": groups,
            "frames": frames,
            "facts": probe_set.facts[:most],
            "controls": None,
            "grammar": grammar and grammar.model_copy(update={"frames": min(grammar.frames, most)}),
        }
    )
