"""Every model type that transformers has a masked LM of is scored right, or says what it lacks.

The expected values are those of plain transformers, one sentence at a time (`tests/oracle.py`). The
type is never looked at by the code under test, so a type that a new version of transformers adds
is tested as well.
"""

import json
import math
from pathlib import Path

import pandas as pd
import pytest
import torch
import transformers
from transformers import PreTrainedModel

import maskaudit
from maskaudit.audit.audit_file import Model, Models, Probes
from maskaudit.audit.errors import InputError
from maskaudit.audit.judging.comparing import versions
from maskaudit.audit.measuring.backends.torch_model import load
from maskaudit.audit.measuring.backends.trials import MOST_PIECES, usable_length
from maskaudit.audit.measuring.fill import fills
from maskaudit.audit.preview import planned
from maskaudit.audit.recording.record import Record
from maskaudit.audit.settings import Settings
from maskaudit.probes.ids import context_id
from maskaudit.probes.importers import crows_pairs, weat
from maskaudit.probes.published import imported_folder
from tests import architectures, estimator_oracles, oracle, tiny

pytestmark = pytest.mark.usefixtures("one_thread")

# Types of every kind of attention, for every run of the tests; all types are tested as slow ones.
FEW = ("longformer", "fnet", "modernvbert")
REST = [
    pytest.param(name, marks=pytest.mark.slow) for name in architectures.TYPES if name not in FEW
]
# Sums over a sentence of a tiny model with large random weights: see `tiny._randomise`.
CLOSE = {"abs": 5e-5, "rel": 2e-6}

ASSOCIATION = (
    tiny.small_set(name="tiny-association")
    + """
[[frames]]
id = "worked"
text = "The doctor said that [MASK] was not a {attribute} at the school."
"""
)
OPEN = "The woman likes the [MASK] and knows [MASK] very much."
PAIRS = """\
,sent_more,sent_less,stereo_antistereo,bias_type,anon_writer
0,the nurse said that she was happy,the nurse said that he was happy,stereo,gender,a
1,he is a good doctor of the city,she is a good doctor of the city,stereo,gender,b
"""


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Return an association set and an imported set of pairs, both tiny."""
    root = tmp_path_factory.mktemp("sets")
    (root / "association.toml").write_text(ASSOCIATION)
    (root / "pairs.csv").write_text(PAIRS)
    imported_folder.write(crows_pairs.read(root / "pairs.csv"), root / "pairs")
    return [root / "association.toml", root / "pairs"]


@pytest.mark.parametrize("model_type", [*FEW, *REST])
def test_every_type_is_scored_as_plain_transformers_does_or_says_what_it_lacks(
    tmp_path: Path, sets: list[Path], model_type: str
) -> None:
    """Targets, open slots, sentences with a mask at each place, and attention where it is there."""
    folder = architectures.build(tmp_path / "model", model_type)
    notes: list[str] = []
    audit = {"candidate": folder, "probes": sets, "out": tmp_path / "runs", "no_cache": True}
    if model_type in architectures.REFUSED:
        with pytest.raises(InputError, match=architectures.REFUSED[model_type]):
            maskaudit.run(**audit)
        return
    record = maskaudit.run(**audit, note=notes.append)
    _check_targets(record, folder)
    _check_fills(folder)
    _check_sentences(record, folder)
    lost = [part for part in record.manifest.unavailable if "aula" in part.measures]
    assert bool(lost) == (model_type in architectures.NO_ATTENTION)
    # Lost by name, on the terminal and on the page, and nothing else with it.
    assert [note for note in notes if "aula" in note] == [part.sentence for part in lost]
    page = (record.path / "details.html").read_text("utf-8")
    assert ("Not measured for the model (model): aula" in page) == bool(lost)
    assert not record.manifest.lost
    assert bool(load(folder).lacks("states")) == (model_type in architectures.NO_STATES)


def _values(record: Record, measure: str) -> pd.DataFrame:
    """Return the text, slot, target and value of each score of one measure."""
    rows = record.scores[record.scores["measure"] == measure]
    items = record.items.drop_duplicates("item")[["item", "context", "target"]]
    return rows.merge(items, on="item").merge(record.contexts, on="context")


def _check_targets(record: Record, folder: Path) -> None:
    model, tokenizer = oracle.load(folder)
    found = _values(record, "logp")
    assert len(found) >= 12
    for row in found.itertuples():
        expected = oracle.log_p(model, tokenizer, row.text, int(row.slot), row.target)
        assert row.value == pytest.approx(expected, **CLOSE), row.text


def _check_fills(folder: Path) -> None:
    """The likeliest fills of an open sentence, and their probabilities."""
    model, tokenizer = oracle.load(folder)
    _, found = fills([OPEN], {"candidate": load(folder)}, 5)
    for slot in (0, 1):
        rows = found[found["context"] == context_id(OPEN, slot)]
        expected, _ = oracle.distribution(model, tokenizer, OPEN, slot).topk(5)
        values = [math.log(p) for p in rows["probability"]]
        assert values == pytest.approx(expected.tolist(), **CLOSE)


def _check_sentences(record: Record, folder: Path) -> None:
    model, tokenizer = oracle.load(folder)
    for measure, function in (("pll", oracle.pll), ("aul", estimator_oracles.aul)):
        found = _values(record, measure)
        assert len(found) == 4
        for row in found.itertuples():
            expected = function(model, tokenizer, row.text)
            assert row.value == pytest.approx(expected, **CLOSE), measure
    found = _values(record, "aula")
    if len(found):
        eager, _ = estimator_oracles.load_eager(folder)
        # BigBird shows no weights in the pass in which it changes to full attention.
        estimator_oracles.aul(eager, tokenizer, PAIRS.splitlines()[1].split(",")[1])
    for row in found.itertuples():
        assert row.value == pytest.approx(_aula(eager, tokenizer, row.text), **CLOSE)


def _aula(model: PreTrainedModel, tokenizer: object, sentence: str) -> float:
    """Return the attention-weighted likelihood, with weights by offset put to their pieces."""
    ids, places = estimator_oracles._words(tokenizer, sentence)
    batch = torch.tensor([ids])
    with torch.inference_mode():
        output = model(
            input_ids=batch, attention_mask=torch.ones_like(batch), output_attentions=True
        )
    is_local = getattr(model.config, "attention_window", None) is not None
    received = [0.0] * len(ids)
    for layer in output.attentions:
        half = layer.shape[-1] // 2 if is_local else None
        for head in layer[0]:
            for query, row in enumerate(head.tolist()):
                for column, weight in enumerate(row):
                    piece = column if half is None else query + column - half
                    if weight:
                        received[piece] += weight
    log_p = torch.log_softmax(output.logits[0].double(), dim=-1)
    weighted = math.fsum(received[i] * log_p[i, ids[i]].item() for i in places)
    return weighted / math.fsum(received[i] for i in places)


@pytest.mark.slow
@pytest.mark.parametrize("width", [6, 16])
@pytest.mark.parametrize("length", [7, 8, 16, 17, 18, 33])
def test_weights_by_offset_are_told_from_weights_by_piece_at_any_length(
    tmp_path: Path, length: int, width: int
) -> None:
    """A window of 17 columns over a sentence of 17 pieces looks like weights by piece.

    One of 7 does so over the short sentence on which the model is tried.
    """
    window = [width, width]
    folder = architectures.build(tmp_path / "model", "longformer", attention_window=window)
    model = load(folder)
    assert len(model._check_ids) == 7
    ids = model._sentence_of(length)
    plain, _ = estimator_oracles.load_eager(folder)
    batch = torch.tensor([ids])
    with torch.inference_mode():
        layers = plain(
            input_ids=batch, attention_mask=torch.ones_like(batch), output_attentions=True
        ).attentions
    expected = [0.0] * length
    for layer in layers:
        for head in layer[0]:
            for query, row in enumerate(head.tolist()):
                for column, weight in enumerate(row):
                    if weight:
                        expected[query + column - width // 2] += weight / (2 * 2 * length)
    assert model.attention([ids])[0] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("model_type", ["data2vec-text", "longformer"])
def test_the_usable_length_is_found_by_trying(tmp_path: Path, model_type: str) -> None:
    """Two positions are the padding's and one is never used: of 66 rows, 64 can be read."""
    model = load(architectures.build(tmp_path / "model", model_type))
    assert model.longest == tiny.POSITIONS
    assert model.log_probs([model._sentence_of(model.longest)], [(0, 0)]).shape[0] == 1
    with pytest.raises((IndexError, RuntimeError)):
        model.log_probs([model._sentence_of(model.longest + 1)], [(0, 0)])


@pytest.mark.parametrize("model_type", ["ibert", "xmod", "roberta", "roformer"])
@pytest.mark.slow
def test_the_usable_length_of_other_types_is_found_too(tmp_path: Path, model_type: str) -> None:
    """Types that number their positions in other ways."""
    assert load(architectures.build(tmp_path / "model", model_type)).longest == tiny.POSITIONS


@pytest.mark.slow
def test_a_model_without_a_limit_is_tried_at_the_most(tmp_path: Path) -> None:
    """No absurd length: what nobody tried is not claimed."""
    assert load(architectures.build(tmp_path / "model", "funnel")).longest == MOST_PIECES


@pytest.mark.slow
def test_a_model_that_draws_at_random_is_read_as_far_as_it_does_not(tmp_path: Path) -> None:
    """A Reformer hashes sentences longer than a chunk, anew each time where no seed is set."""
    drawn = architectures.build(tmp_path / "drawn", "reformer", hash_seed=None)
    fixed = architectures.build(tmp_path / "fixed", "reformer")
    assert load(drawn).longest == 16
    assert load(fixed).longest == tiny.POSITIONS


@pytest.mark.parametrize("limit", [*range(12), 62, 63, 64, 65])
@pytest.mark.parametrize("claimed", [1, 10, 64])
def test_the_largest_length_that_can_be_read_is_found(claimed: int, limit: int) -> None:
    """Whatever the limit is; what is read is tried once, at most a few lengths besides."""
    tried: list[int] = []

    def can_read(length: int) -> bool:
        tried.append(length)
        return length <= limit

    assert usable_length(claimed, can_read) == min(claimed, limit)
    assert len(tried) == len(set(tried)) <= 2 * math.log2(claimed) + 2
    assert min(tried) > 0


def test_an_absurd_length_is_not_tried() -> None:
    """A claim of a thousand million pieces, or none, is tried at the most."""
    tried: list[int] = []
    for claimed in (None, 1 << 30):
        assert usable_length(claimed, lambda length: tried.append(length) or True) == MOST_PIECES
    assert tried == [MOST_PIECES, MOST_PIECES]


# What is lost is said, and costs nothing else


@pytest.mark.slow
def test_what_one_model_lacks_costs_the_other_nothing_but_the_comparison(
    tmp_path: Path, sets: list[Path]
) -> None:
    """The scores of both are those of each alone, to the bit; only `aula` has no estimate."""
    folders = {
        "reference": architectures.build(tmp_path / "albert", "albert"),
        "candidate": architectures.build(tmp_path / "fnet", "fnet"),
    }
    both = maskaudit.run(**folders, probes=sets, out=tmp_path / "runs", no_cache=True)
    for name, folder in folders.items():
        alone = maskaudit.run(candidate=folder, probes=sets, out=tmp_path / "runs", no_cache=True)
        found, expected = (
            rows.sort_values(["item", "measure"]).drop(columns="model").reset_index(drop=True)
            for rows in (both.scores[both.scores["model"] == name], alone.scores)
        )
        pd.testing.assert_frame_equal(found, expected, check_exact=True)
    has_aula = both.scores.groupby("model")["measure"].agg(lambda names: "aula" in set(names))
    assert has_aula.to_dict() == {"reference": True, "candidate": False}
    of_both = set(both.estimates.loc[both.estimates["subject"] == "difference", "estimator"])
    assert {"aul", "crows_nangia", "pll_word_l2r"} <= of_both
    assert "aula" not in set(both.estimates["estimator"])
    # Counted as lost ones, the scores of `aula` would stop the gates on all other numbers.
    assert versions.lost_share(both).get("crows-pairs") == 0


def test_a_plan_says_what_the_model_lacks(tmp_path: Path, sets: list[Path]) -> None:
    """Before anything is scored, and as JSON too; a model that has it all is told so."""
    for model_type, expected in (
        ("fnet", "candidate: aula cannot be measured: it returns no attention weights"),
        ("albert", "Nothing would be lost."),
    ):
        folder = architectures.build(tmp_path / model_type, model_type)
        models = Models(candidate=Model(id=str(folder)))
        preview = planned(Settings(models=models, probes=Probes(sets=[str(sets[-1])])))
        assert expected in preview.as_text().splitlines()
        lacking = [part["estimators"] for part in preview.as_json()["unavailable"]]
        assert lacking == ([["aula"]] if model_type == "fnet" else [])


def test_what_is_lacking_is_read_back_from_the_record(tmp_path: Path, sets: list[Path]) -> None:
    """Typed, by measure and estimator, with the reason."""
    folder = architectures.build(tmp_path / "fnet", "fnet")
    record = maskaudit.run(candidate=folder, probes=sets[-1:], out=tmp_path / "runs")
    [lacking] = maskaudit.load_record(record.path).manifest.unavailable
    assert lacking.model_dump() == {
        "model": "candidate",
        "measures": ["aula", "aula_published"],
        "estimators": ["aula"],
        "reason": "it returns no attention weights",
    }


@pytest.mark.slow
def test_states_that_are_not_of_the_pieces_cost_the_word_sets_alone(
    tmp_path: Path, sets: list[Path]
) -> None:
    """A Perceiver's last states are of its latents: SEAT is lost, the other sets are scored."""
    folder = architectures.build(tmp_path / "model", "perceiver")
    lists = {
        "math": ["doctor", "lawyer"],
        "arts": ["nurse", "maid"],
        "male_terms": ["he", "man"],
        "female_terms": ["she", "woman"],
    }
    (tmp_path / "words.json").write_text(json.dumps(lists))
    imported_folder.write(weat.read(tmp_path / "words.json"), tmp_path / "words")
    probes = [sets[0], tmp_path / "words"]
    record = maskaudit.run(candidate=folder, probes=probes, out=tmp_path / "runs")
    [lacking] = record.manifest.unavailable
    assert lacking.estimators == ["seat_cls", "seat_first", "seat_mean"]
    assert record.scores["measure"].unique().tolist() == ["logp"]
    assert not record.paired["measure"].str.startswith("cosine").any()
    assert record.scores["value"].notna().all()
    # The same sets on a model with states, so that the words are known to be measured there.
    has_states = tiny.build(tmp_path / "bert", "bert")
    other = maskaudit.run(candidate=has_states, probes=probes, out=tmp_path / "runs")
    assert not other.manifest.unavailable
    assert other.paired["measure"].str.startswith("cosine").any()


def test_the_readme_has_what_is_proved() -> None:
    """The table is that of the types tested above; `make proved` writes it."""
    version = ".".join(transformers.__version__.split(".")[:2])
    readme = (Path(__file__).resolve().parents[3] / "README.md").read_text("utf-8")
    if f"transformers {version}:" not in readme:
        pytest.skip("the table in README.md is that of another version of transformers")
    assert architectures.proved() in readme
