"""The three losses, by loops over single places, and the batches that they are of."""

import math

import numpy as np
import pytest
import torch
from transformers import AutoModelForMaskedLM, AutoTokenizer

from maskaudit.audit.errors import InputError
from maskaudit.audit.training.distilling import rows as texts
from maskaudit.audit.training.distilling.losses import losses
from maskaudit.audit.training.distilling.rows import IGNORED
from maskaudit.audit.training.distilling.student import student_of
from tests import tiny

pytestmark = pytest.mark.usefixtures("one_thread")
LINES = [
    "she is a doctor in the city", "", "he said that the old house was good", "hello [MASK] world",
    "the woman met a man, a boy and a girl; they worked for years and years in Paris",
] * 5  # fmt: skip


@pytest.fixture(scope="module")
def teacher(tmp_path_factory):
    """Return a BERT, its tokenizer and the rows of a text of theirs."""
    folder = tmp_path_factory.mktemp("losses")
    tiny.build(folder, "bert", seed=3, num_hidden_layers=2)
    (folder / "text.txt").write_text("\n".join(LINES))
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForMaskedLM.from_pretrained(folder, dtype=torch.float32).eval()
    return model, tokenizer, texts.read(folder / "text.txt", tokenizer, 12)


def test_the_losses_are_those_of_loops_over_single_places(teacher):
    """Softmaxes by hand in double precision, of the models' own whole forward passes."""
    model, _, rows = teacher
    student = student_of(model, (0,), "it").eval()
    batch = rows.batch(3, 8, seed=1)
    with torch.no_grad():
        found = losses(student, model, batch)
    soft, masked, cosine = [], [], []
    for row in range(len(batch.ids)):
        length = int(batch.seen[row].sum())
        ids = batch.ids[row : row + 1, :length]
        with torch.no_grad():
            ours, theirs = (m(ids, output_hidden_states=True) for m in (student, model))
        for place in range(length):
            a, b = (m.hidden_states[-1][0, place].double() for m in (ours, theirs))
            cosine.append(1 - float(a @ b / (a.norm() * b.norm())))
            label = int(batch.labels[row, place])
            if label == IGNORED:
                continue
            q, p = (m.logits[0, place].double().numpy() for m in (ours, theirs))
            masked.append(math.log(np.exp(q - q[label]).sum()))
            p2, q2 = (np.exp(x / 2) / np.exp(x / 2).sum() for x in (p, q))
            soft.append(4 * float((p2 * np.log(p2 / q2)).sum()))
    assert float(found.soft) == pytest.approx(np.mean(soft), rel=1e-4)
    assert float(found.masked) == pytest.approx(np.mean(masked), rel=1e-4)
    assert float(found.cosine) == pytest.approx(np.mean(cosine), rel=1e-4)
    assert float(found.total) == pytest.approx(
        5 * np.mean(soft) + 2 * np.mean(masked) + np.mean(cosine), rel=1e-4
    )


def test_rows_are_the_text_in_parts_and_no_piece_is_lost(teacher):
    """Each has the special pieces around it; a mask that somebody wrote about is left out."""
    _, tokenizer, rows = teacher
    special = {tokenizer.cls_token_id, tokenizer.sep_token_id}
    assert all(len(row) <= 12 and {row[0], row[-1]} == special for row in rows.rows)
    inside = [piece for row in rows.rows for piece in row[1:-1]]
    expected = [
        piece
        for line in LINES
        for piece in tokenizer(line.replace("[MASK]", ""), add_special_tokens=False)["input_ids"]
    ]
    assert inside == expected


def test_an_epoch_has_each_row_once_and_the_next_another_order_and_masks(teacher):
    """The same step of the same seed is the same batch, whatever was drawn before."""
    _, _, rows = teacher
    n = -(-len(rows.rows) // 8)

    def whole(batch):
        ids = torch.where(batch.labels == IGNORED, batch.ids, batch.labels)
        return [tuple(row[seen].tolist()) for row, seen in zip(ids, batch.seen, strict=True)]

    epochs = [
        [r for s in range(e * n, e * n + n) for r in whole(rows.batch(s, 8, 1))] for e in (0, 1)
    ]
    assert (
        sorted(epochs[0]) == sorted(epochs[1]) == sorted(tuple(row.tolist()) for row in rows.rows)
    )
    assert epochs[0] != epochs[1]
    first, again, other = rows.batch(2, 8, 1), rows.batch(2, 8, 1), rows.batch(2, 8, 2)
    assert torch.equal(first.ids, again.ids)
    assert first.ids.shape != other.ids.shape or not torch.equal(first.ids, other.ids)


def test_what_is_masked_has_the_shares_of_bert(teacher):
    """15 % of the pieces are told: eight of ten as masks, one as another piece, one as it is."""
    _, tokenizer, rows = teacher
    counts = np.zeros(4)
    for step in range(400):
        batch = rows.batch(step, 8, 1)
        told = batch.labels != IGNORED
        ids, labels = batch.ids[told], batch.labels[told]
        assert not np.isin(labels.numpy(), tokenizer.all_special_ids).any()
        is_mask, is_left = ids == tokenizer.mask_token_id, ids == labels
        free = np.isin(np.where(told, batch.labels, batch.ids), rows.free)
        counts += [free.sum(), len(ids), int(is_mask.sum()), int(is_left.sum())]
    assert counts[1] / counts[0] == pytest.approx(0.15, abs=0.01)
    assert counts[2] / counts[1] == pytest.approx(0.8, abs=0.02)
    assert counts[3] / counts[1] == pytest.approx(0.1, abs=0.02)


def test_a_text_without_a_word_is_refused(teacher, tmp_path):
    """It says what a text is."""
    (tmp_path / "empty.txt").write_text("\n  \n[MASK]\n".replace("[MASK]", ""))
    with pytest.raises(InputError, match="has no text; expected sentences or paragraphs"):
        texts.read(tmp_path / "empty.txt", teacher[1], 12)
