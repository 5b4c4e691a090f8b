"""The public interface to masked text: how well a model finds words that were masked."""

from collections.abc import Callable, Mapping

from maskaudit.api import Paths, Record, as_text
from maskaudit.audit.vocabulary import Progress, silent


def evaluate(  # noqa: PLR0913 - those of `run`, and what is asked
    text: Paths | None = None,
    *,
    file: Paths | None = None,
    reference: Paths | None = None,
    candidate: Paths | None = None,
    config: str | None = None,
    split: str | None = None,
    first: int | None = None,
    columns: Mapping[str, str] | None = None,
    encoding: str | None = None,
    mask_share: float | None = None,
    marks: bool | None = None,
    words: int | None = None,
    seed: int | None = None,
    language: str | None = None,
    name: str | None = None,
    causal: Paths | None = None,
    out: Paths | None = None,
    gates: Paths | None = None,
    no_cache: bool = False,
    skip_unchanged: bool = False,
    progress: Progress = silent,
    note: Callable[[str], None] = silent,
) -> Record:
    """Ask a candidate for the masked words of a text, beside a reference where one is named.

    `text` is masked text with answers (CSV, JSON, Parquet, a folder, or a hub id that `datasets`
    streams) or a file of plain text, in which words are masked at random; without it, it is
    `[text]` of the AUDIT.toml `file`, ./AUDIT.toml where there is one, with what the other
    arguments say otherwise. `config` and `split` are a data set's, and its `first` 1,000 rows are
    read. `columns` has the data's names by ours: texts, masks, document and group. Of plain text
    `mask_share` of the `words` of each part are masked, .15 of 100, drawn with `seed`, and with
    `marks` of the punctuation marks too. `language` is a BCP 47 tag, `name` the set's name, and
    `causal` the folder of a causal model for the published perplexity of the predictions. The
    others are those of `run`; rules for text have to be named in `gates`. The numbers are in
    `estimates` of the record that is returned, by `slice`. Raises as `run` does.
    """
    from maskaudit.audit import pipeline, settings

    resolved = settings.resolve(
        as_text("file", file),
        reference=as_text("reference", reference),
        candidate=as_text("candidate", candidate),
        out=as_text("out", out),
        gates=as_text("gates", gates),
        no_cache=no_cache,
    )
    resolved.check_one_candidate()
    asked = resolved.evaluating(
        as_text("text", text),
        config=config,
        split=split,
        first=first,
        columns=None if columns is None else dict(columns),
        encoding=encoding,
        mask_share=mask_share,
        marks=marks,
        words=words,
        seed=seed,
        language=language,
        name=name,
        causal=as_text("causal", causal),
    )
    [record] = pipeline.run_all(asked, skip_unchanged=skip_unchanged, progress=progress, note=note)
    return Record.of(record)
