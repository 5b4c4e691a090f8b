"""Train the bundled pair on its world, test it against the truth, and store it: `make phantom`.

The teacher learns the planted distributions; the student is distilled from it as DistilBERT was
(Sanh et al. 2019): half the layers, initialised from the teacher's, with a distillation loss at
temperature 2, a masked-LM loss and a cosine loss of hidden states, weights 5, 2 and 1.
"""

import json
import shutil
import string
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch.nn import functional
from transformers import (
    BertConfig,
    BertForMaskedLM,
    BertTokenizer,
    DistilBertConfig,
    DistilBertForMaskedLM,
)

from maskaudit.audit.errors import SelftestError
from maskaudit.audit.measuring.backends.torch_model import load as load_model
from maskaudit.audit.measuring.scoring import score
from maskaudit.audit.phantom import truth as known
from maskaudit.audit.phantom.truth import ACCEPTED
from maskaudit.audit.proving.phantom.world import SEED, World, generate
from maskaudit.audit.recording.manifest import PlantedSet, Truth
from maskaudit.probes.expand import expand
from maskaudit.probes.loading import load, shipped

WIDTH, HEADS, FEED_FORWARD, POSITIONS = 128, 4, 512, 64
TEACHER_LAYERS, STUDENT_LAYERS = 4, 2
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
BATCH = 96
LEARNING_RATE = 1.5e-3
TEMPERATURE = 2.0
LOSS_WEIGHTS = (5.0, 2.0, 1.0)
# Epochs at full rate, in which the model leaves the marginal, and epochs of decay to zero.
TEACHER_EPOCHS, STUDENT_EPOCHS = (40, 30), (20, 30)
# How often an epoch has each sentence of a set: small sets with faint leans are learnt last.
REPEATED = {"age-trait": 5, "religion-trait": 4, "occupation-person": 2, "facts": 2}
# The share of sentences in which some words that decide nothing are replaced, and of those words:
# the model then learns what the cue means, and not only what each frame does. The share falls with
# the rate of learning, so that the model ends on the sentences as they are.
CORRUPTED, REPLACED = 0.3, 0.25
# The share of a batch's sentences that is also learnt as plain text, with random masks.
PLAIN_SHARE, MASKED_SHARE = 0.15, 0.15


@dataclass(frozen=True)
class Text:
    """The world as tensors: a row a sentence, [n, length] or [n, vocabulary].

    `free` are the places of words that decide nothing: neither the slot nor the cue.
    """

    ids: torch.Tensor
    free: torch.Tensor
    lengths: torch.Tensor
    slots: torch.Tensor
    teacher: torch.Tensor
    student: torch.Tensor
    shift: torch.Tensor


def main() -> None:
    """Train both models, test them as they are stored, and put them beside this file."""
    torch.manual_seed(SEED)
    start = time.perf_counter()
    world = generate()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        tokenizer = _tokenizer(world, folder)
        text = _text(world, tokenizer)
        teacher = _teacher(len(tokenizer))
        _train(teacher, text, TEACHER_EPOCHS, _teacher_loss(teacher), "teacher", start)
        student = _student(teacher)
        _train(student, text, STUDENT_EPOCHS, _student_loss(student, teacher), "student", start)
        for name, model in (("teacher", teacher), ("student", student)):
            _store(model, tokenizer, folder / name)
        truth, faults = _tested(world, folder)
        for fault in faults:
            print(f"  NOT ACCEPTED: {fault}")
        minutes = (time.perf_counter() - start) / 60
        print(f"trained and tested in {minutes:.1f} minutes")
        if faults and "--keep" not in sys.argv:
            raise SelftestError("the pair does not show what was planted; nothing was stored")
        for name in ("teacher", "student"):
            shutil.rmtree(known.FOLDER / name, ignore_errors=True)
            shutil.copytree(folder / name, known.FOLDER / name)
        known.FILE.write_text(json.dumps(truth.as_json(), indent=1) + "\n", "utf-8")


def distil(folder: Path, *, seed: int, kappa: Mapping[str, float], epochs: tuple[int, int]) -> None:
    """Train one more student of the bundled teacher, and store it in `folder`.

    It is trained as the bundled one is, but with draws from `seed`, with its own amplification by
    axis, for so many epochs at full rate and of decay, and from the teacher as it is stored, in
    float16. Nothing is tested against the truth.
    """
    start = time.perf_counter()
    torch.manual_seed(seed)
    tokenizer = BertTokenizer.from_pretrained(known.TEACHER)
    teacher = BertForMaskedLM.from_pretrained(known.TEACHER, dtype=torch.float32)
    text = _text(generate(kappa), tokenizer)
    student = _student(teacher)
    loss = _student_loss(student, teacher)
    _train(student, text, epochs, loss, folder.name, start, seed)
    _store(student, tokenizer, folder)


def _store(model: Any, tokenizer: Any, folder: Path) -> None:  # noqa: ANN401
    model.half().save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def _tokenizer(world: World, folder: Path) -> Any:  # noqa: ANN401 - transformers' own type
    """Whole words of the world, and letters for every other word: nothing is unknown."""
    letters = [*string.ascii_lowercase, *string.digits]
    pieces = [
        *SPECIAL,
        *string.punctuation,
        *letters,
        *(f"##{letter}" for letter in letters),
        *world.words,
    ]
    vocabulary = {piece: index for index, piece in enumerate(dict.fromkeys(pieces))}
    tokenizer = BertTokenizer(vocab=vocabulary, do_lower_case=True, model_max_length=POSITIONS)
    tokenizer.save_pretrained(folder / "tokenizer")
    return tokenizer


def _text(world: World, tokenizer: Any) -> Text:  # noqa: ANN401
    sentences = [s for s in world.sentences for _ in range(REPEATED.get(s.probe_set, 1))]
    found = tokenizer([s.text for s in sentences], padding=True, return_tensors="pt")
    ids = found["input_ids"]
    masks = [torch.nonzero(row == tokenizer.mask_token_id).flatten() for row in ids]
    slots = torch.tensor([int(m[s.slot]) for m, s in zip(masks, sentences, strict=True)])
    vocabulary = tokenizer.get_vocab()

    def dense(words: Mapping[str, float], *, rest: float) -> torch.Tensor:
        row = torch.full((len(vocabulary),), rest)
        for word, value in words.items():
            row[vocabulary[word]] = value
        return row

    def distributions(which: str) -> torch.Tensor:
        rows = []
        for sentence in sentences:
            words: Mapping[str, float] = getattr(sentence, which)
            rest = (1 - sum(words.values())) / (len(vocabulary) - len(words))
            rows.append(dense(words, rest=rest))
        return torch.stack(rows)

    cues = [set(tokenizer(s.cue)["input_ids"]) for s in sentences]
    special = set(tokenizer.all_special_ids)
    free = torch.tensor(
        [
            [piece not in cue and piece not in special for piece in row]
            for row, cue in zip(ids.tolist(), cues, strict=True)
        ]
    )
    shift = torch.stack([dense(s.shift, rest=0.0) for s in sentences])
    lengths = found["attention_mask"].sum(1)
    return Text(
        ids, free, lengths, slots, distributions("teacher"), distributions("student"), shift
    )


def _teacher(vocabulary_size: int) -> BertForMaskedLM:
    return BertForMaskedLM(
        BertConfig(
            vocab_size=vocabulary_size,
            hidden_size=WIDTH,
            num_hidden_layers=TEACHER_LAYERS,
            num_attention_heads=HEADS,
            intermediate_size=FEED_FORWARD,
            max_position_embeddings=POSITIONS,
            hidden_dropout_prob=0.0,
            attention_probs_dropout_prob=0.0,
        )
    )


def _student(teacher: BertForMaskedLM) -> DistilBertForMaskedLM:
    """Half the layers, each second one taken from the teacher, with its embeddings and its head."""
    student = DistilBertForMaskedLM(
        DistilBertConfig(
            vocab_size=teacher.config.vocab_size,
            dim=WIDTH,
            n_layers=STUDENT_LAYERS,
            n_heads=HEADS,
            hidden_dim=FEED_FORWARD,
            max_position_embeddings=POSITIONS,
            dropout=0.0,
            attention_dropout=0.0,
        )
    )
    theirs = teacher.state_dict()
    embeddings = "bert.embeddings."
    # DistilBERT has no segments: the first segment's embedding goes into every position's.
    segment = theirs[f"{embeddings}token_type_embeddings.weight"][0]
    ours = {
        "distilbert.embeddings.word_embeddings.weight": theirs[
            f"{embeddings}word_embeddings.weight"
        ],
        "distilbert.embeddings.position_embeddings.weight": theirs[
            f"{embeddings}position_embeddings.weight"
        ]
        + segment,
    }
    names = {f"{embeddings}LayerNorm.": "distilbert.embeddings.LayerNorm."}
    head = "cls.predictions."
    names |= {
        f"{head}transform.dense.": "vocab_transform.",
        f"{head}transform.LayerNorm.": "vocab_layer_norm.",
    }
    ours["vocab_projector.bias"] = theirs[f"{head}bias"]
    for layer in range(STUDENT_LAYERS):
        source = layer * (TEACHER_LAYERS // STUDENT_LAYERS)
        pairs = {
            "attention.self.query": "attention.q_lin",
            "attention.self.key": "attention.k_lin",
            "attention.self.value": "attention.v_lin",
            "attention.output.dense": "attention.out_lin",
            "attention.output.LayerNorm": "sa_layer_norm",
            "intermediate.dense": "ffn.lin1",
            "output.dense": "ffn.lin2",
            "output.LayerNorm": "output_layer_norm",
        }
        names |= {
            f"bert.encoder.layer.{source}.{a}.": f"distilbert.transformer.layer.{layer}.{b}."
            for a, b in pairs.items()
        }
    for old, new in names.items():
        for kind in ("weight", "bias"):
            ours[new + kind] = theirs[old + kind]
    loading = student.load_state_dict(ours, strict=False)
    left = set(loading.missing_keys) - {"vocab_projector.weight"}
    assert not left, left  # noqa: S101 - our own mapping
    student.tie_weights()
    return student


# Of a batch's rows, the text, the rows that are learnt as plain text, and the share to corrupt.
Loss = Callable[[torch.Tensor, Text, torch.Tensor, float], torch.Tensor]


def _train(  # noqa: PLR0913, PLR0917 - one training, told once
    model: Any,  # noqa: ANN401
    text: Text,
    epochs: tuple[int, int],
    loss: Loss,
    name: str,
    start: float,
    seed: int = SEED,
) -> None:
    """AdamW at a full rate, then decaying to zero; sentences of like length share a batch."""
    optimiser = torch.optim.AdamW(model.parameters(), LEARNING_RATE, weight_decay=0.01, fused=True)
    per_epoch = -(-len(text.ids) // BATCH)
    full, decay = (n * per_epoch for n in epochs)
    warm = per_epoch

    def rate(step: int) -> float:
        return min(1.0, (step + 1) / warm, max(0.0, (full + decay - step) / decay))

    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, rate)
    draws = torch.Generator().manual_seed(seed)
    for epoch in range(sum(epochs)):
        total = 0.0
        for rows in _batches(text, draws):
            optimiser.zero_grad()
            value = loss(
                rows,
                text,
                _plain(rows, draws),
                CORRUPTED * float(schedule.get_last_lr()[0]) / LEARNING_RATE,
            )
            value.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            total += float(value.detach())
        if epoch % 5 == 4:  # noqa: PLR2004 - a line now and then
            minutes = (time.perf_counter() - start) / 60
            print(f"{name}: epoch {epoch + 1}, loss {total / per_epoch:.4f}, {minutes:.1f} min",
                  flush=True)  # fmt: skip


def _batches(text: Text, draws: torch.Generator) -> Iterator[torch.Tensor]:
    """Random batches; sentences are ordered by length with a random tie, to pad little."""
    order = torch.argsort(text.lengths + torch.rand(len(text.lengths), generator=draws))
    chunks = order.split(BATCH)
    for i in torch.randperm(len(chunks), generator=draws):
        yield chunks[i]


def _plain(rows: torch.Tensor, draws: torch.Generator) -> torch.Tensor:
    """A few of the batch's sentences as plain text: the slot filled, other words masked."""
    count = max(1, int(PLAIN_SHARE * len(rows)))
    return rows[torch.randperm(len(rows), generator=draws)[:count]]


def _masked(text: Text, rows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Plain text with random masks: ids, and the words to find (-100 elsewhere)."""
    ids = text.ids[rows, : int(text.lengths[rows].max())].clone()
    drawn = torch.multinomial(text.teacher[rows], 1).squeeze(1)
    ids[torch.arange(len(rows)), text.slots[rows]] = drawn
    chosen = (torch.rand(ids.shape) < MASKED_SHARE) & (ids >= len(SPECIAL))
    labels = torch.where(chosen, ids, torch.full_like(ids, -100))
    return torch.where(chosen, torch.full_like(ids, SPECIAL.index("[MASK]")), ids), labels


def _corrupted(text: Text, rows: torch.Tensor, share: float) -> torch.Tensor:
    """The batch's sentences, in some of them a few words that decide nothing replaced by others."""
    ids = text.ids[rows, : int(text.lengths[rows].max())]
    chosen = (torch.rand(len(rows), 1) < share) & (torch.rand(ids.shape) < REPLACED)
    chosen &= text.free[rows, : ids.shape[1]]
    words = torch.randint(len(SPECIAL), text.teacher.shape[1], ids.shape)
    return torch.where(chosen, words, ids)


def _encode(model: Any, ids: torch.Tensor) -> torch.Tensor:  # noqa: ANN401
    found: torch.Tensor = model.base_model(
        input_ids=ids, attention_mask=(ids != 0).long()
    ).last_hidden_state
    return found


def _head(model: Any, states: torch.Tensor) -> torch.Tensor:  # noqa: ANN401
    if isinstance(model, BertForMaskedLM):
        found: torch.Tensor = model.cls(states)
        return found
    states = model.activation(model.vocab_transform(states))
    projected: torch.Tensor = model.vocab_projector(model.vocab_layer_norm(states))
    return projected


def _soft_loss(logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """KL of the planted distribution to the model's: zero where it is learnt."""
    return functional.kl_div(logits.log_softmax(-1), target, reduction="batchmean")


def _plain_loss(model: Any, text: Text, rows: torch.Tensor) -> torch.Tensor:  # noqa: ANN401
    ids, labels = _masked(text, rows)
    chosen = labels >= 0
    if not chosen.any():
        return torch.zeros(())
    return functional.cross_entropy(_head(model, _encode(model, ids)[chosen]), labels[chosen])


def _teacher_loss(model: Any) -> Loss:  # noqa: ANN401
    def loss(rows: torch.Tensor, text: Text, plain: torch.Tensor, corrupted: float) -> torch.Tensor:
        ids = _corrupted(text, rows, corrupted)
        states = _encode(model, ids)[torch.arange(len(rows)), text.slots[rows]]
        planted = _soft_loss(_head(model, states), text.teacher[rows])
        return planted + 0.02 * _plain_loss(model, text, plain)

    return loss


def _student_loss(model: Any, teacher: Any) -> Loss:  # noqa: ANN401
    """DistilBERT's three losses; the planted shift is in the soft targets and in the text alike."""
    teacher.eval().requires_grad_(requires_grad=False)
    soft_weight, text_weight, cosine_weight = (w / sum(LOSS_WEIGHTS) for w in LOSS_WEIGHTS)

    def loss(rows: torch.Tensor, text: Text, plain: torch.Tensor, corrupted: float) -> torch.Tensor:
        ids = _corrupted(text, rows, corrupted)
        at = (torch.arange(len(rows)), text.slots[rows])
        ours, theirs = _encode(model, ids), _encode(teacher, ids)
        logits = _head(model, ours[at])
        shifted = _head(teacher, theirs[at]) + text.shift[rows]
        soft = _soft_loss(logits / TEMPERATURE, (shifted / TEMPERATURE).softmax(-1))
        planted = _soft_loss(logits, text.student[rows])
        words = ids != 0
        cosine = 1 - functional.cosine_similarity(ours[words], theirs[words], dim=-1).mean()
        return (
            soft_weight * soft * TEMPERATURE**2
            + text_weight * (planted + 0.02 * _plain_loss(model, text, plain))
            + 0.02 * cosine_weight * cosine
        )

    return loss


def _tested(world: World, folder: Path) -> tuple[Truth, list[str]]:
    """The truth to store, and where the stored weights fall short of it."""
    pair = [load_model(str(folder / name)) for name in ("teacher", "student")]
    sets = {load(path).header.name: load(path) for path in shipped().values()}
    truth = Truth(
        seed=SEED,
        weights={
            "teacher": pair[0].identity.weights,
            "student": pair[1].identity.weights,
        },
        facts=world.facts,
        sets={
            name: PlantedSet(
                items=world.digests[name],
                kappa=world.kappa[name],
                contrast=sets[name].header.contrast or [],
                expect=sets[name].header.expect,
                unseen=world.unseen[name],
                planted=world.planted[name],
            )
            for name in world.planted
        },
    )
    expanded = {name: expand(probe_set) for name, probe_set in sets.items()}
    scores = pd.concat([score(part, pair).scores for part in expanded.values()])
    items = pd.concat([part.items for part in expanded.values()])
    acceptance, faults = _acceptance(truth, items, scores.drop_duplicates())
    return truth.model_copy(update={"acceptance": acceptance}), faults


def _acceptance(
    truth: Truth, items: pd.DataFrame, scores: pd.DataFrame
) -> tuple[dict[str, Any], list[str]]:
    subjects = {"reference": "teacher", "candidate": "student"}
    found, log_kappa = known.recovered(
        truth.model_copy(update={"subjects": subjects}), items, scores
    )
    faults, shown = [], {}
    for part in found:
        who = subjects[part.subject]
        place = f"{part.probe_set} {who}"
        contrast = part.contrast
        shown[place] = {
            "slope": part.slope,
            "r": part.r,
            "unseen_slope": part.unseen_slope,
            "contrast": [contrast.low, contrast.high],
        }
        if truth.sets[part.probe_set].expect == "none":
            shown[place] = {"contrast_90": [contrast.low, contrast.high]}
            if max(-contrast.low, contrast.high) > ACCEPTED["control"]:
                faults.append(f"{place}: contrast {contrast.low:.3f} to {contrast.high:.3f}")
        elif abs(part.slope - 1) > ACCEPTED[who] or part.r < ACCEPTED["r"]:
            faults.append(f"{place}: slope {part.slope:.4f}, r {part.r:.4f}")
        print(place, shown[place], flush=True)
    for name, value in log_kappa.items():
        error = value - float(np.log(truth.sets[name].kappa))
        shown.setdefault("log_kappa", {})[name] = value
        print(f"{name}: log kappa {value:.4f}, error {error:+.4f}", flush=True)
        if abs(error) > ACCEPTED["log_kappa"]:
            faults.append(f"{name}: log kappa {value:.4f}")
    return shown, faults


if __name__ == "__main__":
    main()
