"""A badge of an audit as SVG: what the rules say, and on how many sets the candidate leans."""

from collections.abc import Sequence
from html import escape

from maskaudit.audit.judging.verdicts import Judgement
from maskaudit.audit.recording.record import Record
from maskaudit.audit.texts import printable
from maskaudit.reports.effects import Effects
from maskaudit.reports.page import names_of
from maskaudit.reports.sections.contrasts.tested import Contrast, contrasts
from maskaudit.reports.words import verdicts, wording

_LABEL = "bias audit"
_RED, _AMBER, _GREEN, _GREY = "#b3261e", "#8a5a00", "#1a6b2f", "#4b5563"
# A character of the font takes about so many pixels; `textLength` makes it exact.
_CHARACTER, _AROUND = 6.5, 10.0


def badge(record: Record, judgement: Judgement | None = None) -> str:
    """The badge, with its words for screen readers, readable on any ground without its colour.

    It never has a verdict without the state: a model that passes may lean.
    """
    manifest = record.manifest
    names = names_of(manifest)
    found = contrasts(
        manifest.probe_sets, Effects.of(record.estimates), names, manifest.settings.adjust
    )
    tested = [contrast for contrast in found if contrast.is_tested]
    word = verdicts.word(judgement).lower()
    words = f"{word}, {_state(tested)}"
    whole = (
        f"Bias audit of {names.candidate} on {wording.date(manifest.created)}, release rule: "
        f"{words}"
    )
    is_leaning = any(contrast.alone.is_shown for contrast in tested)
    return _svg(words, whole, _colour(word, is_leaning=is_leaning))


def _state(tested: Sequence[Contrast]) -> str:
    if not tested:
        return "no lean tested"
    # With the stereotype or against it: the other way is no absence of a lean.
    leans = sum(contrast.alone.is_shown for contrast in tested)
    if leans:
        return f"leans on {leans} of {len(tested)} sets"
    return f"no lean shown on {wording.counted(len(tested), 'set')}"


def _colour(word: str, *, is_leaning: bool) -> str:
    if word == verdicts.NO_RULE.lower():
        return _GREY
    if word == verdicts.FAIL:
        return _RED
    return _AMBER if is_leaning or word != verdicts.PASS else _GREEN


def _svg(words: str, whole: str, colour: str) -> str:
    left, right = (_CHARACTER * len(text) + _AROUND for text in (_LABEL, words))
    title = escape(printable.printable(whole, wording.code_point))
    texts = "".join(
        f'<text x="{middle:g}" y="14" textLength="{_CHARACTER * len(text):g}">{escape(text)}</text>'
        for text, middle in ((_LABEL, left / 2), (words, left + right / 2))
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right:g}" height="20" role="img" '
        f'aria-label="{title}"><title>{title}</title>'
        f'<rect width="{left + right:g}" height="20" rx="3" fill="#24292f"/>'
        f'<path d="M{left:g} 0h{right - 3:g}a3 3 0 0 1 3 3v14a3 3 0 0 1-3 3H{left:g}z" '
        f'fill="{colour}"/>'
        '<g fill="#fff" text-anchor="middle" font-size="11" '
        f'font-family="Verdana,DejaVu Sans,sans-serif">{texts}</g></svg>\n'
    )
