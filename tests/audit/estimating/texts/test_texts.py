"""Numbers of masked text against a plain slow oracle: each text by itself, loops over masks."""

import json
import math
import statistics
from collections import defaultdict

import pytest
import torch
from scipy import stats

from maskaudit.audit.estimating.design import Design
from maskaudit.audit.estimating.estimate import estimate
from maskaudit.audit.estimating.estimators.catalogue import needed
from maskaudit.audit.measuring import scoring
from maskaudit.audit.measuring.backends import torch_model as models
from maskaudit.probes.expand import expand
from maskaudit.probes.texts.source import TextSource
from maskaudit.probes.texts.text_set import read
from tests import oracle, tiny

pytestmark = [pytest.mark.usefixtures("one_thread"), pytest.mark.slow]

WIDTH = 20

# In the shape of the data that services publish: several masks, two words, damaged answers.
ROWS = [
    ("1", "The <mask> said that <mask> was a <mask>.", ["doctor", "she", "nurse"], "women"),
    ("1", "The <mask> is a <mask>.", ["woman", "doctor nurse"], "women"),
    ("2", "<mask> is a <mask>.", ["he", "farmer"], "men"),
    ("3", "The <mask> and the <mask> said that she is a teacher.", ["man", "wo man"], "men"),
    ("4", "she is a <mask>issière.", ["pai"], "women"),
    ("4", "she is a <mask>.", ["teacher", "doctor"], "women"),
    ("5", "he was the <mask> person.", ["he she"], "men"),
    ("6", "a <mask> is a person.", ["nurses"], None),
    ("7", "the <mask> was a man.", ["teacher"], "women"),
    ("8", "the <mask> is a lawyer.", ["man"], "men"),
]  # fmt: skip
NATURAL_ROWS = [
    ("1", "<mask> was born in <mask>, and <mask> worked there as a teacher.",
     ["Anna Morris", "New York", "she"], "women"),
    ("1", "Her <mask> went to London with <mask> B.", ["brother", "Arthur"], "women"),
    ("2", "<mask> said that the <mask> would come in the morning.", ["He", "doctor"], "men"),
    ("3", "The letter of <mask> to his <mask> was lost.", ["Robert Gson", "father"], "men"),
    ("4", "They met <mask>issière at the house of the old <mask>.", ["Cour", "man"], "women"),
    ("5", "The cell divides, and each <mask> has the same number of chromosomes.", ["cell"], None),
    ("6", "In the <mask> of the war <mask> was a nurse in Paris.", ["years", "Mary"], "women"),
    ("7", "He wrote to <mask>.", ["Thomas", "x"], "men"),
    ("8", "The price of the good rises when the <mask> is high.", ["demand"], None),
    ("9", "<mask> took his hat and went out into the <mask>.", ["George", "street"], "men"),
]  # fmt: skip


def data(folder, rows):
    """Write rows as JSON lines and return them as they are read."""
    keys = ("id", "texts", "masks", "gender")
    lines = [json.dumps(dict(zip(keys, row, strict=True))) for row in rows]
    (folder / "rows.jsonl").write_text("\n".join(lines), "utf-8")
    return read(TextSource(str(folder / "rows.jsonl"), columns={"group": "gender"}))


def searched(model, tokenizer, text, slot, k):
    """Return the likeliest fillings of k masks at the slot, by a plain beam, with their log p."""
    parts = text.split("[MASK]")
    before, after = "[MASK]".join(parts[: slot + 1]), "[MASK]".join(parts[slot + 1 :])
    whole = oracle._encode(tokenizer, before + " ".join(["[MASK]"] * k) + after)
    assert whole.count(tokenizer.mask_token_id) == len(parts) - 2 + k
    start = [i for i, piece in enumerate(whole) if piece == tokenizer.mask_token_id][slot]
    beam = [((), 0.0)]
    for step in range(k):
        longer = []
        for pieces, total in beam:
            ids = [*whole]
            ids[start : start + step] = pieces
            row = oracle._log_softmax(model, ids)[start + step].tolist()
            longer += [((*pieces, piece), total + value) for piece, value in enumerate(row)]
        beam = sorted(longer, key=lambda one: -one[1])[:WIDTH]
    return beam


def read_slowly(folder, rows):
    """Return what a model makes of each mask of the rows that can be asked, a dict each."""
    model, tokenizer = oracle.load(folder)
    found = []
    for document, with_masks, words, group in rows:
        if with_masks.count("<mask>") != len(words):
            continue
        text, answers = with_masks, [*words]
        if "<mask>issière" in text:
            place = text[: text.index("<mask>issière")].count("<mask>")
            text = text.replace("<mask>issière", answers.pop(place) + "issière")
        text = text.replace("<mask>", "[MASK]")
        for slot, answer in enumerate(answers):
            values = oracle.log_ps(model, tokenizer, text, slot, answer)
            distribution = oracle.distribution(model, tokenizer, text, slot)
            fillings = searched(model, tokenizer, text, slot, len(values))
            value = math.fsum(values)
            likelier = sum(total > value + 1e-9 for _, total in fillings)
            found.append(
                {
                    "document": document,
                    "group": group,
                    "value": value,
                    "pieces": len(values),
                    "words": len(answer.split()),
                    "rank": likelier + 1,
                    "confidence": math.exp(max(value, fillings[0][1])),
                    "entropy": -math.fsum(math.exp(x) * x for x in distribution.tolist()),
                    "distribution": distribution,
                }
            )
    return found


def expected(masks):
    """Return every number of one model over some masks, by plain loops."""
    n = len(masks)
    nll = -math.fsum(mask["value"] for mask in masks)
    right = [mask["rank"] == 1 for mask in masks]
    bins = defaultdict(list)
    for mask, is_right in zip(masks, right, strict=True):
        bins[min(9, int(10 * mask["confidence"]))].append((mask["confidence"], is_right))
    ece = squares = 0.0
    for inside in bins.values():
        count = len(inside)
        p, q = (statistics.fmean(map(float, part)) for part in zip(*inside, strict=True))
        ece += count / n * abs(p - q)
        if count > 1:
            squares += count / n * ((p - q) ** 2 - q * (1 - q) / (count - 1))
    per_piece = nll / sum(mask["pieces"] for mask in masks)
    per_word = nll / sum(mask["words"] for mask in masks)
    brier = [(m["confidence"] - r) ** 2 for m, r in zip(masks, right, strict=True)]
    return {
        **{f"exact@{k}": sum(m["rank"] <= k for m in masks) / n for k in (1, 5, 10)},
        "nll_answer": nll / n,
        "nll_word": per_word,
        "nll_piece": per_piece,
        "pseudo_perplexity": math.exp(per_piece),
        "word_perplexity": math.exp(per_word),
        "mask_entropy": statistics.fmean(mask["entropy"] for mask in masks),
        "brier": statistics.fmean(brier),
        "ece": ece,
        "ece_debiased": math.sqrt(max(0.0, squares)),
    }


def relation(first, second):
    """Return the distances of two models over the masks, each a mean over masks."""
    rows = []
    for one, other in zip(first, second, strict=True):
        p, q = one["distribution"], other["distribution"]
        top = [set(torch.topk(x, 10)[1].tolist()) for x in (p, q)]
        rows.append(
            {
                "kl": oracle.kl_of(p, q),
                "jsd": oracle.jsd_of(p, q),
                "tv": oracle.tv_of(p, q),
                "top1": float(p.argmax() == q.argmax()),
                "agreement@10": len(top[0] & top[1]) / 10,
            }
        )
    return {name: statistics.fmean(row[name] for row in rows) for name in rows[0]}


def jackknife(masks, function):
    """Return the limits of a number that a document is left out of, one at a time."""
    documents = sorted({mask["document"] for mask in masks})
    g = len(documents)
    without = [function([m for m in masks if m["document"] != d]) for d in documents]
    mean = statistics.fmean(without)
    error = math.sqrt((g - 1) / g * math.fsum((x - mean) ** 2 for x in without))
    half = stats.t.ppf(0.975, g - 1) * error
    return function(masks) - half, function(masks) + half


def audited(folder, rows, reference, candidate):
    """Return the estimates of a pair on rows, by estimator, slice and subject."""
    probe_set = data(folder, rows)
    part = expand(probe_set)
    loaded = [models.load(str(path)) for path in (reference, candidate)]
    scored = scoring.score(part, loaded, measures=needed("text"))
    design = Design("rows", "text", None, "lean", {"probe_set": "rows"})
    table = estimate(part.items, scored.scores, [design], scored.fills, scored.paired).estimates
    return table.set_index(["estimator", "slice", "subject"])


@pytest.fixture(scope="module", params=["tiny", "natural"])
def both(request, tmp_path_factory):
    """Return the estimates of a pair and what the oracle reads with each model."""
    folder = tmp_path_factory.mktemp("texts")
    if request.param == "tiny":
        rows = ROWS
        pair = [tiny.build(folder / name, "bert", seed=n) for n, name in enumerate("ab")]
    else:
        natural = request.getfixturevalue("shared") / "models" / "natural"
        if not natural.is_dir():
            pytest.skip("there is no natural pair in the folder 'shared'")
        rows, pair = NATURAL_ROWS, [natural / "teacher", natural / "student"]
    read_by = {
        subject: read_slowly(path, rows)
        for subject, path in zip(("reference", "candidate"), pair, strict=True)
    }
    return audited(folder, rows, *pair), read_by


def test_every_number_is_the_oracle_s(both):
    """Of each model, over all masks and over those of each group; two words and damage included."""
    table, read_by = both
    assert any(m["words"] > 1 for m in read_by["reference"])
    assert any(m["pieces"] > 1 for m in read_by["reference"])
    for subject, masks in read_by.items():
        parts = {"all": masks}
        for group in ("women", "men"):
            parts[f"group={group}"] = [m for m in masks if m["group"] == group]
        for slice_, own in parts.items():
            for name, value in expected(own).items():
                found = table.loc[name, slice_, subject]
                assert found["estimate"] == pytest.approx(value, rel=1e-5, abs=1e-5), (name, slice_)
                assert found["n_frames"] == len(own)
                assert found["n_attributes"] == len({m["document"] for m in own})


def test_the_models_are_compared_mask_by_mask_and_by_document(both):
    """Fidelity and agreement, differences, and the gap between the groups of each."""
    table, read_by = both
    for name, value in relation(read_by["reference"], read_by["candidate"]).items():
        found = table.loc[name, "all", "relation"]
        assert found["estimate"] == pytest.approx(value, abs=1e-5), name
        documents = {mask["document"] for mask in read_by["reference"]}
        assert found["n_attributes"] == len(documents)
    for name, value in expected(read_by["candidate"]).items():
        if name.endswith("perplexity"):
            assert (name, "all", "difference") not in table.index
            continue
        change = value - expected(read_by["reference"])[name]
        assert table.loc[name, "all", "difference"]["estimate"] == pytest.approx(change, abs=1e-5)
    for name, of in (("exact_gap@1", "exact@1"), ("nll_gap", "nll_word")):
        for subject, masks in read_by.items():
            men, women = ([m for m in masks if m["group"] == g] for g in ("men", "women"))
            gap = expected(men)[of] - expected(women)[of]
            found = table.loc[f"{name} men/women", "all", subject]
            assert found["estimate"] == pytest.approx(gap, abs=1e-5)
            assert math.isnan(found["null_value"]) == bool(found["flag"])


def test_intervals_are_over_documents(both):
    """A jackknife's for means, e to its limits for a perplexity, Wilson's for a share."""
    table, read_by = both
    masks = read_by["candidate"]
    low, high = jackknife(masks, lambda own: expected(own)["nll_word"])
    found = table.loc["nll_word", "all", "candidate"]
    assert (found["low"], found["high"]) == pytest.approx((low, high), rel=1e-5)
    found = table.loc["word_perplexity", "all", "candidate"]
    assert (found["low"], found["high"]) == pytest.approx((math.exp(low), math.exp(high)), rel=1e-4)
    counts = [sum(m["document"] == d for m in masks) for d in {m["document"] for m in masks}]
    n = sum(counts) ** 2 / sum(c**2 for c in counts)
    z, share = stats.norm.ppf(0.975), expected(masks)["exact@5"]
    # The roots of (share - x)^2 = z^2 x (1 - x) / n.
    a, b, c = 1 + z**2 / n, -(2 * share + z**2 / n), share**2
    roots = sorted((-b + sign * math.sqrt(b * b - 4 * a * c)) / (2 * a) for sign in (-1, 1))
    found = table.loc["exact@5", "all", "candidate"]
    assert (found["low"], found["high"]) == pytest.approx(tuple(roots), abs=1e-9)


def test_strata_hold_every_mask_once(both):
    """By length, position, frequency and pieces; a stratum of pieces is the first model's."""
    table, read_by = both
    masks = read_by["reference"]
    sizes = table.loc["nll_answer"].xs("candidate", level="subject")["n_frames"]
    for kind in ("length", "position", "frequency", "pieces"):
        own = [size for slice_, size in sizes.items() if slice_.startswith(f"{kind}=")]
        assert sum(own) == len(masks), kind
    ones = [mask for mask in read_by["candidate"] if mask["pieces"] == 1]
    found = table.loc["nll_answer", "pieces=1", "candidate"]
    assert found["estimate"] == pytest.approx(expected(ones)["nll_answer"], abs=1e-5)
