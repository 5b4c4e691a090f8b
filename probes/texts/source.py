"""Which text a model is evaluated on, and how it is read: what the command line says of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

# The columns of a table of masked text by our names; a document and a group may be missing.
COLUMNS = ("texts", "masks", "document", "group")
FIRST = 1000
MASK_SHARE = 0.15
WORDS = 100


@dataclass(frozen=True)
class TextSource:
    """Text data, and how it is read.

    `data` is a file, a folder or a hub id, with `@REVISION` if it is not the newest; `config` and
    `split` are those of a data set that is read through `datasets`. The `first` rows are read.
    `columns` has the data's names of `COLUMNS` that it calls otherwise. Of plain text `mask_share`
    of the words are masked, drawn with `seed`, and with `marks` of the punctuation marks too;
    paragraphs are cut after `words` words. `causal` is the folder of the causal model by which
    predictions are judged, as services publish it. `name` is the set's, `language` a BCP 47 tag.
    """

    data: str
    config: str | None = None
    split: str | None = None
    first: int = FIRST
    columns: Mapping[str, str] = field(default_factory=dict)
    encoding: str | None = None
    mask_share: float = MASK_SHARE
    marks: bool = False
    words: int = WORDS
    seed: int = 0
    name: str | None = None
    language: str = "en"
    causal: str | None = None
