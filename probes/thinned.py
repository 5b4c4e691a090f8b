"""Parts of a set that are enough to see each of its words in each of its sentences once."""

from maskaudit.probes.schema import ProbeSet


def with_one_attribute(probe_set: ProbeSet) -> ProbeSet:
    """The set with the first attribute of its first class, and all its terms."""
    name, part = next(iter(probe_set.classes.items()))
    only = part.model_copy(update={"attributes": part.attributes[:1]})
    return probe_set.model_copy(update={"classes": {name: only}, "controls": None})


def with_one_term(probe_set: ProbeSet) -> ProbeSet:
    """The set with the first term of each group, and all its attributes and controls.

    Contrasts of controls are left out, for they stand in the frames as other attributes do.
    """
    groups = {
        name: part.model_copy(update={"terms": part.terms[:1]})
        for name, part in probe_set.groups.items()
    }
    controls = probe_set.controls and probe_set.controls.model_copy(update={"contrasts": {}})
    return probe_set.model_copy(update={"groups": groups, "controls": controls})


def with_few_frames(probe_set: ProbeSet, most: int) -> ProbeSet:
    """The set with its first frames, drawn if it has a grammar, and without their variants."""
    frames = probe_set.drawn(0).frames[:most]
    plain = [frame.model_copy(update={"variants": []}) for frame in frames]
    return probe_set.model_copy(update={"frames": plain, "grammar": None})
