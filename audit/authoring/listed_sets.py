"""The shipped probe sets in a table: axis, size, and the bundles that each is asked with."""

from dataclasses import asdict, dataclass
from typing import Any

from maskaudit.audit.texts.columns import in_columns
from maskaudit.probes.bundles import AXIS, FULL, bundles
from maskaudit.probes.checking.size import Size
from maskaudit.probes.loading import load, shipped
from maskaudit.probes.schema import Header
from maskaudit.probes.shipped_sizes import shipped_sizes

_COLUMNS = ("set", "axis", "styles", "frames", "sentences", "bundle", "title")
_NUMBERS = (2, 3, 4)


@dataclass(frozen=True)
class Listed:
    """One shipped set; `bundles` are those that have it, `full` included."""

    header: Header
    size: Size
    bundles: tuple[str, ...]


@dataclass(frozen=True)
class ListedSets:
    """All shipped sets."""

    sets: tuple[Listed, ...]

    def as_json(self) -> list[dict[str, Any]]:
        """A mapping for each set."""
        return [
            {
                **one.header.model_dump(include={"name", "version", "axis", "title"}),
                **asdict(one.size),
                "bundles": list(one.bundles),
            }
            for one in self.sets
        ]

    def as_text(self) -> str:
        """A line for each set, under the names of the columns; then how large the bundles are."""
        rows = [_COLUMNS, *map(_row, self.sets)]
        return f"{in_columns(rows, right=_NUMBERS)}\n\n{self._bundles_as_text()}"

    def _bundles_as_text(self) -> str:
        sizes = []
        for name in bundles():
            inside = [one.size.sentences for one in self.sets if name in one.bundles]
            sizes.append(f"{name}: {len(inside)} sets, {sum(inside):,} sentences a model")
        return (
            f"{'; '.join(sizes)}. `run --probes` takes a set, a bundle or {AXIS}NAME; without it, "
            "core. A fact counts as a frame."
        )


def listed_sets() -> ListedSets:
    """Every shipped set, in alphabetical order of their names."""
    named, sizes = bundles(), shipped_sizes()
    found = []
    for name, path in shipped().items():
        probe_set = load(path)
        own = tuple(bundle for bundle, sets in named.items() if name in sets)
        found.append(Listed(probe_set.header, sizes[name], own))
    return ListedSets(tuple(found))


def _row(one: Listed) -> tuple[str, ...]:
    styles = str(one.size.styles or "-")
    # Every set is in `full`, which tells a reader nothing.
    narrowest = next((name for name in one.bundles if name != FULL), FULL)
    numbers = (styles, f"{one.size.frames:,}", f"{one.size.sentences:,}")
    return (one.header.name, one.header.axis, *numbers, narrowest, one.header.title)
