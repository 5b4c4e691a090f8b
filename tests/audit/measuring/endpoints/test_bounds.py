"""An endpoint that gives its likeliest fills alone is audited by bounds, and says so everywhere."""

import json
import math
import shutil
import threading
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from maskaudit.audit import pipeline
from maskaudit.audit.audit_file import Endpoint as Declared
from maskaudit.audit.errors import InputError, NotJudgedError
from maskaudit.audit.judging import policy
from maskaudit.audit.judging.accepting.accept import accept
from maskaudit.audit.judging.comparing.pairing import version
from maskaudit.audit.judging.judge import judge
from maskaudit.audit.measuring import scoring
from maskaudit.audit.measuring.backends.torch_model import LoadedModel, load
from maskaudit.audit.measuring.endpoints.canaries import compared
from maskaudit.audit.measuring.endpoints.endpoint import Ask, Endpoint
from maskaudit.audit.recording import record as recorded
from maskaudit.audit.recording.record import Record, load_record
from maskaudit.audit.serving.addresses import Address
from maskaudit.audit.serving.server import Server
from maskaudit.audit.settings import resolve
from maskaudit.audit.verifying.verify import verify
from maskaudit.audit.vocabulary import silent
from maskaudit.probes.expand import expand
from maskaudit.probes.loading import parse
from maskaudit.reports.page import page
from maskaudit.reports.terminal import bounds as in_terminal
from tests import tiny
from tests.served import Sent, WordModel, as_json, serving

NOUNS = ("city", "house", "school", "world")
FRAMES = "".join(
    f'[[frames]]\nid = "f{n}"\ntext = "{begin} the {noun} of {{a attribute}}."\n'
    for n, (noun, begin) in enumerate(
        (noun, begin) for noun in NOUNS for begin in ("[MASK] saw", "They said that [MASK] saw")
    )
)
SET = tiny.small_set(("she",), ("he",)) + FRAMES
MOST = 1 << 22


@contextmanager
def served(model: LoadedModel, change: Callable[[Any], Any] = lambda fills: fills) -> Iterator[str]:
    """Serve a model as a service that knows no `targets`, and perhaps changes its fills."""
    server = Server(model, Address("127.0.0.1", 0), silent, lambda _: None)
    with server:
        thread = threading.Thread(target=server.serve_forever, args=[0.01], daemon=True)
        thread.start()
        from urllib.request import Request, urlopen

        def answer(body: dict[str, Any]) -> Sent:
            body = {name: value for name, value in body.items() if name != "_headers"}
            body["parameters"].pop("targets", None)
            own = {"Content-Type": "application/json"}
            with urlopen(Request(server.url, json.dumps(body).encode(), own)) as got:  # noqa: S310
                return as_json(change(json.loads(got.read())))

        with serving(answer) as url:
            yield url
        server.shutdown()
        thread.join()


def some(scores: pd.DataFrame) -> int:
    """Return how many fills have each word in some sentence, and lack it in others."""
    own = scores[(scores["measure"] == "logp") & (scores["pieces"] == 1)]
    least = own.assign(word=own["written"].str.strip()).groupby("word")["rank"].min()
    return max(5, int(least.max()))


def rounded(fills: Any) -> Any:
    """Return fills with probabilities of four decimals."""
    if isinstance(fills, dict):
        return fills | {"score": round(fills["score"], 4)}
    return [rounded(fill) for fill in fills]


@pytest.mark.slow
@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("architecture", ["bert", "roberta", "albert"])
@pytest.mark.parametrize("change", [lambda fills: fills, rounded], ids=["exact", "four decimals"])
def test_the_bounds_of_each_word_hold_what_the_model_gives(
    architecture: str, change: Callable[[Any], Any], tmp_path: Path
) -> None:
    """Of every tokenizer; a word that no answer holds is lost, and what is absent is never 0."""
    part = expand(parse(tomllib.loads(SET), "", "a test"))
    model = load(tiny.build(tmp_path / "model", architecture, seed=5))
    local = scoring.score(part, [model], reading="as_encoded").scores
    with served(model, change) as url:
        scored = scoring.score(
            part, [Endpoint(url, Declared(grade="censored", top_k=some(local)))]
        ).scores
    ends = scored[scored["status"] == "ok"].pivot_table(
        index="item", columns="measure", values="value", dropna=False
    )
    true = local[(local["measure"] == "logp") & (local["pieces"] == 1)].set_index("item")["value"]
    rows = ends.join(true, how="inner")
    assert len(rows) == len(ends) > 20
    assert (rows["logp_at_least"] <= rows["value"] + 1e-5).all()
    assert (rows["value"] <= rows["logp_at_most"] + 1e-5).all()
    assert np.isneginf(rows["logp_at_least"]).any()
    assert np.isfinite(rows["logp_at_most"]).all()
    # Every item has bounds or a reason.
    assert set(scored["item"]) == set(local["item"])
    assert set(scored["status"]) <= {"ok", "not_answered", "context_unknown"}


def endpoint(url: str, folder: Path | None = None, **declared: Any) -> Endpoint:
    """Return an endpoint that is asked for five fills, of a vocabulary of ten words."""
    settings = {"grade": "censored", "top_k": 5, "retries": 0, "concurrency": 1} | declared
    return Endpoint(url, Declared(**settings), folder, MOST)


def test_each_sentence_is_asked_once_and_without_words(tmp_path: Path) -> None:
    """Also by a later run, whose answers are kept; an answer of fewer fills is no answer to it."""
    model = WordModel()
    asks = [Ask(f"Number {n} said that [MASK] is a cook.", ()) for n in range(5)]
    with serving(model) as url:
        first = endpoint(url, tmp_path).answers(asks)
        n = len(model.asked)
        again = endpoint(url, tmp_path)
        start = len(model.asked)
        assert [
            a.fills and [(f.word, f.score) for f in a.fills[0]] for a in again.answers(asks)
        ] == [a.fills and [(f.word, f.score) for f in a.fills[0]] for a in first]
        assert len(model.asked) == start
        assert not any(words for _, words in model.asked)
        endpoint(url, tmp_path, top_k=6).answers(asks)
        assert len(model.asked) > start + len(asks)
    assert n > len(asks)


def over_all(fills: list[Any]) -> list[Any]:
    """Return fills that were made to add up to 1."""
    total = sum(fill["score"] for fill in fills)
    return [fill | {"score": fill["score"] / total} for fill in fills]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (over_all, "expected the same probability, over the whole vocabulary"),
        (lambda fills: [*fills[:-1], fills[-2]], "answered the same fill twice"),
        (lambda fills: [fill | {"sequence": "something else"} for fill in fills], "expected the s"),
    ],
)
def test_answers_that_bound_nothing_are_refused(
    change: Callable[[list[Any]], list[Any]], told: str
) -> None:
    """In one line, before anything is scored."""
    model = WordModel()

    def answer(body: dict[str, Any]) -> Sent:
        return as_json(change(json.loads(model(body).content)))

    with serving(answer) as url, pytest.raises(InputError, match=told) as error:
        endpoint(url, top_k=8)
    assert "\n" not in str(error.value)


def test_a_few_fills_that_add_up_to_1_are_refused() -> None:
    """However many were asked for: then the second answer shows nothing that the first did not."""
    model = WordModel()

    def answer(body: dict[str, Any]) -> Sent:
        return as_json(over_all(json.loads(model(body).content)[:5]))

    with serving(answer) as url, pytest.raises(InputError, match="its fills add up to 1 in each"):
        endpoint(url, top_k=8)


def test_a_service_that_gives_fewer_fills_is_told() -> None:
    """More words have bounds alone then."""
    told: list[str] = []
    with serving(WordModel()) as url:
        Endpoint(url, Declared(grade="censored", top_k=50, retries=0), None, 0, told.append)
    [line] = told
    assert line.startswith(f"endpoint {url}: gives 10 likeliest fills, and not the 50")
    assert "more words will have bounds alone" in line


@pytest.fixture(scope="module")
def censored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Record]:
    """Give the record of an endpoint of five fills against a local model."""
    folder = tmp_path_factory.mktemp("audits")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MASKAUDIT_CACHE", str(folder / "cache"))
        (folder / "set.toml").write_text(SET)
        reference, own = (
            tiny.build(folder / name, "bert", seed=n) for n, name in enumerate(("r", "c"))
        )
        part, model = expand(parse(tomllib.loads(SET), "", "a test")), load(own)
        most = some(scoring.score(part, [model], reading="as_encoded").scores)
        (folder / "AUDIT.toml").write_text(f'[endpoint]\ngrade = "censored"\ntop_k = {most}\n')
        with served(model) as url:
            settings = resolve(
                folder / "AUDIT.toml",
                reference=str(reference),
                candidate=url,
                probes=[str(folder / "set.toml")],
                out=folder / "runs",
            )
            [made] = pipeline.run_all(settings)
        yield made


def gates(folder: Path, *lines: str) -> policy.Policy:
    """Return a policy of one gate on both ends' worst."""
    path = folder / "gates.toml"
    path.write_text("\n".join(["[[gate]]", 'id = "g"', 'reason = "r"', *lines]))
    return policy.read(path)


@pytest.mark.slow
def test_a_record_in_censored_grade_holds_and_says_what_it_is(censored: Record) -> None:
    """Its numbers are bounds alone, with words that are absent, on the page and in a terminal."""
    assert censored.path is not None
    assert verify(censored.path).holds
    assert censored.manifest.format == 10
    assert censored.manifest.method["endpoint"].startswith("censored@")
    assert set(censored.scores["measure"]) >= {"logp", "logp_at_least", "logp_at_most"}
    own = censored.scores[censored.scores["measure"] == "logp_at_least"]
    assert np.isneginf(own["value"]).any()
    shown = "".join((censored.path / n).read_text("utf-8") for n in ("report.html", "details.html"))
    assert "censored grade" in shown
    text = "\n".join("".join(part.text for part in line) if line and hasattr(line[0], "text")
                     else str(line) for line in in_terminal.lines(censored))  # fmt: skip
    assert "Censored grade" in text
    ends = in_terminal.as_json(censored)
    share = next(row for row in ends if row["number"] == "share_contrast")
    assert share["at_least"] <= share["at_most"]
    assert json.dumps(ends, allow_nan=False)
    assert "leans" in page(censored).headline.sentence


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "check"),
    [
        ({"measure": "logp_at_least", "value": -0.001}, "scores"),
        ({"measure": "logp_at_most", "value": 0.5}, "scores"),
        ({"measure": "logp_at_most", "value": -1.0}, "estimates"),
    ],
)
def test_a_forged_bound_is_found(
    change: dict[str, Any], check: str, censored: Record, tmp_path: Path
) -> None:
    """Ends that are not in order, that are above 0, and numbers that do not follow from them."""
    assert censored.path is not None
    probes = censored.items.loc[censored.items["role"] == "probe", "item"]
    rows = censored.scores[censored.scores["item"].isin(probes)]
    rows = rows[(rows["measure"] == change["measure"]) & (rows["status"] == "ok")]
    scores = censored.scores.copy()
    # A single word may be in a cell that another one takes out.
    forged_rows = rows.index if check == "estimates" else rows.index[3]
    scores.loc[forged_rows, "value"] = change["value"]
    forged = recorded.seal(
        Record(**{**vars(censored), "scores": scores, "path": None}), tmp_path / "new",
        tmp_path / censored.path.name,
    )  # fmt: skip
    assert forged.path is not None
    found = [own.name for own in verify(forged.path).checks if own.differs]
    assert check in found


@pytest.mark.slow
def test_a_gate_passes_where_the_whole_of_what_is_possible_passes(
    censored: Record, tmp_path: Path
) -> None:
    """By either end's name; a bound inside is inconclusive, and one below fails."""
    rows = censored.estimates
    own = rows[
        (rows["estimator"].str.startswith("share_contrast")) & (rows["subject"] == "candidate")
    ]
    own = own.set_index("estimator")
    low, high = (own.loc[f"share_contrast_at_{end}"] for end in ("least", "most"))

    def word(bound: float, end: str = "most", harm: str = "up", rule: str = "bound") -> str:
        limit = "bound" if rule == "bound" else "margin"
        lines = (f'rule = "{rule}"', f"{limit} = {bound}", f'harm = "{harm}"',
                 f'select = {{ estimator = "share_contrast_at_{end}" }}')  # fmt: skip
        judgement = judge(censored, gates(tmp_path, *lines), today=date(2026, 12, 1))
        [verdict] = judgement.verdicts
        assert any("censored grade" in note for note in judgement.notes)
        assert verdict.low <= low["estimate"] <= high["estimate"] <= verdict.high
        return verdict.verdict

    for end in ("least", "most"):
        assert word(high["estimate"] + 0.9, end) == "pass"
        assert word((low["estimate"] + high["estimate"]) / 2 + 1e-4, end) == "inconclusive"
        assert word(high["estimate"] + 0.9, end, "either") == "pass"
    assert word(0.9, rule="non_inferiority") == "pass"


@pytest.mark.slow
def test_numbers_of_this_grade_are_held_against_no_others(censored: Record, tmp_path: Path) -> None:
    """Neither versions nor baselines, nor answers to words; each is refused in one line."""
    with pytest.raises(NotJudgedError, match="in censored grade, whose numbers are bounds"):
        version(censored)
    with pytest.raises(NotJudgedError, match="censored grade"):
        accept(censored, tmp_path, "main", "because")
    with serving(WordModel()) as url, pytest.raises(InputError, match="in exact grade alone"):
        compared(endpoint(url), censored, "candidate")
    # A gate on a contrast in nats has nothing to judge, which is no pass.
    lines = ('rule = "bound"', "bound = 9.0")
    judgement = judge(censored, gates(tmp_path, *lines), today=date(2026, 12, 1))
    assert judgement.exit_code == 3


@pytest.mark.slow
def test_a_copy_of_the_record_reads_as_it_was(censored: Record, tmp_path: Path) -> None:
    """Infinite limits and bounds come back."""
    assert censored.path is not None
    copied = shutil.copytree(censored.path, tmp_path / censored.path.name)
    again = load_record(copied)
    pd.testing.assert_frame_equal(again.estimates, censored.estimates)
    open_ends = again.estimates[again.estimates["flag"] == "not_bounded"]
    assert all(math.isinf(row["low"]) or math.isinf(row["high"]) for _, row in open_ends.iterrows())
