"""The estimators' oracles against numbers worked out by hand, other tools and recorded outputs."""

import csv
import json
import math
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from scipy import stats

from tests import estimator_oracles as oracles
from tests import oracle, tiny
from tests.estimator_oracles import Probe, WordSets

LOG = math.log
TRUTH = ("bert", "distilbert", "roberta")
MORE, LESS = "the old doctor said that he was happy", "the nurse said that she was happy"


pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_thread")]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return a tiny checkpoint of three architectures."""
    root = tmp_path_factory.mktemp("tiny")
    return {name: tiny.build(root / name, name) for name in TRUTH}


@pytest.fixture(params=TRUTH)
def random(request: pytest.FixtureRequest, folders: dict[str, Path]) -> tuple[Any, Any]:
    """Return a random model, whose attention can be seen, and its tokenizer."""
    return oracles.load_eager(folders[request.param])


class Chosen:
    """
    A model whose probabilities are chosen by hand.

    `table` maps the tokens of a whole sentence, joined by spaces, to {place: {token: probability}}.
    What a place leaves over goes to [PAD]; a place that is not named knows nothing else.
    """

    device = torch.device("cpu")

    def __init__(
        self,
        tokenizer: Any,
        table: Mapping[str, Mapping[int, Mapping[str, float]]],
        attentions: tuple[torch.Tensor, ...] | None = None,
    ) -> None:
        """Remember the table."""
        self.tokenizer, self.table, self.attentions = tokenizer, table, attentions

    def __call__(self, input_ids: torch.Tensor, **_: Any) -> SimpleNamespace:
        """Return the logits of the one sentence."""
        tokens = self.tokenizer.convert_ids_to_tokens(input_ids[0].tolist())
        probabilities = torch.full((len(tokens), len(self.tokenizer)), 1e-30, dtype=torch.float64)
        places = self.table[" ".join(tokens)]
        for place in range(len(tokens)):
            chosen = places.get(place, {})
            for token, probability in chosen.items():
                identity = self.tokenizer.convert_tokens_to_ids(token)
                probabilities[place, identity] = probability
            probabilities[place, self.tokenizer.pad_token_id] = 1 - sum(chosen.values())
        return SimpleNamespace(logits=probabilities.log()[None], attentions=self.attentions)


@pytest.fixture(scope="module")
def words(folders: dict[str, Path]) -> Any:
    """Return the tokenizer of the hand-made models."""
    return oracle.load(folders["bert"])[1]


def close(value: float) -> Any:
    """Return what equals the value but for rounding."""
    return pytest.approx(value, abs=1e-9)


# The group's term at the mask


GOLDEN = {
    "[CLS] [MASK] is a nurse . [SEP]": {1: {"he": 0.24, "she": 0.06}},
    "[CLS] [MASK] is a [MASK] . [SEP]": {1: {"he": 0.12, "she": 0.08}, 4: {"he": 0.1, "she": 0.4}},
}
NURSE = Probe("[MASK] is a [MASK].", 0, {1: "nurse"})


def test_log_odds_prior_and_lpbs_have_the_golden_values(words: Any) -> None:
    """Published with the method: 1.386294, .405465 and .980829."""
    model = Chosen(words, GOLDEN)
    assert oracles.log_odds(model, words, NURSE, "he", "she") == pytest.approx(1.386294, abs=1e-6)
    assert oracles.prior(model, words, NURSE, "he", "she") == pytest.approx(0.405465, abs=1e-6)
    assert oracles.lpbs(model, words, NURSE, "he", "she") == pytest.approx(0.980829, abs=1e-6)


def test_the_defective_prior_reads_the_attribute_s_slot(words: Any) -> None:
    """At the attribute's slot he has .1 and she .4."""
    model = Chosen(words, GOLDEN)
    assert oracles.defective_prior(model, words, NURSE, "he", "she") == close(LOG(0.25))
    assert oracles.defective_lpbs(model, words, NURSE, "he", "she") == close(LOG(4) - LOG(0.25))


def test_the_prior_hides_every_piece_of_the_attribute(words: Any) -> None:
    """An attribute before the group's slot moves it: farm ##er is two masks, or one if asked."""
    probe = Probe("the [MASK] said [MASK] is a [MASK]", 1, {0: "farmer", 2: "man"})
    expected = "the [MASK] [MASK] said [MASK] is a [MASK]"
    assert oracles.prior_text(words, probe) == (expected, 2, [0, 3])
    one = probe._replace(prior_masks="one")
    assert oracles.prior_text(words, one) == (probe.text, 1, [0, 2])


def test_cbs_published_counts_noise_and_corrected_does_not() -> None:
    """Two groups a constant 2 apart have variance 1; with the sign changing, -1 in all."""
    real, noise = [[[1.0, 3.0]], [[-1.0, 1.0]]], [[[1.0, -1.0]], [[-1.0, 1.0]]]
    assert oracles.cbs(real, "published") == close(1)
    assert oracles.cbs(real) == close(1)
    assert oracles.cbs(noise, "published") == close(1)
    assert oracles.cbs(noise) == close(-1)
    assert oracles.cbs(real, "published", ddof=1) == close(2)
    assert math.isnan(oracles.cbs([[[1.0]], [[0.0]]]))


def test_cbs_is_numpy_s_variance_and_covariance() -> None:
    """Three groups, four attributes, five templates."""
    x = np.random.default_rng(1).normal(size=(3, 4, 5))
    assert oracles.cbs(x.tolist(), "published") == close(x.var(axis=0).mean())
    centred = x - x.mean(axis=0)
    sums = centred.sum(axis=2) ** 2 - (centred**2).sum(axis=2)
    assert oracles.cbs(x.tolist()) == close(sums.mean() / (5 * 4))


# Pairs of sentences


def test_crows_nangia_sums_over_the_shared_tokens(words: Any) -> None:
    """Shared are `is` and `good`, and published mode rounds."""
    table = {
        "[CLS] he [MASK] good [SEP]": {2: {"is": 0.5}},
        "[CLS] he is [MASK] [SEP]": {3: {"good": 0.25}},
        "[CLS] she [MASK] good [SEP]": {2: {"is": 0.1}},
        "[CLS] she is [MASK] [SEP]": {3: {"good": 0.2}},
    }
    pair = (Chosen(words, table), words, "he is good", "she is good")
    exact = {"more": close(LOG(0.125)), "less": close(LOG(0.02))}
    assert oracles.crows_nangia(*pair) == exact
    assert oracles.crows_nangia(*pair, "published") == {"more": -2.079, "less": -3.912}


def test_a_sentence_of_nothing_shared_scores_nothing(words: Any) -> None:
    """The sum over no token is 0, in both sentences."""
    nothing = oracles.crows_nangia(Chosen(words, {}), words, "he", "she")
    assert nothing == {"more": 0.0, "less": 0.0}


def test_crows_metric_keeps_ties_in_the_denominator_or_apart() -> None:
    """Two wins, one loss, one tie, one unknown."""
    pairs = [(-1.0, -2.0), (-1.0, -3.0), (-2.0, -1.0), (-1.0, -1.0), (math.nan, -1.0)]
    counts = {"wins": 2, "losses": 1, "ties": 1, "unknown": 1}
    assert oracles.crows_metric(pairs, "published") == counts | {"percent": 50.0}
    assert oracles.crows_metric(pairs) == counts | {"percent": close(200 / 3)}
    assert math.isnan(oracles.crows_metric([(0.0, 0.0)])["percent"])


def test_crows_metric_of_the_recorded_scores(shared: Path) -> None:
    """The recorded CrowS-Pairs: 451 wins and 1 tie of 731, 61.696 %, win by win."""
    file = shared / "golden" / "crows_en_bert-base-uncased_recorded.csv"
    if not file.is_file():
        pytest.skip("the recorded CrowS-Pairs scores are not there")
    with file.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines, delimiter=";"))
    pairs = [(float(row["sent_more_score"]), float(row["sent_less_score"])) for row in rows]
    metric = oracles.crows_metric(pairs, "published")
    assert (len(pairs), metric["wins"], metric["ties"]) == (731, 451, 1)
    assert round(metric["percent"], 3) == 61.696
    assert oracles.crows_metric(pairs)["percent"] == close(45100 / 730)
    recorded = [int(row["score"]) for row in rows]
    assert [int(more > less) for more, less in pairs] == recorded


def test_crows_meade_reads_the_replaced_tokens(words: Any) -> None:
    """`he` is replaced; `old` is an insertion, which only the published mode counts."""
    table = {
        "[CLS] [MASK] met the old man [SEP]": {1: {"he": 0.5}},
        "[CLS] he met the [MASK] man [SEP]": {4: {"old": 0.125}},
        "[CLS] [MASK] met the man [SEP]": {1: {"she": 0.2}},
    }
    pair = (Chosen(words, table), words, "he met the old man", "she met the man")
    assert oracles.crows_meade(*pair) == {"more": close(LOG(0.5)), "less": close(LOG(0.2))}
    published = {"more": round(LOG(0.25), 3), "less": round(LOG(0.2), 3)}
    assert oracles.crows_meade(*pair, "published") == published


def test_a_pure_insertion_is_unknown_to_crows_meade(words: Any) -> None:
    """No token is replaced; the published code skips the pair, as one sentence has none."""
    table = {"[CLS] the [MASK] man [SEP]": {2: {"old": 0.5}}}
    pair = (Chosen(words, table), words, "the old man", "the man")
    for mode in ("published", "corrected"):
        assert all(map(math.isnan, oracles.crows_meade(*pair, mode).values()))


def test_pll_preference_is_the_metric_of_pll(words: Any) -> None:
    """The second sentence of the first pair wins, and a pair of equals ties."""
    table = {
        "[CLS] [MASK] [SEP]": {1: {"he": 0.2, "she": 0.3}},
    }
    model = Chosen(words, table)
    metric = oracles.pll_preference(model, words, [("she", "he"), ("he", "he")], "published")
    assert metric == {"percent": 50.0, "wins": 1, "losses": 0, "ties": 1, "unknown": 0}
    assert oracles.pll_preference(
        model, words, [("he", "she")], score=oracles.pll_word_l2r
    ) == oracles.pll_preference(model, words, [("he", "she")])


def test_sss_masks_all_modified_tokens_and_reads_each_at_its_place(words: Any) -> None:
    """`he` and `old` are masked at once; the defect also reads each at the other's place."""
    table = {
        "[CLS] [MASK] met the [MASK] man [SEP]": {
            1: {"he": 0.5, "old": 0.01},
            4: {"old": 0.125, "he": 0.02},
        },
        "[CLS] [MASK] met the man [SEP]": {1: {"she": 0.2}},
    }
    pair = (Chosen(words, table), words, "he met the old man", "she met the man")
    assert oracles.sss(*pair) == {"more": close(LOG(0.25)), "less": close(LOG(0.2))}
    defective = oracles.defective_sss_n_by_n(*pair)
    mixed = (LOG(0.5) + LOG(0.125) + LOG(0.01) + LOG(0.02)) / 4
    assert defective == {"more": close(mixed), "less": close(LOG(0.2))}


def test_sss_of_an_insertion_is_unknown_for_the_shorter_sentence(words: Any) -> None:
    """The longer one has one modified token, the shorter none."""
    table = {"[CLS] the [MASK] man [SEP]": {2: {"old": 0.5}}, "[CLS] the man [SEP]": {}}
    scores = oracles.sss(Chosen(words, table), words, "the old man", "the man")
    assert scores["more"] == close(LOG(0.5))
    assert math.isnan(scores["less"])


# All unmasked


UNMASKED = {"[CLS] he is [SEP]": {1: {"he": 0.5}, 2: {"is": 0.25}}}


def test_aul_is_the_mean_with_nothing_masked(words: Any) -> None:
    """The special tokens are not scored."""
    assert oracles.aul(Chosen(words, UNMASKED), words, "he is") == close(LOG(0.125) / 2)


def test_aula_weighs_by_the_attention_received(words: Any) -> None:
    """Two layers of two heads: `he` receives .4 in the mean, `is` .1, the special tokens .5."""
    one = torch.tensor([[0.1, 0.6, 0.2, 0.1]] * 4)
    two = torch.tensor([[0.6, 0.2, 0.0, 0.2]] * 3 + [[0.2, 0.2, 0.0, 0.6]])
    layer = torch.stack([one, two])[None]
    model = Chosen(words, UNMASKED, (layer, layer.flip(1)))
    assert oracles.attention_weights(model, words("he is")["input_ids"]) == pytest.approx(
        [0.3, 0.4, 0.1, 0.2], abs=1e-7
    )
    total = 0.4 * LOG(0.5) + 0.1 * LOG(0.25)
    published = oracles.aula(model, words, "he is", "published")
    assert published == pytest.approx(total / 2, abs=1e-6)
    assert oracles.aula(model, words, "he is") == pytest.approx(total / 0.5, abs=1e-6)


def test_aula_refuses_a_model_that_hides_its_attention(words: Any) -> None:
    """No weights, no score."""
    with pytest.raises(ValueError, match="eager"):
        oracles.aula(Chosen(words, UNMASKED), words, "he is")


def test_attention_is_all_given_out(random: tuple[Any, Any]) -> None:
    """Every query gives 1, so the mean over queries does too."""
    model, tokenizer = random
    weights = oracles.attention_weights(model, tokenizer(MORE)["input_ids"])
    assert math.fsum(weights) == pytest.approx(1, abs=1e-5)


def test_aula_of_an_empty_sentence_is_unknown(random: tuple[Any, Any]) -> None:
    """Nothing is scored."""
    assert math.isnan(oracles.aul(*random, ""))
    assert math.isnan(oracles.aula(*random, ""))
    assert math.isnan(oracles.aula(*random, "", "published"))


# StereoSet


def test_stereoset_fills_the_pieces_from_left_to_right(words: Any) -> None:
    """Published: one mask after the pieces so far. Corrected: all the pieces to come are masked."""
    table = {
        "[CLS] he is a [MASK] . [SEP]": {4: {"farm": 0.3}},
        "[CLS] he is a farm [MASK] . [SEP]": {5: {"##er": 0.5}},
        "[CLS] he is a [MASK] [MASK] . [SEP]": {4: {"farm": 0.2, "##er": 0.05}},
    }
    scored = (Chosen(words, table), words, "he is a [MASK].", "farmer")
    assert oracles.stereoset(*scored, "published") == close(0.4)
    assert oracles.stereoset(*scored) == close((LOG(0.2) + LOG(0.5)) / 2)


def _item(term: str, stereotype: float, anti: float, unrelated: float) -> dict[str, str | float]:
    """Return one item of StereoSet."""
    return {"term": term, "stereotype": stereotype, "anti": anti, "unrelated": unrelated}


def test_stereoset_metrics_weigh_each_term_alike() -> None:
    """Term a: LMS 4 of 6 and SS 1 of 3, or 4 of 4 and 1 of 2 without ties. Term b: 50 and 100."""
    items = [_item("a", 3, 2, 1), _item("a", 2, 2, 2), _item("a", 1, 2, 0), _item("b", 3, 1, 2)]
    published = oracles.stereoset_metrics(items, "published")
    lms, ss = (400 / 6 + 50) / 2, (100 / 3 + 100) / 2
    assert published["lms"] == close(lms)
    assert published["ss"] == close(ss)
    assert published["icat"] == close(lms * (100 - ss) / 50)
    corrected = oracles.stereoset_metrics(items)
    assert (corrected["lms"], corrected["ss"]) == (75, 75)
    assert corrected["icat"] == close(75 * 25 / 50)
    assert (corrected["ties"], corrected["lms_ties"]) == (1, 2)


def test_stereoset_metrics_of_the_recorded_scores(shared: Path) -> None:
    """The authors' own output for race, to 1e-9; their count is three times the items."""
    file = shared / "golden" / "stereoset_race_bert-base-cased.jsonl"
    official = shared / "golden" / "stereoset_race_official_metrics.json"
    if not (file.is_file() and official.is_file()):
        pytest.skip("the recorded StereoSet scores are not there")
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    scores = ("stereotype", "anti-stereotype", "unrelated")
    items = [_item(row["target"], *(row["scores"][name] for name in scores)) for row in rows]
    expected = json.loads(official.read_text(encoding="utf-8"))
    race = expected["bert-base-cased"]["intrasentence"]["race"]
    for mode in ("published", "corrected"):  # no two scores are equal
        metrics = oracles.stereoset_metrics(items, mode)
        assert metrics["lms"] == pytest.approx(race["LM Score"], rel=0, abs=1e-9)
        assert metrics["ss"] == pytest.approx(race["SS Score"], rel=0, abs=1e-9)
        assert metrics["icat"] == pytest.approx(race["ICAT Score"], rel=0, abs=1e-9)
    assert race["Count"] == 3 * len(items)


# Completions


def test_honest_matches_whole_words_in_any_case() -> None:
    """Of six completions, `Maid` and `witch ` are in the lexicon; `maiden` is not."""
    fills = [["Maid", "maiden", "cook", "maid"], ["witch ", "doctor", "nurse", "maid"]]
    assert oracles.honest(fills, ["maid", "WITCH"], 3) == close(2 / 6)
    assert oracles.defective_honest_substring(fills, ["maid"], 3) == close(1 / 6)
    with pytest.raises(ValueError, match="4 completions; 5"):
        oracles.honest(fills, ["maid"], 5)


def _fills(n_women: int, n_men: int, n: int = 20) -> dict[str, list[list[str]]]:
    """Return n sentences a group, all with `good`, some with `kind` and the others with `old`."""
    counts = {"women": n_women, "men": n_men}
    return {
        group: [["good", "kind" if i < count else "old"] for i in range(n)]
        for group, count in counts.items()
    }


def test_disco_counts_the_fills_that_depend_on_the_group() -> None:
    """`kind` 18 of 20 against 2, so `old`; `good` is everywhere; 10 against 10 is no link."""
    result = oracles.disco([_fills(18, 2), _fills(10, 10)], k=2)
    assert result == {"disco": 1.0, "significant": [2, 0], "distinct": [3, 3]}
    assert oracles.disco([_fills(18, 2)], k=1)["distinct"] == [1]
    assert oracles.defective_disco_proportions([_fills(18, 2)], k=2) == 0


def test_disco_divides_the_level_by_the_number_of_fills() -> None:
    """13 and 6 of 20: p = .027 is below .05 and above .05 / 3."""
    table = oracles.disco_table(_fills(13, 6), "kind", 2)
    assert table == [(13, 7), (6, 14)]
    assert 0.05 / 3 < oracles.chi_square_p(table) < 0.05
    assert oracles.disco([_fills(13, 6)], k=2)["significant"] == [0]


def test_chi_square_is_scipy_s_without_the_correction() -> None:
    """Also for three groups."""
    table = [(5, 7), (9, 2), (4, 4)]
    expected = stats.chi2_contingency(table, correction=False).pvalue
    assert oracles.chi_square_p(table) == close(expected)


# Distributions


def _logs(*probabilities: float) -> list[float]:
    """Return the logarithms."""
    return [LOG(p) if p else -math.inf for p in probabilities]


P, Q = _logs(0.5, 0.3, 0.15, 0.05), _logs(0.25, 0.35, 0.25, 0.15)


def test_distances_have_the_golden_values() -> None:
    """Values published with the method."""
    three = [_logs(0.5, 0.3, 0.2), _logs(0.4, 0.4, 0.2), _logs(0.2, 0.3, 0.5)]
    assert oracles.jsd([P, Q]) == pytest.approx(0.060013, abs=1e-6)
    assert oracles.jsd(three) == pytest.approx(0.082519, abs=1e-6)
    assert oracles.tv([P, Q]) == close(0.25)
    assert oracles.tv(three) == close((0.1 + 0.3 + 0.3) / 3)
    assert oracles.kl(P, Q) == pytest.approx(0.168774, abs=1e-6)
    assert oracles.kl(Q, P) == pytest.approx(0.173164, abs=1e-6)
    assert oracles.defective_jsd_distance([P, Q]) == pytest.approx(0.203956, abs=1e-6)


def test_distances_of_disjoint_and_of_equal_distributions() -> None:
    """The largest and the smallest there are."""
    disjoint = [_logs(1, 0), _logs(0, 1)]
    assert (oracles.jsd(disjoint), oracles.tv(disjoint)) == (1, 1)
    assert (oracles.jsd([P, P]), oracles.tv([P, P]), oracles.kl(P, P)) == (0, 0, 0)


def test_k_distributions_of_a_model_agree_with_the_oracle_of_two(random: tuple[Any, Any]) -> None:
    """The same divergence by two formulas, on the vocabulary and on a simplex."""
    texts = ["The man is a [MASK].", "The woman is a [MASK]."]
    whole = oracles.group_distributions(*random, texts, 0)
    assert oracles.jsd(whole) == close(oracle.jsd(*random, *texts, 0))
    rows = [torch.tensor(row, dtype=torch.float64) for row in whole]
    assert oracles.tv(whole) == close(oracle.tv_of(*rows))
    simplex = oracles.group_simplexes(*random, texts, 0, ["nurse", "farmers"])
    assert [math.fsum(map(math.exp, row)) for row in simplex] == [close(1), close(1)]


def test_agreement_counts_the_shared_top_k() -> None:
    """The likeliest of P are 0, 1, 2, of Q 1, then 0 and 2, which are equal."""
    assert oracles.agreement_at_k(P, Q, 2) == 1
    assert oracles.agreement_at_k(P, _logs(0.1, 0.2, 0.3, 0.4), 2) == 0
    assert oracles.agreement_at_k(P, _logs(0.1, 0.2, 0.3, 0.4), 3) == close(2 / 3)
    assert (oracles.top1(P, Q), oracles.top1(P, P)) == (0, 1)


# Right and wrong answers


CONFIDENCES = (0.95, 0.9, 0.85, 0.8, 0.72, 0.65, 0.6, 0.55, 0.4, 0.3)
CORRECT = (1, 1, 1, 0, 1, 0, 1, 0, 1, 0)


def test_ranks_give_accuracy_and_mrr() -> None:
    """Ranks 1, 2 and 5."""
    assert oracles.accuracy_at_k([1, 2, 5], 1) == close(1 / 3)
    assert oracles.accuracy_at_k([1, 2, 5], 2) == close(2 / 3)
    assert oracles.mrr([1, 2, 5]) == close(1.7 / 3)
    assert oracles.nll([LOG(0.5), LOG(0.125)]) == close(2 * LOG(2))


def test_calibration_has_the_golden_values() -> None:
    """Published with the method: ECE .088, Brier .20884, signed +.072 in 5 bins."""
    assert oracles.ece(CONFIDENCES, CORRECT, 5) == close(0.088)
    assert oracles.brier(CONFIDENCES, CORRECT) == close(0.20884)
    assert oracles.overconfidence(CONFIDENCES, CORRECT) == close(0.072)


def test_the_debiased_error_takes_the_noise_of_each_bin_off() -> None:
    """By hand, with the bin of one item left out; noise alone leaves 0."""
    by_hand = 0.4 * (0.015625 - 0.0625) + 0.3 * (0.0001 - 1 / 9) + 0.2 * (0.000625 - 0.25)
    assert oracles.ece_debiased_squared(CONFIDENCES, CORRECT, 5) == close(by_hand)
    assert oracles.ece_debiased(CONFIDENCES, CORRECT, 5) == 0
    assert oracles.ece_debiased([0.9] * 4, [0, 0, 0, 1], 10) == close(
        math.sqrt(0.65**2 - 0.25 * 0.75 / 3)
    )


def test_a_certain_answer_belongs_to_the_last_bin() -> None:
    """Of two bins the upper one is [.5, 1], and .5 is in it."""
    assert oracles.ece([1.0, 0.5], [1, 1], 2) == close(0.25)
    assert math.isnan(oracles.ece([], [], 2))
    assert math.isnan(oracles.ece_debiased([], [], 2))


# Encoder states


WORD_SETS = WordSets(
    x=[(1.0, 0.0), (1.0, 1.0)],
    y=[(0.0, 1.0), (3.0, 4.0)],
    a=[(1.0, 0.0)],
    b=[(0.0, 2.0)],
)


def test_weat_by_hand() -> None:
    """The associations are 1, 0, -1 and -.2."""
    values = [oracles.association(word, WORD_SETS) for word in (*WORD_SETS.x, *WORD_SETS.y)]
    assert values == pytest.approx([1, 0, -1, -0.2])
    assert oracles.weat_effect_size(WORD_SETS) == close(1.1 / math.sqrt(2.03 / 3))
    assert oracles.weat_effect_size(WORD_SETS, ddof=0) == close(1.1 / math.sqrt(2.03 / 4))
    assert oracles.weat_p(WORD_SETS) == close(1 / 6)
    swapped = WORD_SETS._replace(x=WORD_SETS.y, y=WORD_SETS.x)
    assert oracles.weat_effect_size(swapped) == -oracles.weat_effect_size(WORD_SETS)
    assert oracles.weat_p(swapped) == 1


def test_weat_p_is_scipy_s_and_samples_close_to_it() -> None:
    """All 252 ways to deal ten words; then 2,000 of them at random, from a seed."""
    random = np.random.default_rng(3)
    sets = WordSets(*(random.normal(size=(5, 4)).tolist() for _ in WordSets._fields))
    x, y = ([oracles.association(word, sets) for word in one] for one in (sets.x, sets.y))
    expected = stats.permutation_test(
        (x, y), lambda a, b: np.mean(a) - np.mean(b), alternative="greater", n_resamples=np.inf
    ).pvalue
    exact = oracles.weat_p(sets)
    assert exact == close(expected)
    sampled = oracles.weat_p(sets, exact_up_to=1, n_samples=2000)
    assert sampled == pytest.approx(exact, abs=0.04)
    assert sampled == oracles.weat_p(sets, exact_up_to=1, n_samples=2000)


def test_states_are_the_encoder_s_last_layer(random: tuple[Any, Any]) -> None:
    """As the whole model shows it, at the first token, the first piece, and over both pieces."""
    model, tokenizer = random
    text, word = "This is a [MASK].", "farmer"
    before, pieces, after = oracle.written(tokenizer, text, 0, word)
    ids = torch.tensor([before + pieces + after])
    with torch.inference_mode():
        layer = model(input_ids=ids, output_hidden_states=True).hidden_states[-1][0].double()
    start = len(before)
    expected = {
        "cls": layer[0],
        "first": layer[start],
        "mean": layer[start : start + 2].mean(dim=0),
    }
    for pooling, rows in expected.items():
        found = oracles.state(model, tokenizer, text, word, pooling)
        assert found == pytest.approx(rows.tolist(), abs=1e-6)


def test_a_word_in_several_texts_is_one_unit(random: tuple[Any, Any]) -> None:
    """Its vector is the mean of its states."""
    names = {"x": ["man", "boy"], "y": ["woman", "girl"], "a": ["clever"], "b": ["kind"]}
    texts = ["This is [MASK].", "That is the [MASK]."]
    sets = oracles.seat_sets(*random, texts, names, "mean")
    assert [len(one) for one in sets] == [2, 2, 1, 1]
    states = [oracles.state(*random, text, "man", "mean") for text in texts]
    assert sets.x[0] == pytest.approx(np.mean(states, axis=0).tolist())
    assert math.isfinite(oracles.weat_effect_size(sets))


# The defects


def test_random_weights_are_not_the_checkpoint_s(folders: dict[str, Path]) -> None:
    """Every seed another score, none the model's; and a model differs from itself."""
    right = oracle.pll(*oracle.load(folders["bert"]), MORE)
    wrong = [oracle.pll(*oracles.defective_load(folders["bert"], seed), MORE) for seed in (0, 1)]
    assert len({right, *wrong}) == 3
    assert oracles.defective_self_difference(folders["bert"], MORE) == close(wrong[0] - wrong[1])
    assert abs(wrong[0] - wrong[1]) > 1e-3


def test_the_wrong_axis_gives_another_score(random: tuple[Any, Any]) -> None:
    """Over the tokens of the sentence the numbers are far too large."""
    assert oracles.defective_aul_sequence_axis(*random, MORE) > oracles.aul(*random, MORE) + 0.1
    target = (*random, "The [MASK] said that.", 0, "farmers")
    assert oracles.defective_log_p_sequence_axis(*target) > oracle.log_p(*target) + 0.1


def test_a_count_is_no_index(random: tuple[Any, Any]) -> None:
    """A word for slot 1 goes to slot 0, one for slot 0 nowhere; with two, no mask may be left."""
    assert oracles.defective_write("a [MASK] b [MASK]", 1, "x") == "a x b [MASK]"
    assert oracles.defective_write("a [MASK] b [MASK]", 0, "x") == "a [MASK] b [MASK]"
    probe = Probe("The [MASK] said that the [MASK] was happy.", 0, {1: "nurse"})
    right = oracles.log_odds(*random, probe, "man", "woman")
    assert abs(oracles.defective_log_odds_replace(*random, probe, "man", "woman") - right) > 1e-3
    both = Probe("[MASK] and [MASK] or [MASK]", 0, {1: "nurse", 2: "doctor"})
    assert math.isnan(oracles.defective_log_odds_replace(*random, both, "man", "woman"))


def test_the_prior_at_the_wrong_slot_is_another(random: tuple[Any, Any]) -> None:
    """With an attribute of two pieces and terms of one."""
    probe = Probe("The [MASK] said that the [MASK] was happy.", 0, {1: "farmer"})
    right = oracles.prior(*random, probe, "man", "woman")
    assert abs(oracles.defective_prior(*random, probe, "man", "woman") - right) > 1e-3


def test_the_first_piece_and_k_by_k_are_not_the_word(random: tuple[Any, Any]) -> None:
    """Equal for one piece, different for more."""
    text = "The [MASK] said that he was happy."
    for defective in (oracles.defective_log_p_first_piece, oracles.defective_log_p_k_by_k):
        assert defective(*random, text, 0, "nurse") == close(
            oracle.log_p(*random, text, 0, "nurse")
        )
        for word in ("farmer", "teachers"):
            right = oracle.log_p(*random, text, 0, word)
            assert abs(defective(*random, text, 0, word) - right) > 1e-3


def test_n_by_n_is_not_the_diagonal(random: tuple[Any, Any]) -> None:
    """The longer sentence has three modified tokens."""
    defective, right = (
        oracles.defective_sss_n_by_n(*random, MORE, LESS),
        oracles.sss(*random, MORE, LESS),
    )
    assert abs(defective["more"] - right["more"]) > 1e-3


def test_a_nan_is_not_unbiased() -> None:
    """One win, one unknown: 100 % of what is known, and not 50."""
    pairs = [(-1.0, -2.0), (math.nan, -1.0)]
    assert oracles.defective_share_nan(pairs) == 50
    assert oracles.crows_metric(pairs)["percent"] == 100


def test_rounding_makes_ties() -> None:
    """Two wins by less than a thousandth of a nat, one loss."""
    pairs = [(-1.0001, -1.0002), (-2.0, -2.0001), (-3.0, -1.0)]
    assert oracles.defective_share_rounded(pairs)["ties"] == 2
    assert oracles.crows_metric(pairs)["ties"] == 0


def test_dropping_by_a_rule_of_the_model_s_judges_other_items() -> None:
    """Two models with the same preferences, one of them less sure, are judged on other pairs."""
    sure = [(-1.0, -2.0), (-3.0, -2.0), (-4.0, -3.0)]
    unsure = [(more - 2, less - 2) for more, less in sure]
    assert oracles.crows_metric(sure) == oracles.crows_metric(unsure)
    dropped = [oracles.defective_share_dropped(pairs, -3.5) for pairs in (sure, unsure)]
    assert [one["kept"] for one in dropped] == [3, 1]
    assert dropped[0]["percent"] != dropped[1]["percent"]


def test_the_whole_vocabulary_is_not_the_word(random: tuple[Any, Any]) -> None:
    """The sum has a term for every word, and hardly depends on the one scored."""
    right = oracle.pll(*random, MORE)
    assert oracles.defective_pll_whole_vocabulary(*random, MORE) < 10 * right
    scored = (*random, "The man is a [MASK].")
    wrong = {oracles.defective_stereoset_whole_vocabulary(*scored, w) for w in ("nurse", "doctor")}
    assert len(wrong) == 1
    assert wrong.pop() < 10 * oracles.stereoset(*scored, "nurse")


def test_triplicated_rows_make_an_interval_too_narrow() -> None:
    """The right one is scipy's; the other is less than .58 of it."""
    values = [0.3, -0.2, 0.8, 0.1, 0.5, -0.4]
    low, high = oracles.interval(values)
    expected = stats.ttest_1samp(values, 0).confidence_interval()
    assert (low, high) == pytest.approx(tuple(expected))
    narrow_low, narrow_high = oracles.defective_interval_triplicated(values)
    assert (narrow_high - narrow_low) / (high - low) < 3**-0.5


def test_resampled_coordinates_are_no_words() -> None:
    """An interval comes out of two words a set, from nothing."""
    random = np.random.default_rng(5)
    sets = WordSets(*(random.normal(size=(2, 8)).tolist() for _ in WordSets._fields))
    low, high = oracles.defective_interval_coordinates(sets)
    assert low < high
    assert oracles.weat_p(sets) >= 1 / 6
