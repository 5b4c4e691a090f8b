"""What to audit: AUDIT.toml and the command line as one checked value."""

import glob
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypedDict, Unpack

from pydantic import Field, model_validator

from maskaudit.audit import toml_files
from maskaudit.audit.errors import InputError
from maskaudit.audit.text_files import read_text
from maskaudit.audit.toml_files import Part, Texts, did_you_mean
from maskaudit.audit.vocabulary import GATES_FILE
from maskaudit.probes.loading import load, shipped
from maskaudit.probes.schema import ProbeSet

DEFAULT_FILE = Path("AUDIT.toml")
CORE = "core"
# TOML files that a pattern such as `*.toml` must not take for probe sets.
OTHER_FILES = {DEFAULT_FILE.name, GATES_FILE, "pyproject.toml"}


class Model(Part):
    """A model by hub id or folder, and its revision on the hub."""

    obvious = "id"
    id: str = Field(min_length=1)
    revision: str | None = None

    @property
    def name(self) -> str:
        """`NAME` or `NAME@REVISION`, as the loader takes it."""
        return f"{self.id}@{self.revision}" if self.revision else self.id


class Models(Part):
    """The reference (an older or larger model), and the candidate or candidates that are judged."""

    reference: Model | None = None
    candidate: Model | None = None
    candidates: list[Model] | None = Field(default=None, min_length=1)

    @model_validator(mode="after")
    def _said_once(self) -> Self:
        if self.candidate is not None and self.candidates is not None:
            raise ValueError("has both `candidate` and `candidates`; expected one of them")
        names = [model.name for model in self.candidates or ()]
        if again := [name for name in dict.fromkeys(names) if names.count(name) > 1]:
            raise ValueError(f"`candidates` names {again[0]!r} twice; expected each once")
        return self


class Probes(Part):
    """Sets by name, `core` for all shipped sets, or paths and patterns; a lexicon's path."""

    sets: Annotated[Texts, Field(min_length=1)] = Field(default=[CORE])
    lexicon: str | None = None


class Run(Part):
    """The folder of records, the seed of draws and resamples, and the adjustment of p values.

    `adjust` is "bh" (Benjamini & Hochberg) or "by" (Benjamini & Yekutieli, for any dependence).
    `cache_mib` is the size limit of the score cache in MiB; 0 disables the cache.
    """

    runs: str = "runs"
    seed: int = Field(default=0, ge=0)
    adjust: Literal["bh", "by"] = "bh"
    cache_mib: int = Field(default=2048, ge=0)


class _File(Part):
    """The tables that AUDIT.toml may have."""

    models: Models = Models()
    probes: Probes = Probes()
    run: Run = Run()


class Settings(_File):
    """The settings of one audit. If no model is named, the bundled pair is audited."""

    folder: Path = Path()
    rules: Path | None = None

    @property
    def runs(self) -> Path:
        """The folder of records; a relative path starts at the settings file's folder."""
        return self.folder / Path(self.run.runs).expanduser()

    @property
    def gates(self) -> Path | None:
        """The gates.toml that is named, else the one beside the settings file, else None."""
        beside = self.folder / GATES_FILE
        return self.rules or (beside if _is_there(beside) else None)

    @property
    def candidates(self) -> list[Model]:
        """The models that are judged, each in its own record; empty if none is named."""
        one = self.models.candidate
        return list(self.models.candidates or ([] if one is None else [one]))

    def check_one_candidate(self) -> None:
        """Raise `InputError` if several candidates are named."""
        if len(self.candidates) > 1:
            names = ", ".join(model.name for model in self.candidates)
            raise InputError(f"{len(self.candidates)} candidates are named ({names}); expected one")

    def probe_files(self) -> list[Path]:
        """The files of the requested sets, each once, in the order given.

        Raises `InputError` if a name matches no set.
        """
        found: dict[Path, None] = {}
        for name in self.probes.sets:
            found |= dict.fromkeys(_files_of(name, self.folder))
        return list(found)

    def lexicon(self) -> frozenset[str] | None:
        """The user's hurtful words, case-folded; None if no lexicon is named.

        The file has a word per line, or a tab-separated table with a column `lemma`. Raises
        `InputError` if it cannot be read or is empty.
        """
        if self.probes.lexicon is None:
            return None
        path = self.folder / Path(self.probes.lexicon).expanduser()
        lines = read_text(path, "the lexicon, a word a line").splitlines()
        header = lines[0].split("\t") if lines else []
        column = header.index("lemma") if "lemma" in header else None
        words = lines if column is None else [line.split("\t")[column] for line in lines[1:]]
        found = frozenset(word.strip().casefold() for word in words if word.strip())
        if not found:
            raise InputError(f"{path}: the lexicon is empty; expected a word a line")
        return found

    def probe_sets(self) -> list[ProbeSet]:
        """The requested sets, validated, with the frames of grammars drawn by the run's seed.

        Raises `InputError` with the faults of all their files.
        """
        found: dict[str, ProbeSet] = {}
        faults: list[str] = []
        for path in self.probe_files():
            try:
                part = load(path)
            except InputError as error:
                faults += error.faults
            else:
                if part.header.name in found:
                    name = part.header.name
                    faults.append(f"{path}: a set before it is named {name!r} too; rename one")
                found[part.header.name] = part.drawn(self.run.seed)
        if faults:
            raise InputError(*faults)
        return list(found.values())


def read(path: str | Path | None) -> Settings:
    """Read settings from a file, else from ./AUDIT.toml if it exists, else return the defaults.

    Raises `InputError` with every fault of the file.
    """
    if path is None and not _is_there(DEFAULT_FILE):
        return Settings()
    path = Path(path or DEFAULT_FILE)
    if path.is_dir():
        raise InputError(
            f"{path}: is a folder; expected a TOML file such as {DEFAULT_FILE}. To audit the model "
            f"in a folder: maskaudit run --candidate {path}"
        )
    said = toml_files.read(path, _File)
    return Settings(models=said.models, probes=said.probes, run=said.run, folder=path.parent)


class Words(TypedDict, total=False):
    """Arguments that override AUDIT.toml; relative paths start at the working directory.

    `out` is the folder of records, `gates` a gates.toml; `no_cache` disables the score cache.
    """

    reference: str | None
    candidate: str | None
    candidates: Sequence[str]
    probes: Sequence[str]
    out: str | Path | None
    seed: int | None
    gates: str | Path | None
    no_cache: bool


def asked(file: str | Path | None = None, **words: Unpack[Words]) -> Settings:
    """The settings of a file, overridden by the arguments."""
    candidate, out, gates = words.get("candidate"), words.get("out"), words.get("gates")
    candidates = words.get("candidates", ())
    return changed(
        read(None if file is None else Path(file)),
        reference=words.get("reference"),
        candidates=candidates if candidate is None else [candidate, *candidates],
        probes=words.get("probes", ()),
        runs=None if out is None else str(out),
        seed=words.get("seed"),
        cache_mib=0 if words.get("no_cache") else None,
        gates=None if gates is None else Path(gates),
    )


def changed(  # noqa: PLR0913 - each a word of the command line
    settings: Settings,
    *,
    reference: str | None = None,
    candidates: Sequence[str] = (),
    probes: Sequence[str] = (),
    runs: str | None = None,
    seed: int | None = None,
    cache_mib: int | None = None,
    gates: Path | None = None,
) -> Settings:
    """The settings, overridden by the command line; its paths start at the working directory.

    What the command line leaves out stays as in the file. Raises `InputError` for a negative seed
    or an empty model name.
    """
    if seed is not None and seed < 0:
        raise InputError(f"--seed: is {seed}; expected a whole number from 0")
    named = settings.models.reference
    beside = None if named is None else _beside(settings, named)
    chosen = [_model("candidate", name) for name in dict.fromkeys(candidates)] or [
        _beside(settings, model) for model in settings.candidates
    ]
    models = Models(
        reference=beside if reference is None else _model("reference", reference),
        candidate=chosen[0] if len(chosen) == 1 else None,
        candidates=chosen if len(chosen) > 1 else None,
    )
    updates: dict[str, Any] = {"models": models, "rules": gates}
    if probes:
        sets = [_from_here(name) for name in probes]
        updates["probes"] = settings.probes.model_copy(update={"sets": sets})
    place = None if runs is None else str(Path(runs).expanduser().absolute())
    run = {"runs": place, "seed": seed, "cache_mib": cache_mib}
    said = {name: value for name, value in run.items() if value is not None}
    updates["run"] = settings.run.model_copy(update=said)
    return settings.model_copy(update=updates)


def _is_there(path: Path) -> bool:
    """Whether the name exists, even as a dangling link, so that it is refused and not ignored."""
    return path.exists() or path.is_symlink()


def _model(subject: str, name: str) -> Model:
    if name == "":
        raise InputError(f"--{subject}: is empty; expected a folder or a hub id")
    return Model(id=name)


def _beside(settings: Settings, model: Model) -> Model:
    """A model of the file; if its id is a folder beside the file, the model of that folder."""
    if (settings.folder / model.id).is_dir():
        return Model(id=str(settings.folder / model.id), revision=model.revision)
    return model


def _from_here(name: str) -> str:
    return name if name == CORE or name in shipped() else str(Path(name).absolute())


def _files_of(name: str, folder: Path) -> Iterable[Path]:
    sets = shipped()
    if name == CORE:
        return sets.values()
    if name in sets:
        return [sets[name]]
    if (folder / name).is_file() or (
        folder / name / "set.toml"
    ).is_file():  # before any pattern: a name may contain brackets
        return [folder / name]
    found = glob.glob(name, root_dir=folder, recursive=True)  # noqa: PTH207 - may be absolute
    files = [folder / path for path in sorted(found) if _may_be_a_set(folder / path)]
    if files:
        return files
    raise InputError(
        f"probe set {_short(name)!r}: neither a shipped set nor a file; "
        f"shipped sets are: {CORE} (all), {', '.join(sets)}{did_you_mean(Path(name).name, sets)}"
    )


def _may_be_a_set(path: Path) -> bool:
    """Whether a match of a pattern is a probe set: an import's folder, or not another TOML file."""
    is_file = path.is_file() and path.name not in OTHER_FILES
    return is_file or (path / "set.toml").is_file()


def _short(name: str) -> str:
    """The path as the user typed it, before it was made absolute."""
    path = Path(name)
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else name


TEMPLATE = """\
# AUDIT.toml: what `maskaudit run` audits. Every key may be left out.

[models]
# The older or larger model, and the one that is judged: a hub id with a revision, or a folder.
# Leave both out to audit the bundled pair; name only a candidate to audit one model alone.
# reference = { id = "google-bert/bert-base-uncased", revision = "main" }
# candidate = { id = "distilbert/distilbert-base-uncased", revision = "main" }
# Several candidates, instead of one: each has a record of its own, the reference is scored once.
# candidates = [{ id = "distilbert/distilbert-base-uncased" }, { id = "models/pruned" }]

[probes]
# "core" is every set that is shipped (see `maskaudit probes list`); paths and patterns of your own
# TOML files may stand beside it.
sets = ["core"]
# Hurtful words for `honest`, a word a line or a table with a column "lemma"; yours, never shipped.
# lexicon = "lexicon.tsv"

[run]
# Where records are written, each in a folder of its own.
runs = "runs"
# The frames of a set with a grammar are drawn by it: another each week for fresh ones (--seed).
seed = 0
# How p values are adjusted for the number of tested sets: "bh" (Benjamini & Hochberg), or "by"
# (Benjamini & Yekutieli) where sets share groups with opposite signs; it finds less.
adjust = "bh"
# Scores are kept so that a run that is ended can be resumed, in MiB at most; 0 keeps none.
cache_mib = 2048
"""
