"""Numbers, names and foreign text as finished strings; the only place that sets their style."""

import math
import re
import unicodedata
from collections.abc import Sequence
from datetime import datetime
from typing import Self

from maskaudit.audit.texts.characters import unseen

UNKNOWN = "–"
LONGEST_SHOWN = 60
_ISOLATE, _ISOLATE_END = "\u2068", "\u2069"
_WORST_SHARE_SHOWN = 1e-4
_MANY = 1e6
# `math.exp` raises OverflowError above 709.
_LARGEST_EXPONENT = 700.0
# The spaces in "95 %", "0.62 nats", "p < .001", "r = 1.00" and "Table 11".
_KEPT_TOGETHER = re.compile(
    r"(?<=\d) (?=%|nats\b|points\b)|(?<=\b[pr]) (?=[<=])|(?<=[<=]) (?=[.\d])"
)
_WORD = re.compile(r"[^\W_]\S*")
_LEAST = 0.00005
_RAREST = 1e-9


class Interval(str):
    """Text that shows an interval, with its limits: a page counts the intervals that it prints.

    What is made from it, as by an f-string, is plain text and is not counted.
    """

    __slots__ = ("high", "low")
    low: float
    high: float

    def __new__(cls, text: str, low: float, high: float) -> Self:
        """Make the text with these limits."""
        made = super().__new__(cls, text)
        made.low, made.high = low, high
        return made

    @property
    def limits(self) -> tuple[float, float]:
        """The low and the high limit."""
        return self.low, self.high


def signed(value: float) -> str:
    """Nats, or another number with a direction: +0.62, −0.62, 0.00."""
    if math.isnan(value):
        return UNKNOWN
    shown = _decimals(abs(value))
    # A number that rounds to zero gets no sign: +0.00 would claim a direction.
    if float(shown) == 0:
        return shown
    return ("+" if value > 0 else "−") + shown


def plain(value: float, digits: int = 2) -> str:
    """A number without a plus sign, for use where words give the direction: 0.62, −0.62."""
    if math.isnan(value):
        return UNKNOWN
    shown = _decimals(abs(value)) if digits == 2 else f"{abs(value):.{digits}f}"  # noqa: PLR2004
    return "−" + shown if value < 0 and float(shown) != 0 else shown


def correlations(values: Sequence[float]) -> list[str]:
    """Correlations: 0.87; all with three decimals where two would show any of them as 1.00."""
    is_close = any(size(value) == "1.00" for value in values)
    return [plain(value, 3 if is_close else 2) for value in values]


def size(value: float) -> str:
    """The absolute value of a number."""
    return plain(abs(value))


def at_most(value: float, digits: int = 2) -> str:
    """A size that another is at most, rounded up so that it stays true: 0.17 for .1612."""
    if math.isnan(value):
        return UNKNOWN
    scale = 10**digits
    # Up to nine decimals more are noise of the machine: .17 is not .18.
    return f"{math.ceil(round(value * scale, 9)) / scale:.{digits}f}"


def between(low: float, high: float, *, with_sign: bool = False) -> str:
    """An interval: 0.55 to 0.69."""
    if math.isnan(low) or math.isnan(high):
        return UNKNOWN
    shown = signed if with_sign else plain
    return Interval(f"{shown(low)} to {shown(high)}", low, high)


def with_interval(estimate: float, low: float, high: float) -> str:
    """An estimate and its interval in one cell: +0.62 (+0.55 to +0.69)."""
    if math.isnan(low):
        return signed(estimate)
    return Interval(f"{signed(estimate)} ({between(low, high, with_sign=True)})", low, high)


def fixed(value: float, digits: int, *, with_sign: bool = False) -> str:
    """A number with a fixed count of decimals, for a column: 54.18, +0.30, −1.20."""
    if math.isnan(value):
        return UNKNOWN
    shown = f"{abs(value):.{digits}f}"
    # No sign of what rounds to none here either, as in `signed`.
    if float(shown) == 0:
        return shown
    return ("−" if value < 0 else "+" if with_sign else "") + shown


def fixed_interval(
    numbers: tuple[float, float, float], digits: int, *, with_sign: bool = False
) -> str:
    """An estimate with its low and high limits in one cell: 54.2 (51.0 to 57.4)."""
    estimate, low, high = (fixed(value, digits, with_sign=with_sign) for value in numbers)
    # Zero width means that nothing varied, so the interval could not be estimated.
    if UNKNOWN in {low, high} or numbers[1] == numbers[2]:
        return estimate
    return Interval(f"{estimate} ({low} to {high})", *numbers[1:])


def p_number(p: float) -> str:
    """A p value for a table: < .001, .012, 1."""
    if math.isnan(p):
        return "not tested"
    if p < 0.001:  # noqa: PLR2004 - three decimals are shown
        return "< .001"
    # A p such as .9996 rounds to 1.000, which is shown as 1.
    shown = f"{p:.3f}"
    return shown.lstrip("0") if p < 1 and not shown.startswith("1") else "1"


def p_value(p: float) -> str:
    """A p value for a sentence: p < .001, p = .012."""
    shown = p_number(p)
    return f"p {shown}" if shown.startswith("<") else f"p = {shown}"


def odds(nats: float) -> str:
    """The factor on the odds for a number in nats: 1.9."""
    if math.isnan(nats):
        return UNKNOWN
    # Before `exp`, which raises an error for a number that is large enough.
    if nats > math.log(_MANY):
        return "more than a million"
    factor = math.exp(nats)
    if factor >= 100:  # noqa: PLR2004 - no decimals are worth reading
        return f"{factor:,.0f}"
    if factor >= 10:  # noqa: PLR2004 - nor is a second one
        return f"{factor:.1f}"
    return f"{factor:.2f}" if factor >= 0.01 else f"{factor:.1g}"  # noqa: PLR2004


def times(nats: float) -> str:
    """The same factor for people in a hurry, with two digits from 10 on: 1.57, 33."""
    factor = odds(nats)
    rounded = math.isfinite(nats) and math.log(10) <= nats < math.log(100)
    return f"{math.exp(nats):.0f}" if rounded else factor


def percent(share: float, digits: int = 0) -> str:
    """A share as a percentage: 88 %."""
    return UNKNOWN if math.isnan(share) else f"{100 * share:.{digits}f} %"


def share_of_odds(nats: float) -> str:
    """The share of the first of two groups at these log-odds: 65 %, 0.4 %, 99.6 %."""
    if math.isnan(nats):
        return UNKNOWN
    share = 1 / (1 + math.exp(-nats)) if nats > -_LARGEST_EXPONENT else 0.0
    return percent(share, 0 if 0.01 <= share <= 0.99 else 1)  # noqa: PLR2004 - 0 and 100 mislead


def level(share: float) -> str:
    """The level of an interval: 95 %, 97.5 %, 98.33 %."""
    return f"{f'{100 * share:.2f}'.rstrip('0').rstrip('.')} %"


def points(share: float) -> str:
    """A difference of shares in percentage points: +17, −8, 0."""
    shown = plain(100 * share, 0)
    # A difference that rounds to none has no direction to show.
    return f"+{shown}" if share > 0 and shown != "0" else shown


def probability(p: float) -> str:
    """The probability of a word: 41.2 %, 0.12 %, or 1 in 24,000 below 0.01 %."""
    if math.isnan(p):
        return UNKNOWN
    if p >= 0.01:  # noqa: PLR2004
        return f"{100 * p:.1f} %"
    if p >= _WORST_SHARE_SHOWN:
        return f"{100 * p:.2f} %"
    if p < _RAREST:
        return "below 1 in a billion"
    # Two significant digits: 1 in 24,000 rather than 1 in 23,809.
    digits = -(math.floor(math.log10(1 / p)) - 1)
    return f"1 in {round(1 / p, digits):,.0f}"


def number(count: int) -> str:
    """A count: 12,345."""
    return f"{count:,}"


def words(text: str) -> int:
    """How many words of a text are read: what begins with a letter or a digit."""
    return len(_WORD.findall(text))


def counted(count: int, noun: str, plural: str = "") -> str:
    """A count and its noun: 1 frame, 36 frames."""
    return f"{number(count)} {noun if count == 1 else plural or noun + 's'}"


def listed(words: Sequence[str]) -> str:
    """A list of words: a, b and c."""
    if len(words) < 2:  # noqa: PLR2004
        return "".join(words)
    return ", ".join(words[:-1]) + " and " + words[-1]


def opened(text: str) -> str:
    """The text with its first letter capitalised."""
    # Not `capitalize`, which would make a name such as BERT small.
    return text[:1].upper() + text[1:]


def every(count: int) -> str:
    """All of so many, where several are spoken of: both, all 3."""
    return "both" if count == 2 else f"all {count}"  # noqa: PLR2004 - nobody says "all 2"


def date(created: str) -> str:
    """The day of a time stamp: 23 November 2026."""
    moment = datetime.fromisoformat(created)
    # Not `%d`, which writes 03; and Windows knows no `%-d`.
    return f"{moment.day} {moment:%B %Y}"


def short_digest(digest: str) -> str:
    """The first 12 characters of a digest, enough to distinguish two at a glance."""
    return digest[:12]


def quoted(words: Sequence[str]) -> str:
    """A list of foreign words, each in quotation marks."""
    return listed([f"“{visible(word)}”" for word in words])


def kept_together(text: str) -> str:
    """The text with no-break spaces between a number and its unit or sign, for a line's end."""
    return _KEPT_TOGETHER.sub("\u00a0", text)


def visible(text: str, longest: int | None = LONGEST_SHOWN) -> str:
    """Text from a model or a file, made fully visible and inert.

    Characters without a glyph, and those that change the direction of what follows, are shown as
    their code point; right-to-left text is isolated so that it cannot reorder the words around it.
    Text over `longest` characters is cut, unless that is None. Markup is left as it is: the
    template escapes it.
    """
    # Cut before characters are replaced, so that no ⟨U+202E⟩ is cut in half.
    if longest is not None and len(text) > longest:
        text = text[: longest - 1] + "…"
    if text.isascii() and text.isprintable() and not text.isspace() and text:
        return text  # the common case: nothing below would change it
    shown = _with_code_points(text)
    if not shown:
        return "(empty)"
    if not shown.strip():
        return "(white space)"
    # A combining mark would attach itself to our own text before it, such as a quotation mark.
    if unicodedata.combining(shown[0]):
        shown = "◌" + shown
    turns = any(unicodedata.bidirectional(c) in {"R", "AL", "AN"} for c in shown)
    return f"{_ISOLATE}{shown}{_ISOLATE_END}" if turns else shown


def _with_code_points(text: str) -> str:
    """Text with each unseen character (`characters.unseen`) as its code point."""
    return "".join(code_point(character) if unseen(character) else character for character in text)


def code_point(character: str) -> str:
    """A character's code point as pages have it: ⟨U+202E⟩."""
    return f"⟨U+{ord(character):04X}⟩"


def _decimals(size: float) -> str:
    """Two decimals, and more for a small number that would otherwise show as zero."""
    if _LEAST <= size < 0.005:  # noqa: PLR2004
        return f"{size:.{-math.floor(math.log10(size))}f}"
    return f"{size:.2f}"
