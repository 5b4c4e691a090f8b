"""Locate a model: a folder on this machine, or a model fetched from the hub."""

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from urllib.parse import urlsplit

from huggingface_hub import is_offline_mode, snapshot_download
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

from maskaudit.audit.errors import InputError
from maskaudit.audit.texts.printable import printable
from maskaudit.audit.texts.toml_files import closest

_NEIGHBOURS = 1000  # of a name that does not exist, among which a similar one is looked for
# The only files fetched from a hub repository: no pickles, no code.
TOKENIZERS = ("*.json", "vocab.txt", "merges.txt", "bpe.codes", "*.model")
FETCHED = (*TOKENIZERS, "model*.safetensors", "adapter_model.safetensors")


@dataclass(frozen=True)
class Located:
    """A model's folder, its display name, and its revision; a local folder's revision is ""."""

    folder: Path
    name: str
    revision: str


def locate(model: str | Path, fetched: Sequence[str] = FETCHED) -> Located:
    """Locate a folder, or the hub's model `NAME[@REVISION]`, which is fetched if necessary.

    `fetched` are the files that are fetched of it. Raises `InputError` if the name is neither, or
    the model cannot be fetched.
    """
    written = str(model).strip()
    # The name is printed, so it must not carry characters that a terminal would obey.
    name = printable(written)
    if not name:
        raise InputError("model '': the name is empty; expected a folder or a hub id")
    try:
        path = Path(written).expanduser()
        # A link that leads nowhere exists: the hub may have another model of its name.
        is_folder, exists = path.is_dir(), path.exists() or path.is_symlink()
    except (OSError, RuntimeError) as error:
        message = f"model {name[:100]}: not a usable path ({first_line(error)})"
        raise InputError(message) from error
    if is_folder:
        return Located(path, _shown(path), "")
    if exists or isinstance(model, Path) or written.startswith((".", "/", "~")):
        raise InputError(f"model {name}: {_no_folder(path, exists=exists)}")
    if name.startswith(("http://", "https://")):
        raise InputError(f"model {name}: is a URL; {_hub_id(name)}")
    return _fetched(name, fetched)


def first_line(error: Exception) -> str:
    """A library's message on one line of at most 200 characters, without this machine's paths."""
    line = " ".join(str(error).split()) or type(error).__name__
    # Paths would show the user's name in messages that people paste elsewhere.
    return re.sub(r"(?<![\w.])(?:/[^\s'\"/]+)+/", "…/", line)[:200]


def _no_folder(path: Path, *, exists: bool) -> str:
    if exists and not path.exists():
        return "the path is a link that leads nowhere; expected a folder with a checkpoint"
    if exists:
        return (
            "the path is a file; expected a folder with a checkpoint: name the folder that "
            "contains the file"
        )
    beside = path.parent
    # Not all of a folder that may have a million entries: it is only a hint.
    folders: list[str] = []
    with suppress(OSError):  # as of a folder that another user lets nobody list
        folders = [entry.name for entry in islice(beside.iterdir(), _NEIGHBOURS) if entry.is_dir()]
    return (
        f"the path does not exist; expected a folder with a checkpoint{closest(path.name, folders)}"
    )


def _hub_id(address: str) -> str:
    """Suggest what to write instead of a URL."""
    parts = urlsplit(address)
    # The address of a page goes on behind the name, as in ORG/NAME/tree/main.
    names = [part for part in parts.path.split("/") if part][:2]
    is_model = parts.hostname in {"huggingface.co", "hf.co"} and names
    return (
        f"write the hub id {'/'.join(names)!r}"
        if is_model
        else "expected a folder or a hub id; an endpoint is audited by `maskaudit run --candidate "
        "URL` and checked by `maskaudit verify-endpoint URL RECORD`"
    )


def _fetched(name: str, files: Sequence[str]) -> Located:
    repo, _, revision = name.removeprefix("hf://").removeprefix("models/").partition("@")
    try:
        folder = Path(
            snapshot_download(repo, revision=revision or None, allow_patterns=list(files))
        )
    except HFValidationError as error:
        message = f"model {name}: neither a folder here nor a hub id (NAME or ORG/NAME[@REVISION])"
        raise InputError(message) from error
    except (LocalEntryNotFoundError, HfHubHTTPError, OSError) as error:
        raise InputError(f"model {name}: {_unreachable(error, revision)}") from error
    # The folder is called by the commit, which a branch or no revision does not tell.
    return Located(folder, repo, folder.name)


def _unreachable(error: Exception, revision: str) -> str:
    status = getattr(getattr(error, "response", None), "status_code", None)
    # The hub answers 401 to anonymous requests for a model that does not exist, too.
    if status in (401, 403, 404):
        missing = f"no such model or revision {revision!r}" if revision else "no such model"
        return f"{missing} on the hub, or it is private (HF_TOKEN); expected a hub id or a folder"
    if is_offline_mode():
        return "not in the local cache, and HF_HUB_OFFLINE is set; fetch it first or name a folder"
    return f"no such folder here, and the hub cannot be reached ({type(error).__name__})"


def _shown(path: Path) -> str:
    """A folder's last two parts, or only the last if the other would be the user's name."""
    whole = path.resolve()
    try:
        home = Path.home()
    except RuntimeError:  # a user without a home, as in a container
        home = None
    parts = whole.parts[-1:] if whole.parent == home else whole.parts[-2:]
    return printable("/".join(part.strip("/") for part in parts if part.strip("/")))
