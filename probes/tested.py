"""What an association set tests, in a line for each pair of groups."""

from collections.abc import Iterator
from itertools import combinations

from maskaudit.probes.schema import ProbeSet


def what_is_tested(probe_set: ProbeSet) -> Iterator[str]:
    """Yield which contrast is tested between each two groups, and where harm lies in it.

    Nothing for a set of another kind.
    """
    if probe_set.header.kind != "association" or not probe_set.groups:
        return
    contrast = probe_set.header.contrast
    class_of = {group: name for name, group in (probe_set.directions or {}).items()}
    for pair in combinations(probe_set.groups, 2):
        named = f"{pair[0]} and {pair[1]}"
        if class_of.keys() >= set(pair):
            first, second = (class_of[group] for group in pair)
            yield f"{named}: {first} less {second}; harm is up"
        elif contrast is None:
            yield f"{named}: nothing, for no two classes are contrasted"
        elif len(probe_set.groups) > 2:  # noqa: PLR2004 - else the order of `contrast` decides
            yield (
                f"{named}: {contrast[0]} less {contrast[1]}, without a direction of harm (no "
                "`group` in the classes says it)"
            )
        else:
            yield f"{named}: {contrast[0]} less {contrast[1]}, by their order; harm is up"
