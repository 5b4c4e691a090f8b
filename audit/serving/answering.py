"""Answer a request with the fills of a model."""

from collections.abc import Sequence
from operator import itemgetter

import numpy as np

from maskaudit.audit.errors import InputError
from maskaudit.audit.measuring.backends.torch_model import LoadedModel
from maskaudit.audit.measuring.fill import Masked, check_masks, masked, with_masks
from maskaudit.audit.measuring.model import Numbers
from maskaudit.audit.measuring.reading.distributions import top
from maskaudit.audit.payloads.answers import Fill, answer
from maskaudit.audit.payloads.request import Request

_SHOWN = 6


def answered(request: Request, model: LoadedModel) -> object:
    """The JSON that answers a request, as its service would with this model.

    Raises `InputError` for a sentence that has no mask, is too long or does not keep its masks,
    and for a target that is not one piece of the model: transformers would take its first piece.
    """
    texts = [with_masks(text, [model]) for text in request.texts]
    check_masks(texts)
    # All are read before one is answered: a request is refused before it has cost anything.
    sentences = {text: masked(text, "model", model) for text in dict.fromkeys(texts)}
    targets = _ids(request.targets, model)
    filled = {
        text: [
            [_fill(sentence, place, fill, model) for fill in _likeliest(log_p, request, targets)]
            for place, log_p in zip(sentence.places, sentence.log_probs(model), strict=True)
        ]
        for text, sentence in sentences.items()
    }
    return answer(request, [filled[text] for text in texts])


def _likeliest(log_p: Numbers, request: Request, targets: Sequence[int]) -> list[tuple[int, float]]:
    """The pieces that a mask is answered with, and their p; `log_p` is [vocabulary], in nats."""
    if not targets:
        return top(log_p, request.top_k)
    scores = zip(targets, np.exp(log_p[list(targets)]).tolist(), strict=True)
    return sorted(scores, key=itemgetter(1), reverse=True)[: request.top_k]


def _fill(sentence: Masked, place: int, fill: tuple[int, float], model: LoadedModel) -> Fill:
    index, score = fill
    ids = [*sentence.ids[:place], index, *sentence.ids[place + 1 :]]
    # As transformers has it: where other masks stay, they would go with the special pieces.
    text = model.decoded(ids, with_special=len(sentence.places) > 1)
    return Fill(score, index, model.decoded([index]), text, model.token(index))


def _ids(words: Sequence[str], model: LoadedModel) -> list[int]:
    """The piece of each word, each piece once."""
    found: list[int] = []
    for word in words:
        pieces = model.pieces(word)
        if len(pieces) != 1 or pieces[0] == model.unknown_id:
            spelled = ", ".join(repr(model.token(index)) for index in pieces[:_SHOWN])
            raise InputError(
                f"target {word[:40]!r}: is no single piece of this model, which writes it as "
                f"{spelled or 'nothing'}; expected a word of one piece"
            )
        found += pieces
    # Two words may be one piece, which transformers answers once.
    return list(dict.fromkeys(found))
