"""How the audit measured, and what is needed to repeat it."""

from maskaudit.audit.recording.cache_use import CacheUse
from maskaudit.audit.recording.manifest import Manifest, ProbeSet
from maskaudit.reports.blocks import (
    Block,
    Bullets,
    Column,
    Definitions,
    Folded,
    Part,
    Rows,
    Section,
    Table,
    Term,
    Text,
)
from maskaudit.reports.effects import Effects, Names
from maskaudit.reports.sections import licences
from maskaudit.reports.sections.method.intervals import intervals
from maskaudit.reports.words import wording


def method(manifest: Manifest, estimates: Effects, names: Names) -> Section:
    """Intervals, digests, method keys, versions, licences and sources."""
    return Section(
        "method",
        "Method, and how to repeat it",
        (
            Part("How sure they are", tuple(Text(line) for line in intervals(manifest))),
            Part("The probe sets, their licences and sources", (_sources(manifest),)),
            Part("Identity and software", tuple(_identity(manifest, names))),
            Folded("Method keys", _method_keys(estimates)),
        ),
        "Method",
    )


def _sources(manifest: Manifest) -> Definitions:
    return Definitions(
        tuple(
            Term(
                f"{wording.visible(part.title)} ({wording.visible(name)}, version "
                f"{wording.visible(str(part.version))}, language {_language(part)})",
                (
                    f"Licence: {wording.visible(part.licence)}.",
                    *(f"{wording.opened(line)}." for line in licences.conditions(part)),
                    *licences.citation(part),
                    *(f"{wording.visible(source, None)}." for source in part.sources),
                ),
            )
            for name, part in manifest.probe_sets.items()
        )
    )


def _language(part: ProbeSet) -> str:
    # "und" is the tag of BCP 47 for a language that is not known.
    return "not known" if part.language == "und" else wording.visible(part.language)


def _identity(manifest: Manifest, names: Names) -> list[Block]:
    rows = []
    for model in names.models:
        identity = manifest.models[model]
        files = [
            (f"file {wording.visible(k)}", wording.visible(v, None))
            for k, v in identity.files.items()
        ]
        digests = [
            (key, wording.visible(getattr(identity, key), None))
            for key in ("weights", "tokenizer", "vocabulary")
        ]
        rows.append(Rows((*digests, *files), names.head(model)))
    sets = tuple(
        (wording.visible(name), wording.visible(part.items_digest, None))
        for name, part in manifest.probe_sets.items()
    )
    columns = (Column("What", is_number=False), Column("SHA-256", is_number=False))
    run = manifest.provenance
    versions = [f"{name} {version}" for name, version in run.packages.items() if version]
    return [
        Text(
            f"Measured on {wording.date(manifest.created)} with maskaudit "
            f"{wording.visible(manifest.maskaudit)}, Python {wording.visible(run.python)} on "
            f"{wording.visible(run.machine)} "
            f"({wording.counted(run.threads, 'thread')}), in {round(run.seconds):,} seconds; "
            f"{wording.visible(', '.join(versions), None)}; seed {manifest.settings.seed}."
        ),
        *([Text(_of_cache(run.cache))] if run.cache is not None else []),
        Text(
            "The digest of the weights is taken over the tensors themselves, so that it names the "
            "model and not the file that it came in; that of a set over all that was scored."
        ),
        Folded(
            "All digests",
            (
                Table(
                    "digests",
                    "SHA-256 digests of the models and of the sets’ items",
                    columns,
                    (*rows, Rows(sets, "Items of the sets")),
                ),
            ),
        ),
    ]


def _of_cache(use: CacheUse) -> str:
    if not use.taken:
        return "Every score was made in this run; none was taken from the cache of an earlier one."
    return (
        f"{wording.opened(use.sentence)}, and the others were made in this run; the keys of those "
        "that were taken are in record.json. They are as good as that cache: whoever could write "
        "to it, with the key of its user, could decide them."
    )


def _method_keys(estimates: Effects) -> tuple[Block, ...]:
    methods = dict.fromkeys(row.method for row in estimates.all)
    keys = tuple(wording.visible(method, None) for method in methods)
    return (
        Text("Numbers of two audits may be compared where these are equal, and not otherwise."),
        Bullets(keys),
    )
