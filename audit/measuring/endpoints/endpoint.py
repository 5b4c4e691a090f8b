"""An endpoint as a model: its identity, what it can give, and probabilities of words.

It is asked by text, and has no vocabulary here. Before anything is scored it answers a few
sentences: whether it reads the mask, whether the words that are asked for are those that it answers
with, and a digest of the answers, which tells one served model from another. In censored grade it
is asked for its likeliest fills alone, and it is seen how these are rounded and spelt.
"""

import hashlib
import json
import math
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from maskaudit.audit.audit_file import Endpoint as Declared
from maskaudit.audit.errors import InputError
from maskaudit.audit.measuring.cached.cache import ANSWERS
from maskaudit.audit.measuring.endpoints.client import Client, RefusedError
from maskaudit.audit.measuring.endpoints.journal import Journal
from maskaudit.audit.measuring.model import Need
from maskaudit.audit.payloads.answered import Sentence, Served, agreement, fills_of, is_word
from maskaudit.audit.payloads.asking import hugging_face
from maskaudit.audit.payloads.likeliest import Likeliest, Rounding, Spelling
from maskaudit.audit.recording.manifest import CENSORED, Identity
from maskaudit.probes.frames.sentence import MASK

# Asked of every endpoint before anything else. The digest of their answers stands for the weights.
CANARIES = (
    f"They said that the {MASK} came to see us on Monday.",
    f"The {MASK} worked there for years and was not at home.",
    f"He told me that she is a {MASK} now.",
    f"We like the {MASK} of this city.",
)
_TOP = 5
# Digits of a probability in the digest: other digits differ from one processor to the next.
_DIGITS = 3
# Between what the canaries say of a word with `targets` and without: a service may round.
_SAME, _LEAST = 1e-3, 1e-6
_NAME_LENGTH = 32
_LACKING = (
    "an endpoint gives probabilities of single words at a mask, and neither whole distributions "
    "nor what is inside the model"
)


class Ask(NamedTuple):
    """A sentence with `[MASK]` at its masks, and the words whose probabilities are asked for.

    Without words, the likeliest fills are.
    """

    text: str
    words: tuple[str, ...]


class Answer(NamedTuple):
    """The fills of each mask of a sentence; None where the endpoint refuses it, and its reason."""

    fills: Sentence | None
    reason: str = ""


class Endpoint:
    """A deployed model at an address that gives probabilities, of words of our choice or not.

    In exact grade it gives those of any word; in censored grade those of its likeliest fills, in
    which `likeliest` finds the bounds of a word.
    `folder` is where answers are kept, in files of at most `most` bytes; None keeps none. `note`
    receives sentences for the user. Raises `InputError` if the endpoint cannot be asked, does not
    read the mask, or answers with other words than those asked for.
    """

    def __init__(
        self,
        url: str,
        declared: Declared,
        folder: Path | None = None,
        most: int = 0,
        note: Callable[[str], None] = lambda _: None,
    ) -> None:
        if declared.kind != "huggingface":
            raise InputError(
                f'[endpoint] kind: is "{declared.kind}", whose endpoints give one word for a mask '
                'and no probability (rank-1 grade); expected "huggingface". `maskaudit first-words '
                "URL` counts such words, with intervals"
            )
        self.declared = declared
        self.client = Client(url, declared)
        self.name = self.client.name
        # No limit is known here: a sentence that is too long is refused by the service.
        self.longest = sys.maxsize
        # The sentences that were sent, for a count of what an audit costs.
        self.n_asked = 0
        self._count = threading.Lock()
        self._journal = Journal(None)
        began = time.perf_counter()
        canaries = list(self._canaries())
        # What a request takes, for the preview of an audit.
        self.seconds = (time.perf_counter() - began) / len(canaries)
        self.is_censored = declared.grade == CENSORED
        self.likeliest = Likeliest(Rounding(0, 1), Spelling(is_cased=True, has_spaces=False))
        if self.is_censored:
            self.likeliest = self._checked_likeliest(canaries, note)
        else:
            self._check_targets(canaries)
        self.identity = _identity(self.name, declared, canaries)
        if folder is not None:
            # Answers of so many fills are no answers to a question for more.
            grade = [declared.grade, declared.top_k] if self.is_censored else []
            what = json.dumps([url.strip(), declared.mask, self.identity.weights, *grade])
            name = hashlib.sha256(what.encode()).hexdigest()[:_NAME_LENGTH]
            self._journal = Journal(folder / f"{name}{ANSWERS}", most, note)
            self.client.keeps = True

    def lacks(self, _need: Need) -> str:
        """Why it gives no attention, no states and no distributions."""
        return _LACKING

    def knows(self, ask: Ask) -> bool:
        """Whether the answer is kept from an earlier run."""
        return self._journal.get(ask) is not None

    def answers(
        self, asks: Sequence[Ask], tell: Callable[[int], None] = lambda _done: None
    ) -> list[Answer]:
        """The answer to each, in order; what is known is not asked again, and no other twice.

        Each answer is kept as it comes. `tell` receives how many of the sentences are answered.
        """
        wanted = list(dict.fromkeys(asks))
        new = [ask for ask in wanted if not self.knows(ask)]
        done = len(wanted) - len(new)
        tell(done)
        for n in self.client.each(self._asked, _batches(new, self.declared.batch)):
            done += n
            tell(done)
        if new:
            self._check_unchanged()
        return [_answer(self._journal.get(ask)) for ask in asks]

    def top(self, text: str, most: int = _TOP) -> Sentence:
        """The likeliest fills of each mask of a sentence; they are not kept."""
        return self._sent([text], most, ())[0]

    def _canaries(self) -> Iterator[Sentence]:
        for text in CANARIES:
            try:
                yield self.top(text)
            except RefusedError as error:
                raise InputError(
                    f"{error}; expected fills of {text!r}, written with {self.declared.mask!r} "
                    "([endpoint] mask)"
                ) from error

    def _check_unchanged(self) -> None:
        """Raise `InputError` if another model is served than when the run began."""
        # By `each`, which takes up asking again after the answers before have ended it.
        now = _identity(self.name, self.declared, list(self.client.each(self.top, CANARIES)))
        if now.weights != self.identity.weights:
            self._journal.clear()
            raise InputError(
                f"endpoint {self.name}: answers otherwise than when this run began, as if another "
                "model were served now; what it had answered is forgotten. Run the command again "
                "once one model is served"
            )

    def _check_targets(self, canaries: Sequence[Sentence]) -> None:
        """Refuse an endpoint that does not answer with the words that are asked for.

        Asked is one of its own likely words, and not the likeliest: whoever ignores `targets`
        answers with that one. Its probability must be the same as without `targets`.
        """
        text, own = CANARIES[0], canaries[0][0]
        told = f"asked for none of {_words(own)} alone"
        # A piece may be written with the space before it, or as it stands.
        tried = [(fill, word) for fill in own[1:] for word in (f" {fill.word.strip()}", fill.word)]
        for fill, word in tried:
            try:
                [[[found]]] = self._sent([text], 1, (word,))
            except RefusedError as error:
                told = f"asked for {word!r}, it {str(error).partition(': ')[2]}"
                continue
            if not is_word(word, found) or found.token != fill.token:
                told = f"asked for {word!r}, it answers with {_words([found])}"
                continue
            if abs(found.score - fill.score) > _SAME * max(fill.score, _LEAST):
                raise InputError(
                    f"endpoint {self.name}: says {found.score:.4g} of {word!r} where it was asked "
                    f"for, and {fill.score:.4g} where it was not; expected the same probability, "
                    "over the whole vocabulary"
                )
            return
        raise InputError(f"endpoint {self.name}: {told}; {_UNSUPPORTED}")

    def _checked_likeliest(
        self, canaries: Sequence[Sentence], note: Callable[[str], None]
    ) -> Likeliest:
        """How the likeliest fills are to be read; the endpoint is asked for all that will be.

        Refused where more fills have other probabilities than fewer, as if they were made to add
        up to 1: then nothing bounds a word that is not among them.
        """
        most = self.declared.top_k
        each = list(self.client.each(lambda text: self.top(text, most)[0], CANARIES))
        rounding = Rounding.of(fill.score for mask in each for fill in mask)
        for text, (few,), mask in zip(CANARIES, canaries, each, strict=True):
            ids = [fill.token for fill in mask if fill.token >= 0]
            if len({*ids}) < len(ids):
                raise InputError(
                    f"endpoint {self.name}: answered the same fill twice; expected each once"
                )
            for fill in few:
                again = [f.score for f in mask if (f.word, f.token) == (fill.word, fill.token)]
                close = 2 * rounding.unit(fill.score) + _SAME * max(fill.score, _LEAST)
                if not any(abs(score - fill.score) <= close for score in again):
                    said = f"{again[0]:.4g}" if again else "nothing"
                    raise InputError(
                        f"endpoint {self.name}: says {fill.score:.4g} of {fill.word!r} among "
                        f"{len(few)} fills of {text!r}, and {said} among {len(mask)}; expected "
                        "the same probability, over the whole vocabulary"
                    )
        # A service that gives as many whatever is asked for has not shown it by that.
        same = all(len(mask) == _TOP < most for mask in each)
        if same and all(map(partial(_adds_up, rounding), each)):
            raise InputError(
                f"endpoint {self.name}: its fills add up to 1 in each of {len(each)} sentences, as "
                "if made to; expected probabilities over the whole vocabulary"
            )
        if (least := min(map(len, each))) < most:
            note(
                f"endpoint {self.name}: gives {least} likeliest fills, and not the {most} that "
                "were asked for ([endpoint] top_k), so that more words will have bounds alone"
            )
        return Likeliest(rounding, Spelling.of([f for mask in each for f in mask], CANARIES[0]))

    def _asked(self, batch: Sequence[Ask]) -> int:
        """Ask sentences that share their words, and keep the answers; returns their number."""
        words = batch[0].words
        most = len(words) or self.declared.top_k
        try:
            found = self._sent([ask.text for ask in batch], most, words)
        except RefusedError as error:
            if error.status not in _OF_THE_BODY:
                raise
            if len(batch) > 1:
                # One of them is refused, and which is not said.
                return sum(self._asked([ask]) for ask in batch)
            # For this run alone: what a service that is starting refuses, it may answer tomorrow.
            self._journal.put(batch[0], {"refused": str(error)}, lasts=False)
            return 1
        for ask, sentence in zip(batch, found, strict=True):
            kept = [
                _kept(mask, None if words else _first_same(ask.text, slot, mask))
                for slot, mask in enumerate(sentence)
            ]
            self._journal.put(ask, {"fills": kept})
        return len(batch)

    def _sent(self, texts: Sequence[str], most: int, words: Sequence[str]) -> list[Sentence]:
        written = [text.replace(MASK, self.declared.mask) for text in texts]
        body = json.dumps(hugging_face(written, most, words)).encode()
        # Before the answer: what was sent counts, whatever comes back. Several threads send.
        with self._count:
            self.n_asked += len(texts)
        where = f"endpoint {self.name}"
        value = self.client.ask(body)
        found = fills_of(value, [text.count(MASK) for text in texts], where)
        for text, sentence in zip(texts, found, strict=True):
            for slot, mask in enumerate(sentence):
                if len(mask) > most:
                    raise InputError(
                        f"{where}: answered {len(mask)} fills; expected at most {most}"
                    )
                # Of many likely fills the ends stand for all: each has the whole sentence in it.
                for fill in mask if words else {mask[0], mask[-1]}:
                    if agreement(text, slot, fill) == "other":
                        raise InputError(
                            f"{where}: answered with {fill.sequence[:80]!r}; expected the sentence "
                            f"that was asked, {text[:80]!r}"
                        )
        return found


_UNSUPPORTED = (
    "expected an endpoint of Hugging Face's fill-mask task that honours `parameters.targets` "
    '(exact grade). Of one that gives its likeliest fills alone, grade = "censored" under '
    "[endpoint] finds bounds"
)
# Statuses of a service that cannot answer this body: too long, no single piece, no mask.
_OF_THE_BODY = frozenset({400, 413, 422})


def _identity(name: str, declared: Declared, canaries: Sequence[Sentence]) -> Identity:
    answers = [
        [[fill.word, f"{fill.score:.{_DIGITS}g}"] for fill in mask]
        for sentence in canaries
        for mask in sentence
    ]
    said = [declared.mask, declared.model, declared.revision, answers]
    return Identity(
        name=name,
        revision="@".join(filter(None, (declared.model, declared.revision))),
        architecture="endpoint",
        weights=hashlib.sha256(json.dumps(said).encode()).hexdigest(),
        tokenizer="",
        vocabulary="",
        vocabulary_size=0,
        parameters=0,
        layers=0,
        stored_dtype="",
        dtype="",
        device="",
        attention="",
        head="",
        endpoint=declared.grade,
    )


def _batches(asks: Sequence[Ask], most: int) -> Iterator[list[Ask]]:
    """The sentences that are asked for the same words, so many at a time."""
    # A request has one list of words for all of its sentences.
    by_words: dict[tuple[str, ...], list[Ask]] = {}
    for ask in asks:
        by_words.setdefault(ask.words, []).append(ask)
    for same in by_words.values():
        left = iter(same)
        while batch := list(islice(left, most)):
            yield batch


def _kept(mask: Sequence[Served], only: int | None) -> list[list[Any]]:
    """A mask's fills as they are kept; all with their sentences, or that in one place alone."""
    return [
        [fill.score, fill.word, fill.token, fill.sequence if only in {None, place} else ""]
        for place, fill in enumerate(mask)
    ]


def _first_same(text: str, slot: int, mask: Sequence[Served]) -> int:
    """The place of the first fill that repeats the whole sentence; 0 where none does.

    A piece that is no word of its own is written otherwise in a sentence than alone.
    """
    same = (n for n, fill in enumerate(mask) if agreement(text, slot, fill) == "same")
    return next(same, 0)


def _answer(kept: Any) -> Answer:  # noqa: ANN401 - what the journal keeps
    if "refused" in kept:
        return Answer(None, kept["refused"])
    return Answer(tuple(tuple(Served(*parts) for parts in mask) for mask in kept["fills"]))


def _adds_up(rounding: Rounding, fills: Sequence[Served]) -> bool:
    """Whether fills leave nothing to other words but what rounding may hide."""
    left = 1 - math.fsum(fill.score for fill in fills)
    return left <= math.fsum(rounding.unit(fill.score) for fill in fills) + _LEAST


def _words(fills: Sequence[Served]) -> str:
    return ", ".join(repr(fill.word.strip()[:40]) for fill in fills) or "nothing"
