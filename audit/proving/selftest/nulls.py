"""False positives on models without stereotypes: untrained ones, and classes drawn at random.

A model with random weights follows no stereotype, but, as any model, it prefers one group's term to
the other's and may order the attributes in some way. A contrast of classes should call at most one
in twenty of them leaning. The mean over attributes would call most of them leaning, which is why
the audit never tests it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy import stats
from transformers import AutoTokenizer, DistilBertConfig, DistilBertForMaskedLM

from maskaudit.audit.estimating.crossed.cells import matrices
from maskaudit.audit.estimating.estimate import estimate
from maskaudit.audit.estimating.estimators.of_groups.log_odds import LOG_ODDS
from maskaudit.audit.estimating.registry.names import CONTRAST
from maskaudit.audit.estimating.statistics.crossed.means import contrast_interval
from maskaudit.audit.measuring import scoring
from maskaudit.audit.measuring.backends.torch_model import LoadedModel
from maskaudit.audit.measuring.checkpoints.located import Located
from maskaudit.audit.measuring.checkpoints.tokenizer import Tokenizer
from maskaudit.audit.measuring.model import Encoded
from maskaudit.audit.phantom import truth as phantom_truth
from maskaudit.audit.proving.checks import Check
from maskaudit.audit.proving.selftest.check import numbers
from maskaudit.audit.proving.selftest.ground import SEED, Ground, ground
from maskaudit.audit.recording.rows import slices
from maskaudit.audit.vocabulary import Progress
from maskaudit.probes.expand import Expanded

MODELS = 200
RELABELLED = 1000
ALPHA = 0.05
# Quantile of the binomial count of rejections by a sound test; it allows 16 of 200.
ENOUGH = 0.975
# The largest share of relabelled sets that may reject: ALPHA plus three standard errors.
MOST_RELABELLED = 0.07
# A test that rejects more than this share is unsound; a test of the mean rejects more than half.
UNSOUND = 0.25
# With the library's default initialisation (SD .02) every model is nearly uniform, and any test
# passes. At width 64 an SD of 1/8 preserves the scale of activations through a layer; with larger
# weights, effects in single sentences would swamp an attribute's effect across sentences. So only
# the head is made steeper, until every model's spread exceeds LEAST_SPREAD, in nats.
WIDTH, INITIALIZER_RANGE, STEEPNESS = 64, 0.125, 20.0
LEAST_SPREAD = 1.0


class Untrained(LoadedModel):
    """A model with random weights; `encodings` is a cache that all such models share."""

    def __init__(self, seed: int, tokenizer: Any, encodings: dict[str, Encoded]) -> None:  # noqa: ANN401
        # First, because the parent's constructor already encodes a text.
        self._encodings = encodings
        located = Located(Path(), f"untrained {seed}", "")
        super().__init__(_random(seed, tokenizer), Tokenizer(tokenizer), [], located)

    def encode(self, texts: Sequence[str]) -> list[Encoded]:
        """Tokenise the texts, each text once for all untrained models."""
        new = [text for text in dict.fromkeys(texts) if text not in self._encodings]
        self._encodings.update(zip(new, super().encode(new), strict=True))
        return [self._encodings[text] for text in texts]


@dataclass(frozen=True)
class Tested:
    """Results of one untrained model.

    `p` is that of the stereotype contrast; `mean_rejects` says whether the 95 % interval of the
    mean log-odds excludes 0; `spread` is the SD over sentences of a term's log p in nats, the
    smaller one of the two terms.
    """

    p: float
    mean_rejects: bool
    spread: float


def checks(progress: Progress, *, n_models: int = MODELS) -> Iterator[Check]:
    """Check untrained models, then a trained one with attributes put into classes at random."""
    testbed = ground()
    yield from _untrained(testbed, progress, n_models)
    yield from _relabelled(testbed, progress)


def _untrained(testbed: Ground, progress: Progress, n_models: int) -> Iterator[Check]:
    part = contrasted(testbed)
    tokenizer = AutoTokenizer.from_pretrained(phantom_truth.TEACHER)
    encodings: dict[str, Encoded] = {}
    results = []
    for number in range(n_models):
        model = Untrained(SEED + number, tokenizer, encodings)
        results.append(tested(testbed, part, model))
        n_sentences = len(part.contexts)
        progress("untrained models", (number + 1) * n_sentences, n_models * n_sentences)
    spread = min(result.spread for result in results)
    spread_enough, expected_spread = bool(spread >= LEAST_SPREAD), f"at least {LEAST_SPREAD:g} nat"
    yield Check(
        "untrained models: SD of a term's log p",
        spread_enough,
        f"{spread:.2f} or more",
        expected_spread,
    )
    most_rejections = int(stats.binom.ppf(ENOUGH, n_models, ALPHA))
    # Not `p < ALPHA`: a p of NaN counts as a rejection.
    rejections = sum(not result.p >= ALPHA for result in results)
    name, out_of = "untrained models: stereotype contrast", f"of {n_models} called leaning"
    yield Check(
        name, rejections <= most_rejections, f"{rejections} {out_of}", f"at most {most_rejections}"
    )
    mean_rejections = sum(result.mean_rejects for result in results)
    name, expected = "untrained models: the mean, if it were tested", "too many for a sound test"
    yield Check(name, mean_rejections > UNSOUND * n_models, f"{mean_rejections} {out_of}", expected)


def contrasted(testbed: Ground) -> Expanded:
    """Return the probes of the two contrasted classes only, without controls and priors."""
    items = testbed.part.items
    probes = items[(items["role"] == "probe") & items["class"].isin(testbed.classes)]
    contexts = testbed.part.contexts[testbed.part.contexts["context"].isin(probes["context"])]
    return Expanded(contexts.reset_index(drop=True), probes.reset_index(drop=True))


def tested(testbed: Ground, part: Expanded, model: LoadedModel) -> Tested:
    """Score one model and estimate as an audit does."""
    scores = scoring.score_all([part], [model], lambda _set, _done, _all: None).scores
    estimates = estimate(part.items, scores, [testbed.design]).estimates
    [p] = numbers(estimates, CONTRAST, "candidate", slices.CONTRAST, ["p"])
    _, low, high = numbers(estimates, LOG_ODDS.name, "candidate")
    values = part.items.merge(scores[["item", "value"]], on="item")
    spread = float(values.groupby("target")["value"].std().min())
    return Tested(p, not low <= 0 <= high, spread)


def _random(seed: int, tokenizer: Any) -> Any:  # noqa: ANN401 - transformers' own types
    config = DistilBertConfig(
        vocab_size=len(tokenizer),
        pad_token_id=tokenizer.pad_token_id,
        max_position_embeddings=64,
        dim=WIDTH,
        n_layers=2,
        n_heads=4,
        hidden_dim=2 * WIDTH,
        initializer_range=INITIALIZER_RANGE,
    )
    # The caller's random state is left as it was; without devices no GPU is asked for its own.
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = DistilBertForMaskedLM(config)
    # Scale the norm and not the decoder, whose weights are tied to the embeddings.
    with torch.no_grad():
        model.vocab_layer_norm.weight.mul_(STEEPNESS)
    return model


def _relabelled(testbed: Ground, progress: Progress) -> Iterator[Check]:
    """Test the trained teacher's cells in classes drawn at random, and in the true classes."""
    part = contrasted(testbed)
    scores = scoring.score_all([part], [testbed.pair[0]], progress).scores
    by_model, _ = matrices(part.items, scores, LOG_ODDS, *testbed.groups)
    # A model that is scored alone is the candidate.
    matrix = by_model["candidate"]
    first, second = (matrix.of_class(name).cells for name in testbed.classes)
    cells = np.concatenate([first, second])
    rng = np.random.default_rng(SEED)
    rejections = 0
    for _ in range(RELABELLED):
        # Permutes whole rows: an attribute keeps its cells and only its class is drawn.
        drawn = rng.permutation(cells)
        rejections += not contrast_interval(drawn[: len(first)], drawn[len(first) :]).p >= ALPHA
    share = rejections / RELABELLED
    error = np.sqrt(share * (1 - share) / RELABELLED)
    found = f"{share:.3f} called leaning (Monte-Carlo error {error:.3f})"
    name, expected = "classes at random: stereotype contrast", f"at most {MOST_RELABELLED:g}"
    yield Check(name, share <= MOST_RELABELLED, found, expected)
    # A test that never rejects would pass all of the above.
    p = contrast_interval(first, second).p
    name = "classes as they are: stereotype contrast"
    yield Check(name, p < ALPHA, f"p {p:.2g}", f"below {ALPHA:g}, because they lean")
