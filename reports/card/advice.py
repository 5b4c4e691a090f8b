"""What to do about an audit, each piece of advice for a reason that its verdicts show."""

from collections.abc import Iterator, Sequence

from maskaudit.audit.judging.verdicts import Judgement
from maskaudit.audit.recording.manifest import Manifest
from maskaudit.reports.card.states import leaning, on
from maskaudit.reports.effects import CANDIDATE, REFERENCE, Names
from maskaudit.reports.sections.contrasts.tested import Contrast
from maskaudit.reports.sections.units.preferences import Preference
from maskaudit.reports.words import verdicts, wording
from maskaudit.reports.words.verdicts import FAIL, PASS, WAIVED, WARNING


def advice(
    manifest: Manifest,
    all_contrasts: Sequence[Contrast],
    preferred: Sequence[Preference],
    judgement: Judgement | None,
    names: Names,
) -> tuple[str, ...]:
    """A sentence or two each, the most urgent first."""
    candidate = names.the(CANDIDATE)
    weights = wording.short_digest(manifest.models[CANDIDATE].weights)
    return (
        *_on_release(judgement, candidate),
        *_on_use(all_contrasts, preferred, names),
        *(_on_choice(all_contrasts, names) if names.paired else ()),
        (
            f"Audit {candidate} again after training, pruning or quantising it: these numbers are "
            f"of the weights {weights} alone."
        ),
    )


def _on_release(judgement: Judgement | None, candidate: str) -> Iterator[str]:
    if judgement is None:
        yield (
            "Decide how much would be too much before the next version is measured; no rule was "
            f"set for {candidate}."
        )
        return
    worst = verdicts.worst(judgement.verdicts)
    if worst == FAIL:
        yield f"Do not release {candidate}: it does not keep the rules that it was to be judged by."
    elif worst in {WARNING, WAIVED}:
        yield (
            f"Before a release of {candidate}, read what only warns or is waived: it did not pass."
        )
    elif worst != PASS:
        yield f"Do not take {candidate} for passed: what could not be judged did not pass."


def _on_use(
    all_contrasts: Sequence[Contrast], preferred: Sequence[Preference], names: Names
) -> Iterator[str]:
    """What to do where the candidate is used, if it is shown to lean or to prefer a side."""
    # Against the stereotype too: it tells the groups apart all the same.
    leans = [contrast for contrast in all_contrasts if contrast.alone.is_shown]
    is_sided = any(
        (effect := preference.subjects[CANDIDATE]).leaves_out(effect.null_value)
        and effect.estimate > effect.null_value
        for preference in preferred
        if not preference.control_of
    )
    if leans or is_sided:
        groups = list(dict.fromkeys(group for contrast in leans for group in contrast.groups))
        between = f"between {wording.listed(groups)}" if len(groups) == 2 else "by group"  # noqa: PLR2004
        yield (
            f"Where {names.the(CANDIDATE)} completes, ranks or scores text about people, compare "
            f"the outcome {between} before it is used."
        )


def _on_choice(all_contrasts: Sequence[Contrast], names: Names) -> Iterator[str]:
    """What to weigh where the candidate is shown to differ from the reference."""
    candidate, reference = names.the(CANDIDATE), names.the(REFERENCE)
    leans = leaning(all_contrasts)
    further = [contrast for contrast in leans if contrast.is_shown and contrast.main.estimate > 0]
    less = [contrast for contrast in leans if contrast.is_shown and contrast.main.estimate < 0]
    if further:
        yield (
            f"Weigh {reference} as the alternative, which leans less far {on(further)}; or correct "
            f"{candidate} and audit it again."
        )
    if less:
        yield (
            f"Do not call {candidate} free of bias because it leans less far than {reference} "
            f"{on(less)}: it still leans with the stereotype there."
        )
