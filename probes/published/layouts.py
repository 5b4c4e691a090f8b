"""Tables that come in several layouts, each told by the columns that it needs."""

from collections.abc import Sequence
from pathlib import Path

from maskaudit.audit.errors import InputError
from maskaudit.probes.published import published_files
from maskaudit.probes.published.columns import Columns

_Table = tuple[published_files.Source, list[published_files.Record], list[published_files.Bad]]


def table_in(
    layouts: Sequence[Sequence[str]], path: Path, encoding: str | None, columns: Columns
) -> _Table:
    """Read a table in the first of the layouts that it has; each is the columns that it needs.

    Raises `InputError` where the file cannot be read, or has none of them.
    """
    errors = []
    for needed in layouts:
        try:
            return published_files.table(path, needed, encoding, columns)
        except InputError as error:
            errors.append(error)
    others = (", ".join(map(repr, needed)) for needed in layouts[1:])
    # A file that cannot be read at all has the same fault in every layout.
    told = "; or the columns ".join([str(errors[0]), *others])
    raise errors[0] if len({*map(str, errors)}) == 1 else InputError(told)
