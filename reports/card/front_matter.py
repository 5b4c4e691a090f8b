"""The metadata of a card: an entry of `model-index` is put in, and no other character changes."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from maskaudit.audit.errors import InputError
from maskaudit.reports.card.model_index import OURS

KEY = "model-index"
# The metadata of a card, as huggingface_hub and the Hub find it (`REGEX_YAML_BLOCK` there).
_BLOCK = re.compile(
    r"\s*---(?:\r\n|\r|\n)(?P<yaml>[\S\s]*?)(?:\r\n|\r|\n)---[ \t]*(?:\r\n|\n|\Z)",
)
# More is no metadata; and what reads it is slow.
_MOST = 1 << 20
# What reading YAML raises, of a text that is none or is nested beyond the stack.
_FAULTS = (yaml.YAMLError, ValueError, RecursionError)


def end(text: str) -> int:
    """Where the metadata of a card ends; 0 for a card without."""
    found = _BLOCK.match(text)
    return found.end() if found else 0


def updated(text: str, ours: Mapping[str, Any], newline: str, name: str) -> str:
    """The text of a card with our entry in its metadata, which it begins with where it had none.

    Our entry is the one whose name ends in `OURS`. Raises `InputError`, which begins with `name`,
    for metadata that cannot be read, or where no entry can be put without changing something else.
    """
    block = _BLOCK.match(text)
    if block is None:
        return f"---\n{KEY}:\n{_dumped(ours)}\n---\n".replace("\n", newline) + text
    before = block["yaml"]
    if len(before) > _MOST:
        raise InputError(f"{name}: has {len(before):,} characters of metadata; expected a page")
    after = _with_entry(before, ours, newline, name)
    # A literal at the end has a line end only if something follows.
    if _others(before + newline, name) != _others(after, name):
        raise _unfit(name)
    start = block.start("yaml")
    return text[:start] + after + text[start + len(before) :]


def check(text: str, name: str) -> None:
    """Raise `InputError` for a card that huggingface_hub cannot read: the Hub would refuse it."""
    from huggingface_hub import ModelCard

    try:
        ModelCard(text)
    except (*_FAULTS, KeyError, TypeError, AttributeError) as error:
        reason = " ".join(str(error).split())
        raise InputError(
            f"{name}: huggingface_hub cannot read its metadata ({reason}); mend that first"
        ) from error


def _with_entry(text: str, ours: Mapping[str, Any], newline: str, name: str) -> str:
    root = _composed(text, name)
    if root is None:
        return f"{text}{newline}{KEY}:{newline}{_dumped(ours, newline)}"
    found = [value for key, value in root.value if key.value == KEY]
    # In { braces } an entry cannot be put as lines; of two keys nobody knows which one is read.
    if root.flow_style or len(found) > 1:
        raise _unfit(name)
    if not found:
        column = " " * root.start_mark.column
        return f"{text}{newline}{column}{KEY}:{newline}{_dumped(ours, newline, column)}"
    [listed] = found
    if _is_empty(listed):
        text = text[: listed.start_mark.index] + text[listed.end_mark.index :]
        place = _line_end(text, listed.start_mark.index)
        return f"{text[:place]}{newline}{_dumped(ours, newline)}{text[place:]}"
    dashes = list(_dashes(text, listed)) if isinstance(listed, SequenceNode) else []
    if not dashes or len(dashes) != len(listed.value):
        raise _unfit(name)
    column = " " * listed.start_mark.column
    entry = _dumped(ours, newline, column)
    own = [index for index, item in enumerate(listed.value) if _is_ours(item)]
    if len(own) > 1:
        raise InputError(f"{name}: {KEY} has {len(own)} entries of ours; remove all but one")
    last = _end_of(text, listed.value[own[0] if own else -1])
    if not own:
        return f"{text[:last]}{newline}{entry}{text[last:]}"
    # The spaces before the dash are there already.
    return f"{text[: dashes[own[0]]]}{entry.lstrip(' ')}{text[last:]}"


def _composed(text: str, name: str) -> MappingNode | None:
    """The metadata as nodes with their places, None where there are none."""
    try:
        root = yaml.compose(text, yaml.SafeLoader)
    except _FAULTS as error:
        # Messages of YAML have several lines, and ours are one.
        reason = " ".join(str(error).split())
        raise InputError(f"{name}: its metadata is no YAML ({reason}); mend that first") from error
    if root is not None and not isinstance(root, MappingNode):
        raise InputError(
            f"{name}: begins with --- and metadata that are no keys with values; begin it with "
            "another line, or write keys"
        )
    return root


def _others(text: str, name: str) -> str:
    """All but our entry in one form, for a comparison; a list of none counts as no list."""
    root = _composed(text, name)
    if root is None:
        return ""
    kept = []
    for key, value in root.value:
        if key.value == KEY and isinstance(value, SequenceNode):
            value.value = [item for item in value.value if not _is_ours(item)]
        if not (key.value == KEY and _is_empty(value)):
            kept.append((key, value))
    root.value = kept
    return str(yaml.serialize(root, Dumper=yaml.SafeDumper)) if kept else ""


def _is_empty(node: Node) -> bool:
    """Whether there is no value, or a list of nothing."""
    if isinstance(node, ScalarNode):
        return str(node.tag) == "tag:yaml.org,2002:null"
    is_list: bool = isinstance(node, SequenceNode)
    return is_list and not list(node.value)


def _is_ours(item: Node) -> bool:
    return isinstance(item, MappingNode) and any(
        key.value == "name" and isinstance(value, ScalarNode) and value.value.endswith(OURS)
        for key, value in item.value
    )


def _dashes(text: str, listed: SequenceNode) -> Iterator[int]:
    """The places of the dashes of a list, those of lists inside it not among them."""
    for token in yaml.scan(text, yaml.SafeLoader):
        mark = token.start_mark
        if (
            isinstance(token, yaml.BlockEntryToken)
            and mark.column == listed.start_mark.column
            and listed.start_mark.index <= mark.index < listed.end_mark.index
        ):
            yield mark.index


def _end_of(text: str, node: Node) -> int:
    """Where the last line of a node ends, without the comments and empty lines that follow."""
    # Only of what is written in a block the place of the end is that of what follows.
    while isinstance(node, MappingNode | SequenceNode) and not node.flow_style and node.value:
        last = node.value[-1]
        node = last[1] if isinstance(last, tuple) else last
    return _line_end(text, len(text[: node.end_mark.index].rstrip()))


def _line_end(text: str, place: int) -> int:
    found = re.compile(r"\r\n|\n|\r|\Z").search(text, place)
    assert found  # noqa: S101 - every text has an end
    return found.start()


def _dumped(ours: Mapping[str, Any], newline: str = "\n", column: str = "") -> str:
    """Our entry as an item of a list, a line each, without the last line's end."""
    from huggingface_hub.utils import yaml_dump  # type: ignore[attr-defined]  # not in `__all__`

    lines = yaml_dump([dict(ours)], sort_keys=False, width=float("inf")).rstrip("\n").split("\n")
    return newline.join(column + line for line in lines)


def _unfit(name: str) -> InputError:
    return InputError(
        f"{name}: our entry cannot be put into its metadata without changing what is there; write "
        f"a line for each key, and {KEY} as a list with a line for each key, once"
    )
