"""What to audit: AUDIT.toml and the command line as one checked value."""

import difflib
import glob
import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from audit.errors import InputError
from probes.schema import ProbeSet, load, shipped

DEFAULT_FILE = Path("AUDIT.toml")
CORE = "core"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Model(_Part):
    """A model by hub id or folder, and its revision on the hub."""

    id: str = Field(min_length=1)
    revision: str | None = None

    @property
    def name(self) -> str:
        """`NAME` or `NAME@REVISION`, as the loader takes it."""
        return f"{self.id}@{self.revision}" if self.revision else self.id


class Models(_Part):
    """The older or larger model, and the one that is judged."""

    reference: Model | None = None
    candidate: Model | None = None


class Probes(_Part):
    """Sets by name, `core` for all that are shipped, or paths and patterns of TOML files."""

    sets: list[str] = Field(default=[CORE], min_length=1)
    lexicon: str | None = None


class Run(_Part):
    """Where records go, the seed of what is drawn and resampled, and how p values are adjusted.

    `adjust` is "bh" (Benjamini & Hochberg) or "by" (Benjamini & Yekutieli, for any dependence).
    """

    runs: str = "runs"
    seed: int = Field(default=0, ge=0)
    adjust: Literal["bh", "by"] = "bh"


class _File(_Part):
    """What AUDIT.toml may say."""

    models: Models = Models()
    probes: Probes = Probes()
    run: Run = Run()


class Settings(_File):
    """One audit. No model named at all means the bundled pair."""

    folder: Path = Path()

    @property
    def runs(self) -> Path:
        """The folder of records; a relative one is beside the settings file."""
        return self.folder / Path(self.run.runs).expanduser()

    def probe_files(self) -> list[Path]:
        """The files of the sets asked for, each once, in the order given."""
        found: dict[Path, None] = {}
        for name in self.probes.sets:
            found |= dict.fromkeys(_files_of(name, self.folder))
        return list(found)

    def lexicon(self) -> frozenset[str] | None:
        """The user's hurtful words, case-folded: a word a line, or a column `lemma` of a table."""
        if self.probes.lexicon is None:
            return None
        path = self.folder / Path(self.probes.lexicon).expanduser()
        try:
            lines = path.read_text("utf-8-sig").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"{path}: the lexicon cannot be read ({error})") from error
        header = lines[0].split("\t") if lines else []
        column = header.index("lemma") if "lemma" in header else None
        words = lines if column is None else [line.split("\t")[column] for line in lines[1:]]
        found = frozenset(word.strip().casefold() for word in words if word.strip())
        if not found:
            raise InputError(f"{path}: the lexicon is empty; expected a word a line")
        return found

    def probe_sets(self) -> list[ProbeSet]:
        """The sets asked for, checked, and the frames of grammars drawn by the run's seed.

        An `InputError` names the faults of all of their files.
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


def read(path: Path | None) -> Settings:
    """Settings from a file, from ./AUDIT.toml where there is one, or the defaults.

    Raises `InputError` with every fault of the file.
    """
    if path is None and not DEFAULT_FILE.is_file():
        return Settings()
    path = path or DEFAULT_FILE
    try:
        raw = tomllib.loads(path.read_text("utf-8-sig"))
    except OSError as error:
        raise InputError(
            f"{path}: cannot be read ({error.strerror}); expected a TOML file"
        ) from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: not valid TOML: {error}") from error
    try:
        said = _File.model_validate(raw)
    except ValidationError as error:
        raise InputError(*(f"{path}: {_told(detail)}" for detail in error.errors())) from error
    return Settings(models=said.models, probes=said.probes, run=said.run, folder=path.parent)


def changed(  # noqa: PLR0913 - each a word of the command line
    settings: Settings,
    *,
    reference: str | None = None,
    candidate: str | None = None,
    probes: Sequence[str] = (),
    runs: str | None = None,
    seed: int | None = None,
) -> Settings:
    """The settings with what the command line says instead; its paths are from where it is typed.

    What it does not say stands as it is in the file.
    """
    if seed is not None and seed < 0:
        raise InputError(f"--seed: is {seed}; expected a whole number from 0")
    models = Models(
        reference=_model("reference", reference) or _beside(settings, "reference"),
        candidate=_model("candidate", candidate) or _beside(settings, "candidate"),
    )
    updates: dict[str, Any] = {"models": models}
    if probes:
        updates["probes"] = Probes(sets=[_from_here(name) for name in probes])
    run = {"runs": None if runs is None else str(Path(runs).absolute()), "seed": seed}
    said = {name: value for name, value in run.items() if value is not None}
    updates["run"] = settings.run.model_copy(update=said)
    return settings.model_copy(update=updates)


def _model(subject: str, name: str | None) -> Model | None:
    if name == "":
        raise InputError(f"--{subject}: is empty; expected a folder or a hub id")
    return None if name is None else Model(id=name)


def _beside(settings: Settings, subject: Literal["reference", "candidate"]) -> Model | None:
    """The file's model; where its id is a folder beside the file, by that folder."""
    model: Model | None = getattr(settings.models, subject)
    if model is not None and (settings.folder / model.id).is_dir():
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
    ).is_file():  # first of all: a name may hold brackets, which a pattern reads
        return [folder / name]
    found = glob.glob(name, root_dir=folder, recursive=True)  # noqa: PTH207 - may be absolute
    files = [
        folder / path
        for path in sorted(found)
        if (folder / path).is_file() or (folder / path / "set.toml").is_file()
    ]
    if files:
        return files
    raise InputError(
        f"probe set {_short(name)!r}: neither a shipped set nor a file; "
        f"shipped sets are: {CORE} (all), {', '.join(sets)}{_did_you_mean(name, sets)}"
    )


def _short(name: str) -> str:
    """What the user typed, where the path was made absolute."""
    path = Path(name)
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else name


def _told(detail: Any) -> str:  # noqa: ANN401 - pydantic's ErrorDetails
    place = ".".join(str(step) for step in detail["loc"])
    if detail["type"] == "extra_forbidden":
        known = _known_keys(detail["loc"][:-1])
        return f"{place}: is not a known key{_did_you_mean(str(detail['loc'][-1]), known)}"
    if detail["type"] == "model_type" and detail["loc"][:1] == ("models",):
        return f'{place}: expected a table like {{ id = "NAME" }} (found {detail["input"]!r})'
    return f"{place}: {detail['msg']} (found {detail['input']!r})"


def _known_keys(loc: Sequence[str | int]) -> list[str]:
    parts: dict[tuple[str | int, ...], type[BaseModel]] = {
        (): _File,
        ("models",): Models,
        ("probes",): Probes,
        ("run",): Run,
    }
    return list(parts.get(tuple(loc), Model).model_fields)


def _did_you_mean(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(Path(name).name, list(known), n=1)
    return f"; did you mean {close[0]!r}?" if close else f"; known are: {', '.join(known)}"


TEMPLATE = """\
# AUDIT.toml: what `maskaudit run` audits. Every key may be left out.

[models]
# The older or larger model, and the one that is judged: a hub id with a revision, or a folder.
# Leave both out to audit the bundled pair; name only a candidate to audit one model alone.
# reference = { id = "google-bert/bert-base-uncased", revision = "main" }
# candidate = { id = "distilbert/distilbert-base-uncased", revision = "main" }

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
"""
