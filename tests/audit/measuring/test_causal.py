"""The perplexity of predictions under a causal model, against a softmax for each prefix."""

import json
import math

import pytest
import torch
from transformers import AutoTokenizer, GPT2Config, GPT2LMHeadModel

from maskaudit.audit.measuring.causal import Causal
from maskaudit.audit.recording.record import load_record
from tests import oracle, tiny
from tests.audit.estimating.texts.test_texts import ROWS

pytestmark = pytest.mark.slow
KEYS = ("id", "texts", "masks", "gender")


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    """Give a folder with a tiny causal model, a tiny masked one, and rows of masked text."""
    folder = tmp_path_factory.mktemp("here")
    rob = tiny.build(folder / "roberta", "roberta")
    tokenizer = AutoTokenizer.from_pretrained(rob)
    torch.manual_seed(0)
    config = GPT2Config(vocab_size=len(tokenizer), n_embd=16, n_layer=1, n_head=2, n_positions=24)
    model = GPT2LMHeadModel(config)
    for weights in model.parameters():
        weights.data.normal_(0, 0.5)
    model.save_pretrained(folder / "causal")
    tokenizer.save_pretrained(folder / "causal")
    tiny.build(folder / "student", "bert")
    lines = [json.dumps(dict(zip(KEYS, row, strict=True))) for row in ROWS]
    (folder / "rows.jsonl").write_text("\n".join(lines), "utf-8")
    return folder


def slowly(folder, text):
    """Return the perplexity of a text, one prefix at a time, with a start token."""
    model = GPT2LMHeadModel.from_pretrained(folder).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    ids = [tokenizer.bos_token_id, *tokenizer(text, add_special_tokens=False)["input_ids"]]
    total = 0.0
    for end in range(1, len(ids)):
        with torch.inference_mode():
            logits = model(input_ids=torch.tensor([ids[:end]])).logits[0, -1].double()
        total -= (logits[ids[end]] - logits.exp().sum().log()).item()
    return math.exp(total / (len(ids) - 1))


def test_the_perplexity_of_a_text_is_that_of_its_prefixes(here):
    """Of one word and of several joined by commas; of none it is unknown."""
    causal = Causal.load(str(here / "causal"))
    for text in ("the", "she,nurse", "doctor,he,woman"):
        expected = slowly(here / "causal", text)
        assert math.exp(causal.nats(text)) == pytest.approx(expected, rel=1e-5)
    assert math.isnan(causal.nats(""))


def test_the_published_number_is_of_predictions_alone(here, command):
    """The mean over texts, whatever the answers are; in a record that holds, beside our own."""
    words = ("evaluate", "student", "--text", "rows.jsonl", "--causal", "causal", "--json")
    done = command(here, *words)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    model, tokenizer = oracle.load(here / "student")
    expected = []
    for _, text, answers, _ in ROWS:
        if text.count("<mask>") != len(answers) or "<mask>issière" in text:
            continue
        masked = text.replace("<mask>", "[MASK]")
        first = [
            oracle.top_k(model, tokenizer, masked, slot, 1)[0][0] for slot in range(len(answers))
        ]
        pieces = [tokenizer.convert_ids_to_tokens(index) for index in first]
        expected.append(slowly(here / "causal", ",".join(pieces)))
    [row] = [row for row in told["texts"][0]["numbers"] if row["number"] == "prediction_perplexity"]
    assert row["estimate"] == pytest.approx(sum(expected) / len(expected), rel=1e-4)
    assert row["masks"] == len(expected)
    record = load_record(here / told["record"])
    assert record.manifest.method["causal"]
    own = record.estimates[record.estimates["estimator"] == "prediction_perplexity"]
    assert set(own["mode"]) == {"published"}
    assert command(here, "verify", told["record"]).returncode == 0
    shown = command(here, "show", told["record"]).stdout
    assert "prediction_perplexity (published)" in shown


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("none", "--causal none: is no folder; expected that of a causal model"),
        ("empty", "model --causal empty: found"),
        ("student", "--causal student: "),
    ],
)
def test_what_is_no_causal_model_is_refused(here, command, name, told):
    """In a line, with exit code 2, and no record."""
    (here / "empty").mkdir(exist_ok=True)
    before = set(here.rglob("record.json"))
    done = command(here, "evaluate", "student", "--text", "rows.jsonl", "--causal", name)
    assert done.returncode == 2, done.stderr
    assert told in done.stderr
    assert set(here.rglob("record.json")) == before
