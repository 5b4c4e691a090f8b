"""A checkpoint's tokenizer, checked: fast, with a mask token, true to its file in case."""

import json
from pathlib import Path
from typing import Any

from transformers import AutoTokenizer

from maskaudit.audit.errors import InputError
from maskaudit.audit.measuring.checkpoints.checkpoint import check_tokenizer, json_object
from maskaudit.audit.measuring.checkpoints.located import first_line


def load_tokenizer(folder: Path, name: str) -> Any:  # noqa: ANN401 - transformers' own type
    """Load a checkpoint's tokenizer.

    Raises `InputError` if it is missing, unreadable or slow, has no mask token, or treats case or
    accents other than tokenizer.json says.
    """
    check_tokenizer(folder, name)
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
    except Exception as error:
        raise InputError(
            f"model {name}: the tokenizer cannot be read ({first_line(error)}); expected the files "
            "that save_pretrained writes"
        ) from error
    if not tokenizer.is_fast:
        raise InputError(f"model {name}: the tokenizer gives no offsets; expected a fast tokenizer")
    if tokenizer.mask_token is None or tokenizer.mask_token_id is None:
        raise InputError(f"model {name}: the tokenizer has no mask token; expected a masked LM")
    file = folder / "tokenizer.json"
    if file.is_file():
        # transformers rebuilds some normalisers and would silently lower-case a cased model.
        stated = _normalised(json_object(file, name))
        loaded = _normalised(json.loads(tokenizer.backend_tokenizer.to_str()))
        for key, value in stated.items():
            if value != loaded[key]:
                raise InputError(
                    f"model {name}: tokenizer.json says {key} = {value}, but tokenizer_config.json "
                    f"says otherwise; set {key} in tokenizer_config.json"
                )
    return tokenizer


def _normalised(state: dict[str, Any]) -> dict[str, bool]:
    """Whether a tokenizer lower-cases and strips accents, keyed by the setting's name."""
    normaliser = state.get("normalizer") or {}
    parts = [normaliser, *(normaliser.get("normalizers") or [])]
    lower = any(part.get("lowercase") or part.get("type") == "Lowercase" for part in parts)
    # BERT's normaliser strips accents when it lower-cases, unless `strip_accents` is set.
    explicit = [part["strip_accents"] for part in parts if part.get("strip_accents") is not None]
    other = any(part.get("type") == "StripAccents" for part in parts)
    bert = lower and any(part.get("type") == "BertNormalizer" for part in parts)
    return {"do_lower_case": lower, "strip_accents": explicit[0] if explicit else other or bert}
