"""Train the bundled pair on its world, test it against the truth, and store it: `make phantom`.

The teacher learns the planted distributions. The student is distilled from it with the parts of
DistilBERT's loss (Sanh et al. 2019): half the layers, initialised from the teacher's; soft targets
at temperature 2, the planted distribution and text, and the cosine of hidden states. Their weights
are 5, 2 and .02 over 8, and that of plain masked-LM text .02 of the second: `losses` has them.
"""

import json
import shutil
import sys
import tempfile
import time
from collections.abc import Collection, Mapping
from pathlib import Path

import torch
from transformers import BertForMaskedLM, BertTokenizer

from maskaudit.audit.errors import SelftestError
from maskaudit.audit.phantom import truth as phantom_truth
from maskaudit.audit.proving.phantom import build
from maskaudit.audit.proving.phantom.acceptance import tested
from maskaudit.audit.proving.phantom.fitting import train
from maskaudit.audit.proving.phantom.leans import SEED
from maskaudit.audit.proving.phantom.losses import student_loss, teacher_loss
from maskaudit.audit.proving.phantom.world import generate

# Epochs at the full rate, enough to learn more than the marginal distribution, and of decay.
TEACHER_EPOCHS, STUDENT_EPOCHS = (10, 16), (5, 11)
# The teacher is trained once more from a lower rate: what it has not learnt yet makes all leans of
# a set of many groups too small, and its student would learn them so.
AGAIN_EPOCHS, AGAIN_RATE = (0, 9), 3e-4
# Of these there is more then: an interaction, and what is to be told among seven groups.
AGAIN_MORE = {"gender-race-name": 3, "religion": 1.5}


def main() -> None:
    """Train both models, test them as stored, and replace the bundled pair and its truth.

    Raises `SelftestError` and stores nothing where they do not pass, unless `--keep` is given.
    """
    torch.manual_seed(SEED)
    start = time.perf_counter()
    world = generate()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        tokenizer = build.tokenizer(world, folder)
        text = build.text(world, tokenizer)
        teacher = build.teacher(len(tokenizer))
        train(teacher, text, TEACHER_EPOCHS, teacher_loss(teacher, text), "teacher", start)
        hardest = text.with_more(AGAIN_MORE)
        again = teacher_loss(teacher, hardest)
        train(teacher, hardest, AGAIN_EPOCHS, again, "again", start, SEED + 1, highest=AGAIN_RATE)
        student = build.student(teacher)
        train(student, text, STUDENT_EPOCHS, student_loss(student, teacher, text), "student", start)
        for name, model in (("teacher", teacher), ("student", student)):
            build.stored(model, tokenizer, folder / name)
        # The stored files are tested and not the trained models: storing rounds weights to float16.
        truth, faults = tested(world, folder)
        for fault in faults:
            print(f"  NOT ACCEPTED: {fault}")
        minutes = (time.perf_counter() - start) / 60
        print(f"trained and tested in {minutes:.1f} minutes")
        if faults and "--keep" not in sys.argv:
            raise SelftestError("the pair does not show what was planted; nothing was stored")
        for name in ("teacher", "student"):
            shutil.rmtree(phantom_truth.FOLDER / name, ignore_errors=True)
            shutil.copytree(folder / name, phantom_truth.FOLDER / name)
        phantom_truth.FILE.write_text(json.dumps(truth.as_json(), indent=1) + "\n", "utf-8")


def distil(
    folder: Path,
    *,
    seed: int,
    kappa: Mapping[str, float],
    sets: Collection[str],
    epochs: tuple[int, int],
) -> None:
    """Train another student of the bundled teacher, and store it in `folder`.

    Training differs from the bundled student's in the seed, in `kappa` (amplification by axis), in
    `epochs` (at the full rate, of decay), in the text, which is that of `sets` alone, and in the
    teacher, which is the stored one, rounded to float16. The student is not tested against the
    truth.
    """
    start = time.perf_counter()
    torch.manual_seed(seed)
    tokenizer = BertTokenizer.from_pretrained(phantom_truth.TEACHER)
    model = BertForMaskedLM.from_pretrained(phantom_truth.TEACHER, dtype=torch.float32)
    teacher = build.teacher_of(model)
    text = build.text(generate(kappa, sets), tokenizer)
    student = build.student(teacher)
    loss = student_loss(student, teacher, text)
    train(student, text, epochs, loss, folder.name, start, seed)
    build.stored(student, tokenizer, folder)


if __name__ == "__main__":
    main()
