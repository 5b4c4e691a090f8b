"""A tokenizer alone, without a model: what a vocabulary makes of words."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from maskaudit.audit.errors import InputError
from maskaudit.audit.measuring.checkpoints import vocabulary_files
from maskaudit.audit.measuring.checkpoints.checkpoint import json_object
from maskaudit.audit.measuring.checkpoints.located import TOKENIZERS, locate
from maskaudit.audit.measuring.checkpoints.tokenizer import Tokenizer, load_tokenizer
from maskaudit.audit.measuring.model import Encoded

_JSON, _WORDS, _SETTINGS = "tokenizer.json", "vocab.txt", "tokenizer_config.json"
# Where one of these stands beside a vocab.txt, its lines are no pieces of BERT's.
_OF_OTHERS = ("bpe.codes", "merges.txt")


@dataclass(frozen=True)
class Size:
    """The number of pieces in a vocabulary."""

    vocabulary_size: int


class SpellerAlone:
    """A tokenizer with the interface `model.Speller`; `name` is how it is called."""

    # There is no mask in what it writes.
    mask_id = -1

    def __init__(self, name: str, tokenizer: Tokenizer) -> None:
        self.name = name
        self._tokenizer = tokenizer
        self.identity = Size(len(tokenizer.built))
        self.special_ids = frozenset(tokenizer.built.all_special_ids)
        # None of a vocabulary that writes every text.
        self.unknown_id: int | None = tokenizer.built.unk_token_id

    def encode(self, texts: Sequence[str]) -> list[Encoded]:
        """Tokenise each text as a sentence; raises `InputError` for one that cannot be."""
        try:
            return self._tokenizer.encode(texts)
        except InputError as error:
            raise InputError(f"tokenizer {self.name}: {error}") from error

    def token(self, index: int) -> str:
        """The piece with this id as text, without the tokenizer's marks of white space."""
        return self._tokenizer.token(index)

    def piece(self, index: int) -> str:
        """The piece with this id as the vocabulary has it."""
        return str(self._tokenizer.built.convert_ids_to_tokens(index))


def load_speller(named: str) -> SpellerAlone:
    """The tokenizer of a folder, of a tokenizer.json, of a vocab.txt, or of a model on the hub.

    No weights are read or fetched. Raises `InputError` for anything else.
    """
    path = Path(named).expanduser()
    if path.is_file():
        return SpellerAlone(path.name, _of_file(path))
    # Said here of what can only be a path: for a model, nothing but a folder would do.
    if named.startswith(("/", "./", "../", "~")) and not path.exists():
        raise _unusable(named, "the path does not exist; ")
    located = locate(named, TOKENIZERS)
    return SpellerAlone(located.name, _of_folder(located.folder, located.name))


def _of_file(path: Path) -> Tokenizer:
    if path.suffix == ".json":
        return vocabulary_files.of_json(path)
    if path.suffix == ".txt":
        return vocabulary_files.of_words(path)
    raise _unusable(path.name)


def _unusable(named: str, why: str = "") -> InputError:
    return InputError(
        f"--tokenizer {named}: {why}expected a folder, a {_JSON}, a {_WORDS} or a hub id; for a "
        "tokenizer of other files name the folder that they are in"
    )


def _of_folder(folder: Path, name: str) -> Tokenizer:
    # It says all of a tokenizer; a vocab.txt beside it lists the pieces alone.
    if (folder / _JSON).is_file():
        return vocabulary_files.of_json(folder / _JSON)
    if not (folder / _WORDS).is_file() or any((folder / file).is_file() for file in _OF_OTHERS):
        return load_tokenizer(folder, name)
    settings = folder / _SETTINGS
    stated = json_object(settings, name).get("do_lower_case") if settings.is_file() else None
    lower_case = stated if isinstance(stated, bool) else None
    return vocabulary_files.of_words(folder / _WORDS, lower_case=lower_case)
