"""The likeliest fillings of several masks, against every filling of a tiny vocabulary."""

import itertools
import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest
import torch

from maskaudit.audit.measuring import scoring
from maskaudit.audit.measuring.backends import torch_model as models
from maskaudit.audit.measuring.model import Ids, Numbers
from maskaudit.audit.measuring.planning.reads import Read
from maskaudit.audit.measuring.reading import fillings
from maskaudit.probes.expand import from_rows
from tests import oracle, tiny

MASK, SIZE = 0, 7


class Model:
    """A model of seven pieces whose answers depend on every piece of the sentence."""

    def __init__(self) -> None:
        self.calls = 0

    def log_probs(self, sentences: Sequence[Ids], reads: Sequence[tuple[int, int]]) -> Numbers:
        """Random logits, the same for the same sentence and place."""
        self.calls += 1
        rows = [_row(tuple(sentences[row]), place) for row, place in reads]
        return np.array(rows)


def _row(ids: Ids, place: int) -> list[float]:
    logits = np.random.default_rng([*ids, place, len(ids)]).normal(0, 2, SIZE)
    return list(logits - math.log(sum(math.exp(x) for x in logits)))


def every_filling(ids: list[int], places: Sequence[int]) -> dict[Ids, float]:
    """Return log p of every filling: each piece in turn, with the later places masked."""
    found = {}
    for pieces in itertools.product(range(SIZE), repeat=len(places)):
        sentence, total = list(ids), 0.0
        for place, piece in zip(places, pieces, strict=True):
            total += _row(tuple(sentence), place)[piece]
            sentence[place] = piece
        found[pieces] = total
    return found


@pytest.mark.parametrize("n_masks", [1, 2])
@pytest.mark.parametrize("start", range(4))
def test_the_search_finds_the_likeliest_of_all_fillings_in_order(n_masks: int, start: int) -> None:
    """With two masks of seven pieces nothing that begins a filling is dropped."""
    ids = [5, 3, *[MASK] * n_masks, start]
    places = tuple(range(2, 2 + n_masks))
    expected = sorted(every_filling(ids, places).items(), key=lambda one: -one[1])[:20]
    found = fillings.likeliest(Model(), tuple(ids), places)  # type: ignore[arg-type]
    assert [pieces for pieces, _ in found] == [pieces for pieces, _ in expected]
    assert [total for _, total in found] == pytest.approx([total for _, total in expected])


@pytest.mark.parametrize("pieces", [(1, 2), (6, 6), (0, 3)])
def test_a_rank_is_the_number_of_likelier_fillings_and_one(pieces: Ids) -> None:
    """Up to the width of the search, beyond which it is unknown."""
    ids, places = (4, MASK, MASK, 2), (1, 2)
    every = every_filling(list(ids), places)
    found = fillings.likeliest(Model(), ids, places)  # type: ignore[arg-type]
    expected = 1 + sum(total > every[pieces] for total in every.values())
    rank = fillings.rank_among(found, (pieces, every[pieces]))
    assert rank == (expected if expected <= fillings.WIDTH else None)


def test_a_narrow_beam_may_miss_a_filling_but_never_gives_it_a_later_rank() -> None:
    """Of three masks and five hypotheses: log p is right, and no rank is beyond the true one."""
    ids, places = (4, MASK, MASK, MASK), (1, 2, 3)
    every = every_filling(list(ids), places)
    found = fillings.likeliest(Model(), ids, places, width=5)  # type: ignore[arg-type]
    assert len(found) == 5
    for pieces, total in found:
        assert total == pytest.approx(every[pieces])
    for pieces, total in every.items():
        rank = fillings.rank_among(found, (pieces, total), width=5)
        assert rank is None or rank <= 1 + sum(other > total for other in every.values())


def test_one_piece_is_not_searched_and_masks_are_searched_once() -> None:
    """Two targets of the same masks share a search of as many runs as there are masks."""
    model = Model()
    own = fillings.Fillings(model)  # type: ignore[arg-type]
    masked = (4, MASK, MASK, 2)
    assert own.rows([(Read((4, MASK, 2), 1), 3)], -1.0) == []
    for first, second in ((1, 2), (3, 3)):
        reads = [(Read(masked, 1), first), (Read((4, first, MASK, 2), 2), second)]
        [row] = own.rows(reads, every_filling(list(masked), (1, 2))[first, second])
        best = max(every_filling(list(masked), (1, 2)).values())
        assert row["value"] == pytest.approx(best)
    assert model.calls == 2


def test_an_answer_of_two_pieces_has_its_rank_among_all_pairs_of_pieces(tmp_path) -> None:
    """Of a tiny BERT, by transformers alone: every second piece behind every first."""
    folder = tiny.build(tmp_path / "bert", "bert")
    text = "The [MASK] works at a school."
    rows = [
        {"probe_set": "facts", "kind": "cloze", "frame": "f", "role": "probe", "label": "right",
         "text": text, "slot": 0, "target": target}
        for target in ("nurse", "farmer", "teacher")
    ]  # fmt: skip
    part = from_rows(iter(rows))
    measures = frozenset({"logp", "top_filling"})
    scored = scoring.score(part, [models.load(str(folder))], measures=measures).scores
    targets = scored.merge(part.items[["item", "target"]], on="item")
    searched = targets[targets["measure"] == "top_filling"].set_index("target")
    assert set(searched.index) == {"farmer", "teacher"}
    model, tokenizer = oracle.load(folder)
    before, _, after = oracle.written(tokenizer, text, 0, "farmer")
    every = _pairs_of_pieces(model, before, after, tokenizer.mask_token_id)
    best = float(every.max())
    for target in searched.index:
        first, second = oracle.written(tokenizer, text, 0, target).pieces
        rank = 1 + int((every > every[first, second] + 1e-9).sum())
        found = searched.loc[target]
        assert found["value"] == pytest.approx(best, abs=1e-4)
        assert found["rank"] is pd.NA if rank > fillings.WIDTH else found["rank"] == rank


def _pairs_of_pieces(model, before: list[int], after: list[int], mask: int) -> Numbers:
    """Return log p of each pair of pieces, [first, second], from one sentence at a time."""

    def row(ids: list[int], place: int) -> torch.Tensor:
        with torch.inference_mode():
            return model(torch.tensor([ids])).logits[0, place].double().log_softmax(-1)

    first = row([*before, mask, mask, *after], len(before))
    rows = [
        first[piece] + row([*before, piece, mask, *after], len(before) + 1)
        for piece in range(len(first))
    ]
    return torch.stack(rows).numpy()
