"""An endpoint is asked each question once, and what it cannot give is absent."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from maskaudit.audit.audit_file import Endpoint as Declared
from maskaudit.audit.errors import InputError
from maskaudit.audit.measuring.endpoints.endpoint import CANARIES, Answer, Ask, Endpoint
from maskaudit.audit.measuring.endpoints.journal import Journal
from maskaudit.audit.measuring.endpoints.words import apart, form, known, matched
from maskaudit.audit.payloads.answered import folded
from maskaudit.audit.recording.manifest import EXACT
from tests.served import WORDS, Sent, WordModel, as_json, probability, serving

# Kills of one run; `MASKAUDIT_KILLS` asks for more.
KILLS = int(os.environ.get("MASKAUDIT_KILLS", "2"))
QUESTIONS = [
    Ask(f"Number {n} said that [MASK] is a {word}.", (" he", " she"))
    for n in range(20)
    for word in ("cook", "nurse")
]
MOST = 1 << 20


def endpoint(url: str, folder: Path | None = None, **declared: Any) -> Endpoint:
    """Return an endpoint that gives up at once."""
    settings = {"retries": 0, "concurrency": 1, "timeout": 5.0} | declared
    return Endpoint(url, Declared(**settings), folder, MOST)


def scores(found: Endpoint, asks: list[Ask] = QUESTIONS) -> list[dict[str, float]]:
    """Return p of each word of each question, at its first mask."""
    answers = found.answers(asks)
    return [
        {word: fill.score for word, fill in matched(ask.words, answer, 0).items()}
        for ask, answer in zip(asks, answers, strict=True)
    ]


def true(asks: list[Ask] = QUESTIONS) -> list[dict[str, float]]:
    """Return the same from the table of probabilities."""
    return [{word: probability(ask.text, 0, word.strip()) for word in ask.words} for ask in asks]


def repeated(model: WordModel) -> int:
    """Return how often a question was asked again, canaries apart."""
    counts = Counter(asked for asked in model.asked if asked[0] not in CANARIES)
    return sum(counts.values()) - len(counts)


@pytest.mark.parametrize("batch", [1, 7])
@pytest.mark.parametrize("concurrency", [1, 4])
def test_the_answers_are_those_of_the_questions_in_their_order(
    batch: int, concurrency: int
) -> None:
    """Whatever is asked at one time, and in one request; each question once."""
    model = WordModel()
    with serving(model) as url:
        found = endpoint(url, batch=batch, concurrency=concurrency)
        asks = [*QUESTIONS, QUESTIONS[3]]
        done: list[int] = []
        found.answers(asks, done.append)
        assert scores(found, asks) == true(asks)
    assert repeated(model) == 0
    assert done[-1] == len(QUESTIONS)
    assert found.identity.endpoint == EXACT


def test_an_identity_is_of_the_answers_and_of_what_was_declared() -> None:
    """The same model has the same digest, another model and another revision others."""
    with serving(WordModel()) as url, serving(WordModel((*WORDS, "zoo"))) as other:
        first, again = endpoint(url).identity, endpoint(url).identity
        assert first == again
        assert first.weights != endpoint(other).identity.weights
        revised = endpoint(url, model="bert", revision="2").identity
        assert revised.revision == "bert@2"
        assert revised.weights != first.weights
        assert endpoint(f"{url}?key=hush").identity.name == url


def test_what_was_answered_before_a_failure_is_not_asked_again(tmp_path: Path) -> None:
    """A service that fails in the middle, then again, then no more."""
    model = WordModel()
    left = [6]

    def failing(body: dict[str, Any]) -> Sent:
        if "Number" in str(body["inputs"]):
            left[0] -= 1
            if left[0] < 0:
                return as_json({"error": "down"}, 500)
        return model(body)

    with serving(failing) as url:
        for more in (6, 9, 100):
            left[0] = more
            found = endpoint(url, tmp_path)
            if more < 100:
                with pytest.raises(InputError, match="kept: run the same command again"):
                    found.answers(QUESTIONS)
        assert scores(found) == true()
    assert repeated(model) == 0


CHILD = """
import sys
from pathlib import Path
from maskaudit.audit.audit_file import Endpoint as Declared
from maskaudit.audit.measuring.endpoints.endpoint import Ask, Endpoint
import json
asks = [Ask(text, tuple(words)) for text, words in json.loads(sys.stdin.read())]
declared = Declared(concurrency=2, grade=sys.argv[3], top_k=5)
Endpoint(sys.argv[1], declared, Path(sys.argv[2]), 1 << 20).answers(asks)
"""


@pytest.mark.slow
@pytest.mark.parametrize("grade", ["exact", "censored"])
def test_killed_at_random_and_resumed_no_kept_question_is_asked_twice(
    grade: str, tmp_path: Path
) -> None:
    """Only a request that was under way when the process was killed may come again."""
    model = WordModel()
    draw = random.Random(7)  # noqa: S311 - where a process is killed
    questions = QUESTIONS if grade == "exact" else [Ask(own.text, ()) for own in QUESTIONS]

    def slow(body: dict[str, Any]) -> Sent:
        time.sleep(0.02)
        return model(body)

    with serving(slow) as url:
        command = [sys.executable, "-c", CHILD, url, str(tmp_path), grade]
        for _ in range(KILLS):
            before = len(model.asked)
            child = subprocess.Popen(command, stdin=subprocess.PIPE, text=True)
            assert child.stdin is not None
            child.stdin.write(json.dumps(questions))
            child.stdin.close()
            wanted = before + len(CANARIES) + 1 + draw.randrange(1, 15)
            while len(model.asked) < wanted and child.poll() is None:
                time.sleep(0.005)
            child.send_signal(signal.SIGKILL)
            child.wait()
        found = endpoint(url, tmp_path, grade=grade, top_k=5)
        if grade == "exact":
            assert scores(found) == true()
        else:
            assert [_fills(answer) for answer in found.answers(questions)] == [
                _likeliest(own.text) for own in questions
            ]
    assert repeated(model) <= 2 * KILLS
    assert len(model.asked) < (2 + KILLS) * len(questions)


def _fills(answer: Answer) -> list[tuple[str, float]]:
    assert answer.fills is not None
    [mask] = answer.fills
    return [(fill.word, fill.score) for fill in mask]


def _likeliest(text: str) -> list[tuple[str, float]]:
    every = sorted(((probability(text, 0, word), word) for word in WORDS), reverse=True)
    return [(word, p) for p, word in every[:5]]


def test_a_damaged_or_foreign_line_is_no_answer(tmp_path: Path) -> None:
    """What was cut off, changed, or made with another key is asked again."""
    path = tmp_path / "a.maskaudit-answers"
    kept = Journal(path, MOST)
    for n in range(4):
        kept.put(["question", n], {"n": n})
    lines = path.read_bytes().splitlines(keepends=True)
    changed = lines[1].replace(b'"n":1', b'"n":7')
    assert changed != lines[1]
    path.write_bytes(lines[0] + changed + lines[2] + lines[3][:-9])
    again = Journal(path, MOST)
    assert [again.get(["question", n]) for n in range(4)] == [{"n": 0}, None, {"n": 2}, None]
    again.put(["question", 3], {"n": 3})
    assert Journal(path, MOST).get(["question", 3]) == {"n": 3}
    path.write_bytes(b"0" * 64 + b' ["x",1]\n')
    assert len(Journal(path, MOST)) == 0


def test_a_full_cache_is_told_and_stops_nothing(tmp_path: Path) -> None:
    """The answers are still remembered by the run itself."""
    told: list[str] = []
    journal = Journal(tmp_path / "b.maskaudit-answers", 150, told.append)
    for n in range(5):
        journal.put(n, {"answer": n})
    assert [journal.get(n) for n in range(5)] == [{"answer": n} for n in range(5)]
    assert len(told) == 1
    assert "the cache is full" in told[0]


def changed(change: Callable[[Any], Any], *, targets: bool = True) -> Callable[[Any], Sent]:
    """Return a model whose answers are changed: those with targets, or the others."""
    model = WordModel()

    def answer(body: dict[str, Any]) -> Sent:
        value = json.loads(model(body).content)
        has_targets = "targets" in body["parameters"]
        return as_json(change(value) if has_targets == targets else value)

    return answer


def ignoring(body: dict[str, Any]) -> Sent:
    """Answer as a service that does not know `targets`."""
    body["parameters"].pop("targets", None)
    return WordModel()(body)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (ignoring, r"asked for ' ?\w+', it answers with '\w+'; expected .*grade = .censored."),
        (lambda _: as_json({"predictions": ["she"]}), "an object with 'predictions'"),
        (lambda _: as_json({"error": "no mask"}, 422), r"no mask\); expected fills of .*mask"),
        (changed(lambda fills: [f | {"score": 0.9} for f in fills]), "expected the same prob"),
        (
            changed(lambda fills: [f | {"sequence": "something else"} for f in fills]),
            "expected the sentence that was asked",
        ),
        (changed(lambda fills: fills * 2), "answered 2 fills; expected at most 1"),
        (changed(lambda fills: fills[:1], targets=False), "expected"),
    ],
)
def test_an_endpoint_of_another_grade_is_refused(answer: Callable[[Any], Sent], told: str) -> None:
    """In one line, before anything is scored."""
    with serving(answer) as url, pytest.raises(InputError, match=told) as error:
        endpoint(url)
    assert "\n" not in str(error.value)


def test_words_of_one_piece_are_found_whatever_a_service_does_with_others() -> None:
    """One service answers the first piece of a word, another refuses all that are asked with it."""

    def refusing(body: dict[str, Any]) -> Sent:
        targets = [target.strip() for target in body["parameters"].get("targets", [])]
        if any(target not in WORDS for target in targets):
            return as_json({"error": "is no single piece"}, 422)
        return WordModel()(body)

    asked = {" she", "he", " nurses", " cooked", "Farmer", " nurse", " Nurse", " city"}
    # The second takes words as they stand: it has no `Nurse`.
    for service, lost in ((WordModel(), set()), (refusing, {" Nurse"})):
        with serving(service) as url:
            found = known(endpoint(url), asked)
        expected = {" she", "he", " nurse", " Nurse", " city"} - lost
        assert found.keys() == expected
        for word, fill in found.items():
            assert fill.token == WORDS.index(word.strip().lower())


def test_words_that_differ_in_case_alone_are_never_asked_together() -> None:
    """And each word is asked once."""
    words = ["a", "A", "b", "B", "c", "á", "d"]
    groups = list(apart(words, 3))
    assert sorted(word for group in groups for word in group) == sorted(words)
    for group in groups:
        assert len(group) <= 3
        assert len({folded(word) for word in group}) == len(group)


def test_a_word_is_asked_with_the_space_before_its_mask() -> None:
    """A vocabulary may have it twice, with the space and without."""
    text = "[MASK] said that ([MASK] saw [MASK]."
    assert [form(text, slot, "she") for slot in range(3)] == ["she", "she", " she"]
