"""The name of a model without its owner, its revision and the folder that it lies in."""


def short_name(name: str) -> str:
    """The last part of a hub id or a path, without a revision: `bert-base-cased`."""
    return name.partition("@")[0].rstrip("/").rpartition("/")[2]


def same_name(name: str, other: str) -> bool:
    """Whether two names are of one model as far as names tell: in any case, of any owner."""
    return short_name(name).casefold() == short_name(other).casefold()
