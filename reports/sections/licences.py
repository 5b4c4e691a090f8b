"""The conditions that the licences of probe sets place on users of their numbers, in words."""

from maskaudit.audit.recording.manifest import Manifest, ProbeSet
from maskaudit.reports.blocks import Block, Bullets, Folded, Text
from maskaudit.reports.words import wording

_CONDITIONS = {
    "share_alike": (
        "share-alike",
        "what is adapted from the data has to be shared under the same licence",
    ),
    "non_commercial": ("non-commercial", "the data may not be used commercially"),
}


def conditions(part: ProbeSet) -> list[str]:
    """The conditions of a set's licence, each as a short name and what it requires."""
    return [
        f"{word}: {condition}"
        for key, (word, condition) in _CONDITIONS.items()
        if getattr(part, key)
    ]


def of_page(manifest: Manifest) -> tuple[Text, ...]:
    """The licence conditions that concern the whole page; empty where there are none."""
    lines = []
    for key, (word, condition) in _CONDITIONS.items():
        titles = [
            f"“{wording.visible(part.title)}” ({wording.visible(part.licence)})"
            for part in manifest.probe_sets.values()
            if getattr(part, key)
        ]
        if titles:
            lines.append(
                f"Numbers of this page derive from {word} data: {wording.listed(titles)}. By "
                f"{'its licence' if len(titles) == 1 else 'their licences'}, {condition}."
            )
    return tuple(Text(line, "small") for line in lines)


def of_set(part: ProbeSet) -> tuple[Block, ...]:
    """Licence, citation and source of one set, with remarks from reading its published file."""
    requirements = [f"{wording.opened(line)}." for line in conditions(part)]
    source = f"Source: {_with_full_stop('; '.join(part.sources))}"
    sentences = [
        f"Licence: {wording.visible(part.licence)}.",
        *requirements,
        *citation(part),
        source,
    ]
    blocks: list[Block] = [Text(" ".join(sentences), "small")]
    unusable = int(part.unusable or 0)
    if unusable:
        blocks.append(
            Text(
                f"{wording.counted(unusable, 'row')} of the published file could not be used; each "
                "is listed with its line and the reason in the folder of the import.",
                "small",
            )
        )
    notes = tuple(wording.visible(note, None) for note in part.notes or ())
    if notes:
        remarks = wording.counted(len(notes), "remark")
        blocks.append(Folded(f"How the published file was read: {remarks}", (Bullets(notes),)))
    return tuple(blocks)


def citation(part: ProbeSet) -> tuple[str, ...]:
    """The citation that a set asks for; empty where it asks for none."""
    return (f"Cite: {_with_full_stop(part.cite)}",) if part.cite else ()


def _with_full_stop(text: str) -> str:
    shown = wording.visible(text, None)
    return shown if shown.endswith(".") else f"{shown}."
