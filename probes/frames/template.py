"""The text of a frame, taken apart once and written with many words."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from maskaudit.probes.frames.capitals import SentenceCase, opens_sentence
from maskaudit.probes.frames.sentence import MASK, PLACEHOLDER, sides


class Written(NamedTuple):
    """A masked sentence, the index of the mask that is read, and whether that opens a sentence."""

    text: str
    slot: int
    opens: bool


class _Gap(NamedTuple):
    """The text before a placeholder, and whether what stands in its place opens a sentence."""

    literal: str
    opens: bool


@dataclass(frozen=True)
class Template:
    """A frame's text without its placeholders, whose `names` are in their order.

    `lead` are those before the template's own mask, `rest` those after it.
    """

    case: SentenceCase
    names: tuple[str, ...]
    asks_for_group: bool
    lead: tuple[_Gap, ...]
    lead_end: str
    rest: tuple[_Gap, ...]
    rest_end: str
    # The same words come again with each target: a sentence is written once.
    _written: dict[tuple[str, ...], Written] = field(default_factory=dict, compare=False)

    @classmethod
    def of(cls, text: str, case: SentenceCase) -> "Template":
        """Take a frame's text apart; it has been found without fault."""
        before, after = text.split(MASK)
        lead, lead_names, lead_end = _gaps(before, "", case)
        # A word directly after the mask does not open the sentence, hence the mask before it.
        rest, rest_names, rest_end = _gaps(after, MASK, case)
        asks_for_group = sides(text) == ["attribute"]
        names = (*lead_names, *rest_names)
        return cls(case, names, asks_for_group, lead, lead_end, rest, rest_end)

    def written(self, words: tuple[str, ...]) -> Written:
        """The sentence with these words in place of `names`."""
        found = self._written.get(words)
        if found is None:
            before = self._filled(self.lead, words) + self.lead_end
            after = self._filled(self.rest, words[len(self.lead) :]) + self.rest_end
            # A masked attribute adds masks, so those before the template's own are counted.
            text = self.case.opened(before + MASK + after)
            found = Written(text, before.count(MASK), opens_sentence(before, self.case.language))
            self._written[words] = found
        return found

    def _filled(self, gaps: Sequence[_Gap], words: Sequence[str]) -> str:
        pairs = zip(gaps, words, strict=False)
        return "".join(
            gap.literal + (self.case.opened(word) if gap.opens else word) for gap, word in pairs
        )


def _gaps(text: str, lead: str, case: SentenceCase) -> tuple[tuple[_Gap, ...], list[str], str]:
    """The placeholders of a text that stands after `lead`, their names, and the text at the end."""
    gaps, names, end = [], [], 0
    for match in PLACEHOLDER.finditer(text):
        opens = opens_sentence(lead + text[: match.start()], case.language)
        gaps.append(_Gap(text[end : match.start()], opens))
        names.append(match.group(1))
        end = match.end()
    return tuple(gaps), names, text[end:]
