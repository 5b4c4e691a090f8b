"""What is known of attributes beside their leans: their pieces, their words, their frequency."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd

from maskaudit.audit.estimating.estimators.of_groups.pooling import group_at_mask
from maskaudit.audit.estimating.statistics.interval import Cells

PIECES, WORDS, FREQUENCY = "pieces", "words", "frequency"


def attributes_of(items: pd.DataFrame) -> pd.MultiIndex:
    """The attributes of the association sets among the items, controls too: set and attribute."""
    rows = items[(items["kind"] == "association") & items["role"].isin(["probe", "control"])]
    return pd.MultiIndex.from_frame(rows[["probe_set", "attribute"]].drop_duplicates())


@dataclass(frozen=True)
class Covariates:
    """By attribute of one set: its pieces for each model, its words, its log frequency.

    `pieces` are means over the attribute's sentences; `words` a mean over its forms; `frequency`
    is the natural logarithm of its uses per million words. NaN where one is not known.
    """

    pieces: Mapping[str, Mapping[str, float]]
    words: Mapping[str, float]
    frequency: Mapping[str, float]

    @classmethod
    def of(cls, items: pd.DataFrame, attributes: pd.DataFrame) -> Self:
        """Those of one set, from its items and its rows of the table `attributes`."""
        probes = items[items["role"] == "probe"]
        # A form by group is a target; otherwise the attribute stands as it is called.
        written = "attribute" if probes.empty or group_at_mask(probes) else "target"
        forms = probes[list(dict.fromkeys(["attribute", "group", written]))].drop_duplicates()
        n_words = forms.assign(n=[len(text.split()) for text in forms[written]])
        by_form = n_words.groupby(["attribute", "group"])["n"].mean()
        known = probes[["attribute", "frequency"]].drop_duplicates("attribute")
        return cls(
            pieces={
                str(model): dict(zip(rows["attribute"], rows["pieces"], strict=True))
                for model, rows in attributes.groupby("model", sort=False)
            },
            words={str(name): float(n) for name, n in by_form.groupby("attribute").mean().items()},
            frequency=dict(zip(known["attribute"], np.log(known["frequency"]), strict=True)),
        )

    def mean_pieces(self, names: Sequence[str]) -> Cells:
        """The mean over models of the pieces of these attributes, [I]; NaN if not all are known."""
        if not self.pieces:
            return np.full(len(names), np.nan)
        # Averaged over models, so that all subjects are adjusted by the same covariates.
        by_model = [[own.get(name, np.nan) for name in names] for own in self.pieces.values()]
        means: Cells = np.array(by_model, dtype=float).mean(0)
        return means

    def has_frequencies(self, names: Sequence[str]) -> bool:
        """Whether the frequency of each of these attributes is known."""
        return bool(names) and not any(np.isnan(self.frequency[name]) for name in names)

    def table(self, names: Sequence[str], *, frequency: bool) -> Cells:
        """Pieces and words of these attributes, and their log frequencies if asked for, [I, 2+]."""
        columns = [self.mean_pieces(names), np.array([self.words[name] for name in names])]
        if frequency:
            columns.append(np.array([self.frequency[name] for name in names]))
        return np.stack(columns, axis=1)

    def apart(self, names: tuple[Sequence[str], Sequence[str]]) -> dict[tuple[str, str], float]:
        """The mean of the first class less that of the second, by covariate and model.

        The model is empty but for pieces. What is not known of all attributes is left out.
        """
        columns = {
            **{(PIECES, model): own for model, own in self.pieces.items()},
            (WORDS, ""): self.words,
            (FREQUENCY, ""): self.frequency,
        }
        found = {}
        for key, values in columns.items():
            first, second = (
                float(np.mean([values.get(name, np.nan) for name in own])) if len(own) else np.nan
                for own in names
            )
            # Of some attributes alone a mean would be one of other words than the contrast is of.
            if not np.isnan(first - second):
                found[key] = first - second
        return found
