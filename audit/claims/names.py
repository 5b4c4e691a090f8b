"""The name of a model without its owner, its revision and the folder that it lies in."""

_FOLDERS = (".", "/", "~")


def short_name(name: str) -> str:
    """The last part of a hub id or a path, without a revision: `bert-base-cased`."""
    repository, _, _ = name.partition("@")
    # A folder may have an "@" in its path, and a revision of the hub a "/".
    is_folder = name.startswith(_FOLDERS) or repository.count("/") > 1
    return (name if is_folder else repository).rstrip("/").rpartition("/")[2]


def same_name(name: str, other: str) -> bool:
    """Whether two names are of one model as far as names tell: in any case, of any owner."""
    return short_name(name).casefold() == short_name(other).casefold()
