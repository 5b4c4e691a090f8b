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


def load_pairs(settings: Settings, stage: Stage = silent) -> list[dict[str, LoadedModel]]:
    """Load the models of each candidate's audit, keyed by subject, the reference first.

    All pairs share one loaded reference. If no model is named, the bundled pair is loaded; without
    a reference each candidate is alone, and a reference without candidates becomes the candidate.
    `stage` receives which model is being loaded.
    """
    reference = settings.models.reference

    def load(name: str) -> LoadedModel:
        stage(f"loading {printable(name)}")
        return torch_model.load(name, allow_native=settings.run.allow_native)

    names = [model.name for model in settings.candidates]
    if reference is None and not names:
        pair = {"reference": truth.TEACHER, "candidate": truth.STUDENT}
        return [{subject: load(str(path)) for subject, path in pair.items()}]
    if reference is None or not names:
        candidates = names or [model.name for model in (reference,) if model is not None]
        return [{"candidate": load(name)} for name in candidates]
    loaded = load(reference.name)
    return [{"reference": loaded, "candidate": load(name)} for name in names]


def load_models(settings: Settings) -> dict[str, LoadedModel]:
    """Load the models of the only candidate's audit, as `load_pairs` does.

    Raises `InputError` if several candidates are named.
    """
    settings.check_one_candidate()
    return load_pairs(settings)[0]
