"""The models named in the settings, loaded as pairs of a reference and a candidate."""

from collections.abc import Mapping

from maskaudit.audit.measuring.backends import torch_model
from maskaudit.audit.measuring.backends.torch_model import LoadedModel
from maskaudit.audit.phantom import truth
from maskaudit.audit.settings import Settings
from maskaudit.audit.texts.printable import printable
from maskaudit.audit.vocabulary import Stage, silent

# The models of one audit by subject, the reference first.
Pair = Mapping[str, LoadedModel]

_BUNDLED = {"reference": str(truth.TEACHER), "candidate": str(truth.STUDENT)}


def load_pairs(settings: Settings, stage: Stage = silent) -> list[dict[str, LoadedModel]]:
    """Load the models of each candidate's audit, keyed by subject, the reference first.

    All pairs share one loaded reference. If no model is named, the bundled pair is loaded; without
    a reference each candidate is alone, and a reference without candidates becomes the candidate.
    `stage` receives which model is being loaded.
    """
    named = settings.pairs() or [_BUNDLED]

    def load(name: str) -> LoadedModel:
        stage(f"loading {printable(name)}")
        return torch_model.load(name, allow_native=settings.run.allow_native)

    # All pairs have the same reference, or none.
    shared = {subject: load(named[0][subject]) for subject in named[0] if subject == "reference"}
    return [{**shared, "candidate": load(pair["candidate"])} for pair in named]


def load_candidate(settings: Settings) -> LoadedModel:
    """Load the only candidate: what an endpoint would serve; a reference alone is the candidate.

    If no model is named, the bundled student is loaded. Raises `InputError` if several are named.
    """
    settings.check_one_candidate()
    [pair] = settings.pairs() or [_BUNDLED]
    return torch_model.load(pair["candidate"], allow_native=settings.run.allow_native)


def load_models(settings: Settings) -> dict[str, LoadedModel]:
    """Load the models of the only candidate's audit, as `load_pairs` does.

    Raises `InputError` if several candidates are named.
    """
    settings.check_one_candidate()
    return load_pairs(settings)[0]
