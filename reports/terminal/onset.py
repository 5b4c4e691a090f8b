"""Since when a lean is credible, in words, as text for the terminal and as plain JSON values."""

from collections.abc import Iterator
from typing import Any

from maskaudit.audit.history.onset import Bisected, Number, Onset
from maskaudit.audit.history.plain import finite_or_none
from maskaudit.audit.history.series import DIFFERENCE
from maskaudit.audit.recording.rows.slices import CONTRAST, Slice
from maskaudit.reports.terminal.history import level_of, shown
from maskaudit.reports.words import wording

_HEADS = ("version", "estimate", "95 % interval", "p", "")
_IS_NUMBER = (False, True, True, True, False)


def notes(bisected: Bisected) -> list[str]:
    """Notes on what was left out: repeats of a version, and sets that cannot be compared."""
    return [
        *(
            f"{shown(name)}: the same model as {shown(of)}; left out"
            for name, of in bisected.repeats
        ),
        *(f"{shown(name)}: not compared: {shown(reason)}" for name, reason in bisected.refused),
    ]


def text(bisected: Bisected) -> str:
    """What was asked and how sure the answers are, then a sentence and a table a contrast."""
    n = wording.counted(len(bisected.versions), "version")
    of = wording.counted(len(bisected.onsets), "contrast")
    level = f"at the level {level_of(bisected.asked.alpha)}"
    lines = [f"{_asked(bisected)} {n}, {of}; all that is called credible holds together {level}."]
    for onset in bisected.onsets:
        lines += ["", title(onset), f"  {sentence(bisected, onset)}", *_table(bisected, onset)]
    return "\n".join(lines)


def _asked(bisected: Bisected) -> str:
    asked = bisected.asked
    beyond = f" by more than {asked.limit:g} nats" if asked.limit else ""
    if asked.change:
        return f"The first version changed credibly{beyond} from {shown(bisected.called[0])}:"
    more = " further than the reference" if asked.subject == DIFFERENCE else ""
    return f"The first version that leans credibly{more}{beyond}:"


def title(onset: Onset) -> str:
    """The title of a contrast, with its groups where its set has more than two."""
    slice_ = "" if Slice.parse(onset.slice) == CONTRAST else f", {onset.slice}"
    return shown(f"{onset.title}{slice_}")


def sentence(bisected: Bisected, onset: Onset) -> str:
    """The answer on one contrast: the first version, and what those before it show."""
    if onset.first is None:
        return (
            "No version is credibly changed. That does not show that none is."
            if bisected.asked.change
            else "No version's lean is credible. That does not show that none leans."
        )
    number = onset.numbers[onset.first]
    called = [shown(name) for name in bisected.called]
    start = (
        f"First {'credibly changed' if bisected.asked.change else 'credible'} in "
        f"{called[onset.first]} ({wording.signed(number.estimate)} nats, "
        f"{wording.between(number.low, number.high, with_sign=True)}; "
        f"{wording.p_value(number.p)})"
    )
    return f"{start}{_since(onset, called, is_change=bisected.asked.change)}"


def _since(onset: Onset, called: list[str], *, is_change: bool) -> str:
    """Where it came in, as far as the versions before show.

    A change came in where it is credible. A lean that is credibly larger than before may have been
    there before, and not large enough to be seen: of it no more is said than that.
    """
    if onset.first == 0:
        return ", which is the first of them: it was there from the start."
    less = "further down" if onset.sign > 0 else "further up"
    first = called[onset.first or 0]
    if not onset.before:
        earlier = wording.counted(len(onset.unclear), "version")
        return (
            f". None of the {earlier} before it is shown to be {less}: it may have come in earlier."
            if len(onset.unclear) > 1
            else f". {called[0]} is not shown to be {less}: it may have been there from the start."
        )
    last = called[onset.before - 1]
    between = f". It came in between {last} and {first}"
    if not is_change:
        between = f". It is credibly larger in {first} than in {last}"
    if not onset.unclear:
        return f"{between}, the version right {'after it' if is_change else 'before it'}."
    names = wording.listed([called[i] for i in onset.unclear])
    return f"{between}: {names} {'is' if len(onset.unclear) == 1 else 'are'} unclear."


def _state(bisected: Bisected, onset: Onset, index: int) -> str:
    """What is shown of one version, in a word or two."""
    yes = "changed" if bisected.asked.change else "credible"
    if bisected.asked.change and not index:
        return "held against"
    if onset.first is None or index > onset.first:
        return yes if onset.shown[index] else "not shown"
    if index == onset.first:
        return f"first {yes}"
    if index in onset.unclear:
        return "unclear"
    return "credibly lower" if onset.sign > 0 else "credibly higher"


def _table(bisected: Bisected, onset: Onset) -> Iterator[str]:
    rows = [
        _HEADS,
        *(
            (
                shown(name),
                *_cells(bisected, number, i),
                _state(bisected, onset, i),
            )
            for i, (name, number) in enumerate(zip(bisected.called, onset.numbers, strict=True))
        ),
    ]
    widths = [max(len(row[i]) for row in rows) for i in range(len(_HEADS))]
    for row in rows:
        cells = [
            value.rjust(width) if is_number else value.ljust(width)
            for value, width, is_number in zip(row, widths, _IS_NUMBER, strict=True)
        ]
        yield "    " + "  ".join(cells).rstrip()


def _cells(bisected: Bisected, number: Number, index: int) -> tuple[str, str, str]:
    """One version’s number, interval and p value; empty for what the others are held against."""
    if bisected.asked.change and not index:
        return "", "", ""
    return (
        wording.signed(number.estimate),
        wording.between(number.low, number.high, with_sign=True),
        wording.p_number(number.p),
    )


def as_json(bisected: Bisected) -> dict[str, Any]:
    """The same as plain JSON values; unknown numbers are null, versions are named by record."""
    asked = bisected.asked
    return {
        "versions": [
            {"record": name, "candidate": called}
            for name, called in zip(bisected.versions, bisected.called, strict=True)
        ],
        "subject": asked.subject,
        "change": asked.change,
        "limit": asked.limit,
        "alpha": asked.alpha,
        "alpha_each": bisected.alpha_each,
        "repeats": [{"record": name, "of": of} for name, of in bisected.repeats],
        "refused": [{"probe_set": name, "reason": why} for name, why in bisected.refused],
        "contrasts": [_onset_as_json(bisected, onset) for onset in bisected.onsets],
    }


def _onset_as_json(bisected: Bisected, onset: Onset) -> dict[str, Any]:
    names = bisected.versions
    return {
        "probe_set": onset.probe_set,
        "slice": onset.slice,
        "mode": onset.mode,
        "first": None if onset.first is None else names[onset.first],
        "last_before": names[onset.before - 1] if onset.before else None,
        "unclear": [names[i] for i in onset.unclear],
        "direction": onset.sign,
        "says": sentence(bisected, onset),
        "numbers": [
            {
                "record": names[i],
                **{
                    name: finite_or_none(getattr(number, name))
                    for name in ("estimate", "low", "high", "p")
                },
                "state": _state(bisected, onset, i),
            }
            for i, number in enumerate(onset.numbers)
        ],
    }
