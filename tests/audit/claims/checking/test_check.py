"""Each kind of claim against facts by hand: confirmed, contradicted, or left open."""

from contextlib import suppress
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest

from maskaudit.audit.claims.card import read_card
from maskaudit.audit.claims.checking.check import check_claims, check_name, most_fills, sentences
from maskaudit.audit.claims.checking.checked import Checked, exit_code, together
from maskaudit.audit.claims.checking.checked import confirmed as found
from maskaudit.audit.claims.checking.checked import contradicted as wrong
from maskaudit.audit.claims.checking.checked import not_checkable as unknown
from maskaudit.audit.claims.checking.facts import Facts, Known, SetOfRecord
from maskaudit.audit.errors import InputError
from tests.audit.claims import cards

MASK = "<mask>"
MODEL = Facts(
    "small", casing="cased", capitals=7, vocabulary_size=2_900, longest=128,
    heads=frozenset({"masked_lm"}), segments=1, mask_token=MASK,
    parameters={"without heads": 600, "in the file": 660}, licence="mit", licence_of="LICENSE",
)  # fmt: skip
LARGE = Facts("large", parameters={"without heads": 1_000, "in the file": 1_320})
FILLS = {"A [MASK].": [("cat", 0.40004), ("dog", 0.2)]}
SETS = [
    SetOfRecord("jobs", "gender", "en", {"inherited": 3, "amplified": 1, "undecided": 2}),
    SetOfRecord("ages", "age", "de", {"lost": 2}),
    SetOfRecord("facts", "facts", "en", knows=True),
]
KNOWN = Known(MODEL, LARGE, FILLS, "the-record", SETS)
GLUE = (
    "{ MNLI = 81.5, QQP = 87.8, QNLI = 88.2, SST-2 = 90.4, CoLA = 47.2, STS-B = 85.5, "
    "MRPC = 85.6, RTE = 60.6 }"
)
C, X, N = "confirmed", "contradicted", "not_checkable"
# A claim in TOML, its verdict, and words of its evidence.
CASES = [
    ('kind = "casing"\ncasing = "cased"', C, "tells capitals from small letters, and 7 pieces"),
    ('kind = "casing"\ncasing = "uncased"', X, "tells capitals"),
    ('kind = "vocabulary"\nsize = 2900', C, "has 2,900 pieces"),
    ('kind = "vocabulary"\nsize = 3000', X, "has 2,900 pieces"),
    ('kind = "vocabulary"\nsize = 3000\nabout = true', C, "has 2,900 pieces"),
    ('kind = "vocabulary"\nsize = 2800\nabout = true', X, "has 2,900 pieces"),
    ('kind = "length"\ntokens = 128', C, "at most 128 pieces"),
    ('kind = "length"\ntokens = 129', X, "at most 128 pieces"),
    ('kind = "length"\ntokens = 128\nbelow = true', C, "so 128 too"),
    ('kind = "length"\ntokens = 129\nbelow = true', C, "at most 128 pieces"),
    ('kind = "length"\ntokens = 130\nbelow = true', X, "at most 128 pieces"),
    ('kind = "heads"\npresent = ["masked_lm"]', C, "has a masked-LM head"),
    ('kind = "heads"\npresent = ["masked_lm", "next_sentence"]', X, "no next-sentence head"),
    ('kind = "heads"\nabsent = ["next_sentence"]', C, "has no next-sentence head"),
    ('kind = "inputs"\nsegments = 1', C, "no embeddings that tell one segment from another"),
    ('kind = "inputs"\nsegments = 2', X, "no embeddings that tell one segment from another"),
    ('kind = "inputs"\nmask_token = "<mask>"', C, "'<mask>'"),
    ('kind = "inputs"\nsegments = 1\nmask_token = "[MASK]"', X, "'<mask>'"),
    ('kind = "parameters"\nnumber = "600"', C, "600 without heads"),
    ('kind = "parameters"\nnumber = "661"', X, "600 without heads, 660 in the file"),
    (
        'kind = "parameters"\nfewer_than_reference = "50%"',
        C,
        "fewer than large: 50.0 % in the file",
    ),
    ('kind = "parameters"\nfewer_than_reference = "40%"', C, "40.0 % without heads"),
    ('kind = "parameters"\nfewer_than_reference = "60%"', X, "fewer than large"),
    ('kind = "sample"\nsentence = "A [MASK]."\nfills = ["cat"]', C, "'cat' (0.40004)"),
    ('kind = "sample"\nsentence = "A [MASK]."\nfills = ["\u0120cat", "\u2581dog"]', C, "'cat'"),
    ('kind = "sample"\nsentence = "A [MASK]."\nfills = ["dog"]', X, "fill 1 is 'cat' (0.40004)"),
    ('kind = "sample"\nsentence = "A [MASK]."\nfills = ["cow"]', X, "'cow' is not among its fir"),
    (
        'kind = "sample"\nsentence = "A [MASK]."\nfills = [{ token = "cat", p = "0.400" }, "dog"]',
        C,
        "'cat' (0.40004), 'dog' (0.20000)",
    ),
    (
        'kind = "sample"\nsentence = "A [MASK]."\nfills = [{ token = "cat", p = "0.4001" }]',
        X,
        "'cat' has 0.40004, not 0.4001",
    ),
    ('kind = "languages"\nlanguages = "en-GB"', C, "answers 'facts' better"),
    ('kind = "languages"\nlanguages = ["en", "de"]', N, "in 'de'"),
    ('kind = "licence"\nlicence = "MIT"', C, "LICENSE of the model states 'mit'"),
    ('kind = "licence"\nlicence = "apache-2.0"', X, "LICENSE of the model states 'mit'"),
    ('kind = "inheritance"', C, "jobs, of 6 words: 3 inherited, 1 amplified, 2 not known; ages"),
    ('kind = "inheritance"\naxis = "age"', X, "ages, of 2 words: 2 lost"),
    ('kind = "inheritance"\noutcome = "attenuated"\naxis = "gender"', N, "of no word"),
    ('kind = "inheritance"\naxis = "religion"', N, "no words against a reference on the axis rel"),
    ('kind = "inheritance"\noutcome = "lost"', C, "2 lost"),
]


def check(folder: Path, claim: str, known: Known = KNOWN, about: str = "x/small") -> Checked:
    """Return the verdict on one claim."""
    claims = cards.claims(folder, claim, about=about)
    [checked] = check_claims(claims, read_card(folder / "README.md"), known)
    return checked


@pytest.mark.parametrize(("claim", "verdict", "words"), CASES)
def test_a_claim_has_its_verdict_and_its_evidence(
    tmp_path: Path, claim: str, verdict: str, words: str
) -> None:
    """Of facts that are written above it."""
    checked = check(tmp_path, claim)
    assert (checked.verdict, words in checked.evidence) == (verdict, True), checked
    assert checked.says


@pytest.mark.parametrize("claim", [claim for claim, *_ in CASES])
def test_where_nothing_was_named_nothing_can_be_checked(tmp_path: Path, claim: str) -> None:
    """What to name is said."""
    checked = check(tmp_path, claim, Known())
    assert checked.verdict == N
    assert "; add --" in checked.evidence


VALUES = (
    *("-1", "0", "1e300", "nan", "10000000000000000000000000", '""', '"x"', "true", "[]", "{}"),
    *('[""]', '"' + "9" * 500 + '"', "{ a = nan }", "{ a = 1e300 }", "[{ token = 1 }]"),
    '["[MASK]", "\\u0000"]',
)
ROW = f'kind = "benchmark"\nbenchmark = "GLUE"\nscores = {GLUE}\nmean = "1"'
KEYS = {line.partition(" = ")[0] for claim, *_ in CASES for line in claim.split("\n")}


@pytest.mark.parametrize("key", sorted(KEYS | {"mean", "share_of_reference", "scores"}))
def test_any_value_of_a_key_is_a_fault_or_has_a_verdict(tmp_path: Path, key: str) -> None:
    """Whatever a file says, nothing else comes of it."""
    claims = [claim for claim, *_ in CASES if f"\n{key} = " in claim] or [ROW]
    for claim, value in product(claims[:2], VALUES):
        lines = [line for line in claim.split("\n") if not line.startswith(f"{key} = ")]
        with suppress(InputError):
            assert check(tmp_path, "\n".join([*lines, f"{key} = {value}"])).verdict in {C, X, N}


def test_a_ratio_takes_a_reference_and_a_sample_the_model_of_the_card(tmp_path: Path) -> None:
    """Neither is contradicted by what was not looked at."""
    ratio = 'kind = "parameters"\nnumber = "600"\nfewer_than_reference = "40%"'
    checked = check(tmp_path, ratio, replace(KNOWN, reference=None))
    assert (checked.verdict, "no reference was named" in checked.evidence) == (N, True)
    sample = 'kind = "sample"\nsentence = "A [MASK]."\nfills = ["cow"]'
    checked = check(tmp_path, sample, replace(KNOWN, is_other=True))
    assert (checked.verdict, "another model's" in checked.evidence) == (N, True)


def test_a_card_that_names_two_licences_contradicts_itself(tmp_path: Path) -> None:
    """Whatever the checkpoint says."""
    text = "---\nlicense: mit\n---\nWords.\n\nlicense: gpl-3.0\n"
    claims = cards.claims(tmp_path, 'kind = "licence"\nlicence = "mit"', text=text)
    [checked] = check_claims(claims, read_card(tmp_path / "README.md"), Known())
    assert (checked.verdict, checked.evidence) == (X, "README.md names 'gpl-3.0' too")


@pytest.mark.parametrize(
    ("about", "more", "verdict", "words"),
    [
        ("o/distilbert-base-cased", "", C, "it is the row of distilbert-base-cased in"),
        ("o/other", "", X, "it is the row of distilbert-base-cased in"),
        # 626.8 / 8 = 78.35, and bert-base-cased has 657.1 / 8 = 82.1375: 95.4 %.
        ("o/distilbert-base-cased", 'mean = "78.35"', C, "mean of its scores is 78.35"),
        ("o/distilbert-base-cased", 'mean = "77.0"', X, "mean of its scores is 78.35"),
        ("o/distilbert-base-cased", 'share_of_reference = "97%"', N, "no row of the reference"),
    ],
)
def test_a_row_of_scores_is_that_of_whom_it_was_published_for(
    tmp_path: Path, about: str, more: str, verdict: str, words: str
) -> None:
    """And its arithmetic is done again."""
    claim = f'kind = "benchmark"\nbenchmark = "glue"\nscores = {GLUE}\n{more}'
    checked = check(tmp_path, claim, Known(), about)
    assert (checked.verdict, words in checked.evidence) == (verdict, True), checked


def test_a_share_of_the_reference_is_over_the_tasks_of_both(tmp_path: Path) -> None:
    """A row of the file itself serves as the reference's: (10 + 30)/(20 + 30) is 80 %."""
    row = '[[row]]\nmodel = "y/large"\nbenchmark = "B"\nsource = "s"\nscores = { a = 20, b = 30 }'
    scores = "scores = { a = 10, b = 30, c = 99 }"
    for share, verdict in (("80%", N), ("90%", X)):
        claim = f'kind = "benchmark"\nbenchmark = "B"\n{scores}\nshare_of_reference = "{share}"'
        checked = check(tmp_path, f"{claim}\n{row}", Known())
        # Whose row it is, nobody knows; a wrong share contradicts the claim all the same.
        assert checked.verdict == verdict
        assert "is 80.0 % of that of large" in checked.evidence


def test_an_unknown_row_is_open_and_says_how_far_the_models_own_is(tmp_path: Path) -> None:
    """In how many tasks, and where most."""
    scores = GLUE.replace("47.2", "50.0").replace("60.6", "61.0")
    claim = f'kind = "benchmark"\nbenchmark = "GLUE"\nscores = {scores}'
    checked = check(tmp_path, claim, Known(), "distilbert-base-cased")
    assert checked.verdict == N
    assert "other scores in 2 of 8 tasks, most in CoLA (47.2, not 50)" in checked.evidence


def test_several_statements_are_confirmed_only_together() -> None:
    """One contradiction contradicts; one that is open leaves the claim open."""
    verdicts = {
        (found("a"), found("b")): C,
        (found("a"), unknown("b")): N,
        (unknown("a"), wrong("b"), found("c")): X,
    }
    for parts, verdict in verdicts.items():
        assert together(parts).verdict == verdict
    assert together([found("a"), wrong("b")]).evidence == "a; b"


@pytest.mark.parametrize(
    ("verdicts", "code"), [([C, N], 0), ([C, X], 1), ([N, X], 1), ([N, N], 3), ([C], 0)]
)
def test_the_exit_code_is_that_of_the_worst(verdicts: list[str], code: int) -> None:
    """What was not looked at did not hold."""
    checked = [Checked("a", "casing", "s", "q", verdict, "e") for verdict in verdicts]  # type: ignore[arg-type]
    assert exit_code(checked) == code


def test_claims_of_another_model_are_refused_in_one_line(tmp_path: Path) -> None:
    """By the last part of its name, in any case and without a revision."""
    claims = cards.claims(tmp_path, CASES[0][0])
    for name in ("small", "you/Small@main", "./models/small/"):
        check_name(claims, name, "--model")
    check_name(claims, "z/large", "--reference", is_reference=True)
    with pytest.raises(InputError, match=r"'x/small', but --model is 'smaller'; name that model"):
        check_name(claims, "smaller", "--model")
    with pytest.raises(InputError, match="compare with 'x/large', but --reference is 'small'"):
        check_name(claims, "small", "--reference", is_reference=True)


def test_the_sentences_to_fill_are_those_of_samples(tmp_path: Path) -> None:
    """Each once, with as many fills as the longest sample names."""
    samples = [claim for claim, *_ in CASES if "sample" in claim]
    claims = cards.claims(tmp_path, *samples)
    assert (sentences(claims), most_fills(claims)) == (["A [MASK]."], 2)
