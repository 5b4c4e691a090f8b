"""The models named in the settings, loaded as pairs of a reference and a candidate."""

from collections.abc import Callable, Mapping
from pathlib import Path

from maskaudit.audit.errors import InputError
from maskaudit.audit.measuring.backends import devices, torch_model
from maskaudit.audit.measuring.backends.exported import checkpoint, file
from maskaudit.audit.measuring.backends.torch_model import LoadedModel
from maskaudit.audit.measuring.cached import cache, trust
from maskaudit.audit.measuring.checkpoints.exported import engines_of
from maskaudit.audit.measuring.endpoints import address
from maskaudit.audit.measuring.endpoints.endpoint import Endpoint
from maskaudit.audit.measuring.engine import PACKAGES, Engine
from maskaudit.audit.phantom import truth
from maskaudit.audit.settings import Settings
from maskaudit.audit.texts.printable import printable
from maskaudit.audit.vocabulary import Stage, silent

# The models of one audit by subject, the reference first.
Pair = Mapping[str, LoadedModel | Endpoint]

_BUNDLED = {"reference": str(truth.TEACHER), "candidate": str(truth.STUDENT)}


def load_pairs(
    settings: Settings, stage: Stage = silent, note: Callable[[str], None] = silent
) -> list[dict[str, LoadedModel | Endpoint]]:
    """Load the models of each candidate's audit, keyed by subject, the reference first.

    All pairs share one loaded reference. If no model is named, the bundled pair is loaded; without
    a reference each candidate is alone, and a reference without candidates becomes the candidate.
    A model that is named by an address is an endpoint, which is asked a few sentences; a folder
    that has but a file for another library is run by that, and so are checkpoints where the
    settings name it. `stage` receives which model is being loaded, `note` sentences for the user.
    Raises `InputError` for a device that is not there.
    """
    named, engine = settings.pairs() or [_BUNDLED], devices.prepared(settings.run, note)
    names = dict.fromkeys(name for pair in named for name in pair.values())
    address.check_alike(filter(address.is_url, names), settings.endpoint.headers)

    def load(name: str) -> LoadedModel | Endpoint:
        if address.is_url(name):
            stage(f"asking {address.name_of(name)}")
            folder, most = _kept(settings)
            return Endpoint(name, settings.endpoint, folder, most, note)
        stage(f"loading {printable(name)}")
        return _loaded(name, settings, engine, note)

    # All pairs have the same reference, or none.
    shared = {subject: load(named[0][subject]) for subject in named[0] if subject == "reference"}
    return [{**shared, "candidate": load(pair["candidate"])} for pair in named]


def _kept(settings: Settings) -> tuple[Path | None, int]:
    """Where answers and exported models are kept, and the most bytes; no folder without a cache.

    Raises `InputError` where others may write to the folder.
    """
    if not settings.run.cache_mib:
        return None, 0
    try:
        trust.key_file()
        folder = cache.default_folder()
    except InputError:  # no home folder: `cache.opened` tells it
        return None, 0
    cache.check(folder)
    if trust.is_foreign(folder):  # nothing is written to another user's folder
        return None, 0
    return folder, settings.run.cache_mib * cache.MIB


def load_candidate(settings: Settings, note: Callable[[str], None] = silent) -> LoadedModel:
    """Load the only candidate: what an endpoint would serve; a reference alone is the candidate.

    If no model is named, the bundled student is loaded. Raises `InputError` if several are named.
    """
    settings.check_one_candidate()
    [pair] = settings.pairs() or [_BUNDLED]
    return _loaded(pair["candidate"], settings, devices.prepared(settings.run, note), note)


def load_models(settings: Settings, note: Callable[[str], None] = silent) -> dict[str, LoadedModel]:
    """Load the models of the only candidate's audit, as `load_pairs` does.

    Raises `InputError` if several candidates are named, or an endpoint is.
    """
    settings.check_one_candidate()
    [pair] = settings.pairs() or [_BUNDLED]
    engine = devices.prepared(settings.run, note)
    return {subject: _loaded(name, settings, engine, note) for subject, name in pair.items()}


def _loaded(
    name: str, settings: Settings, engine: Engine, note: Callable[[str], None]
) -> LoadedModel:
    """A model that is run here, by the library that it is for or that the settings name."""
    if engines_of(name):
        return file.load(name, engine=engine, note=note)
    native = settings.run.allow_native
    if engine.name in PACKAGES:
        folder, most = _kept(settings)
        kept = None if folder is None else cache.Cache(folder, most, note)
        return checkpoint.load(name, engine=engine, allow_native=native, cache=kept, note=note)
    return torch_model.load(name, engine=engine, allow_native=native, note=note)
