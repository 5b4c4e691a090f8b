"""How large a set is for a reader: its styles, its frames and the sentences that a model is run on.

Only the sentences are written out, not each of the words that are asked in them: of eighty names
and forty traits at the mask the sentences are those of one trait.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from maskaudit.probes.schema import Attribute, Controls, Group, ImportedSet, ProbeSet


@dataclass(frozen=True)
class Size:
    """Styles, frames (facts, of a cloze set) and distinct masked sentences of a set."""

    styles: int
    frames: int
    sentences: int

    @classmethod
    def of(cls, probe_set: ProbeSet) -> Self:
        """The size of a set; of one with a grammar, that of a draw."""
        from maskaudit.probes.expand import expand  # which needs pandas

        drawn = probe_set.drawn(0)
        part = expand(_of_its_sentences(drawn))
        return cls(
            styles=len({frame.style for frame in drawn.frames if frame.style}),
            # An import has neither frames nor facts; its rows say what belongs together.
            frames=len(drawn.frames) or len(drawn.facts) or part.items["frame"].nunique(),
            sentences=len(part.contexts),
        )


def _of_its_sentences(probe_set: ProbeSet) -> ProbeSet:
    """The set with just enough targets to write each of its sentences once.

    A sentence depends on the word at its mask by that word's article and by its verb alone.
    """
    if isinstance(probe_set, ImportedSet) or probe_set.facts:
        return probe_set
    if probe_set.group_at_mask:
        groups = {name: _of_terms(part) for name, part in probe_set.groups.items()}
        return probe_set.model_copy(update={"groups": groups})
    of_groups = list(probe_set.groups)
    classes = {
        name: part.model_copy(update={"attributes": _of_articles(part.attributes, of_groups)})
        for name, part in probe_set.classes.items()
    }
    if not any("{a}" in text for text in probe_set.texts()):
        # Whatever the attribute is, the sentences are those of any one.
        name, part = next(iter(classes.items()))
        only = part.model_copy(update={"attributes": part.attributes[:1]})
        return probe_set.model_copy(update={"classes": {name: only}, "controls": None})
    controls = probe_set.controls and _of_controls(probe_set.controls, of_groups)
    return probe_set.model_copy(update={"classes": classes, "controls": controls})


def _of_terms(group: Group) -> Group:
    from maskaudit.probes.expand import article

    by_writing = {(article(term.text), term.verb): term for term in group.terms}
    return group.model_copy(update={"terms": list(by_writing.values())})


def _of_articles(attributes: Iterable[Attribute], groups: list[str]) -> list[Attribute]:
    from maskaudit.probes.expand import article

    by_writing = {
        (one.article, *(article(one.form(group)) for group in groups)): one for one in attributes
    }
    return list(by_writing.values())


def _of_controls(controls: Controls, groups: list[str]) -> Controls:
    contrasts = {
        name: part.model_copy(
            update={side: _of_articles(own, groups) for side, own in part.sides.items()}
        )
        for name, part in controls.contrasts.items()
    }
    attributes = _of_articles(controls.attributes, groups)
    return controls.model_copy(update={"attributes": attributes, "contrasts": contrasts})
