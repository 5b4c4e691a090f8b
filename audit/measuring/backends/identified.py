"""The identity of a loaded model: what it is by its digests, and how it is run."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from maskaudit.audit.measuring.checkpoints.config import own_code
from maskaudit.audit.measuring.checkpoints.digests import (
    config_digest,
    file_digest,
    stored_dtype,
    tensor_digest,
    tokenizer_digest,
)
from maskaudit.audit.measuring.checkpoints.located import Located
from maskaudit.audit.measuring.engine import Engine
from maskaudit.audit.recording.manifest import Identity


def identified(  # noqa: PLR0913 - what a model is, and how it is run
    model: Any,  # noqa: ANN401 - a transformers model has no useful static type
    tokenizer: Any,  # noqa: ANN401 - nor has its tokenizer
    files: Sequence[Path],
    located: Located,
    engine: Engine,
    *,
    settings: str = "",
    **found: Any,  # noqa: ANN401 - each of the type of its field
) -> Identity:
    """The identity of a model, whose weights are `files`.

    `settings` is what decides its scores beside tensors and config (`loading.opened`). `found` has
    the fields that opening and trying the model decided: `head`, `encoder`, and where they are not
    those of every model `from_float32`, `derived` and `zeros`.
    """
    # Sorted, because `get_vocab` promises no order.
    vocabulary = json.dumps(sorted(tokenizer.get_vocab().items()))
    config = model.config
    text_config = config.get_text_config()
    return Identity(
        name=located.name,
        revision=located.revision,
        architecture=type(model).__name__,
        own_code=own_code(vars(config)),
        weights=_of_both(tensor_digest(files), settings),
        files={file.name: file_digest(file) for file in files},
        tokenizer=tokenizer_digest(tokenizer),
        vocabulary=hashlib.sha256(vocabulary.encode()).hexdigest(),
        vocabulary_size=text_config.vocab_size,
        parameters=sum(p.numel() for p in model.parameters()),
        layers=int(getattr(text_config, "num_hidden_layers", 0)),
        stored_dtype=stored_dtype(files),
        dtype=engine.dtype,
        device=engine.device,
        attention=str(getattr(config, "_attn_implementation", "")),
        config=config_digest(config),
        **found,
    )


def _of_both(tensors: str, settings: str) -> str:
    """The digest of tensors, and of the settings where there are some."""
    return hashlib.sha256(f"{tensors} {settings}".encode()).hexdigest() if settings else tensors
