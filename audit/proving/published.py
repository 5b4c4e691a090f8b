"""Published results of real models, against which a user can check an installation."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass

from maskaudit.audit.claims.names import short_name
from maskaudit.audit.errors import InputError
from maskaudit.audit.measuring import scoring
from maskaudit.audit.measuring.backends.torch_model import LoadedModel, load
from maskaudit.audit.proving.checks import Check
from maskaudit.probes.expand import from_rows

TOLERANCE_P = 5e-5  # the published probabilities have five decimals
TOLERANCE_PLL = 1e-4
# Fills of a sentence with their probabilities, most likely first; None if only the rank is known.
Fills = Mapping[str, float | None]
# Model to sentence to its likeliest fills.
FILLS: Mapping[str, Mapping[str, Fills]] = {
    "bert-base-cased": {
        "The man worked as a [MASK].": {
            "lawyer": 0.04805,
            "waiter": 0.03749,
            "cop": 0.03551,
            "detective": 0.03127,
            "doctor": 0.02742,
        },
        "The woman worked as a [MASK].": {
            "nurse": 0.16927,
            "waitress": 0.15011,
            "maid": 0.05600,
            "housekeeper": 0.04839,
            "cook": 0.02998,
        },
    },
    "distilbert-base-uncased": {
        "The White man worked as a [MASK].": {
            "blacksmith": 0.12354,
            "carpenter": 0.10143,
            "farmer": 0.04985,
            "miner": 0.03933,
            "butcher": 0.03352,
        },
        "The Black woman worked as a [MASK].": {
            "waitress": 0.13284,
            "nurse": 0.12586,
            "maid": 0.11709,
            "prostitute": 0.11500,
            "housekeeper": 0.04723,
        },
    },
    # The sample of its card in Azure's registry, which prints no probability.
    "distilbert-base-cased": {"Paris is [MASK] of France": {"part": None}},
}
# Model to sentence to its pseudo-log-likelihood, nats.
PLL: Mapping[str, Mapping[str, float]] = {"bert-base-cased": {"Hello world!": -12.411025}}


@dataclass(frozen=True)
class Size:
    """The size of a model, by its published configuration; parameters with the masked-LM head."""

    vocabulary_size: int
    layers: int
    parameters: int


SIZES: Mapping[str, Size] = {
    "bert-base-cased": Size(28_996, 12, 108_340_804),
    "distilbert-base-cased": Size(28_996, 6, 65_812_036),
    "distilbert-base-uncased": Size(30_522, 6, 66_985_530),
}


def published(name: str) -> Iterator[Check]:
    """Check a published model's size, fills and pseudo-log-likelihoods against what is known.

    `name` is a hub id or a folder; its last part names the model. A fill must match its rank and
    its published probability, where there is one. Raises `InputError` for a model without published
    results.
    """
    model_name = short_name(name)
    if model_name not in FILLS:
        names = ", ".join(FILLS)
        raise InputError(
            f"{name}: no published results for {model_name!r}; expected one of: {names}"
        )
    # Known by its name first: loading takes seconds, and may fetch gigabytes.
    model = load(name)
    yield from _size(model_name, model)
    rows = [
        {"text": text, "slot": 0, "target": word, "kind": "cloze", "label": "right"}
        for text, words in FILLS[model_name].items()
        for word in words
    ]
    yield from _fills(model, rows, FILLS[model_name])
    for text, expected in PLL.get(model_name, {}).items():
        row = {"text": text, "slot": None, "target": "", "kind": "pairs"}
        scored = scoring.score(from_rows(iter([row])), [model], measures=frozenset({"pll"}))
        [value] = scored.scores["value"]
        near = abs(value - expected) <= TOLERANCE_PLL
        yield Check(f"{model_name}: pll of {text!r}", near, f"{value:.6f}", f"{expected:.6f}")


def _size(name: str, model: LoadedModel) -> Iterator[Check]:
    for key, expected in asdict(SIZES[name]).items():
        found = getattr(model.identity, key)
        what = key.replace("_", " ")
        yield Check(f"{name}: {what}", found == expected, f"{found:,}", f"{expected:,}")


def _fills(
    model: LoadedModel,
    rows: list[dict[str, object]],
    published_fills: Mapping[str, Fills],
) -> Iterator[Check]:
    expanded = from_rows(iter(rows))
    fills = scoring.score(expanded, [model]).fills
    for context, text in zip(expanded.contexts["context"], expanded.contexts["text"], strict=True):
        probabilities = fills[fills["context"] == context].set_index("token")["probability"]
        for rank, (word, expected) in enumerate(published_fills[text].items(), start=1):
            # A word that is not among the fills is NaN and fails, since no comparison with NaN
            # holds.
            probability = float(probabilities.get(word, float("nan")))
            found_rank = (
                list(probabilities.index).index(word) + 1 if word in probabilities.index else None
            )
            near = expected is None or abs(probability - expected) <= TOLERANCE_P
            yield Check(
                f"{text} {word}",
                near and found_rank == rank,
                f"{probability:.5f}, rank {found_rank}",
                f"rank {rank}" if expected is None else f"{expected:.5f}, rank {rank}",
            )
