"""What an association set tests, in a line for each pair of groups."""

from collections.abc import Iterator
from itertools import combinations

from maskaudit.audit.recording.manifest import classes_between
from maskaudit.probes.schema import ProbeSet


def what_is_tested(probe_set: ProbeSet) -> Iterator[str]:
    """Yield which contrast is tested between each two groups, and where harm lies in it.

    Nothing for a set of another kind.
    """
    if probe_set.header.kind != "association" or not probe_set.groups:
        return
    directions = probe_set.directions or {}
    for pair in combinations(probe_set.groups, 2):
        named = f"{pair[0]} and {pair[1]}"
        classes = classes_between(directions, probe_set.header.contrast, pair)
        if classes is None:
            yield f"{named}: nothing, for no two classes are contrasted"
            continue
        contrast = f"{named}: {classes[0]} less {classes[1]}"
        if probe_set.header.expect == "benign":
            yield f"{contrast}; no harm, for it says how sure a model is of itself"
            continue
        # Each of the two has a class that is stereotyped with it, so that the sign is known.
        if set(pair) <= set(directions.values()):
            yield f"{contrast}; positive follows the stereotype"
        elif len(probe_set.groups) > 2:  # noqa: PLR2004 - else the order of `contrast` decides
            yield f"{contrast}, without a direction of harm (no `group` in the classes says it)"
        else:
            yield f"{contrast}, by their order; positive follows the stereotype"
