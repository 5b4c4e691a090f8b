"""A tokenizer from one file, `tokenizer.json` or `vocab.txt`, without a checkpoint around it."""

from pathlib import Path
from typing import Any

from tokenizers import Tokenizer, normalizers, pre_tokenizers, processors
from tokenizers.models import WordPiece
from transformers import PreTrainedTokenizerFast

from maskaudit.audit.errors import InputError
from maskaudit.audit.measuring.checkpoints import tokenizer as of_checkpoint
from maskaudit.audit.measuring.checkpoints.located import first_line
from maskaudit.audit.texts import bounded
from maskaudit.audit.texts.text_files import read_text

_UNKNOWN, _BEGINNING, _END = "[UNK]", "[CLS]", "[SEP]"
_SPECIAL = ("[PAD]", _UNKNOWN, _BEGINNING, _END, "[MASK]")
# A vocabulary with fewer pieces with capitals than one in this many is not a cased one.
_CASED = 20


def of_json(path: Path) -> of_checkpoint.Tokenizer:
    """The tokenizer that a tokenizer.json describes; raises `InputError` if it describes none."""
    text = read_text(path, "a tokenizer.json", bounded.TOKENIZER)
    try:
        own = Tokenizer.from_str(text)
    except Exception as error:
        raise InputError(
            f"tokenizer {path.name}: cannot be read ({first_line(error)}); expected the "
            "tokenizer.json that save_pretrained writes"
        ) from error
    # Settings of the last call before it was saved.
    own.no_padding()
    own.no_truncation()
    described: Any = bounded.json_value(own.to_str())
    special = [part["content"] for part in described["added_tokens"] if part["special"]]
    unknown = described["model"].get("unk_token")
    # A Unigram model names its unknown piece by its place.
    if unknown is None and (place := described["model"].get("unk_id")) is not None:
        unknown = own.id_to_token(place)
    return _wrapped(own, special, unknown)


def of_words(path: Path, *, lower_case: bool | None = None) -> of_checkpoint.Tokenizer:
    """BERT's tokenizer with the pieces of a vocab.txt, one a line.

    It lower-cases as `lower_case` says; where nothing says, if next to no piece has a capital.
    """
    lines = read_text(path, "a vocab.txt", bounded.TOKENIZER).splitlines()
    vocabulary = {piece: place for place, piece in enumerate(line.strip() for line in lines)}
    if lacking := [piece for piece in (_UNKNOWN, _BEGINNING, _END) if piece not in vocabulary]:
        raise InputError(
            f"tokenizer {path.name}: has no piece {lacking[0]!r}; expected the vocab.txt of a "
            "BERT, a piece a line; name a tokenizer.json or a folder for another kind of tokenizer"
        )
    if lower_case is None:
        capitals = [piece for piece in vocabulary if piece != piece.lower()]
        # Special pieces have capitals in every vocabulary.
        lower_case = (len(capitals) - len(_SPECIAL)) * _CASED < len(vocabulary)
    own: Any = Tokenizer(WordPiece(vocabulary, unk_token=_UNKNOWN))
    own.normalizer = normalizers.BertNormalizer(lowercase=lower_case)
    own.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    ends = [(piece, vocabulary[piece]) for piece in (_END, _BEGINNING)]
    own.post_processor = processors.BertProcessing(*ends)
    special = [piece for piece in _SPECIAL if piece in vocabulary]
    own.add_special_tokens(special)
    return _wrapped(own, special, _UNKNOWN)


def _wrapped(own: Tokenizer, special: list[str], unknown: str | None) -> of_checkpoint.Tokenizer:
    named: dict[str, Any] = {} if unknown is None else {"unk_token": unknown}
    built = PreTrainedTokenizerFast(
        tokenizer_object=own, additional_special_tokens=special, **named
    )
    return of_checkpoint.Tokenizer(built)
