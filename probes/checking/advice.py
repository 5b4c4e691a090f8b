"""What an author should look at in a set without a fault: a line each, with what to do."""

import re
from collections.abc import Iterator
from itertools import combinations
from statistics import fmean

from maskaudit.audit.texts.characters import folded
from maskaudit.probes.checking.checks_of_language import placed_attributes
from maskaudit.probes.checking.slips import slips
from maskaudit.probes.frames.sentence import MASK, PLACEHOLDER
from maskaudit.probes.schema import ImportedSet, ProbeSet

# Of the words of the shorter of two frames, the share that makes them one frame counted twice.
_ALIKE = 2 / 3
# A frame of fewer words is a bare template, which shares its few words with many.
_LEAST_WORDS = 5
# A quarter of a word, as between the classes of a contrast (`estimating.balance`).
_WORDS_APART = 0.25
_MOST_SHOWN = 5
# With fewer than 6 there is no interval; below 20 slopes are exploratory (docs/method.md).
_LEAST_FRAMES, _MANY_FRAMES = 6, 20


def advice(probe_set: ProbeSet) -> list[str]:
    """Slips of grammar, frames that are nearly one, groups out of balance, words out of place.

    Empty for an import, which is read as it was published.
    """
    if isinstance(probe_set, ImportedSet):
        return []
    if probe_set.facts:
        return list(slips(probe_set))
    return [
        *slips(probe_set),
        *_first(_near_duplicates(probe_set), "pairs of frames"),
        *_unbalanced_groups(probe_set),
        *_unequal_classes(probe_set),
        *_first(_out_of_place(probe_set), "words"),
        *_few_frames(probe_set),
    ]


def _first(lines: Iterator[str], noun: str) -> Iterator[str]:
    """The first lines, and how many there are more."""
    found = list(lines)
    yield from found[:_MOST_SHOWN]
    if len(found) > _MOST_SHOWN:
        yield f"{len(found) - _MOST_SHOWN} more {noun} like these; do the same with them"


def _near_duplicates(probe_set: ProbeSet) -> Iterator[str]:
    """Two frames that share most of their words; those of a grammar are drawn, and may be alike."""
    words = {frame.id: _words(frame.text) for frame in probe_set.frames}
    for one, other in combinations(words, 2):
        shorter = min(len(words[one]), len(words[other]))
        shared = len(words[one] & words[other])
        if shorter >= _LEAST_WORDS and shared >= _ALIKE * shorter:
            yield (
                f"the frames {one!r} and {other!r} share {shared} of {shorter} words, and "
                "intervals take them for independent; put one into the `variants` of the other, or "
                "write another sentence"
            )


def _words(text: str) -> set[str]:
    """The different words of a frame's own text."""
    plain = PLACEHOLDER.sub(" ", text.replace(MASK, " "))
    return set(re.findall(r"[^\W\d_]+(?:['\u2019-][^\W\d_]+)*", plain.lower()))


def _unbalanced_groups(probe_set: ProbeSet) -> Iterator[str]:
    """Two groups with other numbers of terms, or with longer terms."""
    sizes = {name: len(part.terms) for name, part in probe_set.groups.items()}
    most, least = max(sizes, key=sizes.__getitem__), min(sizes, key=sizes.__getitem__)
    numbers = f"the group {most!r} has {sizes[most]} terms, {least!r} {sizes[least]}"
    if probe_set.group_at_mask and sizes[most] > sizes[least]:
        yield (
            f"{numbers}: at the mask their probabilities are added up, so that more terms are a "
            "higher number; take as many of each"
        )
    elif sizes[most] > sizes[least]:
        yield (
            f"{numbers}: the mean over fewer terms hangs more on each of them; take as many of each"
        )
    lengths = {
        name: fmean(len(term.text.split()) for term in part.terms)
        for name, part in probe_set.groups.items()
    }
    longer, shorter = max(lengths, key=lengths.__getitem__), min(lengths, key=lengths.__getitem__)
    if lengths[longer] - lengths[shorter] > _WORDS_APART:
        yield (
            f"the terms of {longer!r} have {lengths[longer]:.2f} words on average, those of "
            f"{shorter!r} {lengths[shorter]:.2f}, so that a difference may be one of long and "
            "short terms; take terms of as many words"
        )


def _unequal_classes(probe_set: ProbeSet) -> Iterator[str]:
    """Classes that are contrasted, of other numbers of attributes; any beside them may differ."""
    names = dict.fromkeys([*(probe_set.header.contrast or ()), *(probe_set.directions or ())])
    sizes = {name: len(probe_set.classes[name].attributes) for name in names}
    if not sizes:
        return
    most, least = max(sizes, key=sizes.__getitem__), min(sizes, key=sizes.__getitem__)
    if sizes[most] > sizes[least]:
        yield (
            f"the class {least!r} has {sizes[least]} attributes, {most!r} {sizes[most]}: the mean "
            "over fewer words hangs more on each of them; take as many of each"
        )


def _out_of_place(probe_set: ProbeSet) -> Iterator[str]:
    """Terms that are attributes as well, and words of the set in a frame's own words."""
    group_of = {
        folded(term.text): (name, term.text)
        for name, part in probe_set.groups.items()
        for term in part.terms
    }
    # Not those of controls: one that is a little likelier in one sentence moves no result.
    class_of = {
        folded(attribute.text): (name, attribute.text)
        for name, part in probe_set.classes.items()
        for attribute in part.attributes
    }
    for _, attribute in placed_attributes(probe_set):
        if found := group_of.get(folded(attribute.text)):
            yield (
                f"{attribute.text!r} is a term of the group {found[0]!r} and an attribute too, so "
                "that a word is asked for itself; take it out of one of the two lists"
            )
    for frame in probe_set.frames:
        words = set().union(*map(_words, frame.texts))
        for word in sorted(words & group_of.keys()):
            group, term = group_of[word]
            yield (
                f"the frame {frame.id!r} has {term!r} in its own words, a term of the group "
                f"{group!r}, which gives the group away; write the sentence without it"
            )
        for word in sorted(words & class_of.keys()):
            class_, attribute_ = class_of[word]
            yield (
                f"the frame {frame.id!r} has {attribute_!r} in its own words, an attribute of the "
                f"class {class_!r}, which is asked for beside itself; write the sentence without it"
            )


def _few_frames(probe_set: ProbeSet) -> Iterator[str]:
    """Fewer frames than make an interval narrow."""
    n_frames = len(probe_set.frames)
    # Fewer have no interval at all, which is said elsewhere.
    if _LEAST_FRAMES <= n_frames < _MANY_FRAMES:
        yield (
            f"the set has {n_frames} frames, and an interval from so few is wide; write "
            f"{_MANY_FRAMES} or more, or test with these and read the interval"
        )
