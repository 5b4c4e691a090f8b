"""The first sentences of a set as models read them: likeliest words and log-odds, in seconds."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from maskaudit.audit.errors import InputError
from maskaudit.audit.measuring.backends import torch_model
from maskaudit.audit.measuring.model import MaskedLM
from maskaudit.audit.measuring.scoring import Scored, score
from maskaudit.probes.expand import Expanded, expand
from maskaudit.probes.loading import load
from maskaudit.probes.schema import Attribute, ImportedSet, ProbeSet
from maskaudit.probes.thinned import with_few_frames

# Terms of a group in whose sentences the attribute is read; the set's own number takes all.
_MOST_TERMS = 10


@dataclass(frozen=True)
class Sentence:
    """One masked sentence, with the likeliest words of each model and their probabilities."""

    text: str
    likeliest: Mapping[str, Sequence[tuple[str, float]]]


@dataclass(frozen=True)
class Cell:
    """An attribute in a frame, or a fact: its sentences, and a number by model.

    The number is log p(first group) - log p(second group), or the log p of a fact's answer; None
    with the reason in `lost` where a model cannot be asked. `ranks` are the places by model of the
    targets of one piece, as read here, among all pieces of its vocabulary; 1 is the likeliest.
    """

    name: str
    what: str
    sentences: Sequence[Sentence]
    numbers: Mapping[str, float | None]
    lost: Mapping[str, str]
    ranks: Mapping[str, Sequence[int]]


@dataclass(frozen=True)
class FirstSentences:
    """A few cells of a set; `measure` says what their numbers are."""

    measure: str
    cells: Sequence[Cell]

    def as_json(self) -> dict[str, Any]:
        """The same as plain values."""
        return {"measure": self.measure, "cells": [asdict(cell) for cell in self.cells]}

    def as_text(self) -> str:
        """Each sentence with a line a model, then the numbers; last, the ranks of the targets."""
        lines = [line for cell in self.cells for line in self._lines(cell)]
        return "\n".join([*lines, *self._ranks()])

    def _ranks(self) -> Iterator[str]:
        """A line a model, which says whether it expects the words of the set at all."""
        for model in dict.fromkeys(name for cell in self.cells for name in cell.ranks):
            ranks = np.array([rank for cell in self.cells for rank in cell.ranks.get(model, ())])
            if len(ranks):
                yield (
                    f"{model} ranks the words asked here {ranks.min():,} to {ranks.max():,}, half "
                    f"of them {int(np.median(ranks)):,} or better"
                )

    def _lines(self, cell: Cell) -> Iterator[str]:
        yield f"{cell.name}: {cell.what}"
        for sentence in cell.sentences:
            yield f"  {sentence.text}"
            for model, words in sentence.likeliest.items():
                listed = ", ".join(f"{word} {p:.3f}" for word, p in words)
                yield f"    {model}: {listed}"
        numbers = (
            f"{model} {'not scored: ' + cell.lost[model] if value is None else f'{value:+.2f}'}"
            for model, value in cell.numbers.items()
        )
        yield f"  {self.measure}: {', '.join(numbers)}"


def first_sentences(
    path: Path, models: Sequence[str], n_sentences: int, top: int
) -> FirstSentences:
    """Read the first frames or facts of a set with each model, the attributes in turn.

    Raises `InputError` for an import, and for a model that cannot be loaded.
    """
    probe_set = load(path)
    if isinstance(probe_set, ImportedSet):
        raise InputError(
            f"{path}: is an import, which is read as it was published; `probes preview` is for the "
            "authors of a TOML file. Look at its sentences with: maskaudit probes show"
        )
    loaded = {name: torch_model.load(name) for name in dict.fromkeys(models)}
    shown = {model.identity.name: model for model in loaded.values()}
    # Two folders may have a model of one name; then what was typed tells them apart.
    if len(shown) < len(loaded):
        shown = dict(loaded)
    if probe_set.facts:
        return _of_facts(probe_set, shown, n_sentences, top)
    return _of_association(probe_set, shown, n_sentences, top)


def _of_association(
    probe_set: ProbeSet, models: Mapping[str, MaskedLM], n_sentences: int, top: int
) -> FirstSentences:
    few = with_few_frames(probe_set, n_sentences)
    groups = {
        name: part.model_copy(update={"terms": part.terms[:_MOST_TERMS]})
        for name, part in few.groups.items()
    }
    in_turn = _in_turn(probe_set)
    chosen = {frame.id: in_turn[place % len(in_turn)] for place, frame in enumerate(few.frames)}
    classes = {
        name: part.model_copy(
            update={"attributes": _distinct(one for own, one in chosen.values() if own == name)}
        )
        for name, part in few.classes.items()
    }
    # No row of a control is shown, so that none has to be written out.
    update = {"groups": groups, "classes": classes, "controls": None}
    whole = expand(few.model_copy(update=update))
    items = whole.items[whole.items["role"] == "probe"]
    asked = items["frame"].map({frame: one.text for frame, (_, one) in chosen.items()})
    part = _only(whole, items[items["attribute"] == asked])
    scored = {name: score(part, [model]) for name, model in models.items()}
    first, second = list(groups)[:2]
    cells = []
    # Not sorted: an author looks for the frames in the order of the file.
    for frame, rows in part.items.groupby("frame", sort=False):
        of_class, attribute = chosen[str(frame)]
        # The sentences of the first term of each group; with the group at the mask they are one.
        contexts = rows.drop_duplicates("group")["context"].drop_duplicates()
        values, lost = {}, {}
        for name, one in scored.items():
            by_group = _log_p_by_group(rows, one, pooled=probe_set.group_at_mask)
            values[name], lost[name] = _difference(by_group, first, second)
        cells.append(
            Cell(
                str(frame),
                f"{attribute.text} ({of_class})",
                _sentences(contexts, part, scored, top),
                values,
                {name: reason for name, reason in lost.items() if reason},
                {name: _ranks(rows, one) for name, one in scored.items()},
            )
        )
    return FirstSentences(f"log-odds {first}/{second}", cells)


def _of_facts(
    probe_set: ProbeSet, models: Mapping[str, MaskedLM], n_sentences: int, top: int
) -> FirstSentences:
    whole = expand(probe_set.model_copy(update={"facts": probe_set.facts[:n_sentences]}))
    part = _only(whole, whole.items[whole.items["label"] == "right"])
    scored = {name: score(part, [model]) for name, model in models.items()}
    cells = []
    for frame, rows in part.items.groupby("frame", sort=False):
        lost: dict[str, str] = {}
        answer = rows.iloc[:1]
        values = {}
        for name, one in scored.items():
            [found] = answer.merge(one.scores, on="item").to_dict("records")
            is_read = found["status"] == "ok"
            values[name] = float(found["value"]) if is_read else None
            lost |= {} if is_read else {name: str(found["status"])}
        contexts = answer["context"]
        what = f"{answer['attribute'].iloc[0]} ({answer['class'].iloc[0]})"
        shown = _sentences(contexts, part, scored, top)
        ranks = {name: _ranks(answer, one) for name, one in scored.items()}
        cells.append(Cell(str(frame), what, shown, values, lost, ranks))
    return FirstSentences("log p of the answer", cells)


def _in_turn(probe_set: ProbeSet) -> list[tuple[str, Attribute]]:
    """The attributes of the contrasted classes, or of all, one of each in turn, as in the file."""
    directed = probe_set.directions or {}
    names = [name for name in probe_set.classes if name in directed]
    names = names or list(probe_set.header.contrast or probe_set.classes)
    lists = [[(name, one) for one in probe_set.classes[name].attributes] for name in names]
    return [pair for row in zip_longest(*lists) for pair in row if pair is not None]


def _distinct(attributes: Iterable[Attribute]) -> list[Attribute]:
    """Each attribute once, though it stands in several of the frames."""
    return list({one.text: one for one in attributes}.values())


def _only(whole: Expanded, items: pd.DataFrame) -> Expanded:
    """These items, and the contexts that they are asked in."""
    contexts = whole.contexts[whole.contexts["context"].isin(items["context"])]
    return Expanded(contexts.reset_index(drop=True), items.reset_index(drop=True))


def _log_p_by_group(rows: pd.DataFrame, scored: Scored, *, pooled: bool) -> pd.DataFrame:
    """A row a group: log p, over its terms added up (`pooled`) or averaged, and what was lost."""
    known = rows.merge(scored.scores, on="item")
    known = known.assign(lost=known["status"].where(known["status"] != "ok", ""))
    of_group = known.groupby("group", sort=False)
    # What was lost is NaN, and so is the number of its group.
    with np.errstate(invalid="ignore"):
        values = of_group["value"].agg(_added_up if pooled else "mean")
    # Empty text sorts first, so that the largest is a reason wherever there is one.
    return pd.DataFrame({"value": values, "lost": of_group["lost"].max()})


def _added_up(log_p: pd.Series) -> float:
    return float(np.logaddexp.reduce(log_p.to_numpy(dtype=float)))


def _difference(by_group: pd.DataFrame, first: str, second: str) -> tuple[float | None, str]:
    """The log-odds, or None and why there is none."""
    if reason := max(str(by_group.loc[group, "lost"]) for group in (first, second)):
        return None, reason
    values = by_group["value"]
    return float(values[first] - values[second]), ""


def _ranks(rows: pd.DataFrame, scored: Scored) -> list[int]:
    """The ranks of the targets that have one: those of one piece."""
    return [int(rank) for rank in rows.merge(scored.scores, on="item")["rank"].dropna()]


def _sentences(
    contexts: pd.Series, part: Expanded, scored: Mapping[str, Scored], top: int
) -> list[Sentence]:
    texts = part.contexts.set_index("context")["text"]
    found = []
    for context in contexts:
        likeliest = {}
        for name, one in scored.items():
            fills = one.fills[one.fills["context"] == context].sort_values("rank").head(top)
            words = zip(fills["token"], fills["probability"], strict=True)
            likeliest[name] = [(str(word), float(p)) for word, p in words]
        found.append(Sentence(str(texts[context]), likeliest))
    return found
