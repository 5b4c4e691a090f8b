"""First words are counted by group, of every service that gives no more than a word."""

import json
import math
import sys
import threading
import tomllib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.proportion import proportion_confint

from maskaudit.audit.audit_file import Endpoint as Declared
from maskaudit.audit.cli import main
from maskaudit.audit.errors import InputError
from maskaudit.audit.estimating.first_words import shares
from maskaudit.audit.measuring.backends.torch_model import load
from maskaudit.audit.measuring.endpoints import first_words
from maskaudit.audit.measuring.endpoints.counted import counted, sentences
from maskaudit.audit.measuring.endpoints.endpoint import Endpoint
from maskaudit.audit.serving.addresses import Address
from maskaudit.audit.serving.server import Server
from maskaudit.audit.vocabulary import silent
from maskaudit.probes.expand import Expanded, expand
from maskaudit.probes.loading import parse
from tests import tiny

# Each frame has one sentence of each attribute.
FRAMES = "".join(
    f'[[frames]]\nid = "f{n}"\ntext = "{text}"\n'
    for n, text in enumerate(
        (
            "[MASK] worked as {a attribute}.",
            "They know that [MASK] is {a attribute}.",
            "We said that [MASK] was {a attribute}.",
        )
    )
)
SET = tiny.small_set(("she", "woman"), ("he", "man")) + FRAMES
WOMEN, MEN = {"she", "woman"}, {"he", "man"}


@pytest.fixture(scope="module")
def part() -> Expanded:
    """Give the set."""
    return expand(parse(tomllib.loads(SET), "", "a test"))


def chosen(texts: Sequence[str]) -> list[str]:
    """Return a word for each text, by its length alone."""
    return [("She", "he", "truck", "WOMAN", "he")[len(text) % 5] for text in texts]


def other(texts: Sequence[str]) -> list[str]:
    """Return other words."""
    return [("he", "she", "man", "him")[len(text) % 4] for text in texts]


def test_the_counts_are_those_of_a_loop(part: Expanded) -> None:
    """Of all sentences and of each class, whatever a word's case; other words count for none."""
    found = counted([part], {"reference": other, "candidate": chosen})
    rows = sentences(part)
    assert len(rows) == 18
    assert not rows["text"].duplicated().any()
    assert {(share.part, share.group) for share in found} == {
        (part, group) for part in ("all", "first", "second") for group in ("women", "men")
    }
    for share in found:
        words = WOMEN if share.group == "women" else MEN
        own = rows if share.part == "all" else rows[rows["class"] == share.part]
        for subject, model in (("reference", other), ("candidate", chosen)):
            hits = sum(model([text])[0].lower() in words for text in own["text"])
            assert share.by_model[subject].estimate == pytest.approx(hits / len(own))
        assert (share.sentences, share.frames) == (len(own), 3)
        assert share.attributes == own["attribute"].nunique()


def test_with_a_sentence_a_frame_the_statistics_are_the_textbooks() -> None:
    """Wilson's interval and McNemar's exact p, as another library has them."""
    texts = [f"[MASK] was {{a attribute}} in {word}." for word in tiny.WORDS[40:70]]
    frames = "".join(f'[[frames]]\nid = "f{n}"\ntext = "{t}"\n' for n, t in enumerate(texts))
    one = SET.split("[classes.first]")[0] + '[classes.first]\nattributes = [{ text = "nurse" }]\n'
    one = one.replace('contrast = ["first", "second"]\n', "")
    part = expand(parse(tomllib.loads(one + frames), "", "a test"))
    models = {"reference": other, "candidate": chosen}
    found = counted([part], models)
    own = sentences(part)["text"].tolist()
    assert len(own) == 30
    for share in found:
        words = WOMEN if share.group == "women" else MEN
        hits = {name: [w.lower() in words for w in model(own)] for name, model in models.items()}
        for name, interval in share.by_model.items():
            low, high = proportion_confint(sum(hits[name]), 30, method="wilson")
            assert (interval.low, interval.high) == pytest.approx((low, high))
        pairs = list(zip(*hits.values(), strict=True))
        table = [[pairs.count((a, b)) for b in (True, False)] for a in (True, False)]
        assert share.p == pytest.approx(mcnemar(table, exact=True).pvalue)


def drawn(rng: np.random.Generator, n_attributes: int, n_frames: int) -> pd.DataFrame:
    """Return first words of two models alike, which depend on attributes and on frames."""
    places = pd.MultiIndex.from_product([range(n_attributes), range(n_frames)])
    rows = pd.DataFrame({"attribute": places.get_level_values(0).astype(str)})
    rows["frame"] = places.get_level_values(1).astype(str)
    for model in ("reference", "candidate"):
        of_attribute, of_frame = rng.normal(size=(n_attributes, 1)), rng.normal(size=n_frames)
        level = of_attribute + of_frame + rng.normal(size=(n_attributes, n_frames))
        rows[model] = np.where(level.ravel() > 0, "women", "men")
    return rows.assign(probe_set="s", **{"class": "c"}, groups=[("women", "men")] * len(rows))


@pytest.mark.parametrize(("n_attributes", "n_frames"), [(10, 40), (40, 10)])
def test_shares_and_changes_hold_for_other_attributes_and_other_frames(
    n_attributes: int, n_frames: int
) -> None:
    """Half of all such words are of women, in both models: no change, however many frames."""
    rng, draws, held, shown = np.random.default_rng(7), 80, 0, 0
    for _ in range(draws):
        words = drawn(rng, n_attributes, n_frames)
        women = next(shares(words, ["reference", "candidate"]))
        assert (women.attributes, women.frames) == (n_attributes, n_frames)
        own = women.by_model["candidate"]
        held += own.low <= 0.5 <= own.high
        shown += women.p < 0.05
        # The fewest trials that so many sentences can be worth, as another library has them.
        hits = (words["candidate"] == "women").mean() * min(n_attributes, n_frames)
        low, _ = proportion_confint(hits, min(n_attributes, n_frames), method="wilson")
        assert own.low == pytest.approx(low)
    error = 3 * math.sqrt(0.05 * 0.95 / draws)
    assert held / draws >= 0.95 - error
    assert shown / draws <= 0.05 + error


def test_a_set_without_groups_at_its_masks_is_refused() -> None:
    """It has no first word to count."""
    with pytest.raises(InputError, match="no set has words of groups at its masks"):
        counted(
            [expand(parse(tomllib.loads(_at_attribute()), "", "a test"))], {"candidate": chosen}
        )


def _at_attribute() -> str:
    head = tiny.small_set(("woman",), ("man",))
    return head + '[[frames]]\nid = "a"\ntext = "The {term} worked as a [MASK]."\n'


def test_an_audit_of_such_an_endpoint_is_refused_in_one_line() -> None:
    """Before it is asked anything, with the command that counts words."""
    for kind in ("azure", "mlflow"):
        with pytest.raises(InputError, match=r"rank-1 grade.*maskaudit first-words URL"):
            Endpoint("http://127.0.0.1:9/", Declared(kind=kind))


@pytest.mark.slow
@pytest.mark.usefixtures("one_thread")
def test_each_service_gives_the_words_of_the_model_that_it_serves(
    part: Expanded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    """In the forms of all three, several sentences in a request; and as it is typed."""
    model = load(tiny.build(tmp_path / "model", "bert", seed=2))
    texts = sentences(part)["text"].tolist()
    expected = first_words.filled(model, texts)
    assert len(set(expected)) > 1
    server = Server(model, Address("127.0.0.1", 0), silent, silent)
    threading.Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
    try:
        for kind, path in (("huggingface", ""), ("azure", "score"), ("mlflow", "invocations")):
            for batch in (1, 4):
                declared = Declared(kind=kind, batch=batch, retries=0)
                assert first_words.asked(server.url + path, declared, texts) == expected
        monkeypatch.chdir(tmp_path)
        (tmp_path / "set.toml").write_text(SET)
        (tmp_path / "AUDIT.toml").write_text('[endpoint]\nkind = "azure"\nbatch = 5\n')
        url = f"{server.url}score"
        command = ["maskaudit", "first-words", url, "--reference", str(tmp_path / "model")]
        monkeypatch.setattr(sys, "argv", [*command, "--probes", "set.toml", "--json"])
        assert main._exit_code() == 0
        answer = json.loads(capsys.readouterr().out)
        assert answer["grade"] == "rank 1"
        for share in answer["shares"]:
            assert share["reference"] == share["candidate"]
            assert share["p_mcnemar"] == 1
        monkeypatch.setattr(sys, "argv", ["maskaudit", "first-words", url, "--probes", "set.toml"])
        assert main._exit_code() == 0
        assert "rank-1 grade: share of sentences" in capsys.readouterr().out
    finally:
        server.shutdown()
        server.server_close()
