"""Claims about rows of benchmark scores: whose row it is, and whether its arithmetic is right.

No benchmark is run. A row is told by its numbers: two models seldom have the same eight.
"""

from collections.abc import Mapping, Sequence
from statistics import fmean

from maskaudit.audit.claims.checking.checked import (
    Found,
    confirmed,
    contradicted,
    not_checkable,
    of_either,
    together,
)
from maskaudit.audit.claims.claims_file import Claims
from maskaudit.audit.claims.kinds import Benchmark, Row
from maskaudit.audit.claims.names import short_name
from maskaudit.audit.claims.printed import printed

# Fewer scores are equal by chance.
_LEAST = 3
_SHARE = 100


def benchmark(claim: Benchmark, claims: Claims) -> Found:
    """Whose row of scores it is among those that are known, and its mean and share."""
    rows = [row for row in claims.rows if row.benchmark.casefold() == claim.benchmark.casefold()]
    own = short_name(claims.about.model)
    found = [_provenance(claim.scores, rows, own)]
    if claim.mean is not None:
        mean = fmean(claim.scores.values())
        is_so = printed(claim.mean).is_of(mean)
        found.append(of_either(f"the mean of its scores is {mean:.2f}", holds=is_so))
    if claim.share_of_reference is not None:
        found.append(_share(claim, rows, claims.about.reference))
    return together(found)


def _provenance(scores: Mapping[str, float], rows: Sequence[Row], own: str) -> Found:
    same = [row for row in rows if _is_same(scores, row.scores)]
    owned = [row for row in rows if short_name(row.model) == own]
    # Its own row first: another model may have the very same scores.
    if of_own := [row for row in same if row in owned]:
        return confirmed(f"it is the row of {own} in {of_own[0].source}")
    apart = _apart(scores, owned[0]) if owned else f"no row of {own} is known"
    if same:
        return contradicted(
            f"it is the row of {same[0].model} in {same[0].source}, not that of {own}: {apart}"
        )
    return not_checkable(f"no known row has these scores; {apart}")


def _is_same(scores: Mapping[str, float], row: Mapping[str, float]) -> bool:
    tasks = scores.keys() & row.keys()
    # A claim of fewer scores than that cannot have more in common with any row.
    return len(tasks) >= min(_LEAST, len(scores)) and all(scores[t] == row[t] for t in tasks)


def _apart(scores: Mapping[str, float], row: Row) -> str:
    """How far a row is from another one, as a clause."""
    tasks = [task for task in scores if task in row.scores]
    if not tasks:
        return f"the row of {row.model} in {row.source} has none of its tasks"
    gaps = {task: scores[task] - row.scores[task] for task in tasks}
    most = max(gaps, key=lambda task: abs(gaps[task]))
    n_apart = sum(1 for gap in gaps.values() if gap)
    return (
        f"in {row.source} {row.model} has other scores in {n_apart} of {len(tasks)} tasks, most "
        f"in {most} ({row.scores[most]:g}, not {scores[most]:g})"
    )


def _share(claim: Benchmark, rows: Sequence[Row], reference: str | None) -> Found:
    """The share of the reference's mean, over the tasks that both rows have."""
    name = short_name(reference or "")
    of_reference = next((row for row in rows if short_name(row.model) == name), None)
    if not name or of_reference is None:
        return not_checkable(f"no row of the reference{f' {name}' if name else ''} is known")
    tasks = [task for task in claim.scores if of_reference.scores.get(task)]
    if not tasks or claim.share_of_reference is None:
        return not_checkable(f"the row of {name} has none of its tasks")
    share = fmean(claim.scores[t] for t in tasks) / fmean(of_reference.scores[t] for t in tasks)
    evidence = f"the mean of its scores is {_SHARE * share:.1f} % of that of {name}"
    return of_either(
        f"{evidence} in {of_reference.source}", holds=printed(claim.share_of_reference).is_of(share)
    )
