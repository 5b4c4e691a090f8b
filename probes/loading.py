"""Load probe sets: read a TOML file or the folder of an import, and check it completely."""

import gc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from maskaudit.audit.errors import InputError
from maskaudit.audit.texts import bounded
from maskaudit.audit.texts.characters import composed
from maskaudit.audit.texts.toml_files import Document, document, listed
from maskaudit.probes.checking.checks import faults_between_parts
from maskaudit.probes.fact import Fact
from maskaudit.probes.languages import ENGLISH, well_formed
from maskaudit.probes.schema import (
    Attribute,
    AttributeClass,
    Controls,
    Frame,
    Grammar,
    Group,
    Header,
    ImportedHeader,
    ImportedSet,
    ProbeSet,
    Term,
)

SETS = Path(__file__).parent / "sets"


def load(path: str | Path) -> ProbeSet:
    """Read a probe set from a TOML file or the folder of an import.

    Draws no frames from a grammar. Raises an `InputError` that names every fault with its place.
    """
    path = Path(path)
    with _uncollected():
        if path.is_dir():
            return _imported(path)
        return _checked(document(path, "a probe set", bounded.PROBES))


@contextmanager
def _uncollected() -> Iterator[None]:
    """Keep the garbage collector from walking a set again and again while it grows.

    A set of a million words loads in three quarters of the time; what is made here has no circles.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def parse(raw: Mapping[str, Any], source: str, where: str) -> ProbeSet:
    """Check the content of a TOML file; `source` is its text, to find the line of a fault.

    `where` is the file's name in messages. Raises an `InputError` that names every fault.
    """
    return _checked(Document(where, source, raw))


def shipped() -> dict[str, Path]:
    """Return the paths of the sets shipped with maskaudit, by name."""
    # Sorted: a folder lists its files in an order of its own.
    return {path.stem.replace("_", "-"): path for path in sorted(SETS.glob("*.toml"))}


def _checked(content: Document) -> ProbeSet:
    faults: list[str] = []
    try:
        probe_set = ProbeSet.checked(content.raw)
    except ValidationError as error:
        faults = content.faults(error, ProbeSet)
        # Report faults between the parts as well, so that the user can correct all at once.
        probe_set = _sound_parts(content.raw)
    faults += [content.line(fault.at, fault.message) for fault in faults_between_parts(probe_set)]
    if faults:
        raise InputError(*faults)
    return probe_set


def check_header(header: Mapping[str, Any], where: Path) -> ImportedHeader:
    """Validate the header of an import; raises an `InputError` that names every fault."""
    try:
        return ImportedHeader.model_validate(header)
    except ValidationError as error:
        content = Document(f"{where}", "", {"set": header})
        raise InputError(*content.faults(error, ImportedHeader, ("set",))) from error


def _imported(folder: Path) -> ImportedSet:
    from maskaudit.probes.published.imported_folder import read

    imported = read(folder)
    header = check_header(imported.header, folder)
    if not imported.rows:
        raise InputError(f"{folder}: the set is empty; expected at least one row")
    # Unchecked, since the header is validated above and the rows by `read`.
    return ImportedSet.model_construct(
        header=header, rows=imported.rows, notes=imported.notes, unusable=len(imported.unusable)
    )


def _sound_parts(raw: Mapping[str, Any]) -> ProbeSet:
    """Return the readable parts of a faulty file, unchecked, to find faults between them."""
    header = raw.get("set")
    header = header if isinstance(header, Mapping) else {}
    contrast = header.get("contrast")
    language = header.get("language")
    kind = header.get("kind")
    # A misspelt kind has its own fault; the content shows which kind was meant.
    if kind not in ("association", "cloze"):
        kind = "cloze" if "facts" in raw else "association"
    return ProbeSet.model_construct(
        header=Header.model_construct(
            kind=kind,
            # A faulty tag counts as English, so that no fault follows from it.
            language=language if isinstance(language, str) and well_formed(language) else ENGLISH,
            contrast=[n for n in contrast if isinstance(n, str)]
            if isinstance(contrast, list)
            else None,
            plain=[name for name in _strings(listed(header.get("plain"))) if name],
        ),
        groups=_sound_table(Group, raw.get("groups"), "terms", Term),
        classes=_sound_table(AttributeClass, raw.get("classes"), "attributes", Attribute),
        controls=next(
            iter(
                _sound_table(
                    Controls, {"controls": raw.get("controls")}, "attributes", Attribute
                ).values()
            ),
            None,
        ),
        frames=_sound_list(Frame, raw.get("frames"), ("id", "text"), ("variants",)),
        grammar=_sound_grammar(raw.get("grammar")),
        forms=_sound_forms(raw.get("forms")),
        facts=_sound_list(Fact, raw.get("facts"), ("id", "text", "relation", "of")),
    )


def _sound_table(part: Any, raw: object, field: str, entry: Any) -> dict[str, Any]:  # noqa: ANN401
    if not isinstance(raw, Mapping):
        return {}
    return {
        name: part.model_construct(
            **{field: _sound_list(entry, value.get(field), ("text",)), "label": None}
        )
        for name, value in raw.items()
        if isinstance(value, Mapping)
    }


def _sound_list(
    part: Any,  # noqa: ANN401 - one of the classes above
    raw: object,
    texts: tuple[str, ...],
    lists: tuple[str, ...] = (),
) -> list[Any]:
    """Return every entry of a list; unreadable fields are empty, as their fault is already known.

    Entries are not dropped, so that places in the file remain correct.
    """
    entries = raw if isinstance(raw, list) else []
    sound = []
    for item in entries:
        entry: Mapping[str | None, Any] = item if isinstance(item, Mapping) else {}
        if isinstance(item, str):  # short for a table with only its obvious key
            entry = {part.obvious: item}
        text_fields = {key: entry[key] if isinstance(entry.get(key), str) else "" for key in texts}
        raw_lists = {key: entry.get(key) for key in lists}
        list_fields = {
            key: [text for text in value if isinstance(text, str)]
            for key, value in raw_lists.items()
            if isinstance(value, list)
        }
        list_fields = {key: list_fields.get(key, []) for key in lists}
        sound.append(part.model_construct(**text_fields, **list_fields))
    return sound


def _sound_grammar(raw: object) -> Grammar | None:
    if raw is None:
        return None
    raw = raw if isinstance(raw, Mapping) else {}
    parts = raw.get("parts")
    frames = raw.get("frames")
    return Grammar.model_construct(
        # Of 0 frames no universe is too small, so that no fault follows from this one.
        frames=frames if isinstance(frames, int) else 0,
        texts=_strings(raw.get("texts")),
        parts={name: _strings(pieces) for name, pieces in parts.items()}
        if isinstance(parts, Mapping)
        else {},
    )


def _sound_forms(raw: object) -> dict[str, dict[str, str]]:
    tables = raw if isinstance(raw, Mapping) else {}
    return {
        # In NFC, as the frames are in which these names are looked up.
        composed(name): {group: form for group, form in table.items() if isinstance(form, str)}
        for name, table in tables.items()
        if isinstance(table, Mapping)
    }


def _strings(raw: object) -> list[str]:
    """Return the entries of a list, with "" for those that are not text."""
    return [item if isinstance(item, str) else "" for item in raw] if isinstance(raw, list) else []
