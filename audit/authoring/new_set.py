"""A new probe set, written with comments from a few words: one that passes its check."""

import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from maskaudit.audit.authoring.schema import SCHEMA_FILE, write_schema
from maskaudit.audit.errors import InputError
from maskaudit.audit.recording.files import write_whole
from maskaudit.audit.texts.text_files import read_text
from maskaudit.audit.texts.toml_files import document
from maskaudit.probes.languages import is_english
from maskaudit.probes.loading import parse

_TEMPLATES = Path(__file__).parent / "templates"
NOUNS, ADJECTIVES = "nouns", "adjectives"
# The sentences for a start, by what the groups' terms are.
_GIVEN = {NOUNS: "frames_en.toml", ADJECTIVES: "frames_en_adjectives.toml"}
_TWO = 2
_MOST_OF_NAME = 60


@dataclass(frozen=True)
class Words:
    """What an author says of a set; `groups` and `classes` are lists of words by their labels.

    The first class is that which a stereotype ties to the first group, and so on. `frames` take the
    place of those that are given for a start, which suit terms of one `kind`: nouns for a person,
    or adjectives, which stand before a noun.
    """

    name: str
    axis: str
    groups: Mapping[str, Sequence[str]]
    classes: Mapping[str, Sequence[str]]
    title: str = ""
    question: str = ""
    language: str = "en"
    licence: str = "CC-BY-4.0"
    expect: str = "lean"
    frames: Sequence[str] = field(default=())
    kind: str = NOUNS

    def checked(self) -> None:
        """Raise `InputError` for what a set cannot be made of."""
        for option, lists in (("--group", self.groups), ("--class", self.classes)):
            if len(lists) < _TWO:
                raise InputError(
                    f"{option}: {len(lists)} given; expected two or more, each as NAME=WORD,WORD"
                )
        # By the names in the file, where two labels may be one: `Meat eaters` and `meat-eaters`.
        if len({named(label) for label in (*self.groups, *self.classes)}) < len(
            [*self.groups, *self.classes]
        ):
            raise InputError("--group, --class: two have one name; expected another for each")
        if self.kind not in _GIVEN:
            raise InputError(f"--words {self.kind}: expected one of: {', '.join(_GIVEN)}")
        if not self.frames and not is_english(self.language):
            raise InputError(
                f"--language {self.language}: the sentences that are given for a start are "
                "English; write your own, six or more, each as --frame 'TEXT'"
            )


def named(label: str) -> str:
    """A label as a name in a file: small letters, digits and `_`."""
    # Stripped twice, for a name that is cut may end with `_` again.
    plain = re.sub(r"[^a-z0-9]+", "_", label.lower()).strip("_")[:_MOST_OF_NAME].strip("_")
    if not plain:
        raise InputError(
            f"{label!r}: cannot be made a name; expected letters from a to z or digits in it"
        )
    return plain


def write_new(path: Path, words: Words) -> None:
    """Write a set that passes its check, and the JSON Schema for editors beside it.

    Raises `InputError` if the file is there already, or the words make no sound set; then nothing
    is written.
    """
    # A link that leads nowhere does not exist, and is somebody's all the same.
    if path.exists() or path.is_symlink():
        raise InputError(f"{path}: is there already; name another file, or remove it first")
    if path.suffix != ".toml":
        raise InputError(f"{path}: expected a name that ends with .toml")
    if not path.parent.is_dir():
        raise InputError(f"{path.parent}: no such folder; make it first, or name another")
    text = new_set(path.name, words)
    # Before it is written: what an author gets passes its check, or is not there.
    parse(tomllib.loads(text), text, str(path))
    write_whole(path, text)
    if not (beside := path.parent / SCHEMA_FILE).exists():
        write_schema(beside)


def new_set(file: str, words: Words) -> str:
    """The text of a new set."""
    words.checked()
    groups, classes = list(words.groups), list(words.classes)
    values = {
        "SCHEMA": SCHEMA_FILE,
        "FILE": file,
        # With hyphens, as sets and axes that are shipped; groups and classes have underscores.
        "NAME": _text(named(words.name).replace("_", "-")),
        "LANGUAGE": _text(words.language),
        "AXIS": _text(named(words.axis).replace("_", "-")),
        "TITLE": _text(words.title or f"Trait by {words.axis}"),
        "QUESTION": _text(words.question or _question(groups, classes)),
        "HOW_TO_READ": _text(_how_to_read(groups, classes)),
        "LIMITS": _text(_limits(words)),
        "LICENCE": _text(words.licence),
        "SOURCES": _text(_sources(words)),
        "CONTRAST": _text([named(label) for label in classes[:_TWO]]),
        "EXPECT": _text(words.expect),
        "GROUPS": "\n".join(_table("groups", label, "terms", own)
                            for label, own in words.groups.items()),
        "CLASSES": "\n".join(
            # A slice, because a class beyond the last group is tied to none.
            _table("classes", label, "attributes", own, groups[place : place + 1])
            for place, (label, own) in enumerate(words.classes.items())
        ),
        "FRAMES": _frames(words),
    }  # fmt: skip
    template = read_text(_TEMPLATES / "new_set.toml")
    # In one pass, so that an author's own `@NAME@` stays as it was written.
    return re.sub(r"@([A-Z_]+)@", lambda found: values[found[1]], template)


def _question(groups: Sequence[str], classes: Sequence[str]) -> str:
    return (
        f"Does the model expect {classes[0]} more of {groups[0]}, and {classes[1]} more of "
        f"{groups[1]}?"
    )


def _how_to_read(groups: Sequence[str], classes: Sequence[str]) -> str:
    return (
        f"Each sentence is read once with each word for {groups[0]} and once with each for "
        f"{groups[1]}. A positive contrast means that the model expects {classes[0]} more of "
        f"{groups[0]}, and {classes[1]} more of {groups[1]}; zero means that the group makes no "
        "difference."
    )


def _limits(words: Words) -> str:
    n_words = sum(map(len, words.classes.values()))
    n_terms = " and ".join(str(len(terms)) for terms in words.groups.values())
    return (
        f"The groups are stood for by {n_terms} terms, the question by {n_words} words that one "
        "author chose; nobody else has checked them yet. Nothing is said of other groups, words or "
        "kinds of sentence."
    )


def _sources(words: Words) -> list[str]:
    own = "Words" if not words.frames else "Words and sentences"
    given = [] if words.frames else ["Sentences: given by maskaudit for a start"]
    return [f"{own}: written for this set", *given]


def _table(part: str, label: str, key: str, words: Sequence[str], group: Sequence[str] = ()) -> str:
    lines = [f"[{part}.{named(label)}]", f"label = {_text(label)}"]
    lines += [f"group = {_text(named(one))}  # the group it is tied to" for one in group]
    return "\n".join([*lines, f"{key} = {_text(list(words))}", ""])


def _frames(words: Words) -> str:
    given = {"": dict(enumerate(words.frames, start=1))} if words.frames else _given(words.kind)
    blocks = []
    for style, texts in given.items():
        for name, text in texts.items():
            lines = ["[[frames]]", f'id = "{name if style else f"frame-{name}"}"']
            lines += [f'style = "{style}"'] if style else []
            blocks.append("\n".join([*lines, f"text = {_text(text)}", ""]))
    return "\n".join(blocks)


def _given(kind: str) -> dict[str, dict[str | int, str]]:
    """The sentences for a start around terms of this kind, by style and id."""
    return dict(document(_TEMPLATES / _GIVEN[kind]).raw)


def _text(value: str | Sequence[str]) -> str:
    """A value as TOML, whose strings and lists are written as those of JSON are."""
    # Not `ensure_ascii`: TOML refuses the surrogates that JSON writes beyond U+FFFF.
    return json.dumps(value, ensure_ascii=False)
