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
WHAT = {"weights": "its weights differ", "tokenizer": "its tokenizer differs"}
HOW = ("dtype", "device", "attention")
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
    method = list(_method(old.manifest, new.manifest))
    models, other_models = _shared(old.manifest.models, new.manifest.models, _of_model)
    sets, other_sets = _shared(old.manifest.probe_sets, new.manifest.probe_sets, _of_set)
    chosen = [_scores(record, [] if method else models, sets) for record in (old, new)]
    both = chosen[0].merge(chosen[1], on=_SCORE, how="outer", suffixes=("_old", "_new"))
    gap = score_gaps(both)
    return Repeat(
        differences=(*method, *other_models, *other_sets),
        compared=len(both),
        largest=float(gap.max()) if len(gap) else np.nan,
        where=_place(both.iloc[int(gap.argmax())], old.items, sets) if gap.any() else {},
    )


def _method(old: Manifest, new: Manifest) -> Iterator[str]:
    """Yield what differs in the software, which changes the method of every number."""
    before, after = ({**one.method, "maskaudit": one.maskaudit} for one in (old, new))
    for name in sorted({*before, *after}):
        yield from differs("other method", name, before.get(name), after.get(name))


def _of_model(subject: str, old: Identity, new: Identity) -> Iterator[str]:
    differ = [told for name, told in WHAT.items() if getattr(old, name) != getattr(new, name)]
    if differ:
        yield f"{subject}: another model version ({', '.join(differ)})"
    for name in HOW:
        yield from differs(f"{subject}: other method", name, getattr(old, name), getattr(new, name))


def _of_set(name: str, old: ProbeSetKey, new: ProbeSetKey) -> Iterator[str]:
    if old.items_digest != new.items_digest:
        universes = [one.grammar.universe if one.grammar else "" for one in (old, new)]
        same = universes[0] == universes[1] != ""
        yield f"{name}: other probes ({'frames were drawn anew' if same else 'its items differ'})"


def differs(what: str, name: str, old: object, new: object) -> Iterator[str]:
    """Yield a line that names a property and both its values, if the two differ."""
    if old != new:
        yield f"{what} ({name}: {old or 'none'}, then {new or 'none'})"


def _shared(
    old: Mapping[str, _Part],
    new: Mapping[str, _Part],
    differences: Callable[[str, _Part, _Part], Iterator[str]],
) -> tuple[list[str], list[str]]:
    """Return the names of the parts that are the same in both audits, and a line on each other."""
    told: dict[str, list[str]] = {}
    for name in dict.fromkeys([*old, *new]):
        if name in old and name in new:
            told[name] = list(differences(name, old[name], new[name]))
        else:
            told[name] = [f"{name}: only in the {'older' if name in old else 'newer'} audit"]
    same = [name for name, lines in told.items() if not lines]
    return same, [line for lines in told.values() for line in lines]


def _scores(record: Record, models: Sequence[str], sets: Sequence[str]) -> pd.DataFrame:
    items = record.items.loc[record.items["probe_set"].isin(sets), "item"]
    chosen = record.scores["model"].isin(models) & record.scores["item"].isin(items)
    return record.scores.loc[chosen, [*_SCORE, "value", "status"]]


def score_gaps(both: pd.DataFrame) -> Cells:
    """The absolute difference of each score; infinite if only one is known or statuses differ."""
    old, new = (both[f"value_{when}"].to_numpy(dtype=float) for when in ("old", "new"))
    same = (np.isnan(old) & np.isnan(new)) | (old == new)  # -inf minus -inf is NaN
    gap = np.abs(np.subtract(new, old, out=np.zeros(len(both)), where=~same))
    lost = (both["status_old"] != both["status_new"]).to_numpy(dtype=bool)
    found: Cells = np.where(np.isnan(gap) | lost, np.inf, gap)
    return found


def _place(score: pd.Series, items: pd.DataFrame, sets: Sequence[str]) -> dict[str, str]:
    used = items.loc[items["item"] == score["item"], "probe_set"]
    probe_set = next((str(name) for name in used if name in sets), "")
    return {"probe_set": probe_set, **{name: str(score[name]) for name in _SCORE}}
