"""The words of a lexicon as a model's tokenizer writes them, since its fills are written so too."""

from collections.abc import Collection, Iterator, Mapping

from maskaudit.audit.measuring.endpoints.endpoint import Endpoint
from maskaudit.audit.measuring.model import MaskedLM


def as_written(words: Collection[str], model: MaskedLM) -> frozenset[str]:
    """The words, and beside each the word that the tokenizer makes of it.

    A tokenizer that drops accents never fills in `crétin`: its vocabulary has `cretin`. A word with
    characters that the vocabulary cannot write has no second form.
    """
    return frozenset(words) | frozenset(_written(sorted(words), model))


def by_model(
    words: Collection[str] | None, models: Mapping[str, MaskedLM | Endpoint]
) -> dict[str, frozenset[str]] | None:
    """The words as each model's tokenizer writes them, by the model's name; None without words.

    Of an endpoint they are as they stand, for its tokenizer is not known.
    """
    if words is None:
        return None
    return {
        name: frozenset(words) if isinstance(model, Endpoint) else as_written(words, model)
        for name, model in models.items()
    }


def _written(words: list[str], model: MaskedLM) -> Iterator[str]:
    for encoded in model.encode(words):
        pieces = [piece for piece in encoded.ids if piece not in model.special_ids]
        # Written with the unknown piece, a word would be found wherever that piece stands.
        if pieces and model.unknown_id not in encoded.ids:
            yield model.text(pieces)
