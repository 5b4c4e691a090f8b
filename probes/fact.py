"""A fact of a cloze set, as a validated model."""

from collections import Counter
from typing import Annotated, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from maskaudit.audit.texts.characters import folded
from maskaudit.audit.texts.toml_files import Part, listed
from maskaudit.probes.frames.sentence import MASK, faults_of_fact
from maskaudit.probes.words import Line, Name, Word


def _cloze(text: str) -> str:
    if message := "; ".join(faults_of_fact(text)):
        raise ValueError(message)
    return text


class Fact(Part):
    """A sentence with its correct answers, and the negated sentence for which they are wrong.

    With several masks, `answers` has an entry for each, in their order; a bar stands between words
    that are all right at the same mask. `choices` are the words that a model is asked to choose
    from, right ones among them. Sentences with one `of` depend on each other: they ask for
    one fact in several ways (`relation`), or are about one subject.
    """

    id: Name
    relation: Name
    of: Name | None = None
    text: Annotated[Line, AfterValidator(_cloze)]
    answers: Annotated[list[Word], BeforeValidator(listed), Field(min_length=1)]
    choices: list[Word] = Field(default=[])
    negated: Annotated[Line, AfterValidator(_cloze)] | None = None

    @model_validator(mode="after")
    def _answers_fit_masks(self) -> Self:
        n_masks = self.text.count(MASK)
        if self.negated is not None and self.negated.count(MASK) != n_masks:
            message = f"text has {MASK} {n_masks} times, negated {self.negated.count(MASK)} times"
            raise ValueError(message + "; expected the same number in both")
        # Of one mask the answers are alternatives, however many there are.
        if n_masks > 1 and len(self.answers) != n_masks:
            message = (
                f"text has {n_masks} masks, answers {len(self.answers)} entries; expected one for "
                f"each mask, with | between words that are all right there"
            )
            raise ValueError(message)
        if not all(all(words) for words in self.by_mask):
            message = "answers: a bar has no word beside it; expected one on either side"
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _choices_hold_answers(self) -> Self:
        if not self.choices:
            return self
        # Nothing in such a list would say which of the masks a word is for.
        if self.text.count(MASK) > 1:
            message = f"choices: not allowed with several masks; expected one {MASK}"
            raise ValueError(message)
        words = Counter(map(folded, self.choices))
        if repeated := [word for word in self.choices if words[folded(word)] > 1]:
            message = f"choices: {repeated[0]!r} appears twice; expected once"
            raise ValueError(message)
        if strays := [word for word in self.answers if word not in self.choices]:
            message = f"choices: the answer {strays[0]!r} is not among them; expected every answer"
            raise ValueError(message)
        if not self.wrong:
            message = "choices: every one of them is right; expected a wrong one too"
            raise ValueError(message)
        return self

    @property
    def wrong(self) -> list[str]:
        """The words to choose from that are wrong."""
        return [word for word in self.choices if word not in self.answers]

    @property
    def by_mask(self) -> list[list[str]]:
        """The right answers of each mask, in the order of the text."""
        if self.text.count(MASK) == 1:
            return [self.answers]
        return [[word.strip() for word in entry.split("|")] for entry in self.answers]
