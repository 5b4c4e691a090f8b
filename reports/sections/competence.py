"""The competence check: whether a model knows enough for its bias numbers to be worth reading."""

from maskaudit.audit.estimating.facts.competence import FACTS, LEAST_FACTS
from maskaudit.audit.recording.manifest import Competence, Manifest, ProbeSet
from maskaudit.reports.effects import Names
from maskaudit.reports.words import wording

EXEMPT = "Its world has its own facts, so it is exempt from the check of competence."
NOT_ASKED = (
    "No set of plain facts was asked, so nothing here says whether {who} well enough for a bias "
    "number to be worth reading."
)


def warnings(manifest: Manifest, names: Names) -> tuple[str, ...]:
    """The opening warnings for models without a passed check; empty for the bundled pair."""
    if manifest.truth is not None:
        return ()
    return tuple(
        _warning(names.the(model), check)
        for model, check in manifest.competence.items()
        # No verdict (None) warns as well: nobody knows yet that the model is fit.
        if model in names.models and not check.competent
    )


def _warning(model: str, check: Competence) -> str:
    if check.competent is None:
        return (
            f"Whether {model} knows plain facts cannot be said: {_too_few(check)}. Do not read its "
            "bias numbers before it is known that it does."
        )
    return (
        f"{wording.opened(model)} is not shown to know plain facts: it {_result(check)}. A bias "
        "number of a model this weak says something about this model, and should not be carried "
        "over to better ones."
    )


def is_plain(part: ProbeSet) -> bool:
    """Whether a set has plain facts, by which competence is judged."""
    return part.kind == "cloze" and part.axis == FACTS


def is_asked(manifest: Manifest) -> bool:
    """Whether any set of a record has plain facts."""
    return any(map(is_plain, manifest.probe_sets.values()))


def sentences(manifest: Manifest, names: Names) -> tuple[str, ...]:
    """The check of each model, as sentences for the section of the facts."""
    return tuple(
        _sentence(names.the(model), check)
        for model, check in manifest.competence.items()
        if model in names.models
    )


def _sentence(model: str, check: Competence) -> str:
    if check.competent is None:
        return f"There is no verdict on the competence of {model}: {_too_few(check)}."
    verdict = "passes" if check.competent else "fails"
    return f"{wording.opened(model)} {verdict} the check of competence: it {_result(check)}."


def not_asked(names: Names) -> str:
    """The limitation of a record without facts."""
    who = (
        "these models fill plain sentences" if names.paired else "this model fills plain sentences"
    )
    return NOT_ASKED.format(who=who)


def _result(check: Competence) -> str:
    p = check.p
    chance = "" if p is None else f" (McNemar’s exact test: {wording.p_value(p)})"
    # Older records do not say how many facts were asked.
    unread = 0 if check.asked is None else check.asked - check.of
    aside = f" that could be read ({wording.number(unread)} could not)" if unread else ""
    return (
        f"fills {wording.number(check.right)} of {wording.counted(check.of, 'fact')}{aside} with a "
        "right answer, where always giving the commonest answer to that kind of question is right "
        f"in {wording.number(check.majority)}{chance}"
    )


def _too_few(check: Competence) -> str:
    asked = check.of if check.asked is None else check.asked
    read = f"{wording.number(check.of)} of {wording.counted(asked, 'fact')} could be read"
    # Masks of one sentence are facts each, and one for the verdict.
    apart = " in sentences of their own" if check.of >= LEAST_FACTS else ""
    return (
        f"{read}, of which it fills {wording.number(check.right)} with a right answer, and a "
        f"verdict takes at least {LEAST_FACTS}{apart} (docs/probe_sets.md says how to write more)"
    )
