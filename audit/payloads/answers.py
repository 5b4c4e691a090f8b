"""Write the answer to a request in the shape of the service whose form the body has.

words        ["capital", "good"]
table        [{"0": "capital"}, {"0": "good"}]
predictions  {"predictions": ["capital", "good"]}
fills        [{"score": 0.9, "token": 2364, "token_str": "capital", "sequence": "Paris is ..."}]

Of several masks in a sentence, as the services have them: `table` joins their words with a comma,
and so does `words` where there is no other sentence; else a list of words stands in place of one.
`predictions` of a sentence alone are the words of its masks. `fills` has a list for each mask, and
a list for each sentence where there are several. (azureml-evaluate-mlflow 0.0.91,
`FillMaskPredictor`; MLflow's transformers flavor; transformers' `FillMaskPipeline`.)
"""

from collections.abc import Sequence
from dataclasses import dataclass

from maskaudit.audit.payloads.request import Request

# The fills of a mask, the likeliest first; of the masks of a sentence; of the sentences.
Mask = Sequence["Fill"]
Sentence = Sequence[Mask]


@dataclass(frozen=True)
class Fill:
    """A piece at a mask: its probability, its id, and how it is written.

    `word` has no white space around it; `token_str` and `sequence`, the sentence with the piece
    in it, are as the tokenizer writes them.
    """

    score: float
    token: int
    token_str: str
    sequence: str
    word: str


def answer(request: Request, filled: Sequence[Sentence]) -> object:
    """The JSON that answers a request; `filled` has its sentences in order, each with a mask."""
    alone = len(filled) == 1
    if request.shape == "fills":
        sentences = [_fills(sentence) for sentence in filled]
        return sentences[0] if alone else sentences
    words = [[fills[0].word for fills in sentence] for sentence in filled]
    if request.shape == "table":
        return [{"0": ",".join(own)} for own in words]
    if request.shape == "predictions":
        return {"predictions": words[0] if alone else [_one_or_all(own) for own in words]}
    return [",".join(words[0])] if alone else [_one_or_all(own) for own in words]


def _one_or_all(words: list[str]) -> str | list[str]:
    return words[0] if len(words) == 1 else words


def _fills(sentence: Sentence) -> object:
    masks = [
        [
            {
                "score": fill.score,
                "token": fill.token,
                "token_str": fill.token_str,
                "sequence": fill.sequence,
            }
            for fill in fills
        ]
        for fills in sentence
    ]
    return masks[0] if len(masks) == 1 else masks
