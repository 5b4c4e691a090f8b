"""Snippets that run an audit every day or week: cron, systemd, GitHub, GitLab, Kubernetes.

The command they run may be started at any time and any number of times: it holds a lock, skips
unchanged audits and resumes interrupted ones. So this module needs no scheduler, only text.
"""

import json
import shlex
from importlib.resources import files
from pathlib import Path, PurePosixPath
from string import Template
from typing import Literal, get_args

from maskaudit.audit.errors import InputError

Kind = Literal["cron", "systemd", "github", "gitlab", "kubernetes"]
Every = Literal["daily", "weekly"]
KINDS: tuple[Kind, ...] = get_args(Kind)
EVERY: tuple[Every, ...] = get_args(Every)
# Not on the hour, when most scheduled jobs start.
_CRON = {"daily": "17 3 * * *", "weekly": "17 3 * * 1"}
_CALENDAR = {"daily": "*-*-* 03:17:00", "weekly": "Mon *-*-* 03:17:00"}
# The ISO week is the seed that draws the frames of a grammar: 202648 is week 48 of 2026.
_SEED = ' --seed "$(date +%G%V)"'
# The line that keeps a run offline, in the syntax of each scheduler.
_SWITCH: dict[Kind, str] = {
    "cron": "HF_HUB_OFFLINE=1",
    "systemd": "Environment=HF_HUB_OFFLINE=1",
    "github": 'HF_HUB_OFFLINE: "1"',
    "gitlab": 'HF_HUB_OFFLINE: "1"',
    "kubernetes": '- { name: HF_HUB_OFFLINE, value: "1" }',
}
_HINT = "# HF_HUB_OFFLINE=1 keeps a run offline once its models are downloaded: schedule --offline."

CODES = """\
# Exit codes: 0 passed, or there was nothing to judge; 1 a gate failed; 2 wrong settings; 3 could
# not judge; 70 an internal error; 74 cannot write; 75 another run holds the folder, which is no
# error: the next run does the work; 130 and 143 interrupted: the next run resumes it.
# Gates are judged if gates.toml is beside the settings."""


def snippet(  # noqa: PLR0913 - each a word of the command line
    kind: Kind,
    settings: Path,
    *,
    every: Every = "daily",
    fresh_frames: bool = False,
    offline: bool = False,
    command: str = "maskaudit",
    runs: str = "runs",
) -> str:
    """The text that makes a scheduler run the audit of a settings file.

    For this machine (cron, systemd) `settings` is made absolute and `command` is the program;
    elsewhere `settings` is a path inside the repository or the volume. `fresh_frames` draws new
    frames of a grammar every week. `offline` restricts the run to models already fetched. `runs` is
    the folder of records as the settings name it, relative to the settings file. Raises
    `InputError` for a path that the scheduler cannot handle.
    """
    for part in (str(settings), command, runs):
        if not part.isprintable() or any(name != name.strip() for name in Path(part).parts):
            fault = "has a control character, or a part that begins or ends with a space"
            raise InputError(f"{part!r}: {fault}")
    seed = _SEED if fresh_frames else ""
    switch = _SWITCH[kind] if offline else _HINT
    if kind == "cron":
        return _crontab(settings.absolute(), command, every, seed, offline=offline)
    if kind == "systemd":
        return _units(settings.absolute(), command, every, seed, switch)
    return _repository_file(kind, settings, every, seed, switch, runs)


def _crontab(settings: Path, command: str, every: Every, seed: str, *, offline: bool) -> str:
    """A crontab line: five time fields and a command; cron reads an unescaped % as a line break."""
    _refuse_backslash(str(settings), command)
    folder, name = shlex.quote(str(settings.parent)), shlex.quote(settings.name)
    log = shlex.quote(str(settings.parent / "maskaudit.log"))
    switch = f"{_SWITCH['cron']} " if offline else ""
    line = (
        f"cd {folder} && {switch}{shlex.quote(command)} run --skip-unchanged{seed} -- {name}"
        # Code 75 is silent: cron mails whatever is printed, and the run that holds the folder does
        # the work.
        ' >>maskaudit.log 2>&1; code=$?; case $code in 0|75) ;; *) echo "maskaudit ended with '
        f'$code; see" {log}; exit $code;; esac'
    )
    return _template("cron").substitute(
        codes=CODES,
        offline=f"# {_SWITCH['cron']}: only with models that are already downloaded."
        if offline
        else _HINT,
        line=f"{_CRON[every]} " + line.replace("%", r"\%"),
    )


def _units(settings: Path, command: str, every: Every, seed: str, switch: str) -> str:
    """A service and its timer; systemd reads %% as % and $$ as $."""
    _refuse_backslash(str(settings), command)
    run = f"{_quoted(command)} run --skip-unchanged -- {_quoted(settings.name)}"
    if seed:
        # systemd runs no shell, and the seed is the output of `date`. Command and file are
        # arguments of the script, not parts of it, so that no character in them is read as shell.
        script = f'exec "$0" run --skip-unchanged{seed} -- "$1"'
        run = f"/bin/sh -c {_quoted(script)} {_quoted(command)} {_quoted(settings.name)}"
    return _template("systemd").substitute(
        codes=CODES,
        # WorkingDirectory is one path without quotes, and only % is special in it.
        folder=str(settings.parent).replace("%", "%%"),
        command=run,
        offline=switch,
        every=every,
        calendar=_CALENDAR[every],
    )


def _repository_file(  # noqa: PLR0913, PLR0917 - what a template is filled with
    kind: Kind, settings: Path, every: Every, seed: str, switch: str, runs: str
) -> str:
    """A file for another machine; paths are inside the repository or the volume.

    Raises `InputError` for an absolute path or one with `..` or `$`.
    """
    records = PurePosixPath(settings.parent.as_posix(), runs)
    for path in (PurePosixPath(settings.as_posix()), records):
        if path.is_absolute() or ".." in path.parts or "$" in str(path):
            raise InputError(f"{path}: expected a path inside the repository, without .. or $")
    return _template(kind).substitute(
        codes=CODES,
        cron=_CRON[every],
        settings=_scalar(settings.as_posix()),
        runs=_scalar(f"{records}/"),
        folder=records,
        seed=seed,
        offline=switch,
    )


def _template(kind: Kind) -> Template:
    """The template of one scheduler: `$name` is a placeholder, `$$` a dollar sign."""
    file = files("maskaudit.audit.running") / "templates" / f"{kind}.template"
    return Template(file.read_text("utf-8"))


def _refuse_backslash(*paths: str) -> None:
    """Refuse a backslash, which cron and systemd read differently; raises `InputError`."""
    for path in paths:
        if "\\" in path:
            raise InputError(f"{path}: has a backslash; expected a path without one")


def _quoted(word: str) -> str:
    """A word quoted for a systemd command."""
    # No backslash needs an escape here: `_refuse_backslash` lets none through.
    escaped = word.replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{escaped}"'


def _scalar(text: str) -> str:
    """A text as a YAML scalar; a JSON string is one, whatever the text contains."""
    return json.dumps(text, ensure_ascii=False)
