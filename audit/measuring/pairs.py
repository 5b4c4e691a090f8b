"""The models that settings name, loaded as pairs of a reference and a candidate."""

from collections.abc import Mapping

from maskaudit.audit.measuring.backends.torch_model import LoadedModel, load
from maskaudit.audit.phantom import truth
from maskaudit.audit.settings import Settings

# The models of one audit by subject, the reference first.
Pair = Mapping[str, LoadedModel]


def load_pairs(wanted: Settings) -> list[dict[str, LoadedModel]]:
    """The models of each candidate's audit by subject, the reference first; each loaded once.

    The bundled pair where none is named.
    """
    reference = wanted.models.reference
    names = [model.name for model in wanted.candidates]
    if reference is None and not names:
        pair = {"reference": truth.TEACHER, "candidate": truth.STUDENT}
        return [{subject: load(str(path)) for subject, path in pair.items()}]
    if reference is None or not names:
        alone = names or [model.name for model in (reference,) if model is not None]
        return [{"candidate": load(name)} for name in alone]
    loaded = load(reference.name)
    return [{"reference": loaded, "candidate": load(name)} for name in names]


def load_models(wanted: Settings) -> dict[str, LoadedModel]:
    """The models by subject where there is one candidate, as in `load_pairs`.

    Raises `InputError` where several candidates are named.
    """
    wanted.check_one_candidate()
    return load_pairs(wanted)[0]
