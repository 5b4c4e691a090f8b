"""The same model and probes give the same verdicts, however they are batched, split and ordered."""

from datetime import date

import pandas as pd
import pytest
import torch

from maskaudit.audit.estimating.design import design
from maskaudit.audit.estimating.estimate import estimate
from maskaudit.audit.judging import policy
from maskaudit.audit.judging.judge import judge
from maskaudit.audit.measuring.backends import torch_model as models
from maskaudit.audit.measuring.planning import read_plan
from maskaudit.audit.measuring.scoring import score
from maskaudit.audit.phantom import truth
from maskaudit.audit.proving.selftest.exact import shuffled
from maskaudit.audit.recording.record import Record
from maskaudit.audit.recording.rows import tables
from maskaudit.probes.expand import Expanded, expand
from maskaudit.probes.loading import load, shipped
from tests import manifests

pytestmark = pytest.mark.slow

BATCHES = (64, 300, 1000, 2048, 9000)
THREADS = (1, 2)
SET = "religion-trait"
FRAMES, ATTRIBUTES = 6, 12
# One of each verdict, and one whose bound lies within a tenth of a standard error of the margin.
POLICY = """
[[gate]]
id = "{name}"
rule = "{rule}"
select = {{ probe_set = "{set}", slice = "{slice}", estimator = "{estimator}" }}
{limit}
harm = "up"
reason = "a test"
"""


@pytest.fixture(scope="module")
def pair():
    """The bundled pair."""
    return [models.load(str(folder)) for folder in (truth.TEACHER, truth.STUDENT)]


@pytest.fixture(scope="module")
def part():
    """Some frames of a set, and some attributes of each of its classes."""
    whole = expand(load(shipped()[SET]))
    frames = whole.items["frame"].unique()[:FRAMES]
    by_class = whole.items[whole.items["class"] != ""].groupby("class")["attribute"].unique()
    attributes = [word for own in by_class for word in own[: ATTRIBUTES // len(by_class)]]
    chosen = whole.items["frame"].isin(frames) & whole.items["attribute"].isin([*attributes, ""])
    items = whole.items[chosen].reset_index(drop=True)
    contexts = whole.contexts[whole.contexts["context"].isin(items["context"])]
    return Expanded(contexts.reset_index(drop=True), items)


def audited(part, pair):
    """Items, scores made anew, and the estimates of both models."""
    header = load(shipped()[SET]).header
    described = manifests.probe_set(**header.model_dump(exclude={"name"}), items_digest=part.digest)
    found = score(part, pair)
    own = design(SET, described, {"engine": "a test"})
    made = estimate(part.items, found.scores, [own], found.fills, found.paired)
    return {"items": part.items, "scores": found.scores, "estimates": made.estimates}


def verdicts(found, rules):
    """Every verdict on what was audited."""
    empty = {name: tables.table(name, []) for name in tables.COLUMNS}
    manifest = manifests.manifest(
        probe_sets={SET: {"axis": "religion", "expect": "lean"}},
        models={"reference": {}, "candidate": {}},
        created="2026-11-23T00:00:00+00:00",
    )
    record = Record(manifest, **{**empty, **found})
    judged = judge(record, rules, today=date(2026, 11, 23))
    return {verdict.gate: verdict for verdict in judged.verdicts}


@pytest.fixture(scope="module")
def rules(tmp_path_factory, part, pair):
    """Gates whose margins lie where the first scoring puts each verdict."""
    found = audited(part, pair)["estimates"].set_index(["estimator", "slice", "subject"])
    change = found.loc[("stereotype_contrast", "contrast", "difference")]
    level = found.loc[("stereotype_contrast", "contrast", "candidate")]
    limits = {
        "wide": (
            "non_inferiority",
            f"margin = {abs(change['estimate']) + 9 * change['std_error']}",
        ),
        "narrow": ("non_inferiority", f"margin = {change['std_error'] / 10}"),
        "below": ("bound", f"bound = {level['estimate'] - 9 * level['std_error']}"),
        "at": ("bound", f"bound = {level['estimate']}"),
        "edge": ("bound", f"bound = {level['estimate'] + 1.8 * level['std_error']}"),
    }
    text = "".join(
        POLICY.format(
            name=name, rule=rule, limit=limit, set=SET,
            slice="contrast", estimator="stereotype_contrast",
        )
        for name, (rule, limit) in limits.items()
    )  # fmt: skip
    path = tmp_path_factory.mktemp("policy") / "gates.toml"
    path.write_text(text, "utf-8")
    return policy.read(path)


def test_verdicts_do_not_depend_on_batches_threads_or_order(part, pair, rules, monkeypatch):
    """Ten scorings anew, each second one in another order of the probes."""
    threads = torch.get_num_threads()
    found = []
    try:
        for number, batch in enumerate(BATCHES):
            for count in THREADS:
                monkeypatch.setattr(read_plan, "BATCH_PIECES", batch)
                torch.set_num_threads(count)
                asked = shuffled(part) if (number + count) % 2 else part
                found.append(verdicts(audited(asked, pair), rules))
    finally:
        torch.set_num_threads(threads)
    words = pd.DataFrame(
        [{name: verdict.verdict for name, verdict in one.items()} for one in found]
    )
    assert len(words) == len(BATCHES) * len(THREADS)
    assert (words == words.iloc[0]).all(axis=None)
    assert set(words.iloc[0]) == {"pass", "fail", "inconclusive"}
    numbers = pd.DataFrame([{n: v.estimate for n, v in one.items()} for one in found])
    assert (numbers.max() - numbers.min()).max() < 1e-4
    # The scorings were made anew: bits differ, verdicts do not.
    assert (numbers.max() - numbers.min()).max() > 0
