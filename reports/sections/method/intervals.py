"""How certain the numbers are: what each interval covers, and how it is computed."""

from maskaudit.audit.recording.manifest import Manifest
from maskaudit.reports.sections.method.remarks import (
    ANY,
    FACTS,
    GROUPS,
    OF_UNITS,
    TEXTS,
    Remark,
    kinds_of,
)
from maskaudit.reports.words import sameness

_INTERVALS = (
    Remark(
        GROUPS,
        "Where every attribute stands in every frame, the interval of a contrast or an average "
        "covers new attributes and new sentences "
        "of the same kind at once (scope S2): both are treated as samples, in a two-way "
        "analysis of variance with Satterthwaite’s degrees of freedom (Clark 1973; Judd, "
        "Westfall and Kenny 2012). Paraphrases of one frame are averaged first and are not "
        # The bar of the largest such coverage in docs/validity.md (`validity.numbers.intervals`).
        "counted as more evidence. Counting every sentence as independent gives intervals "
        "that hold less than 65 times in a hundred where they claim 95 (60 words by 20 sentences, "
        "simulated).",
    ),
    Remark(
        GROUPS,
        "Where the words for the groups stand in the sentence, and each group has five of them or "
        "more, they are a third sample: how far the words of a group differ is added to the "
        "variance, and the interval covers other words for the same groups too (scope S3). At the "
        "hidden place the words are read together, and no interval speaks of others.",
    ),
    Remark(
        GROUPS,
        "A cell (an attribute in a frame) that one model lacks is left out for both. An attribute "
        "or a frame that lacks more than half of its cells is left out whole. Of the rest, up to "
        "5 % of missing cells are filled by the additive fit, attribute plus frame, and each takes "
        "a degree of freedom with it (Yates 1933); where more are missing, the variance is that of "
        "two-way clusters (Cameron, Gelbach and Miller 2011). Leans, association, the comparison "
        "of both models and the yardsticks use only attributes that have every cell.",
    ),
    Remark(
        # As `one_subject.LEAST_FRAMES` and `teacher_student.LEAST_FOR_SLOPE` have them.
        GROUPS,
        "With fewer than 6 frames, or fewer than 2 attributes in a class, a number is shown and "
        "its interval refused. Amplification, slope and correlation take 10 frames, and are marked "
        "exploratory below 20 frames or 30 attributes.",
    ),
    Remark(
        ANY,
        "The difference between two models is computed sentence by sentence before anything "
        "is averaged, so that what both models make of a sentence drops out.",
    ),
    Remark(
        GROUPS,
        "The tested contrasts of one subject are adjusted for their number ({adjusted}); a result "
        "is called shown when the adjusted p is below .05. Other p values given "
        "on this page are not adjusted, and say so. The amplification, the KL comparison and the "
        "slopes go by their own p, not adjusted; the classes of attributes by p adjusted for the "
        "number of attributes. The smallest effect that could have been found (mde) is the one "
        "that such a test, taken alone, finds four times in five.",
    ),
    Remark(
        GROUPS,
        "A contrast that a sentence quotes because the data chose it has the interval of a "
        "selection (level 1 − .05 R/m, R of m tested sets being shown, and 1 − .05/m where none "
        "is; Benjamini and Yekutieli 2005), which leaves zero out exactly where the contrast is "
        "shown. The size that it is likely nearer to is the estimate less the share of noise that "
        "the estimates of all m tested sets are expected to have, a priori any share from 0 to 1 "
        "(Strawderman 1971), and lies inside that interval. What an audit of several sets could "
        "have found is, in a sentence, what is found four times in five at the level .05/m.",
    ),
    Remark(
        GROUPS,
        "Association and magnitude are U-statistics: averages of products of two different "
        "frames, never of a frame with itself, so that the noise of a frame adds nothing and a set "
        "without any lean comes out near zero, on either side. The slope, the amplification and "
        "the correlation of two models are made of such products too, because the two share their "
        "frames’ noise. Their intervals come from the same analysis of variance, over the "
        "influence that each cell has on the number. The p of the association is that of a "
        "permutation test: the labels of the two groups are exchanged inside frames at random, "
        "which asks whether there is any association at all and nothing else.",
    ),
    Remark(
        GROUPS,
        "What became of an attribute is said where it is shown, and never because something is "
        "not. Leans are against the set’s average attribute, each tested by Student’s t over "
        "frames; what a class says of several at once counts where the largest of their p values, "
        "adjusted for the number of attributes (Benjamini and Hochberg), is below .05. Both leans "
        "on opposite sides (below .025): flipped. Both on one side, and a change: amplified or "
        "attenuated. The reference’s lean, a change back, and the candidate’s lean within the "
        "margin of zero: lost. The candidate’s lean, a change in its direction, and the "
        "reference’s within the margin: new. Both on one side, and a change within the margin: "
        "inherited. Within the margin is what has its 90 % interval inside it, where the p of that "
        "test, adjusted with the share of attributes beyond the margin (Storey, Taylor and "
        "Siegmund 2004), is below .025. Everything else is undecided in the record, and its change "
        "not known.",
    ),
    Remark(
        ANY,
        sameness.RULE,
    ),
    Remark(
        GROUPS,
        "The largest leans are shrunken towards the set’s average (best linear unbiased "
        "predictor); their intervals, around the raw numbers, are widened so that at most 5 % "
        "of those shown are expected to miss (false coverage rate; Benjamini and Yekutieli 2005). "
        "They cover new sentences with the same attribute (scope S1).",
    ),
    Remark(
        GROUPS,
        "Against the world’s shares, a line is fitted in every frame; the slope is the average of "
        "these lines’ slopes, and its interval covers new attributes and new frames at once. How "
        "well a set ranks its attributes (G and Φ) is information and no verdict; "
        "its intervals are those of McGraw and Wong (1996).",
    ),
    Remark(
        ANY,
        "Any other number, over pairs, items, facts or distances, covers new clusters of them "
        "(scope S1): a cluster is what hangs together, such as one writer’s pairs, the items "
        "on one target term or the sentences of one frame. Its interval is that of the "
        "delete-one jackknife (Tukey 1958; Efron and Stein 1981) with Student’s t on one "
        "degree of freedom less than there are clusters. Its p is not adjusted for how many "
        "such numbers there are.",
    ),
    Remark(
        OF_UNITS,
        "Where pairs hang together in two ways that cross, as by their writer and by the words "
        "that were edited, the variance is that of two-way clusters (Cameron, Gelbach and Miller "
        "2011), with the degrees of freedom of the scarcer factor. Beside a share stand the "
        "limits that it would have were every unit independent: Wilson’s (1927) and the exact ones "
        "(Clopper and Pearson 1934), with the exact binomial p; and between two models McNemar’s "
        "exact test (1947). Ties are counted apart.",
    ),
    Remark(
        FACTS,
        "The share of facts filled rightly has Wilson’s interval (1927); two models on the "
        "same facts are compared with McNemar’s exact test (1947).",
    ),
    Remark(
        TEXTS,
        "Masked words of one document are a cluster. The share found has Wilson’s interval (1927) "
        "for as many trials as the documents are at least worth; that of a perplexity is e to the "
        "limits of its mean of nats.",
    ),
)
_ADJUSTED = {
    "bh": "Benjamini and Hochberg 1995",
    "by": "Benjamini and Yekutieli 2001, which holds however the tests depend on each other",
}


def intervals(manifest: Manifest) -> list[str]:
    """The sentences about intervals that the sets of a record need."""
    kinds = kinds_of(manifest)
    adjusted = _ADJUSTED[manifest.settings.adjust]
    texts = [remark.text for remark in _INTERVALS if not remark.kinds or remark.kinds & kinds]
    return [text.replace("{adjusted}", adjusted) for text in texts]
