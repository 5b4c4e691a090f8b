"""Models that are derived from a checkpoint, made and run plainly by the libraries they are of."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from maskaudit.audit.errors import InputError
from maskaudit.audit.measuring.backends.torch_model import LoadedModel, load
from maskaudit.audit.measuring.model import Ids
from tests import oracle

# Lengths, and places of the mask, that differ: a batch of them has several runs of one length.
TEXTS = (
    "{} is a nurse .",
    "{} is a doctor .",
    "the {} was very kind",
    "she worked as a {} in the city and told him her day",
    "John , who met Mary , said that {} likes the old school",
    "the farmers and the teachers went with {}",
    "{}",
)
# Further than this apart, in nats, a derived model is not what its own library runs.
ALIKE = 1e-4


def refused(folder: Path) -> str:
    """The one line with which a folder is refused."""
    with pytest.raises(InputError) as caught:
        load(folder)
    [line] = str(caught.value).splitlines()
    assert line.startswith(f"model {folder.parent.name}/{folder.name}: ")
    return line


def largest_difference(model: LoadedModel, plain: Any) -> float:
    """The largest difference in nats from a model run plainly, a sentence at a time.

    Of log p of every piece of the vocabulary, at the mask and at the first place of each text.
    """
    encoded = model.encode([text.format(model.mask_token) for text in TEXTS])
    sentences = sorted((one.ids for one in encoded), key=len)
    reads = [
        (row, place)
        for row, ids in enumerate(sentences)
        for place in dict.fromkeys((0, ids.index(model.mask_id)))
    ]
    found = model.log_probs(sentences, reads)
    return float(np.abs(found - run_plainly(plain, sentences, reads)).max())


def run_plainly(
    plain: Any, sentences: Sequence[Ids], reads: Sequence[tuple[int, int]]
) -> NDArray[np.float64]:
    """Log p over the vocabulary at each read, by a forward pass of each sentence alone."""
    plain.eval()
    with torch.inference_mode():
        rows = [
            plain(input_ids=torch.tensor([sentences[row]])).logits[0, place] for row, place in reads
        ]
    log_p: NDArray[np.float64] = torch.log_softmax(torch.stack(rows).double(), -1).numpy()
    return log_p


def adapted(base: Path, folder: Path, settings: Any, seed: int = 7) -> Path:
    """Save an adapter of peft with random numbers, on a base that it names by its path."""
    import peft

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # peft asks transformers for what is about to be renamed
        model = peft.get_peft_model(oracle.load(base)[0], settings)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for tensor in model.parameters():
            if tensor.requires_grad:
                tensor.add_(torch.randn(tensor.shape, generator=generator) * 0.1)
    model.save_pretrained(folder, save_embedding_layers=False)
    return folder


def beside(base: Path, folder: Path) -> Any:
    """An adapter beside its base, as peft runs it: nothing is merged."""
    import peft

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return peft.PeftModel.from_pretrained(oracle.load(base)[0], folder)
