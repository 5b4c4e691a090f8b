"""A sentence that several sets ask in is read in one context, whichever set comes first."""

from collections.abc import Sequence
from itertools import permutations
from pathlib import Path

import pandas as pd
import pytest

import maskaudit
from maskaudit.audit.measuring import scoring
from maskaudit.audit.measuring.backends import torch_model as models
from maskaudit.audit.measuring.cached.cache import Cache
from maskaudit.audit.measuring.planning.beside import together
from maskaudit.audit.preview import planned
from maskaudit.audit.settings import resolve
from maskaudit.probes.expand import Expanded, from_rows
from tests import tiny

pytestmark = pytest.mark.usefixtures("one_thread")

TEXT, OTHER = "The [MASK]man said so.", "They met a [MASK]."
# What follows a word that joins is `##m ##a ##n`, and after a hyphen `man`.
JOINING, APART = ("fire", "mail", "milk"), ("post-", "ex-", "non-", "near-")
SETS = {"one": ("fire", "mail", "post-"), "two": ("post-", "ex-", "non-", "fire"),
        "three": ("near-", "milk")}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a tiny checkpoint."""
    return tiny.build(tmp_path_factory.mktemp("beside") / "model", "bert", seed=1)


@pytest.fixture(scope="module")
def model(folder: Path) -> models.LoadedModel:
    """Return it as the program loads it."""
    return models.load(str(folder))


def probe_set(name: str, words: Sequence[str], texts: Sequence[str] = (TEXT, OTHER)) -> Expanded:
    """Return a set that asks the words in the sentences, a frame each; "" asks for fills alone."""
    common = {"probe_set": name, "kind": "association", "axis": "gender", "variant": 0,
              "role": "probe", "group": "g", "slot": 0}  # fmt: skip
    return from_rows(
        {**common, "frame": text, "text": text, "term": word, "target": word}
        for text in texts
        for word in words
    )


def scored(parts: Sequence[Expanded], model: models.LoadedModel) -> scoring.Scored:
    """Return what is measured of the sets together, with one model."""
    return scoring.score_all(parts, [model], lambda _name, _done, _all: None)


def statuses(part: Expanded, found: scoring.Scored, text: str = TEXT) -> dict[str, str]:
    """Return by word why it has no score in the sentence, or `ok`."""
    [context] = part.contexts.loc[part.contexts["text"] == text, "context"]
    rows = part.items[part.items["context"] == context].merge(found.scores, on="item")
    return dict(zip(rows["target"], rows["status"], strict=True))


def expected(words: Sequence[str], asked: Sequence[str]) -> dict[str, str]:
    """Count by hand: the words of the larger side have a score, whatever set they are in."""
    joining = sum(word in JOINING for word in set(asked)) > sum(
        word in APART for word in set(asked)
    )
    return {
        word: "ok" if (word in JOINING) is joining else "target_changes_context" for word in words
    }


def test_each_set_alone_is_read_in_the_context_of_its_own_words(model: models.LoadedModel) -> None:
    """The first would choose the one context and the second the other."""
    for name in ("one", "two"):
        part = probe_set(name, SETS[name])
        assert statuses(part, scored([part], model)) == expected(SETS[name], SETS[name])
    assert expected(SETS["one"], SETS["one"])["fire"] == "ok"
    assert expected(SETS["two"], SETS["two"])["fire"] == "target_changes_context"


def test_the_words_of_all_sets_choose_the_context(model: models.LoadedModel) -> None:
    """A word that two sets ask has one say; a sentence of one set is left to it."""
    parts = [probe_set(name, words) for name, words in SETS.items()]
    asked = [word for words in SETS.values() for word in words]
    found = scored(parts, model)
    for part, words in zip(parts, SETS.values(), strict=True):
        assert statuses(part, found) == expected(words, asked)
        assert set(statuses(part, found, OTHER).values()) == {"ok"}


@pytest.mark.slow
def test_the_order_of_sets_changes_no_row_and_no_bit(model: models.LoadedModel) -> None:
    """A set that asks for fills alone included: they are those of the same context."""
    sets = [probe_set(name, words) for name, words in SETS.items()]
    sets.append(probe_set("open", [""], (TEXT, "We know that [MASK] sings.")))
    first, *others = [scored(order, model) for order in permutations(sets)]
    for other in others:
        for name in ("scores", "paired", "fills"):
            pd.testing.assert_frame_equal(
                getattr(other, name), getattr(first, name), check_exact=True
            )
    alone = scored([probe_set("apart", APART)], model).fills
    [context] = sets[-1].contexts.loc[sets[-1].contexts["text"] == TEXT, "context"]
    tokens = [
        rows.loc[rows["context"] == context, "token"].tolist() for rows in (alone, first.fills)
    ]
    assert tokens[0] == tokens[1]


def test_sets_that_share_no_sentence_have_nothing_beside_them() -> None:
    """Nor has a set alone, nor one that asks all that the others ask there."""
    one, two = probe_set("one", SETS["one"]), probe_set("two", SETS["two"], [OTHER + " They did."])
    large = probe_set("large", [*SETS["one"], "sing"])
    assert not any(part.beside for part in together([one, two]))
    assert not together([one])[0].beside
    assert not together([large, one])[0].beside
    beside = together([large, one])[1].beside
    assert [list(targets.values()) for targets in beside.values()] == [["sing"], ["sing"]]


def test_a_cache_knows_what_was_asked_beside_a_set(
    model: models.LoadedModel, tmp_path: Path
) -> None:
    """A set that was kept alone is read again beside another, and taken beside the same one."""
    kept = Cache(tmp_path / "scores", 1 << 30, pytest.fail)
    parts = [probe_set(name, SETS[name]) for name in ("one", "two")]

    def taken(*asked: Expanded) -> int:
        [found] = scoring.score_each(asked, [[model]], lambda *_told: None, kept)
        assert found.cache is not None
        return found.cache.taken

    assert [taken(parts[0]), taken(*parts), taken(*parts[::-1]), taken(parts[0])] == [0, 0, 2, 1]


FRAMES = (TEXT, "A [MASK]man is here.", "We saw the [MASK]man work.")


def written(folder: Path, name: str, women: Sequence[str], men: Sequence[str]) -> str:
    """Write a set that asks before "man", as a file; return its path."""
    text = tiny.small_set(women, men, name)
    frames = [frame.replace(".", " as {a attribute}.") for frame in FRAMES]
    text += "".join(f'[[frames]]\nid = "f{n}"\ntext = "{one}"\n' for n, one in enumerate(frames))
    path = folder / f"{name}.toml"
    path.write_text(text, "utf-8")
    return str(path)


@pytest.mark.slow
def test_an_audit_of_sets_in_another_order_has_the_same_numbers_and_losses(
    folder: Path, tmp_path: Path
) -> None:
    """Items, scores, estimates and what was lost, which the plan tells beforehand."""
    sets = [written(tmp_path, "one", ["fire", "post-"], ["mail"]),
            written(tmp_path, "two", ["fire", "ex-"], ["post-", "non-"])]  # fmt: skip
    records = [
        maskaudit.run(candidate=str(folder), probes=order, out=str(tmp_path / str(number)))
        for number, order in enumerate(permutations(sets))
    ]
    for name in ("contexts", "items", "scores", "paired", "fills", "estimates"):
        first, second = (
            table.sort_values(list(table.columns[:12])).reset_index(drop=True)
            for table in (getattr(record, name) for record in records)
        )
        pd.testing.assert_frame_equal(first, second, check_exact=True)
    lost = [
        sorted((row.probe_set, row.group, row.status, row.items) for row in record.manifest.lost)
        for record in records
    ]
    assert lost[0] == lost[1] != []
    settings = resolve(None, candidates=[str(folder)], probes=sets)
    told = [(row["probe_set"], row["group"], row["status"], row["items"])
            for row in planned(settings).lost]  # fmt: skip
    assert sorted(told) == lost[0]
