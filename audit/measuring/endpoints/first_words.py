"""The first word of a model at each mask: all that some endpoints give (rank-1 grade)."""

import json
from collections.abc import Callable, Iterator, Sequence
from itertools import islice

from maskaudit.audit.audit_file import Endpoint as Declared
from maskaudit.audit.errors import InputError
from maskaudit.audit.measuring.endpoints.client import Client
from maskaudit.audit.measuring.fill import fills
from maskaudit.audit.measuring.model import MaskedLM
from maskaudit.audit.payloads.answered import words_of
from maskaudit.audit.payloads.asking import body_for_words
from maskaudit.probes.frames.sentence import MASK


def asked(
    url: str,
    declared: Declared,
    texts: Sequence[str],
    tell: Callable[[int], None] = lambda _done: None,
) -> list[str]:
    """The word that an endpoint gives at the only mask of each text.

    `tell` receives how many texts are answered. Raises `InputError` as `Client` does, and for an
    answer that is none.
    """
    client = Client(url, declared)

    def ask(batch: Sequence[str]) -> list[str]:
        written = [text.replace(MASK, declared.mask) for text in batch]
        value = client.ask(json.dumps(body_for_words(declared.kind, written)).encode())
        return words_of(value, len(batch), f"endpoint {client.name}")

    words: list[str] = []
    for answer in client.each(ask, _batches(texts, declared.batch)):
        words += answer
        tell(len(words))
    return words


def filled(model: MaskedLM, texts: Sequence[str]) -> list[str]:
    """The likeliest word of a model that is run here at the only mask of each text."""
    contexts, rows = fills(list(texts), {"candidate": model}, 1)
    word = dict(zip(rows["context"], rows["token"], strict=True))
    by_text = dict(zip(contexts["text"], contexts["context"].map(word), strict=True))
    if len(by_text) < len(set(texts)):
        raise InputError("a sentence has no fill; expected one mask in each")
    return [str(by_text[text]) for text in texts]


def _batches(texts: Sequence[str], most: int) -> Iterator[list[str]]:
    left = iter(texts)
    while batch := list(islice(left, most)):
        yield batch
