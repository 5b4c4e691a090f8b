"""Importers of published probe sets, which read the user's unmodified copy."""

from collections.abc import Callable, Mapping

from maskaudit.probes.importers import (
    bec_pro,
    crows_pairs,
    gest,
    holistic_bias,
    honest,
    options,
    stereoset,
    unqover,
    weat,
    winobias,
    winogender,
)
from maskaudit.probes.published.imported import Imported, Unusable

__all__ = ["IMPORTERS", "Imported", "Unusable"]

IMPORTERS: Mapping[str, Callable[..., Imported]] = {
    "crows-pairs": crows_pairs.read,
    "stereoset": stereoset.read,
    "winobias": winobias.read,
    "winogender": winogender.read,
    "bec-pro": bec_pro.read,
    "holistic-bias": holistic_bias.read,
    "honest": honest.read,
    "unqover": unqover.read,
    "weat": weat.read,
    "gest": gest.read,
    "options": options.read,
}
