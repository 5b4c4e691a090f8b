"""Numbers of a config.json, and files of a checkpoint that a library would never finish reading."""

import json
import os
import shutil

import numpy as np
import pytest
from safetensors.numpy import save_file

from maskaudit.audit.errors import InputError
from maskaudit.audit.measuring.backends import torch_model
from maskaudit.audit.measuring.checkpoints.checkpoint import recognise
from maskaudit.audit.measuring.checkpoints.config import load_config
from maskaudit.audit.measuring.checkpoints.sizes import check_numbers, check_whole, stored_numbers
from tests import tiny

# Of BERT and XLM-R large, which has the largest vocabulary of the usual models.
SOUND = {
    "model_type": "xlm-roberta", "hidden_size": 1024, "intermediate_size": 4096,
    "max_position_embeddings": 514, "num_attention_heads": 16, "num_hidden_layers": 24,
    "type_vocab_size": 1, "vocab_size": 250002, "pad_token_id": 1, "rope_theta": 10_000_000,
}  # fmt: skip


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """Return a tiny, sound checkpoint."""
    return tiny.build(tmp_path_factory.mktemp("sizes") / "base", "bert")


@pytest.fixture
def weights(tmp_path):
    """Return a file of 6,020 numbers."""
    path = tmp_path / "model.safetensors"
    save_file({"a": np.zeros((20, 300), "float32"), "b": np.zeros(20, "float16")}, path)
    return path


def test_the_numbers_of_a_file_are_counted_from_its_header(weights):
    """Also of several files, and none of a file that is no safetensors."""
    assert stored_numbers([weights]) == 6020
    assert stored_numbers([weights, weights.with_name("no")]) == 0


def test_a_large_model_with_its_own_weights_is_not_refused(weights, monkeypatch):
    """Half a billion numbers."""
    monkeypatch.setattr(
        "maskaudit.audit.measuring.checkpoints.sizes.stored_numbers", lambda _files: 560_000_000
    )
    check_numbers(SOUND, [weights], "a")
    check_whole(560_000_000, [weights], "a")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"num_labels": 10**7}, "asks for 10,000,000 labels; expected at most 100,000"),
        ({"n_layers": 10**9}, "asks for 1,000,000,000 layers; expected at most 1,000"),
        ({"encoder_layers": 1001}, "asks for 1,001 layers"),
        ({"inner_group_num": 10**6}, "asks for 1,000,000 'inner_group_num'"),
        ({"block_sizes": [4, 10**6]}, "asks for 1,000,000 'block_sizes'"),
        ({"vocab_size": 10**15}, r"vocab_size = 1000… \(16 digits\), which takes more memory"),
        ({"n_positions": 10**8}, "n_positions = 100,000,000, which takes 381.5 GiB, but"),
        ({"inner": {"max_position_embeddings": 10**9}}, "max_position_embeddings = 1,000,000,000"),
        ({"hidden_size": 10**6}, "hidden_size = 1,000,000"),
    ],
)
def test_a_number_that_no_weights_can_fill_is_refused(weights, change, said):
    """By its key, whatever the kind of model calls it, before a config is made of it."""
    with pytest.raises(InputError, match=f"model a: config.json (has )?{said}"):
        check_numbers(SOUND | {"vocab_size": 200} | change, [weights], "a")


def test_a_model_far_larger_than_its_weights_is_refused(weights):
    """By all its numbers, each of which may be allowed."""
    with pytest.raises(InputError, match=r"a model of 3.7 GiB, but the weights have 23.5 KiB"):
        check_whole(10**9, [weights], "a")


def test_labels_are_not_listed_before_they_are_counted(base, tmp_path, monkeypatch):
    """No library is asked for such a config."""
    folder = shutil.copytree(base, tmp_path / "a")
    config = json.loads((folder / "config.json").read_text()) | {"num_labels": 10**9}
    (folder / "config.json").write_text(json.dumps(config))
    monkeypatch.delattr("transformers.AutoConfig.from_pretrained")
    with pytest.raises(InputError, match="1,000,000,000 labels"):
        load_config(folder, [folder / "model.safetensors"], "a")


@pytest.mark.parametrize(
    "name", ["config.json", "tokenizer.json", "vocab.txt", "added_tokens.json", "x.model"]
)
@pytest.mark.parametrize("is_pipe", [True, False])
def test_no_file_of_a_checkpoint_is_waited_for(base, tmp_path, name, is_pipe):
    """Whichever of them a library would open."""
    folder = shutil.copytree(base, tmp_path / "a")
    (folder / name).unlink(missing_ok=True)
    if is_pipe:
        os.mkfifo(folder / name)
    else:
        (folder / name).symlink_to("/dev/zero")
    with pytest.raises(InputError, match=rf"model a: {name} is a \w+( pipe)?, not a regular file"):
        recognise(folder, "a")


@pytest.mark.slow
def test_a_tokenizer_with_an_id_beyond_the_rows_of_the_model_is_refused(base, tmp_path):
    """It would end the audit at the first sentence with that word."""
    folder = shutil.copytree(base, tmp_path / "a")
    content = json.loads((folder / "tokenizer.json").read_text())
    content["model"]["vocab"]["she"] = 5000
    (folder / "tokenizer.json").write_text(json.dumps(content))
    with pytest.raises(
        InputError, match=r"the tokenizer gives 'she' the id 5000, but the model has \d"
    ):
        torch_model.load(folder)
