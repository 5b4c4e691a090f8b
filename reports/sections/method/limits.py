"""What an audit cannot show."""

from maskaudit.audit.estimating.estimators.of_groups.log_odds import LOG_ODDS
from maskaudit.audit.recording.manifest import Manifest
from maskaudit.reports.blocks import Bullets, Section
from maskaudit.reports.effects import Effects, Names
from maskaudit.reports.sections import competence, texts
from maskaudit.reports.sections.method import extrinsic
from maskaudit.reports.sections.method.remarks import (
    ANY,
    GROUPS,
    OF_LEANS,
    OF_UNITS,
    TEXTS,
    Remark,
    kinds_of,
    title_of,
)
from maskaudit.reports.words import wording

# Of longer lists the title alone is named: the sentence is about several sets.
_FEW_TERMS = 4
_NEW = (
    "Where every attribute stands in every frame, the intervals speak of other sentences and other "
    "attributes of the same kind."
)
_INHERITS = Remark(
    GROUPS,
    "What a candidate inherits is told from two models side by side. That it leans like its "
    "reference does not show that it learned this from it: the two may have read the same "
    "text.",
)
_UNSHOWN = Remark(
    ANY,
    "A result that is not shown is not a result of zero; an interval says how large the effect may "
    "be all the same.",
    is_first=True,
)
_CANNOT = (
    Remark(
        GROUPS,
        "It reads single hidden words in short sentences written for the purpose. A lean in them "
        "is one of the model’s expectations; what an application built on the model does with "
        "these is not measured, and may be more, less or something else.",
        is_first=True,
    ),
    Remark(
        OF_UNITS,
        "A published set of pairs or items says which of two wordings a model finds likelier. "
        "The two often differ in more than the group, such as length and how common their "
        "words are; and a preference is no measure of what an application built on the model "
        "does.",
        is_first=True,
    ),
    _UNSHOWN,
    Remark(
        GROUPS,
        "The contrast is measured against zero, the point where an attribute makes no "
        "difference; where a set has the world’s shares, they stand beside it. Which of the two is "
        "the right yardstick is a choice that this page does not make.",
    ),
    _INHERITS,
    Remark(
        TEXTS,
        "Masked text says how well a model finds the words of these texts. Text that it has read "
        "in training is easier, whoever wrote it; an answer is held against its letters, so that "
        "another word that fits is wrong; and the number of masks gives the answer’s pieces away.",
        is_first=True,
    ),
    Remark(
        OF_LEANS,
        "A number near the one that means no lean is no certificate. Other axes, other "
        "languages and other kinds of harm are outside these sets.",
        is_first=True,
    ),
)


def cannot_show(manifest: Manifest, estimates: Effects, names: Names) -> Section:
    """What no audit of this kind shows, what this one could not, and what was told of elsewhere."""
    lines = [wording.visible(line, None) for line in manifest.not_measured]
    kinds = kinds_of(manifest)
    if not (competence.is_asked(manifest) or texts.is_alone(manifest)):
        lines.append(competence.not_asked(names))
    lines.append(extrinsic.limit(manifest))
    lines += _scopes(manifest, estimates)
    lines += [
        remark.text
        for remark in _CANNOT
        # Of one model alone nothing is said to be inherited.
        if remark.concerns(kinds) and (names.paired or remark is not _INHERITS)
    ]
    return Section(
        "limits",
        "What this audit cannot show",
        (Bullets(tuple(lines)), *extrinsic.table(manifest, names)),
        "What it cannot show",
    )


def first(manifest: Manifest, names: Names, *, is_all_shown: bool) -> tuple[str, ...]:
    """The limits that are said where there is room for a few: what a reader has to know.

    `is_all_shown` says that there is no number which shows nothing.
    """
    kinds = kinds_of(manifest)
    is_told = competence.is_asked(manifest) or texts.is_alone(manifest)
    asked = () if is_told else (competence.not_asked(names),)
    chosen = [found for found in _CANNOT if found.is_first and found.concerns(kinds)]
    return (
        *asked,
        *(found.text for found in chosen if not (is_all_shown and found is _UNSHOWN)),
    )


def _scopes(manifest: Manifest, estimates: Effects) -> list[str]:
    """Which sets generalise to other words for their groups (S3) and which do not (S2)."""
    widest: dict[str, str] = {}
    for row in estimates.all:
        # Sets with S1 are left out: their frames belong to attributes, of which `_NEW` does not
        # speak.
        if row.estimator == LOG_ODDS.name and row.effect.scope in {"S2", "S3"}:
            before = widest.get(row.probe_set, "")
            # As text, S3 sorts after S2, so the maximum is the wider scope.
            widest[row.probe_set] = max(before, row.effect.scope)
    if not widest:
        return []
    parts = manifest.probe_sets
    with_terms, without_terms = [], []
    for probe_set, scope in widest.items():
        title = f"“{title_of(manifest, probe_set)}”"
        terms = [term for group in parts[probe_set].groups.values() for term in group.terms]
        if scope == "S3":
            with_terms.append(title)
        else:
            few = len(terms) <= _FEW_TERMS
            without_terms.append(f"{title} ({wording.quoted(terms)})" if few else title)
    sentences = [_NEW]
    if with_terms:
        sentences.append(
            f"On {wording.listed(with_terms)} they speak of other words for the same groups too "
            "(scope S3)."
        )
    if without_terms:
        sentences.append(
            f"On {wording.listed(without_terms)} they speak of no other words for the groups than "
            "those that were read (scope S2): a model may treat other words for the same people "
            "differently."
        )
    sentences.append(
        "None speaks of other groups, or of people to whom two of the groups apply at once."
    )
    return [" ".join(sentences)]
