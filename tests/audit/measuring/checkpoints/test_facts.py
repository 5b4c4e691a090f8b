"""What a checkpoint is found to be, against the model as transformers has it."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForMaskedLM, AutoTokenizer

from maskaudit.audit.claims.checking.facts import Facts
from maskaudit.audit.measuring.claimed import claimed
from tests import oracle, tiny


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Give a checkpoint of each architecture, BERT with the heads that it was trained with."""
    root = tmp_path_factory.mktemp("models")
    made = {name: tiny.build(root / name, name) for name in tiny.ARCHITECTURES}
    file = made["bert"] / "model.safetensors"
    heads = {"cls.seq_relationship.weight": torch.ones(2, 32)}
    save_file(load_file(file) | heads, file, metadata={"format": "pt"})
    made["cased"] = tiny.build(root / "cased", "distilbert", cased=True)
    return made


def facts(folder: Path) -> Facts:
    """Return the facts of a checkpoint."""
    return claimed(str(folder))[0]


SEGMENTS = {"bert": 2, "distilbert": 1, "roberta": 1, "albert": 2, "electra": 2}


@pytest.mark.parametrize("name", tiny.ARCHITECTURES)
def test_a_checkpoint_is_what_transformers_loads(folders: dict[str, Path], name: str) -> None:
    """Numbers counted tensor by tensor of the loaded model; the rest by its configuration."""
    found = facts(folders[name])
    model = AutoModelForMaskedLM.from_pretrained(folders[name])
    encoder = sum(parameter.numel() for parameter in model.base_model.parameters())
    assert found.parameters["without heads"] == encoder
    assert found.parameters["with the masked-LM head"] == sum(p.numel() for p in model.parameters())
    assert found.vocabulary_size == model.config.vocab_size
    assert found.longest == tiny.POSITIONS
    assert found.segments == SEGMENTS[name]
    extra = {"next_sentence"} if name == "bert" else set()
    assert found.heads == {"masked_lm"} | extra
    # A byte-level BPE is cased, the others here are not.
    assert found.casing == ("cased" if name == "roberta" else "uncased")
    assert found.mask_token == AutoTokenizer.from_pretrained(folders[name]).mask_token


def test_a_cased_vocabulary_is_told_with_its_capitals(folders: dict[str, Path]) -> None:
    """Special pieces in brackets are no words with capitals."""
    found = facts(folders["cased"])
    pieces = AutoTokenizer.from_pretrained(folders["cased"]).get_vocab()
    capitals = [piece for piece in pieces if piece[0] != "[" and piece != piece.lower()]
    assert (found.casing, found.capitals) == ("cased", len(capitals))
    assert facts(folders["distilbert"]).capitals == 0


def test_a_licence_is_that_of_the_folder_and_not_of_the_card_itself(
    tmp_path: Path,
) -> None:
    """Its README.md says so, or the licence itself lies there; the checked card is no evidence."""
    folder = tiny.build(tmp_path / "model", "distilbert")
    assert facts(folder).licence == ""
    (folder / "LICENSE").write_text("\n  Apache License\n  Version 2.0, January 2004\n")
    found = facts(folder)
    assert (found.licence, found.licence_of) == ("apache-2.0", "LICENSE")
    card = folder / "README.md"
    card.write_text("---\nlicense: mit\n---\n")
    assert facts(folder).licence == "mit"
    assert claimed(str(folder), card=card)[0].licence == "apache-2.0"


def test_a_sentence_is_filled_as_plain_transformers_fills_it(folders: dict[str, Path]) -> None:
    """With the mask token of the card, of whichever model that was."""
    _, fills = claimed(str(folders["roberta"]), ["The <mask> is here.", "A [MASK] came."], 3)
    model, tokenizer = oracle.load(folders["roberta"])
    for sentence, found in fills.items():
        text = sentence.replace("<mask>", "[MASK]")
        expected = oracle.top_k(model, tokenizer, text, 0, 3)
        tokens = [tokenizer.convert_tokens_to_string([tokenizer.convert_ids_to_tokens(i)]).strip()
                  for i, _ in expected]  # fmt: skip
        assert [token for token, _ in found[:3]] == tokens
        assert [p for _, p in found[:3]] == pytest.approx(
            [torch.tensor(value).exp().item() for _, value in expected], abs=1e-6
        )
