"""Check that two audits of the same models, probes and software have the same scores.

If all of these are the same, there is no hypothesis to test.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import pandas as pd

from maskaudit.audit.estimating.statistics.interval import Cells
from maskaudit.audit.recording.manifest import Identity, Manifest, ProbeSetKey
from maskaudit.audit.recording.record import Record

# Nats. Another batch size changes a sentence's score by less than this; a larger difference means
# another computation.
TOLERANCE = 1e-5
IDENTICAL, WITHIN_TOLERANCE, CHANGED = "identical", "within tolerance", "changed"
NOTHING_COMPARED = "nothing compared"
_SCORE = ["model", "item", "measure"]
# Fields of a model's identity: what the model is, and how it was run.
MODEL_DIFFERENCES = {"weights": "its weights differ", "tokenizer": "its tokenizer differs"}
RUN_FIELDS = ("dtype", "device", "attention")
# The description of a model or of a probe set in a record.
_Part = TypeVar("_Part", Identity, ProbeSetKey)


@dataclass(frozen=True)
class Repeat:
    """Whether two audits have the same scores for the models and probes that they share.

    `differences` lists what they do not share, one line each; it is empty for a true repeat.
    `compared` is the number of scores compared. `largest` is their largest absolute difference in
    nats: infinite if only one audit could score an item, NaN if nothing was compared. If it is not
    0, `where` names its probe set, model, item and measure.
    """

    differences: tuple[str, ...]
    compared: int
    largest: float
    where: Mapping[str, str]

    @property
    def verdict(self) -> str:
        """`identical`, `within tolerance`, `changed` or `nothing compared`."""
        if self.compared == 0:
            return NOTHING_COMPARED
        if self.largest == 0:
            return IDENTICAL
        return WITHIN_TOLERANCE if self.largest <= TOLERANCE else CHANGED


def repeated(old: Record, new: Record) -> Repeat:
    """Compare the scores of two audits one by one.

    The same computation gives the same numbers: a difference beyond `TOLERANCE` means that
    something changed that the record does not name, such as the machine. Models and probe sets that
    differ are listed in `differences` and not compared; if the software differs, nothing is
    compared.
    """
    method_differences = list(_method_differences(old.manifest, new.manifest))
    models, model_differences = _shared(
        old.manifest.models, new.manifest.models, _model_differences
    )
    sets, set_differences = _shared(
        old.manifest.probe_sets, new.manifest.probe_sets, _set_differences
    )
    chosen = [_scores(record, [] if method_differences else models, sets) for record in (old, new)]
    # An outer join: a score that only one audit has is the largest difference there is.
    side_by_side = chosen[0].merge(chosen[1], on=_SCORE, how="outer", suffixes=("_old", "_new"))
    gap = score_gaps(side_by_side)
    return Repeat(
        differences=(*method_differences, *model_differences, *set_differences),
        compared=len(side_by_side),
        largest=float(gap.max()) if len(gap) else np.nan,
        where=_location(side_by_side.iloc[int(gap.argmax())], old.items, sets) if gap.any() else {},
    )


def _method_differences(old: Manifest, new: Manifest) -> Iterator[str]:
    """Yield what differs in the software, which changes the method of every number."""
    before, after = (
        {**manifest.method, "maskaudit": manifest.maskaudit} for manifest in (old, new)
    )
    for name in sorted({*before, *after}):
        yield from differs("different method", name, before.get(name), after.get(name))


def _model_differences(subject: str, old: Identity, new: Identity) -> Iterator[str]:
    messages = [
        message
        for name, message in MODEL_DIFFERENCES.items()
        if getattr(old, name) != getattr(new, name)
    ]
    if messages:
        yield f"{subject}: a different model version ({', '.join(messages)})"
    for name in RUN_FIELDS:
        yield from differs(
            f"{subject}: different method", name, getattr(old, name), getattr(new, name)
        )


def _set_differences(name: str, old: ProbeSetKey, new: ProbeSetKey) -> Iterator[str]:
    if old.items_digest != new.items_digest:
        universes = [key.grammar.universe if key.grammar else "" for key in (old, new)]
        # Two sets without a grammar both have none, and share no universe for that.
        same = universes[0] == universes[1] != ""
        yield (
            f"{name}: different probes ({'frames were drawn anew' if same else 'its items differ'})"
        )


def differs(label: str, name: str, old: object, new: object) -> Iterator[str]:
    """Yield a line that names a property and both its values, if the two differ."""
    if old != new:
        yield f"{label} ({name}: {old or 'none'}, then {new or 'none'})"


def _shared(
    old: Mapping[str, _Part],
    new: Mapping[str, _Part],
    differences: Callable[[str, _Part, _Part], Iterator[str]],
) -> tuple[list[str], list[str]]:
    """Return the names of the parts that are the same in both audits, and a line on each other."""
    lines_by_name: dict[str, list[str]] = {}
    for name in dict.fromkeys([*old, *new]):
        if name in old and name in new:
            lines_by_name[name] = list(differences(name, old[name], new[name]))
        else:
            lines_by_name[name] = [
                f"{name}: only in the {'older' if name in old else 'newer'} audit"
            ]
    same = [name for name, lines in lines_by_name.items() if not lines]
    return same, [line for lines in lines_by_name.values() for line in lines]


def _scores(record: Record, models: Sequence[str], sets: Sequence[str]) -> pd.DataFrame:
    items = record.items.loc[record.items["probe_set"].isin(sets), "item"]
    chosen = record.scores["model"].isin(models) & record.scores["item"].isin(items)
    return record.scores.loc[chosen, [*_SCORE, "value", "status"]]


def score_gaps(side_by_side: pd.DataFrame) -> Cells:
    """The absolute difference of each score; infinite if only one is known or statuses differ."""
    old, new = (side_by_side[f"value_{side}"].to_numpy(dtype=float) for side in ("old", "new"))
    same = (np.isnan(old) & np.isnan(new)) | (old == new)  # -inf minus -inf is NaN
    gap = np.abs(np.subtract(new, old, out=np.zeros(len(side_by_side)), where=~same))
    lost = (side_by_side["status_old"] != side_by_side["status_new"]).to_numpy(dtype=bool)
    # Equal values and both unknown are 0 by now, so NaN means that only one of the two is known.
    gaps: Cells = np.where(np.isnan(gap) | lost, np.inf, gap)
    return gaps


def _location(score: pd.Series, items: pd.DataFrame, sets: Sequence[str]) -> dict[str, str]:
    # An item may be in several sets, and only one of them may have been compared.
    sets_of_item = items.loc[items["item"] == score["item"], "probe_set"]
    probe_set = next((str(name) for name in sets_of_item if name in sets), "")
    return {"probe_set": probe_set, **{name: str(score[name]) for name in _SCORE}}
