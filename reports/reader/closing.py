"""What the audit cannot show, what was lost, what to do; and how to repeat, judge and quote it."""

import base64
import shlex
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from maskaudit.audit.estimating.registry.names import CONTRAST
from maskaudit.audit.judging.verdicts import Judgement
from maskaudit.audit.recording.manifest import Identity, Manifest, ProbeSet
from maskaudit.audit.recording.record import Record
from maskaudit.audit.recording.rows.values import NOT_JOINED
from maskaudit.audit.texts.printable import json_text
from maskaudit.audit.texts.toml_files import document
from maskaudit.probes.loading import shipped
from maskaudit.reports.effects import CANDIDATE, REFERENCE, Names
from maskaudit.reports.reader.parts import Command, Lines, Use
from maskaudit.reports.reader.state import Found, tested
from maskaudit.reports.rows import as_csv, as_values
from maskaudit.reports.sections import competence, licences, texts
from maskaudit.reports.words import wording

# Records are published: they have the last parts of a folder's path and none of a set's file.
_PATH_TO = "PATH/TO/"


def closing(
    manifest: Manifest, judgement: Judgement | None, found: Sequence[Found], names: Names
) -> tuple[Lines, ...]:
    """Three short lists: the limits, what was lost, what to do."""
    return (
        Lines("cannot", "What this cannot show", tuple(_cannot(manifest, names))),
        Lines("lost", "What was lost", tuple(_lost(manifest))),
        Lines("do", "What to do", tuple(_todo(judgement, found, names))),
    )


def _cannot(manifest: Manifest, names: Names) -> list[str]:
    count = len(manifest.probe_sets)
    sets = "this set" if count == 1 else f"these {count} sets"
    who = f"{names.candidate} and {names.reference}" if names.paired else names.candidate
    if texts.is_alone(manifest):
        return [
            f"What an application makes of {who}: only masked words of text were read.",
            "Whether these texts were read in training, which makes them easier.",
            f"Other texts, languages and groups than those of {sets}.",
        ]
    return [
        f"What an application makes of {who}: only words hidden in short sentences were read.",
        "That there is no lean: “unclear” says that these sentences could not tell.",
        *_unasked(manifest),
        f"Other groups, languages and harms than those of {sets}.",
    ]


def _unasked(manifest: Manifest) -> list[str]:
    """Whether the models are good for anything, where no plain facts were asked."""
    if manifest.truth is not None or competence.is_asked(manifest):
        return []
    return ["Whether what was read matters: no set of plain facts was asked."]


def _lost(manifest: Manifest) -> list[str]:
    lines = []
    words = sum(row.items for row in manifest.lost if row.status != NOT_JOINED)
    if words:
        lines.append(
            f"{wording.counted(words, 'word')} could not be scored, counted by group and model."
        )
    if manifest.left_out:
        cells = wording.counted(
            len(manifest.left_out), "pair of word and sentence", "pairs of word and sentence"
        )
        lines.append(f"{wording.opened(cells)} left out of every model’s numbers alike.")
    if manifest.unavailable:
        numbers = {name for part in manifest.unavailable for name in part.estimators}
        lines.append(f"{wording.counted(len(numbers), 'number')} could not be measured at all.")
    lines += texts.not_asked(manifest)
    return lines or ["Nothing: every word of every sentence was scored in each model."]


def _todo(judgement: Judgement | None, found: Sequence[Found], names: Names) -> list[str]:
    asked = tested(found)
    leaning = [one for one in asked if one.lean == "with"]
    lines = []
    if leaning:
        title = leaning[0].paired.title
        lines.append(
            f"Do not let {names.candidate} fill in, rank or complete text on people where "
            f"“{title}” matters, unless the application itself was tested."
        )
    if any(one.moved for one in found):
        lines.append("Read each finding against the control that moved before acting on it.")
    if any(one.lean == "not shown" for one in asked):
        lines.append("Where nothing is shown, add sentences (maskaudit probes new) and ask again.")
    if judgement is None:
        lines.append("Set a release rule before the next version: maskaudit gate, gates.toml.")
    elif judgement.exit_code:
        lines.append("Hold the release back, or have a named owner waive the rule with a reason.")
    lines.append("Test what you deploy, with sentences of its own kind.")
    return lines[:3]


def use(record: Record, details: str) -> Use:
    """The commands that repeat and judge the audit, what identifies it, and its contrasts."""
    manifest = record.manifest
    # A folder may have any name, and these lines are there to be pasted into a shell.
    name = shlex.quote(record.name)
    commands = [
        _again(manifest),
        Command(f"maskaudit verify {name}", "check that every number follows from its scores"),
        Command(f"maskaudit gate {name}", "judge it by gates.toml"),
        Command(f"maskaudit card {name}", "a section for the model card"),
    ]
    if not details:
        commands.append(Command(f"maskaudit report {name}", "all numbers, definitions and methods"))
    facts = [
        ("Record", wording.visible(record.name)),
        ("Key", wording.short_digest(manifest.key) if manifest.key else wording.UNKNOWN),
        *(
            (f"{wording.visible(identity.name)}", _identity(identity))
            for identity in manifest.models.values()
        ),
        ("Sentences", _sentences(manifest)),
        ("Time", _time(manifest)),
        ("Licences", _licences(manifest)),
    ]
    contrasts = record.estimates[record.estimates["estimator"] == CONTRAST]
    return Use(
        tuple(commands),
        tuple(facts),
        (
            ("CSV", _data("text/csv", as_csv(contrasts)), f"{record.name}.csv"),
            (
                "JSON",
                _data("application/json", json_text(as_values(contrasts))),
                f"{record.name}.json",
            ),
        ),
    )


def _data(kind: str, text: str) -> str:
    """A file within a link, which needs no server and no other file."""
    return f"data:{kind};charset=utf-8;base64,{base64.b64encode(text.encode()).decode()}"


def _again(manifest: Manifest) -> Command:
    """The command of the audit; where it names a folder or a file, what to put in is said."""
    text = _run(manifest)
    told = f"; {_PATH_TO}… stands for where each of them is" if _PATH_TO in text else ""
    return Command(text, f"audit again{told}")


def _run(manifest: Manifest) -> str:
    """The command of the audit, as far as the record knows it."""
    if manifest.truth is not None and not texts.is_alone(manifest):
        return "maskaudit run"
    models = manifest.models
    if texts.is_alone(manifest):
        return _evaluate(manifest)
    command = ["maskaudit", "run"]
    for subject, option in ((REFERENCE, "--teacher"), (CANDIDATE, "--student")):
        if subject in models:
            command += [option, _named(models[subject])]
    for name, part in manifest.probe_sets.items():
        command += ["--probes", _set(name, part)]
    return wording.visible(shlex.join(command), None)


def _evaluate(manifest: Manifest) -> str:
    """The command of an evaluation on masked text; the record knows the data by its name alone."""
    models = manifest.models
    command = ["maskaudit", "evaluate"]
    if manifest.truth is None:
        command.append(_named(models[CANDIDATE]))
        command += ["--reference", _named(models[REFERENCE])] if REFERENCE in models else []
    for name in texts.texts(manifest):
        command += ["--text", *manifest.probe_sets[name].sources]
    return wording.visible(shlex.join(command), None)


def _set(name: str, part: ProbeSet) -> str:
    """A shipped set by its name; another by a path to be filled in, for a name finds no file."""
    path = shipped().get(name)
    # An older version, or somebody's own under this name, is not the set that is shipped today.
    if path and _version(path) == str(part.version):
        return name
    # Those of other kinds are imports, which are folders.
    return f"{_PATH_TO}{name}{'.toml' if part.kind in ('association', 'cloze') else ''}"


@cache
def _version(shipped_set: Path) -> str:
    # Of a file that does not change while we run, and a site asks for it with each of its records.
    return str(document(shipped_set).raw["set"]["version"])


def _named(identity: Identity) -> str:
    """A model by its hub id or address; a folder, which has no revision, by a path to fill in."""
    if identity.endpoint:
        return identity.name
    if identity.revision:
        return f"{identity.name}@{identity.revision}"
    return f"{_PATH_TO}{identity.name}"


def _identity(identity: Identity) -> str:
    revision = f", revision {wording.visible(identity.revision)}" if identity.revision else ""
    return f"{identity.digest_of} {wording.short_digest(identity.weights)}{revision}"


def _time(manifest: Manifest) -> str:
    provenance = manifest.provenance
    threads = wording.counted(provenance.threads, "thread")
    machine = wording.visible(provenance.machine)
    return f"{provenance.seconds:,.0f} s on {machine}, {threads}; energy was not measured"


def _sentences(manifest: Manifest) -> str:
    return wording.number(sum(part.sentences for part in manifest.probe_sets.values()))


def _licences(manifest: Manifest) -> str:
    names = dict.fromkeys(wording.visible(part.licence) for part in manifest.probe_sets.values())
    limited = [
        text.partition(":")[0]
        for part in manifest.probe_sets.values()
        for text in licences.conditions(part)
    ]
    said = f"; {wording.listed(list(dict.fromkeys(limited)))}" if limited else ""
    return f"probe sets: {wording.listed(list(names))}{said}"
