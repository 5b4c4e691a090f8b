"""An audit through an endpoint has the numbers of the audit of the model that it serves."""

import threading
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from maskaudit.audit import pipeline, preview
from maskaudit.audit.audit_file import Endpoint as Declared
from maskaudit.audit.errors import InputError
from maskaudit.audit.measuring import scoring
from maskaudit.audit.measuring.backends.torch_model import LoadedModel, load
from maskaudit.audit.measuring.endpoints.endpoint import CANARIES, Endpoint
from maskaudit.audit.recording.record import Record
from maskaudit.audit.serving.addresses import Address
from maskaudit.audit.serving.server import Server
from maskaudit.audit.settings import Settings, resolve
from maskaudit.audit.verifying.verify import verify
from maskaudit.audit.vocabulary import silent
from maskaudit.probes.expand import Expanded, expand
from maskaudit.probes.loading import parse
from tests import tiny

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_thread")]

FRAMES = """
[[frames]]
id = "first"
text = "[MASK] worked as {a attribute} for years."
variants = ["For years, [MASK] worked as {a attribute}."]
[[frames]]
id = "second"
text = "They said that [MASK] is {a attribute}."
[[frames]]
id = "third"
text = "We know that [MASK] was {a attribute}, and \N{SNOWMAN} too."
[[frames]]
id = "fourth"
text = "We know that [MASK] was {a attribute}."
"""
# Some words of this set have several pieces in each vocabulary.
SEVERAL = tiny.small_set(("she", "woman", "teacher"), ("he", "man", "farmer")) + FRAMES
ONE = tiny.small_set(("she", "woman"), ("he", "man")) + FRAMES


@contextmanager
def served(model: LoadedModel) -> Iterator[str]:
    """Serve a model as `maskaudit serve` does; yields the address."""
    faults: list[Exception] = []
    with Server(model, Address("127.0.0.1", 0), silent, faults.append) as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.01], daemon=True)
        thread.start()
        yield server.url
        server.shutdown()
        thread.join()
    assert not faults


def both(local: pd.DataFrame, asked: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Return the rows of two tables side by side."""
    return local.merge(asked, on=keys, how="outer", suffixes=("", "_asked"), indicator=True)


@pytest.fixture(scope="module")
def part() -> Expanded:
    """Give the set as it is asked."""
    return expand(parse(tomllib.loads(SEVERAL), "", "a test"))


@pytest.mark.parametrize("architecture", ["bert", "roberta", "albert"])
def test_each_word_of_one_piece_has_the_score_that_the_model_gives(
    architecture: str, part: Expanded, tmp_path: Path
) -> None:
    """To 1e-5 nats, with every kind of tokenizer; all else is lost with its reason, and never 0."""
    model = load(tiny.build(tmp_path / "model", architecture, seed=5))
    local = scoring.score(part, [model], reading="as_encoded").scores
    with served(model) as url:
        endpoint = Endpoint(url, Declared(batch=3, retries=0))
        scored = scoring.score(part, [endpoint])
        n_first = endpoint.n_asked
        again = scoring.score(part, [endpoint])
        assert endpoint.n_asked == n_first
    pd.testing.assert_frame_equal(scored.scores, again.scores)
    assert scored.fills.empty
    assert scored.paired.empty
    rows = both(local, scored.scores, ["item", "measure"])
    assert (rows["_merge"] == "both").all()
    one = (rows["status"] == "ok") & (rows["pieces"] == 1).fillna(value=False).astype(bool)
    assert list(rows["status_asked"] == "ok") == list(one)
    assert one.sum() > len(rows) / 2
    assert (rows["value"] - rows["value_asked"])[one].abs().max() < 1e-5
    lost = rows[~one]
    assert lost["value_asked"].isna().all()
    several = (lost["pieces"] > 1).fillna(value=False).astype(bool)
    assert (lost.loc[several, "status_asked"] == "several_pieces").all()
    assert several.any()
    # What the vocabulary cannot write around a mask is missing in the sentence that is answered.
    unknown = lost.loc[~several & (lost["status"] == "context_unknown"), "status_asked"]
    assert set(unknown) <= {"context_unknown", "several_pieces"}
    assert (architecture == "roberta") == unknown.empty
    assert scored.scores["rank"].isna().all()


def audited(folder: Path, reference: Path, candidate: str, context: str) -> Settings:
    """Return the settings of an audit of the set."""
    folder.mkdir()
    (folder / "set.toml").write_text(ONE)
    (folder / "AUDIT.toml").write_text(
        f'[run]\ncontext = "{context}"\n[endpoint]\nretries = 0\nmodel = "tiny"\n'
    )
    return resolve(
        folder / "AUDIT.toml",
        reference=str(reference),
        candidate=candidate,
        probes=[str(folder / "set.toml")],
        out=folder / "runs",
    )


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Record, Record, str]]:
    """Give the record of a model, that of the endpoint that serves it, and the plan of another."""
    folder = tmp_path_factory.mktemp("audits")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MASKAUDIT_CACHE", str(folder / "cache"))
        paths = [tiny.build(folder / name, "bert", seed=n) for n, name in enumerate(("r", "c"))]
        local = audited(folder / "local", paths[0], str(paths[1]), "as_encoded")
        [of_model] = pipeline.run_all(local)
        with served(load(paths[1])) as url:
            asked = audited(folder / "asked", paths[0], url, "written")
            before = preview.planned(asked)
            [of_endpoint] = pipeline.run_all(asked)
            after = preview.planned(asked)
        [first], [second] = before.endpoints, after.endpoints
        assert first["kept"] == 0
        assert (second["kept"], second["requests"]) == (first["sentences"], 0)
        yield of_model, of_endpoint, before.as_text()


def test_the_estimates_of_an_audit_are_those_of_the_local_one(
    records: tuple[Record, Record, str],
) -> None:
    """To 1e-5, wherever the endpoint has one; every number says that it is an endpoint's."""
    local, asked, _ = records
    keys = ["probe_set", "slice", "estimator", "mode", "subject"]
    rows = both(local.estimates, asked.estimates, keys)
    shared = rows[rows["_merge"] == "both"]
    named = {"stereotype_contrast", "log_odds", "slope", "prior", "lpbs", "magnitude"}
    assert named <= set(shared["estimator"])
    of_words = shared[shared["estimator"].isin(named)]
    for column in ("estimate", "low", "high", "std_error"):
        pd.testing.assert_series_equal(
            of_words[column], of_words[f"{column}_asked"], check_names=False, rtol=0, atol=1e-5
        )
    assert np.isfinite(of_words["estimate_asked"]).any()
    # What needs a vocabulary is not there, or is unknown: no number is made up.
    only_local = set(rows.loc[rows["_merge"] == "left_only", "estimator"])
    assert {"kl", "jsd", "top1"} <= only_local
    assert not (rows["_merge"] == "right_only").any()
    for record in (asked, local):
        assert (record is asked) == ("endpoint" in record.manifest.method)
    assert asked.manifest.method["endpoint"] == "exact"
    assert set(asked.estimates["method"]).isdisjoint(local.estimates["method"])


def test_a_record_of_an_endpoint_holds_and_its_page_says_what_it_is(
    records: tuple[Record, Record, str],
) -> None:
    """`verify` finds nothing that differs; no digest of answers is called one of weights."""
    _, asked, _ = records
    assert asked.path is not None
    verification = verify(asked.path)
    assert verification.holds, [str(check) for check in verification.checks]
    page = "".join(
        (asked.path / name).read_text("utf-8") for name in ("report.html", "details.html")
    )
    assert "exact grade" in page
    assert "not declared" not in page
    assert f"weights {asked.manifest.models['candidate'].weights[:8]}" not in page


def test_a_plan_says_what_asking_costs(records: tuple[Record, Record, str]) -> None:
    """Sentences, requests, characters and minutes, and what would be lost."""
    _, _, text = records
    assert "sentences, 0 of them answered before" in text
    assert "requests to send" in text
    assert "several_pieces" in text


def test_commands_that_need_a_model_refuse_an_address() -> None:
    """In one line that says what an address is for."""
    with pytest.raises(InputError, match="maskaudit run --candidate URL"):
        load("http://127.0.0.1:9/")
    assert all(text.count("[MASK]") == 1 for text in CANARIES)
