"""A checkpoint's tokenizer, checked: with a mask token, and true to the checkpoint's own files."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import Any

import tokenizers
from transformers import AutoTokenizer

from maskaudit.audit.errors import InputError
from maskaudit.audit.measuring.checkpoints.alignment import aligned
from maskaudit.audit.measuring.checkpoints.checkpoint import check_tokenizer, json_object
from maskaudit.audit.measuring.checkpoints.located import first_line
from maskaudit.audit.measuring.model import Encoded

_FILE = "tokenizer.json"
_SETTINGS = "tokenizer_config.json"
# Texts on which tokenizers that look alike differ: case, accents in both forms, white space,
# punctuation, other scripts and their digits, ligatures, wide letters and emoji.
PANEL = (
    "The Nurse met an old FRIEND, and she didn't wait: 3.50 (or 1,234)!",
    "Caf\u00e9 Zo\u00eb na\u00efve \u00c5se \u0130stanbul \u0131 \u00df \u00f8 cafe\u0301",
    "  two  spaces,\ta tab\nand a line ",
    "well-known foo_bar a/b x@y.org \u201cquoted\u201d \u2018so\u2019 it\u2019s \u2026 \u2014",
    "\u041e\u043d\u0430 \u0432\u0440\u0430\u0447.",
    "\u5979\u662f\u62a4\u58eb\u3002 \u3042\u306e\u4eba \ud55c\uad6d\uc5b4",
    "\u0639\u0631\u0628\u064a \u0939\u093f\u0928\u094d\u0926\u0940 \u0e44\u0e17\u0e22",
    "\ufb01ne \uff37\uff29\uff24\uff25 \u00bd \u20ac \U0001f600 \U0001f469\u200d\u2695\ufe0f",
)
# A vocabulary with fewer pieces with capitals than one in this many is not a cased one.
_CASED = 20
_TRIED = 50
_SHOWN_TEXT, _SHOWN_PIECES = 60, 6


@dataclass(frozen=True)
class Tokenizer:
    """A tokenizer of transformers, with what reads the checkpoint's `tokenizer.json` beside it."""

    built: Any
    own: tokenizers.Tokenizer | None = None

    def encode(self, texts: Sequence[str]) -> list[Encoded]:
        """Tokenise each text as a sentence, special tokens included (see `Encoded`).

        Raises `InputError`, without the model's name, if `tokenizer.json` reads a text otherwise,
        or if the places of the pieces in a text cannot be told.
        """
        if not texts:
            return []
        read = self._fast if self.built.is_fast else self._slow
        encoded = read(list(texts))
        if self.own is not None:
            self._compare(texts, encoded)
        return encoded

    def token(self, index: int) -> str:
        """The piece with this id as text, without the tokenizer's marks of white space."""
        piece = self.built.convert_ids_to_tokens(index)
        if piece is None:  # a model may have more rows than its tokenizer has pieces
            return f"[unused {index}]"
        return str(self.built.convert_tokens_to_string([piece])).strip()

    def _fast(self, texts: list[str]) -> list[Encoded]:
        batch = self.built(
            texts,
            return_offsets_mapping=True,
            add_special_tokens=True,
            truncation=False,
            verbose=False,  # the status of an item already reports a sentence that is too long
        )
        return [
            Encoded(tuple(ids), tuple(map(tuple, spans)), tuple(batch.word_ids(i)))
            for i, (ids, spans) in enumerate(
                zip(batch["input_ids"], batch["offset_mapping"], strict=True)
            )
        ]

    def _slow(self, texts: list[str]) -> list[Encoded]:
        return [self._aligned(text) for text in texts]

    def _aligned(self, text: str) -> Encoded:
        batch = self.built(text, return_special_tokens_mask=True, truncation=False, verbose=False)
        ids = tuple(batch["input_ids"])
        inside = [i for i, is_added in enumerate(batch["special_tokens_mask"]) if not is_added]
        pieces = self.built.convert_ids_to_tokens([ids[i] for i in inside])
        unknown = self.built.unk_token
        # An unknown piece stands for any characters: its own name is not looked for in the text.
        known = [None if piece == unknown else piece for piece in pieces]
        found = aligned(text, known, self.built.all_special_tokens)
        if found is None:
            raise InputError(
                f"its tokenizer reads {text[:_SHOWN_TEXT]!r} as {_shown(pieces)}, of which the "
                "text cannot be put together again, so a target's pieces cannot be told; leave the "
                "text out, or save a fast tokenizer (tokenizer.json)"
            )
        places = dict(zip(inside, zip(found.spans, found.words, strict=True), strict=True))
        return Encoded(
            ids,
            tuple(places[i][0] if i in places else (0, 0) for i in range(len(ids))),
            tuple(places[i][1] if i in places else None for i in range(len(ids))),
        )

    def _compare(self, texts: Sequence[str], encoded: Sequence[Encoded]) -> None:
        assert self.own is not None  # noqa: S101 - the caller has looked
        for text, own, ours in zip(texts, self.own.encode_batch(list(texts)), encoded, strict=True):
            if tuple(own.ids) != ours.ids:
                both = own.tokens, self.built.convert_ids_to_tokens(list(ours.ids))
                pairs = enumerate(zip(*both, strict=False))
                shorter = min(map(len, both))
                first = next((i for i, (one, other) in pairs if one != other), shorter)
                stated, found = (_shown(pieces[first:]) for pieces in both)
                raise InputError(
                    f"{_FILE} reads {text[:_SHOWN_TEXT]!r} as {stated} from piece {first} on, but "
                    f"transformers, which builds the tokenizer from {_SETTINGS}, as {found}; make "
                    f"the two files agree (such as do_lower_case, strip_accents in {_SETTINGS})"
                )


def load_tokenizer(folder: Path, name: str) -> Tokenizer:
    """Load a checkpoint's tokenizer.

    Raises `InputError` if it is missing or unreadable, has no mask token, encodes other than
    tokenizer.json, or would lower-case a cased vocabulary that no file says to lower-case.
    """
    check_tokenizer(folder, name)
    try:
        built: Any = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
        own = _own(folder)
    except Exception as error:
        raise InputError(
            f"model {name}: the tokenizer cannot be read ({first_line(error)}); expected the files "
            "that save_pretrained writes"
        ) from error
    if built.mask_token is None or built.mask_token_id is None:
        raise InputError(f"model {name}: the tokenizer has no mask token; expected a masked LM")
    if own is None:
        _check_case(folder, name, built)
    # Each text of a run would be read twice for nothing.
    tokenizer = Tokenizer(built, None if own is not None and _is_same(own, built) else own)
    if tokenizer.own is not None:
        try:
            # Each text of the run is compared too, when it is read: the panel finds most of it at
            # once.
            tokenizer.encode(PANEL)
        except InputError as error:
            raise InputError(f"model {name}: {error}") from error
        except Exception as error:
            message = f"model {name}: its tokenizer cannot read a sentence ({first_line(error)})"
            raise InputError(message) from error
    return tokenizer


def _own(folder: Path) -> tokenizers.Tokenizer | None:
    """What the tokenizers library makes of tokenizer.json alone; None without the file."""
    path = folder / _FILE
    if not path.is_file():
        return None
    own = tokenizers.Tokenizer.from_file(str(path))
    # Settings of the last call before it was saved; an audit neither cuts nor pads.
    own.no_padding()
    own.no_truncation()
    return own


def _is_same(own: tokenizers.Tokenizer, built: Any) -> bool:  # noqa: ANN401
    """Whether transformers has built what tokenizer.json says, in every setting and piece."""
    if not built.is_fast:
        return False
    both = (own.to_str(), built.backend_tokenizer.to_str())
    stated, found = (json.loads(text) for text in both)
    # Settings of a call, not of the tokenizer: an audit neither cuts nor pads.
    for settings in (stated, found):
        settings.pop("truncation")
        settings.pop("padding")
    return bool(stated == found)


def _check_case(folder: Path, name: str, built: Any) -> None:  # noqa: ANN401
    """Refuse to lower-case a cased vocabulary in silence, as transformers does by default."""
    settings = folder / _SETTINGS
    if settings.is_file() and "do_lower_case" in json_object(settings, name):
        return
    special = set(built.all_special_tokens)
    vocabulary = built.get_vocab()
    capitals = [piece for piece in vocabulary if piece != piece.lower() and piece not in special]
    words = [piece for piece in capitals if piece.isalpha()][:_TRIED]
    if len(capitals) * _CASED < len(vocabulary) or not words:
        return
    # A single one that comes through shows that capitals are kept.
    if any(piece in built.tokenize(piece) for piece in words):
        return
    raise InputError(
        f"model {name}: {len(capitals)} pieces of its vocabulary have capitals, such as "
        f"{words[0]!r}, but no file says so and transformers would read "
        f"{_shown(built.tokenize(words[0]))}; say do_lower_case = false (or true) in {_SETTINGS}"
    )


def _shown(pieces: Sequence[str]) -> str:
    """The first pieces in a row; pieces of a stranger's vocabulary may hold any character."""
    more = ", …" if len(pieces) > _SHOWN_PIECES else ""
    return f"[{', '.join(repr(piece[:_SHOWN_TEXT]) for piece in pieces[:_SHOWN_PIECES])}{more}]"


def check_rows(built: Any, n_rows: int, name: str) -> None:  # noqa: ANN401 - transformers' own
    """Raise `InputError` if a tokenizer does not fit a model with so many rows of vocabulary."""
    # A model may have unused rows, but a tokenizer with at most half as many pieces as the model
    # has rows has lost its vocabulary.
    if not n_rows < 2 * len(built) <= 2 * n_rows or built.mask_token_id >= n_rows:
        raise InputError(
            f"model {name}: the tokenizer has {len(built)} pieces, the model {n_rows}; they do "
            "not belong together: fetch tokenizer.json again"
        )
    piece, last = max(built.get_vocab().items(), key=itemgetter(1))
    if last >= n_rows:
        raise InputError(
            f"model {name}: the tokenizer gives {piece[:60]!r} the id {last}, but the model has "
            f"{n_rows} rows, from 0; they do not belong together: fetch tokenizer.json again"
        )
