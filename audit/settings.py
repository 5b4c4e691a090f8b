"""What to audit: AUDIT.toml and the command line as one checked value."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Self, TypedDict, Unpack

from pydantic import ValidationError

from maskaudit.audit.audit_file import File, Model, Models, Run, find, text_of
from maskaudit.audit.errors import InputError
from maskaudit.audit.recording.extrinsic import Extrinsic
from maskaudit.audit.recording.margins import Margins
from maskaudit.audit.texts import gates_file, lexicon, toml_files
from maskaudit.audit.texts.names import is_there
from maskaudit.audit.texts.toml_lines import Place
from maskaudit.audit.vocabulary import GATES_FILE, SETTINGS_FILE
from maskaudit.probes.checking.budget import check_budget
from maskaudit.probes.loading import load
from maskaudit.probes.requested import files_of, is_shipped
from maskaudit.probes.schema import ProbeSet
from maskaudit.probes.texts.source import TextSource
from maskaudit.probes.thinned import with_first_frames

DEFAULT_FILE = Path(SETTINGS_FILE)
# The keys of `[run]` that say how models are run, and how much of each set.
_HOW = ("engine", "device", "dtype", "threads", "batch_tokens", "limit")


def _anywhere(_place: Place, message: str) -> str:
    return message


class Settings(File):
    """The settings of one audit. If no model is named, the bundled pair is audited.

    `sets_chosen` and `models_chosen` say that the command line named the probe sets, or a model, in
    place of the file. `evaluated` is the text that is asked in place of probe sets, if given.
    `line` puts the file and the line of a place before a message.
    """

    folder: Path = Path()
    rules: Path | None = None
    evaluated: TextSource | None = None
    sets_chosen: bool = False
    models_chosen: bool = False
    line: Callable[[Place, str], str] = _anywhere

    @property
    def runs(self) -> Path:
        """The folder of records; a relative path starts at the settings file's folder."""
        return self.folder / _expanded(self.run.runs, "run.runs")

    @property
    def gates(self) -> Path | None:
        """The gates.toml that is named, else the one beside the settings file, else None.

        Of text alone only the one that is named: those beside the settings are for all of them.
        Raises `InputError` if there is none and `[run] gates` requires one.
        """
        # Beside the settings and not where the command was typed: rules belong to what is audited.
        beside = gates_file.find(self.folder) if self.evaluated is None else None
        file = self.rules or beside
        if file is None and self.run.gates == "required":
            if self.evaluated is not None:
                raise InputError(
                    'run.gates is "required", and masked text is judged by rules that are named; '
                    "name them with --gates FILE"
                )
            raise InputError(
                f'run.gates is "required", and {self.folder / GATES_FILE} is not there; write it '
                "(see `maskaudit init`), or name another file with --gates"
            )
        return file

    @property
    def candidates(self) -> list[Model]:
        """The models that are judged, each in its own record; empty if none is named."""
        candidate = self.models.candidate
        return list(self.models.candidates or ([] if candidate is None else [candidate]))

    def pairs(self) -> list[dict[str, str]]:
        """The names of the models of each audit by subject; empty if no model is named.

        Without a reference each candidate is alone, and a reference alone becomes the candidate.
        """
        named = [model.name for model in self.candidates]
        reference = [] if self.models.reference is None else [self.models.reference.name]
        if reference and named:
            return [{"reference": reference[0], "candidate": name} for name in named]
        return [{"candidate": name} for name in named or reference]

    def extrinsic(self) -> list[list[Extrinsic]]:
        """The extrinsic scores of each audit, by subject, in the order of the audits.

        Raises `InputError` for a score of a model that is not audited, unless the command line
        named the models: a file may keep the scores of models that are audited one at a time.
        """
        pairs = self.pairs()
        audited = {name for pair in pairs for name in pair.values()}
        entries, faults = [], []
        for number, entry in enumerate(self.run.extrinsic):
            scores = {_as_audited(self, name, audited): name for name in entry.scores}
            faults += [
                self.line(
                    ("run", "extrinsic", number, "scores", name),
                    f"run.extrinsic[{number + 1}].scores.{name!r}: no audited model has this name; "
                    + (f"they are {', '.join(sorted(audited))}" if audited else "none is named"),
                )
                for model, name in scores.items()
                if model not in audited and not self.models_chosen
            ]
            by_model = {model: entry.scores[name] for model, name in scores.items()}
            entries.append(entry.model_copy(update={"scores": by_model}))
        if faults:
            raise InputError(*faults)
        found = [[entry.of(pair) for entry in entries] for pair in pairs or [{}]]
        return [[entry for entry in of_pair if entry is not None] for of_pair in found]

    @property
    def source(self) -> TextSource | None:
        """The text that is asked, None without any: that alone, or the file's beside its sets.

        Who names other probe sets than the file asks for these alone. A trial has its first texts.
        """
        if self.evaluated is not None or self.text is None or self.sets_chosen:
            return self.evaluated
        source = self.text.source(self.folder)
        limit = self.run.limit
        return source if limit is None else replace(source, first=min(source.first, limit))

    def evaluating(self, data: str | None, **given: Any) -> Self:  # noqa: ANN401 - those of a text
        """The settings with a text that is asked in place of all sets: `data`, or the file's.

        `given` are words of `TextSource`; those that are None say nothing. Raises `InputError` as
        `text_of` does.
        """
        source = text_of(self.text, self.folder, data, given)
        return self.model_copy(update={"evaluated": source})

    def check_one_candidate(self) -> None:
        """Raise `InputError` if several candidates are named."""
        if len(self.candidates) > 1:
            names = ", ".join(model.name for model in self.candidates)
            raise InputError(f"{len(self.candidates)} candidates are named ({names}); expected one")

    def probe_files(self) -> list[Path]:
        """The files of the requested sets, each once, in the order given.

        Raises `InputError` if a name matches no set.
        """
        # A dict as an ordered set: a set that is named twice is no second set of the same name.
        files: dict[Path, None] = {}
        for name in self.probes.sets:
            files |= dict.fromkeys(files_of(name, self.folder))
        return list(files)

    def lexicon(self) -> frozenset[str] | None:
        """The user's hurtful words, without case and in NFC; None if no lexicon is named.

        Raises `InputError` if the file cannot be used (`lexicon.read`).
        """
        if self.probes.lexicon is None:
            return None
        return lexicon.read(self.folder / _expanded(self.probes.lexicon, "probes.lexicon"))

    def probe_sets(self) -> list[ProbeSet]:
        """The requested sets, validated, with the frames of grammars drawn by the run's seed.

        Of a trial they have the first frames alone (`with_first_frames`).

        Raises `InputError` with the faults of all their files.
        """
        if self.evaluated is not None:
            return [self._text_set(self.evaluated)]
        sets: dict[str, ProbeSet] = {}
        faults: list[str] = []
        for path in self.probe_files():
            try:
                probe_set = load(path)
                # Before frames are drawn and sentences written: what is too large must cost nothing
                # yet.
                check_budget(probe_set, self.run.most_items, str(path))
            except InputError as error:
                faults += error.faults
            else:
                # The tables of a record, and its method keys, tell sets apart by this name alone.
                if probe_set.header.name in sets:
                    name = probe_set.header.name
                    faults.append(
                        f"{path}: another probe set is already named {name!r}; rename one of them"
                    )
                drawn = probe_set.drawn(self.run.seed)
                limit = self.run.limit
                sets[probe_set.header.name] = with_first_frames(drawn, limit) if limit else drawn
        if self.source is not None and not faults:
            text = self._text_set(self.source)
            if (name := text.header.name) in sets:
                faults.append(f"text: a probe set is already named {name!r}; give the text a name")
            sets[name] = text
        # A margin for a set that the command line left out is no fault.
        if not (faults or self.sets_chosen):
            faults += [
                self.line(
                    ("margins", "sets", name),
                    f"margins.sets.{name}: no audited set has this name; they are "
                    f"{', '.join(sets)}",
                )
                for name in self.margins.sets
                if name not in sets
            ]
        if faults:
            raise InputError(*faults)
        return list(sets.values())

    def _text_set(self, text: TextSource) -> ProbeSet:
        # Here, because whoever only reads settings need not wait for readers of data.
        from maskaudit.probes.texts import text_set

        probe_set = text_set.read(text)
        check_budget(probe_set, self.run.most_items, text.data)
        return probe_set

    def margins_of(self, probe_set: ProbeSet) -> Margins | None:
        """The margins of a set: those of this file, and of the set where this file has none."""
        return self.margins.of(probe_set.header.name, probe_set.margins)


def read(path: str | Path | None) -> Settings:
    """Read settings from a file, else from ./AUDIT.toml if it exists, else return the defaults.

    Raises `InputError` with every fault of the file.
    """
    path = find(Path()) if path is None else Path(path)
    if path is None:
        return Settings()
    if path.is_dir():
        raise InputError(
            f"{path}: is a folder; expected a TOML file such as {DEFAULT_FILE}. To audit the model "
            f"in a folder: maskaudit run --candidate {path}"
        )
    file = toml_files.document(path)
    tables = file.checked(File)
    # Not `model_dump`, which would make plain dictionaries of the tables.
    named = {name: getattr(tables, name) for name in File.model_fields}
    return Settings(**named, folder=path.parent, line=file.line)


class Overrides(TypedDict, total=False):
    """Arguments that override AUDIT.toml; relative paths start at the working directory.

    `out` is the folder of records, `gates` a gates.toml; `no_cache` disables the score cache,
    `allow_native` scores transformers' class of a checkpoint that brings code of its own, and
    `most_items` is the most that a set may make. `engine`, `device`, `dtype`, `threads`,
    `batch_tokens` and `limit` are those of `[run]`.
    """

    reference: str | None
    candidate: str | None
    candidates: Sequence[str]
    probes: Sequence[str]
    out: str | Path | None
    seed: int | None
    gates: str | Path | None
    no_cache: bool
    allow_native: bool
    most_items: int | None
    engine: str | None
    device: str | None
    dtype: str | None
    threads: int | None
    batch_tokens: int | None
    limit: int | None


def resolve(file: str | Path | None = None, **overrides: Unpack[Overrides]) -> Settings:
    """The settings of a file, overridden by the arguments."""
    candidate, out, gates = overrides.get("candidate"), overrides.get("out"), overrides.get("gates")
    candidates = overrides.get("candidates", ())
    return overridden(
        read(None if file is None else Path(file)),
        reference=overrides.get("reference"),
        candidates=candidates if candidate is None else [candidate, *candidates],
        probes=overrides.get("probes", ()),
        runs=None if out is None else str(out),
        seed=overrides.get("seed"),
        # A switch that is not given says nothing: False would undo what the file says.
        cache_mib=0 if overrides.get("no_cache") else None,
        allow_native=True if overrides.get("allow_native") else None,
        most_items=overrides.get("most_items"),
        gates=None if gates is None else Path(gates),
        how=_checked_run({name: overrides.get(name) for name in _HOW}),
    )


def _checked_run(how: Mapping[str, Any]) -> dict[str, Any]:
    """What the command line says of how models are run, as `[run]` would take it.

    Raises `InputError` for an unknown device or precision, and for a number that is none.
    """
    given = {name: value for name, value in how.items() if value is not None}
    try:
        Run.model_validate(given, strict=True)
    except ValidationError as error:
        found = (message for _, message in toml_files.faults(error, given, Run))
        # Options are written with a hyphen, and keys of the file with an underscore.
        raise InputError(*("--" + text.replace("_", "-", 1) for text in found)) from error
    return given


def overridden(  # noqa: PLR0913 - each a word of the command line
    settings: Settings,
    *,
    reference: str | None = None,
    candidates: Sequence[str] = (),
    probes: Sequence[str] = (),
    runs: str | None = None,
    seed: int | None = None,
    cache_mib: int | None = None,
    allow_native: bool | None = None,
    most_items: int | None = None,
    gates: Path | None = None,
    how: Mapping[str, Any] | None = None,
) -> Settings:
    """The settings, overridden by the command line; its paths start at the working directory.

    What the command line leaves out stays as in the file; `how` has what it says of how models are
    run. Raises `InputError` for a negative seed
    or an empty model name.
    """
    # `model_copy`, below, does not validate what it is given.
    if seed is not None and seed < 0:
        raise InputError(f"--seed: is {seed}; expected a whole number of at least 0")
    file_reference = settings.models.reference
    resolved_reference = None if file_reference is None else _resolved(settings, file_reference)
    # The command line replaces the file's candidates as a whole: they are one choice.
    candidate_models = [_model("candidate", name) for name in dict.fromkeys(candidates)] or [
        _resolved(settings, model) for model in settings.candidates
    ]
    models = Models(
        reference=resolved_reference if reference is None else _model("reference", reference),
        candidate=candidate_models[0] if len(candidate_models) == 1 else None,
        candidates=candidate_models if len(candidate_models) > 1 else None,
    )
    updates: dict[str, Any] = {"models": models, "rules": gates}
    updates["models_chosen"] = reference is not None or bool(candidates)
    if probes:
        # Only the sets: the command line names no lexicon, so that of the file stays.
        sets = [_absolute(name) for name in probes]
        updates["probes"] = settings.probes.model_copy(update={"sets": sets})
        updates["sets_chosen"] = True
    runs_folder = None if runs is None else str(_expanded(runs, "--out").absolute())
    run = {
        "runs": runs_folder,
        "seed": seed,
        "cache_mib": cache_mib,
        "allow_native": allow_native,
        "most_items": most_items,
        **(how or {}),
    }
    # By None and not by truth: a seed of 0 and a cache of 0 MiB are choices.
    run_updates = {name: value for name, value in run.items() if value is not None}
    updates["run"] = settings.run.model_copy(update=run_updates)
    return settings.model_copy(update=updates)


def _expanded(text: str, where: str) -> Path:
    """A path with `~` and `~user` written out; raises `InputError` for a user without a home."""
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise InputError(
            f"{where}: {text[:100]!r} names the home folder of a user who has none here; expected "
            "a path"
        ) from error


def _model(subject: str, name: str) -> Model:
    if name == "":
        raise InputError(f"--{subject}: is empty; expected a folder or a hub id")
    # With its `@REVISION`: only the loader can tell that from a folder with an @ in its name.
    return Model(id=name)


def _resolved(settings: Settings, model: Model) -> Model:
    """A model of the file; if its id is a name beside the file, what has that name."""
    # Be it a folder, or what is refused as none: the hub may have another model of that name.
    if is_there(settings.folder / model.id):
        return Model(id=str(settings.folder / model.id), revision=model.revision)
    return model


def _as_audited(settings: Settings, name: str, audited: set[str]) -> str:
    """A model's name as an audit has it: as the file has it, or with the file's folder before."""
    beside = _resolved(settings, Model(id=name)).name
    return beside if beside in audited else name


def _absolute(name: str) -> str:
    # As in `files_of`: a shipped name is no path, whatever lies in the working directory.
    return name if is_shipped(name) else str(Path(name).absolute())
