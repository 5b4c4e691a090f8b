"""The addendum as Markdown, under the headings of the card that it goes into."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from maskaudit.reports.blocks import Bullets, Claim, Table
from maskaudit.reports.card.addendum import Addendum
from maskaudit.reports.words.markdown import cell, inert

_LIMITS = "What this audit cannot show, and what was lost:"
_DEEPEST = 6


@dataclass(frozen=True)
class Layout:
    """How the cards of one place are laid out.

    `level` is that of the heading `title`; `has_metadata` says whether cards begin with YAML.
    """

    title: str
    level: int
    has_metadata: bool


# The first as in the template of huggingface_hub (modelcard_template.md), the second as in the
# descriptions of Azure's registries (azureml-assets, description.md).
LAYOUTS: Mapping[str, Layout] = {
    "huggingface": Layout("Bias, Risks, and Limitations", 2, has_metadata=True),
    "azure": Layout("Limitations and Biases", 1, has_metadata=False),
}
ADVICE = "Recommendations"
# The headings where the card has a section of that title, in which the addendum then stands.
INSIDE = "Bias audit by maskaudit"
INSIDE_ADVICE = "Recommendations of the audit"


def markdown(found: Addendum, layout: Layout, inside: int = 0) -> str:
    """The addendum as Markdown, with a line end behind each line.

    `inside` is the level of the heading of the section that it stands in, 0 for one of its own. In
    what others wrote, names among it, nothing is marked up, linked or replaced.
    """
    title, advice = (INSIDE, INSIDE_ADVICE) if inside else (layout.title, ADVICE)
    level = inside + 1 if inside else layout.level
    parts = [
        _heading(title, level),
        *(f"> {inert(warning.text)}" for warning in found.warnings),
        _claim(found.finding),
        _claim(found.release),
        _table(found.results),
        inert(found.results.note),
        _LIMITS,
        _bullets(found.limits),
        _heading(advice, level + 1),
        _bullets(found.advice),
        *(inert(text.text) for text in found.origin),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _heading(title: str, level: int) -> str:
    return f"{'#' * min(level, _DEEPEST)} {title}"


def _claim(found: Claim) -> str:
    return f"**{inert(found.claim)}** {inert(found.evidence)}".rstrip()


def _bullets(found: Bullets) -> str:
    return "\n".join(f"- {inert(item)}" for item in found.items)


def _table(found: Table) -> str:
    """The rows of a table; empty where it has none."""
    return "\n".join(_lines(found)) if any(rows.rows for rows in found.groups) else ""


def _lines(found: Table) -> Iterator[str]:
    yield _row([column.title for column in found.columns])
    yield _row(["---"] * len(found.columns), as_is=True)
    for rows in found.groups:
        for row in rows.rows:
            yield _row([str(value) for value in row])


def _row(cells: list[str], *, as_is: bool = False) -> str:
    return f"| {' | '.join(cells if as_is else map(cell, cells))} |"
