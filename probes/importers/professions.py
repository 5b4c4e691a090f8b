"""Professions that have a form for women and one for men, as one attribute of BEC-Pro."""

from collections.abc import Mapping, Sequence

from maskaudit.probes.published.imported import Report, shown
from maskaudit.probes.published.published_files import Record

_NAMED_AT_MOST = 80


def names_of_professions(
    records: Sequence[Record], forms: Mapping[str, str], report: Report
) -> dict[str, str]:
    """Return the name of each profession that stands with one group only: its male form.

    `forms` has male forms by female ones; where a profession is not among them, the forms are
    paired by their order in the table, which lists the same professions for every person. What was
    paired so is noted. Without a pair a profession keeps its own name, and has no complete cell.
    """
    female, male = _of_one_group(records)
    if not female and not male:
        return {}
    pairs = {one: forms[one] for one in female if forms.get(one) in male}
    rest_female = [one for one in female if one not in pairs]
    rest_male = [one for one in male if one not in pairs.values()]
    by_order = _paired_by_order(rest_female, rest_male, female, male)
    if pairs or by_order:
        report.note(
            "a profession has a form for each group and is one attribute; the sentences that the "
            "two groups are read in differ in it, as published"
        )
    if by_order:
        shown_pairs = [f"{shown(f)} / {shown(m)}" for f, m in by_order.items()]
        report.note(
            "the forms of a profession were paired by their order in the table, since the "
            f"professions' file does not name them: {', '.join(shown_pairs[:_NAMED_AT_MOST])}"
        )
    elif rest_female or rest_male:
        alone = ", ".join(map(shown, [*rest_female, *rest_male][:_NAMED_AT_MOST]))
        report.note(
            f"professions that stand with one group only, so that no cell has both: {alone}"
        )
    return pairs | by_order


def _of_one_group(records: Sequence[Record]) -> tuple[dict[str, object], dict[str, object]]:
    """Return the professions of women alone and of men alone, each with its class, in order."""
    by_group: dict[str, dict[str, object]] = {"female": {}, "male": {}}
    for _, record in records:
        by_group[record["Gender"]].setdefault(record["Profession"], record["Prof_Gender"])
    female, male = by_group["female"], by_group["male"]
    return (
        {name: class_ for name, class_ in female.items() if name not in male},
        {name: class_ for name, class_ in male.items() if name not in female},
    )


def _paired_by_order(
    female: Sequence[str],
    male: Sequence[str],
    classes_female: Mapping[str, object],
    classes_male: Mapping[str, object],
) -> dict[str, str]:
    """Return the male form by the female one; empty if the two lists do not match."""
    same_classes = [classes_female[one] for one in female] == [classes_male[one] for one in male]
    return dict(zip(female, male, strict=True)) if same_classes else {}
