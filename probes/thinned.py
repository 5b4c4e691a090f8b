"""Parts of a set that are enough to see each of its words in each of its sentences once."""

from collections.abc import Sequence
from itertools import zip_longest

from maskaudit.probes.schema import Frame, ImportedSet, ProbeSet


def with_one_attribute(probe_set: ProbeSet) -> ProbeSet:
    """The set with the first attribute of its first class, and all its terms."""
    name, part = next(iter(probe_set.classes.items()))
    only = part.model_copy(update={"attributes": part.attributes[:1]})
    return probe_set.model_copy(update={"classes": {name: only}, "controls": None})


def with_one_term(probe_set: ProbeSet) -> ProbeSet:
    """The set with the first term of each group, and all its attributes and controls."""
    groups = {
        name: part.model_copy(update={"terms": part.terms[:1]})
        for name, part in probe_set.groups.items()
    }
    return probe_set.model_copy(update={"groups": groups})


def with_few_frames(probe_set: ProbeSet, most: int) -> ProbeSet:
    """The set with its first frames of each style in turn, without their variants.

    They are drawn if it has a grammar.
    """
    few = _first_of_each_style(probe_set.drawn(0).frames, most)
    plain = [frame.model_copy(update={"variants": []}) for frame in few]
    return probe_set.model_copy(update={"frames": plain, "grammar": None})


def with_first_frames(probe_set: ProbeSet, most: int) -> ProbeSet:
    """The set with at most so many frames or facts, for a trial: the first of each style in turn.

    So a trial of a set with styles, over which results are averaged, has as many of each. The
    frames of an import are those of its rows, in their order. Variants stay with their frames.
    """
    if isinstance(probe_set, ImportedSet):
        named = dict.fromkeys(row["frame"] for row in probe_set.rows)
        chosen = {*list(named)[:most]}
        rows = [row for row in probe_set.rows if row["frame"] in chosen]
        return probe_set.model_copy(update={"rows": rows})
    frames = _first_of_each_style(probe_set.frames, most)
    return probe_set.model_copy(update={"frames": frames, "facts": probe_set.facts[:most]})


def _first_of_each_style(frames: Sequence[Frame], most: int) -> list[Frame]:
    """At most so many frames, in the order of the file: no style is ahead by two."""
    by_style: dict[str | None, list[Frame]] = {}
    for frame in frames:
        by_style.setdefault(frame.style, []).append(frame)
    in_turn = [frame for row in zip_longest(*by_style.values()) for frame in row if frame]
    taken = {frame.id for frame in in_turn[:most]}
    return [frame for frame in frames if frame.id in taken]
