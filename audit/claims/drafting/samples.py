"""Samples in a card: a sentence with a mask, and the fills that the card shows for it."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from maskaudit.audit.claims.card import plain
from maskaudit.audit.texts import bounded

# A card of Azure: the body of a request, and below it a list of answers. The brackets of a mask are
# no end of the list.
_MASKED = re.compile(
    r"\"input_data\"\s*:\s*\[\s*(\"(?:[^\"\\]|\\.)*\"(?:\s*,\s*\"(?:[^\"\\]|\\.)*\")*)\s*\]",
    re.DOTALL,
)
_ANSWER = re.compile(r"\[\s*(\"(?:[^\"\\]|\\.)*\"(?:\s*,\s*\"(?:[^\"\\]|\\.)*\")*)\s*\]", re.DOTALL)
# A card of the Hub: a call in a Python session, and the list that it prints.
_CALL = re.compile(
    r">>> \w+\(\s*(\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*')\s*\)\s*\n\s*(\[\{.{1,5000}?\}\])",
    re.DOTALL,
)
_MASK = re.compile(r"\[MASK\]|<mask>")
# How far below a request its answer stands.
_FAR = 400


@dataclass(frozen=True)
class Shown:
    """A sentence, its fills with probabilities as printed (empty without), and a quotation."""

    sentence: str
    fills: tuple[tuple[str, str], ...]
    quote: str

    def says(self) -> dict[str, Any]:
        """The keys of a claim."""
        fills = [{"token": token, **({"p": p} if p else {})} for token, p in self.fills]
        return {"sentence": self.sentence, "fills": fills}


def samples(text: str) -> Iterator[Shown]:
    """Yield each sample with one mask, those of Azure's form first."""
    yield from _of_azure(text)
    yield from _of_the_hub(text)


def _of_azure(text: str) -> Iterator[Shown]:
    for request in _MASKED.finditer(text):
        answer = _ANSWER.search(text, request.end(), request.end() + _FAR)
        if answer is None:
            continue
        sentences, tokens = (_texts(found[1]) for found in (request, answer))
        if len(sentences) != len(tokens):
            continue
        for sentence, token in zip(sentences, tokens, strict=True):
            if len(_MASK.findall(sentence)) == 1:
                # The sentence as it is written in the card, escapes and all.
                yield Shown(sentence, ((token, ""),), _written(request[1], sentence))


def _texts(inside: str) -> list[str]:
    # In brackets it is a JSON list, whose escapes a parser reads and no pattern would.
    try:
        return [str(text) for text in bounded.json_value(f"[{inside}]")]
    except ValueError:
        return []


def _written(inside: str, sentence: str) -> str:
    return plain(sentence if sentence in inside else inside)


def _of_the_hub(text: str) -> Iterator[Shown]:
    for call in _CALL.finditer(text):
        try:
            sentence, answers = ast.literal_eval(call[1]), ast.literal_eval(call[2])
            fills = tuple((str(one["token_str"]).strip(), _p(one["score"])) for one in answers)
        # The last two are what deep nesting in a card of a stranger may raise.
        except (ValueError, SyntaxError, KeyError, TypeError, RecursionError, MemoryError):
            continue
        if len(_MASK.findall(sentence)) == 1 and fills and all(token for token, _ in fills):
            yield Shown(sentence, fills, plain(call[1]).strip("\"'"))


def _p(score: object) -> str:
    """A probability as it is printed, in plain decimals."""
    if not isinstance(score, float) or not 0 <= score <= 1:
        message = "a probability"
        raise TypeError(message)
    return f"{score:.17f}".rstrip("0") if "e" in repr(score) else repr(score)
