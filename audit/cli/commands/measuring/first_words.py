"""The command `first-words`: which group a model's first word is of, where it gives no more."""

from typing import TYPE_CHECKING, Annotated

import typer

from maskaudit.audit.cli.options import AsJson, Quiet, note, print_json, print_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from maskaudit.audit.estimating.first_words import Share


def first_words(
    candidate: Annotated[
        str, typer.Argument(metavar="URL|MODEL", help="The endpoint or model that is counted.")
    ],
    *,
    reference: Annotated[
        str | None,
        typer.Option(
            "--reference",
            "--teacher",
            metavar="URL|MODEL",
            help="The older or larger one, which the same sentences are asked.",
        ),
    ] = None,
    probes: Annotated[
        list[str] | None,
        typer.Option(
            "--probes",
            metavar="SET",
            help="An association set with groups at the mask; repeatable. "
            "[default: gender-occupation]",
        ),
    ] = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Count how often the first word at a mask is of each group (rank-1 grade).

    For endpoints that give one word and no probability, as those of Azure ML and MLflow do:
    [endpoint] kind in the AUDIT.toml here says which. Shares have Wilson's intervals, changes
    McNemar's exact p, for other frames and other attributes. No record is made and no gate passes
    on them.
    """
    from maskaudit.audit import settings
    from maskaudit.audit.describe import expanded
    from maskaudit.audit.measuring.backends import torch_model
    from maskaudit.audit.measuring.endpoints import address, first_words
    from maskaudit.audit.measuring.endpoints.counted import Words, counted
    from maskaudit.audit.running import progress
    from maskaudit.audit.vocabulary import silent

    chosen = settings.resolve(probes=probes or ["gender-occupation"])
    parts = [expanded(probe_set, silent) for probe_set in chosen.probe_sets()]
    named = {"reference": reference, "candidate": candidate}
    names = {subject: name for subject, name in named.items() if name is not None}
    declared = chosen.endpoint
    # Before anything is asked: the headers of one host are not for another.
    address.check_alike(filter(address.is_url, names.values()), declared.headers)

    with progress.shown(quiet=quiet or as_json) as tell:

        def words_of(subject: str, name: str) -> Words:
            if address.is_url(name):
                return lambda texts: first_words.asked(
                    name, declared, texts, lambda done: tell(subject, done, len(texts))
                )
            model = torch_model.load(name, allow_native=chosen.run.allow_native)
            return lambda texts: first_words.filled(model, texts)

        found = counted(
            parts, {subject: words_of(subject, name) for subject, name in names.items()}
        )
    if as_json:
        print_json({"grade": "rank 1", "shares": [share.as_json() for share in found]})
        return
    print_text(_table(found))
    if not quiet:
        note(
            "a share says which word comes first, and not by how much: no bound on any lean "
            "follows from it"
        )


def _table(found: "Sequence[Share]") -> str:
    """The shares as a table for a terminal: in percent, with their intervals."""
    import pandas as pd

    rows = [
        {
            "probe_set": share.probe_set,
            "class": share.part,
            "group": share.group,
            "sentences": share.sentences,
            "frames": share.frames,
            "attributes": share.attributes,
            **{
                model: f"{own.estimate:.1%} [{own.low:.1%}, {own.high:.1%}]"
                for model, own in share.by_model.items()
            },
            **({"p": f"{share.p:.3g}"} if len(share.by_model) > 1 else {}),
        }
        for share in found
    ]
    table = pd.DataFrame(rows).to_string(index=False)
    return f"First words, rank-1 grade: share of sentences, 95 % interval\n{table}"
