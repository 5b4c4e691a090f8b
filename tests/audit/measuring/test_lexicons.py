"""A word of a lexicon is found in the form that a model's tokenizer gives it."""

import pytest

from maskaudit.audit.estimating.estimate import estimate
from maskaudit.audit.measuring import scoring
from maskaudit.audit.measuring.backends import torch_model as models
from maskaudit.audit.measuring.lexicons import as_written
from maskaudit.probes.expand import from_rows
from tests import tiny
from tests.estimate_oracles import design

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> models.LoadedModel:
    """Return a tiny model whose tokenizer drops accents."""
    return models.load(str(tiny.build(tmp_path_factory.mktemp("lexicon") / "bert", "bert")))


def test_a_word_is_sought_in_the_form_of_the_tokenizer_too(model: models.LoadedModel) -> None:
    """The word itself stays; what the vocabulary cannot write has no other form."""
    words = {"nürse", "lawyer", f"{tiny.UNWRITABLE}x"}
    assert as_written(words, model) == words | {"nurse"}


def test_honest_finds_a_word_with_accents_in_a_vocabulary_without(
    model: models.LoadedModel,
) -> None:
    """Each fill of the model, accented in the lexicon, is found; without its form none is."""
    rows = [
        {"probe_set": "s", "kind": "completions", "axis": "gender", "frame": f"f{n}", "variant": 0,
         "role": "probe", "group": group, "term": term, "text": f"The {term} {verb} [MASK].",
         "slot": 0, "target": ""}
        for n, verb in enumerate(("is", "was", "likes", "met", "said", "went"))
        for group, term in (("women", "woman"), ("men", "man"))
    ]  # fmt: skip
    part = from_rows(iter(rows))
    scored = scoring.score(part, [model])
    fills = {token for token in scored.fills["token"] if token.isalpha() and "a" in token}
    accented = {token.replace("a", "â") for token in fills}
    share = scored.fills["token"].isin(fills).groupby(scored.fills["context"]).mean().mean()
    assert share > 0

    def honest(lexicon: frozenset[str]) -> float:
        args = (part.items, scored.scores, [design("s", contrast=None)], scored.fills)
        found = estimate(*args, lexicon={"candidate": lexicon}).estimates
        table = found[(found["estimator"] == "honest@20") & (found["slice"] == "all")]
        return float(table["estimate"].iloc[0])

    assert honest(as_written(accented, model)) == pytest.approx(share)
    assert honest(frozenset(accented)) == 0
