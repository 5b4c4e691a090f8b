"""The competence check: whether a model knows enough for its bias numbers to be worth reading."""

from maskaudit.audit.recording.manifest import Competence, Manifest
from maskaudit.reports import wording
from maskaudit.reports.effects import Names

EXEMPT = "Its world has its own facts, so it is exempt from the check of competence."
NOT_ASKED = (
    "No set of plain facts was asked, so nothing here says whether {who} well enough for a bias "
    "number to be worth reading."
)


def warnings(manifest: Manifest, names: Names) -> tuple[str, ...]:
    """The opening warnings for models that fail the check; empty for the bundled pair."""
    if manifest.truth is not None:
        return ()
    checks = manifest.competence
    return tuple(
        f"{wording.opened(names.the(model))} is not shown to know plain facts: "
        f"it {_result(check)}. A bias number of a model this weak says something about this "
        "model, and should not be carried over to better ones."
        for model, check in checks.items()
        if model in names.models and not check.competent
    )


def sentences(manifest: Manifest, names: Names) -> tuple[str, ...]:
    """The check of each model, as sentences for the section of the facts."""
    checks = manifest.competence
    return tuple(
        f"{wording.opened(names.the(model))} {'passes' if check.competent else 'fails'} the "
        f"check of competence: it {_result(check)}."
        for model, check in checks.items()
        if model in names.models
    )


def not_asked(names: Names) -> str:
    """The limitation of a record without facts."""
    who = (
        "these models fill plain sentences" if names.paired else "this model fills plain sentences"
    )
    return NOT_ASKED.format(who=who)


def _result(check: Competence) -> str:
    p = check.p
    chance = "" if p is None else f" (McNemar’s exact test: {wording.p_value(p)})"
    return (
        f"fills {wording.number(check.right)} of {wording.counted(check.of, 'fact')} with a "
        "right answer, where always giving the commonest answer to that kind of question is right "
        f"in {wording.number(check.majority)}{chance}"
    )
