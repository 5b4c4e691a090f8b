"""A large set takes memory for its tables, and not for a dictionary or a plan of every item."""

import re
import tomllib
import tracemalloc
from collections import defaultdict
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from maskaudit.audit import describe
from maskaudit.audit.measuring import scoring
from maskaudit.audit.measuring.model import Encoded
from maskaudit.audit.measuring.planning import read_plan
from maskaudit.audit.measuring.scoring import Scored
from maskaudit.audit.recording.rows import tables
from maskaudit.audit.vocabulary import DIGESTING, EXPANDING, PLANNING
from maskaudit.probes.expand import Expanded, expand
from maskaudit.probes.items_digest import items_digest
from maskaudit.probes.loading import parse
from maskaudit.probes.schema import ProbeSet
from tests import tiny

pytestmark = pytest.mark.slow
N_FRAMES, N_ATTRIBUTES, N_TERMS = 50, 200, 2
N_ITEMS = N_FRAMES * N_ATTRIBUTES * N_TERMS


class Words:
    """A tokenizer of words parted by spaces, each a piece; nothing is ever read."""

    batch_tokens = None
    mask_token, mask_id, unknown_id, special_ids, longest = "[MASK]", 0, None, frozenset({0}), 64
    identity = SimpleNamespace(tokenizer="words", vocabulary_size=1)

    def __init__(self) -> None:
        self._ids = {"[MASK]": 0}

    def encode(self, texts: Sequence[str]) -> list[Encoded]:
        """Number each word when it is new."""
        found = [list(re.finditer(r"\S+", text)) for text in texts]
        return [
            Encoded(
                tuple(self._ids.setdefault(word[0], len(self._ids)) for word in words),
                tuple(word.span() for word in words),
                tuple(range(len(words))),
            )
            for words in found
        ]

    def token(self, _index: int) -> str:
        """No piece is a word by which contexts could be tried."""
        return ""

    def text(self, ids: Sequence[int]) -> str:
        """Any text: it is only written into the record."""
        return f"{ids}"


@pytest.fixture(scope="module")
def large() -> ProbeSet:
    """A set of 20,000 items, each with a prior, in 10,000 sentences and a few of priors."""
    content = tomllib.loads(tiny.small_set(name="large"))
    words = [f"word{number}" for number in range(N_ATTRIBUTES)]
    content["classes"] = {
        "first": {"attributes": words[::2]},
        "second": {"attributes": words[1::2]},
    }
    content["frames"] = [
        {"id": f"f{number}", "text": f"On day {number} we met {{a attribute}} and [MASK] worked ."}
        for number in range(N_FRAMES)
    ]
    return parse(content, "", "large")


def first_frames(probe_set: ProbeSet, n_frames: int) -> ProbeSet:
    """The set with so many of its frames."""
    return probe_set.model_copy(update={"frames": probe_set.frames[:n_frames]})


class Memory:
    """The most memory in use: of Python's objects at any time, of pyarrow's columns when asked."""

    def __init__(self) -> None:
        self._before = self._columns = pa.total_allocated_bytes()
        tracemalloc.start()

    def ask(self, *_report: object) -> None:
        """Take part in the progress of what is measured; tracemalloc sees no column of pyarrow."""
        self._columns = max(self._columns, pa.total_allocated_bytes())

    def most(self) -> int:
        """The most bytes above those at the start; nothing is measured afterwards."""
        self.ask()
        traced = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return traced + self._columns - self._before


def test_a_large_set_is_expanded_in_little_more_than_its_tables(large: ProbeSet) -> None:
    """In less than 2 kB an item and its prior; a dictionary for each would take more."""
    memory = Memory()
    expanded = expand(large, memory.ask)
    digest = items_digest(expanded.items, memory.ask)
    used = memory.most()
    assert len(digest) == 64
    assert expanded.items["item"].nunique() > N_ITEMS
    assert used < 2_000 * N_ITEMS


def test_a_plan_takes_the_memory_of_a_part(large: ProbeSet) -> None:
    """A set of twice as many frames is planned in the same memory."""
    used = []
    for n_frames in (10, 20):
        expanded = expand(first_frames(large, n_frames))
        memory = Memory()
        asked = expanded, Words(), frozenset({"logp"})
        sizes = [len(plan.status) for _, plan in scoring.plans(*asked, memory.ask)]
        used.append(memory.most())
        assert sum(sizes) == expanded.items["item"].nunique()
        assert len(sizes) == n_frames // 5
    assert used[1] < 1.2 * used[0]


def test_a_large_set_tells_how_far_it_is_expanded_and_planned(
    large: ProbeSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every few thousand items or sentences, in order, and each stage to its end."""
    reports: dict[str, list[tuple[int, int]]] = defaultdict(list)

    def report(what: str, done: int, total: int) -> None:
        reports[what].append((done, total))

    some = first_frames(large, 20)
    part = describe.expanded(some, report)
    describe.described(some, part, 0, report)
    # What is planned is known before it is read, and it is not read here.
    monkeypatch.setattr(scoring, "read_part", planned_only)
    scoring.score_each([part], [[Words()]], report)
    n_rows, n_contexts = len(part.items), len(part.contexts)
    assert n_rows == 20 * N_ATTRIBUTES * N_TERMS * 2
    for stage, total, step in (
        (EXPANDING, n_rows, 5000),
        (DIGESTING, n_rows, 10_000),
        (PLANNING, n_contexts, 1500),
    ):
        done = [done for done, all_ in reports[f"large, {stage}"] if all_ == total]
        assert done == sorted(done)
        assert done[-1] == total
        assert max(np.diff([0, *done])) <= step


def planned_only(
    part: Expanded, groups: Any, measures: frozenset[str], longest: int, tell: Any, **options: Any
) -> list[Scored]:
    """Plan a part, and read nothing of it."""
    [[(_, model)]] = groups
    read_plan.plan(part, model, measures, longest, tell=options["planned"])
    tell(1.0)
    return [Scored(*(tables.table(name, []) for name in ("scores", "paired", "fills")))]
