"""How it was measured, by whom it can be repeated, what was lost, and what it cannot show."""

from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

from maskaudit.audit.estimating.estimators.log_odds import LOG_ODDS
from maskaudit.audit.recording.manifest import Lost, Manifest
from maskaudit.reports import definitions, wording
from maskaudit.reports.blocks import (
    Block,
    Bullets,
    Column,
    Definitions,
    Folded,
    Part,
    Rows,
    Section,
    Table,
    Term,
    Text,
)
from maskaudit.reports.effects import Effects, Names
from maskaudit.reports.sections import competence, licences, units

_EXAMPLES = 8
_FEW_TERMS = 4
_NEW = (
    "Where every attribute stands in every frame, the intervals speak of other sentences and other "
    "attributes of the same kind."
)
_WHY = {
    "too_long": "the sentence is longer than the model can read",
    "context_unknown": "the vocabulary cannot write the sentence",
    "mask_lost": "the tokenizer loses the hidden place",
    "target_unknown": "the vocabulary cannot write the word",
    "target_changes_context": "writing the word in changes the words around it",
}


class _Told(NamedTuple):
    """A sentence, and the kinds of set that it is about; none means every record."""

    kinds: frozenset[str]
    text: str


_ANY: frozenset[str] = frozenset()
_GROUPS, _FACTS, _UNITS = frozenset({"association"}), frozenset({"cloze"}), frozenset(units.UNITS)
_INTERVALS = (
    _Told(
        _GROUPS,
        "Where every attribute stands in every frame, the interval of a contrast or an average "
        "covers new attributes and new sentences "
        "of the same kind at once (scope S2): both are treated as samples, in a two-way "
        "analysis of variance with Satterthwaite’s degrees of freedom (Clark 1973; Judd, "
        "Westfall and Kenny 2012). Paraphrases of one frame are averaged first and are not "
        "counted as more evidence. Counting every sentence as independent gives intervals "
        "that hold less than 65 times in a hundred where they claim 95 (60 words by 20 sentences, "
        "simulated).",
    ),
    _Told(
        _GROUPS,
        "Where the words for the groups stand in the sentence, and each group has five of them or "
        "more, they are a third sample: how far the words of a group differ is added to the "
        "variance, and the interval covers other words for the same groups too (scope S3). At the "
        "hidden place the words are read together, and no interval speaks of others.",
    ),
    _Told(
        _GROUPS,
        "A cell (an attribute in a frame) that one model lacks is left out for both. An attribute "
        "or a frame that lacks more than half of its cells is left out whole. Of the rest, up to "
        "5 % of missing cells are filled by the additive fit, attribute plus frame, and each takes "
        "a degree of freedom with it (Yates 1933); where more are missing, the variance is that of "
        "two-way clusters (Cameron, Gelbach and Miller 2011). Leans, association, the comparison "
        "of both models and the yardsticks use only attributes that have every cell.",
    ),
    _Told(
        _GROUPS,
        "With fewer than 6 frames, or fewer than 2 attributes in a class, a number is shown and "
        "its interval refused. Amplification, slope and correlation take 10 frames, and are marked "
        "exploratory below 20 frames or 30 attributes.",
    ),
    _Told(
        _ANY,
        "The difference between two models is computed sentence by sentence before anything "
        "is averaged, so that what both models make of a sentence drops out.",
    ),
    _Told(
        _GROUPS,
        "The tested contrasts of one subject are adjusted for their number ({adjusted}); a result "
        "is called shown when the adjusted p is below .05. Other p values given "
        "on this page are not adjusted, and say so. The amplification, the KL comparison and the "
        "slopes go by their own p, not adjusted; the classes of attributes by p adjusted for the "
        "number of attributes. The smallest effect that could have been found (mde) is the one "
        "that such a test, taken alone, finds four times in five.",
    ),
    _Told(
        _GROUPS,
        "Association and magnitude are U-statistics: averages of products of two different "
        "frames, never of a frame with itself, so that the noise of a frame adds nothing and a set "
        "without any lean comes out near zero, on either side. The slope, the amplification and "
        "the correlation of two models are made of such products too, because the two share their "
        "frames’ noise. Their intervals come from the same analysis of variance, over the "
        "influence that each cell has on the number. The p of the association is that of a "
        "permutation test: the labels of the two groups are exchanged inside frames at random, "
        "which asks whether there is any association at all and nothing else.",
    ),
    _Told(
        _GROUPS,
        "What became of an attribute follows from three signs: of its lean in the reference, of "
        "its lean in the candidate, and of the change. A sign counts where Student’s t over frames "
        "differs from 0, adjusted for the number of attributes (Benjamini and Hochberg); leans are "
        "against the set’s average attribute. Both leans count and agree: amplified or attenuated "
        "where the change counts, inherited where it does not. Both count and disagree: flipped. "
        "Only the reference’s counts, and the change is towards zero: lost. Only the candidate’s "
        "counts, and the change is in its direction: new. Everything else is undecided.",
    ),
    _Told(
        _GROUPS,
        "The largest leans are shrunken towards the set’s average (best linear unbiased "
        "predictor); their intervals, around the raw numbers, are widened so that at most 5 % "
        "of those shown are expected to miss (false coverage rate; Benjamini and Yekutieli 2005). "
        "They cover new sentences with the same attribute (scope S1).",
    ),
    _Told(
        _GROUPS,
        "Against the world’s shares, a line is fitted in every frame; the slope is the average of "
        "these lines’ slopes, and its interval covers new attributes and new frames at once. How "
        "well a set ranks its attributes (G and Φ) is information and no verdict; "
        "its intervals are those of McGraw and Wong (1996).",
    ),
    _Told(
        _ANY,
        "Any other number, over pairs, items, facts or distances, covers new clusters of them "
        "(scope S1): a cluster is what hangs together, such as one writer’s pairs, the items "
        "on one target term or the sentences of one frame. Its interval is that of the "
        "delete-one jackknife (Tukey 1958; Efron and Stein 1981) with Student’s t on one "
        "degree of freedom less than there are clusters. Its p is not adjusted for how many "
        "such numbers there are.",
    ),
    _Told(
        _UNITS,
        "Where pairs hang together in two ways that cross, as by their writer and by the words "
        "that were edited, the variance is that of two-way clusters (Cameron, Gelbach and Miller "
        "2011), with the degrees of freedom of the scarcer factor. Beside a share stand the "
        "limits that it would have were every unit independent: Wilson’s (1927) and the exact ones "
        "(Clopper and Pearson 1934), with the exact binomial p; and between two models McNemar’s "
        "exact test (1947). Ties are counted apart.",
    ),
    _Told(
        _FACTS,
        "The share of facts filled rightly has Wilson’s interval (1927); two models on the "
        "same facts are compared with McNemar’s exact test (1947).",
    ),
)
_INHERITS = _Told(
    _GROUPS,
    "What a candidate inherits is told from two models side by side. That it leans like its "
    "reference does not show that it learned this from it: the two may have read the same "
    "text.",
)
_CANNOT = (
    _Told(
        _GROUPS,
        "It reads single hidden words in short sentences written for the purpose. A lean in "
        "these sentences is a lean of the model’s expectations; what an application built on "
        "the model does with them is not measured here, and may be more, less or something "
        "else.",
    ),
    _Told(
        _UNITS,
        "A published set of pairs or items says which of two wordings a model finds likelier. "
        "The two often differ in more than the group, such as length and how common their "
        "words are; and a preference is no measure of what an application built on the model "
        "does.",
    ),
    _Told(
        _ANY,
        "A result that is not shown is not a result of zero; an interval says how large the "
        "effect may be all the same.",
    ),
    _Told(
        _GROUPS,
        "The contrast is measured against zero, the point where an attribute makes no "
        "difference; where a set has the world’s shares, they stand beside it. Which of the two is "
        "the right yardstick is a choice that this page does not make.",
    ),
    _INHERITS,
    _Told(
        _ANY,
        "A number near the one that means no lean is no certificate. Other axes, other "
        "languages and other kinds of harm are outside these sets.",
    ),
)


def lost(manifest: Manifest, items: pd.DataFrame, scores: pd.DataFrame, names: Names) -> Section:
    """What could not be scored, what was left out of the estimates, and words of several pieces."""
    blocks: list[Block] = []
    if not manifest.lost and not manifest.left_out:
        blocks.append(
            Text(
                "Nothing was lost: every word and every sentence that was to be scored has a score."
            )
        )
    if manifest.lost:
        blocks += [Text(_lost_total(manifest.lost)), _lost_table(manifest, names)]
    if manifest.left_out:
        blocks.append(_left_out(manifest))
    blocks.append(_pieces(manifest, items, scores, names))
    return Section("lost", "What was lost, and why", tuple(blocks), "What was lost")


def _lost_total(rows: Sequence[Lost]) -> str:
    total = sum(row.items for row in rows)
    return (
        f"{wording.counted(total, 'word')} could not be scored in "
        f"{'its place' if total == 1 else 'their places'}. They are counted here by model and "
        "group, because losing more of one group than of another tilts a result."
    )


def _lost_table(manifest: Manifest, names: Names) -> Table:
    rows = tuple(
        (
            _title(manifest, row.probe_set),
            names.label(row.model) if row.model in names.models else row.model,
            wording.visible(row.group) if row.group else wording.UNKNOWN,
            _WHY.get(row.status, wording.visible(row.status)),
            wording.number(row.items),
            wording.listed([wording.visible(word) for word in row.examples if word])
            or wording.UNKNOWN,
        )
        for row in manifest.lost
    )
    texts = [Column(title, is_number=False) for title in ("Set", "Model", "Group", "Why")]
    columns = (*texts, Column("Words"), Column("Examples", is_number=False))
    return Table("lost-words", "Words that could not be scored", columns, (Rows(rows),))


def _left_out(manifest: Manifest) -> Part:
    """The cells that no model could use, by set and attribute."""
    by_set: dict[str, dict[str, int]] = {}
    for cell in manifest.left_out:
        counts = by_set.setdefault(cell.probe_set, {})
        counts[cell.attribute] = counts.get(cell.attribute, 0) + 1
    lines = []
    for probe_set, counts in by_set.items():
        shown = [
            f"{wording.visible(attribute)} ({wording.counted(count, 'sentence')})"
            for attribute, count in list(counts.items())[:_EXAMPLES]
        ]
        more = len(counts) - len(shown)
        rest = f"; and {number} more" if more and (number := wording.number(more)) else ""
        lines.append(f"{_title(manifest, probe_set)}: {'; '.join(shown)}{rest}.")
    return Part(
        "Left out of every model’s estimates",
        (
            Text(
                "A number is computed from the same sentences for every model. Where one model "
                "lacks a score, its cell is left out for all of them; an attribute or a frame that "
                "lacks more than half of its cells is left out whole."
            ),
            Bullets(tuple(lines)),
        ),
    )


def _pieces(manifest: Manifest, items: pd.DataFrame, scores: pd.DataFrame, names: Names) -> Part:
    words = items[items["target"] != ""]  # a whole sentence is no word
    where = words[["probe_set", "item", "target"]].drop_duplicates()
    several = where.merge(scores[scores["pieces"].fillna(0) > 1], on="item")
    why = (
        "A model writes a word that its vocabulary does not have as several pieces. Such words are "
        "scored piece by piece, from left to right, with the pieces still to come hidden (Kauf and "
        "Ivanova 2023), so that no word is dropped for being rare."
    )
    if several.empty:
        return Part(
            "Words of several pieces",
            (Text(f"{why} In this audit every scored word is one piece, in every model."),),
        )
    rows = []
    for probe_set in dict.fromkeys(several["probe_set"]):
        own = several[several["probe_set"] == probe_set]
        for model in names.models:
            words = own[own["model"] == model]
            if words.empty:
                continue
            distinct = words.drop_duplicates("target")
            scored = words.groupby("target")["value"].apply(lambda value: bool(value.notna().all()))
            examples = distinct.sort_values(["pieces", "target"], ascending=[False, True])
            rows.append(
                (
                    _title(manifest, probe_set),
                    names.label(model),
                    wording.number(where.loc[where["probe_set"] == probe_set, "target"].nunique()),
                    wording.number(len(distinct)),
                    wording.number(int(scored.sum())),
                    wording.listed(
                        [
                            f"{wording.visible(str(row['target']))} ({row['pieces']})"
                            for _, row in examples.head(_EXAMPLES).iterrows()
                        ]
                    ),
                )
            )
    columns = (
        Column("Set", is_number=False),
        Column("Model", is_number=False),
        Column("Words"),
        Column("of several pieces"),
        Column("of those scored"),
        Column("Longest, with their pieces", is_number=False),
    )
    table = Table("pieces", "Words of several pieces", columns, (Rows(tuple(rows)),))
    return Part("Words of several pieces", (Text(why), table))


def cannot_show(manifest: Manifest, estimates: Effects, names: Names) -> Section:
    """The limits of every audit of this kind, and what these models did not allow."""
    lines = [wording.visible(line, None) for line in manifest.not_measured]
    kinds = _kinds(manifest)
    if "cloze" not in kinds:
        lines.append(competence.not_asked(names))
    lines += _scopes(manifest, estimates)
    lines += [
        told.text
        for told in _CANNOT
        if (not told.kinds or told.kinds & kinds) and (names.paired or told is not _INHERITS)
    ]
    return Section(
        "limits", "What this audit cannot show", (Bullets(tuple(lines)),), "What it cannot show"
    )


def _scopes(manifest: Manifest, estimates: Effects) -> list[str]:
    """Which sets speak of other words for their groups and which of their own words alone."""
    widest: dict[str, str] = {}
    for own in estimates.all:
        if own.estimator == LOG_ODDS.name and own.effect.scope in {"S2", "S3"}:
            before = widest.get(own.probe_set, "")
            widest[own.probe_set] = max(before, own.effect.scope)
    if not widest:
        return []
    parts = manifest.probe_sets
    words, alone = [], []
    for probe_set, scope in widest.items():
        title = f"“{_title(manifest, probe_set)}”"
        terms = [term for group in parts[probe_set].groups.values() for term in group.terms]
        if scope == "S3":
            words.append(title)
        else:
            few = len(terms) <= _FEW_TERMS
            alone.append(f"{title} ({wording.quoted(terms)})" if few else title)
    told = [_NEW]
    if words:
        told.append(
            f"On {wording.listed(words)} they speak of other words for the same groups too (scope "
            "S3)."
        )
    if alone:
        told.append(
            f"On {wording.listed(alone)} they speak of no other words for the groups than those "
            "that were read (scope S2): a model may treat other words for the same people "
            "differently."
        )
    told.append(
        "None speaks of other groups, or of people to whom two of the groups apply at once."
    )
    return [" ".join(told)]


def _kinds(manifest: Manifest) -> set[str]:
    return {part.kind for part in manifest.probe_sets.values()}


_ADJUSTED = {
    "bh": "Benjamini and Hochberg 1995",
    "by": "Benjamini and Yekutieli 2001, which holds however the tests depend on each other",
}


def _intervals(manifest: Manifest) -> list[str]:
    kinds = _kinds(manifest)
    adjusted = _ADJUSTED[manifest.settings.adjust]
    told = [told.text for told in _INTERVALS if not told.kinds or told.kinds & kinds]
    return [text.replace("{adjusted}", adjusted) for text in told]


def method(manifest: Manifest, estimates: Effects, names: Names) -> Section:
    """Definitions, intervals, digests, method keys, versions, licences and sources."""
    return Section(
        "method",
        "Method, and how to repeat it",
        (
            Part("What the numbers are", (_definitions(estimates),)),
            Part("How sure they are", tuple(Text(line) for line in _intervals(manifest))),
            Part("The probe sets, their licences and sources", (_sources(manifest),)),
            Part("Identity and software", tuple(_identity(manifest, names))),
            Folded("Method keys", _method_keys(estimates)),
        ),
        "Method",
    )


def _definitions(estimates: Effects) -> Definitions:
    """Every number of the record, whole."""
    told = (
        "The unit of all leans: the natural logarithm of a ratio. 0 is no difference, 0.69 a "
        "factor of two, 1.1 a factor of three."
    )
    nat = Term("nat", (told,))
    return Definitions((nat, *definitions.definitions(estimates.estimators).terms))


def _sources(manifest: Manifest) -> Definitions:
    return Definitions(
        tuple(
            Term(
                f"{wording.visible(part.title)} ({wording.visible(name)}, version "
                f"{wording.visible(str(part.version))})",
                (
                    f"Licence: {wording.visible(part.licence)}.",
                    *(f"{wording.opened(line)}." for line in licences.conditions(part)),
                    *licences.citation(part),
                    *(f"{wording.visible(source, None)}." for source in part.sources),
                ),
            )
            for name, part in manifest.probe_sets.items()
        )
    )


def _identity(manifest: Manifest, names: Names) -> list[Block]:
    rows = []
    for model in names.models:
        identity = manifest.models[model]
        files = [(f"file {wording.visible(k)}", v) for k, v in identity.files.items()]
        digests = [(key, getattr(identity, key)) for key in ("weights", "tokenizer", "vocabulary")]
        rows.append(
            Rows(tuple((key, str(value)) for key, value in (*digests, *files)), names.label(model))
        )
    sets = tuple(
        (wording.visible(name), str(part.items_digest))
        for name, part in manifest.probe_sets.items()
    )
    columns = (Column("What", is_number=False), Column("SHA-256", is_number=False))
    run = manifest.provenance
    versions = [f"{name} {version}" for name, version in run.packages.items() if version]
    return [
        Text(
            f"Measured on {wording.date(manifest.created)} with maskaudit "
            f"{manifest.maskaudit}, Python {run.python} on {run.machine} "
            f"({wording.counted(run.threads, 'thread')}), in {round(run.seconds):,} seconds; "
            f"{wording.visible(', '.join(versions), None)}; seed {manifest.settings.seed}."
        ),
        Text(
            "The digest of the weights is taken over the tensors themselves, so that it names the "
            "model and not the file that it came in; that of a set over all that was scored."
        ),
        Folded(
            "All digests",
            (
                Table(
                    "digests",
                    "SHA-256 digests of the models and of the sets’ items",
                    columns,
                    (*rows, Rows(sets, "Items of the sets")),
                ),
            ),
        ),
    ]


def _method_keys(estimates: Effects) -> tuple[Block, ...]:
    methods = dict.fromkeys(own.method for own in estimates.all)
    keys = tuple(wording.visible(method, None) for method in methods)
    return (
        Text("Numbers of two audits may be compared where these are equal, and not otherwise."),
        Bullets(keys),
    )


def _title(manifest: Manifest, probe_set: str) -> str:
    part = manifest.probe_sets.get(probe_set)
    return wording.visible(part.title if part else probe_set)
