"""Adapters of peft: a few tensors that change a base model, which another folder has.

peft puts the adapter beside its base, and then merges it into it. Both are tried on a sentence, so
that a merge that does other than the adapter is found.
"""

import hashlib
import json
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

from maskaudit.audit.errors import InputError
from maskaudit.audit.measuring.checkpoints.checkpoint import (
    ADAPTER,
    ADAPTER_WEIGHTS,
    CONFIG,
    WEIGHTS,
    check_readable,
    has_vocabulary,
    json_object,
)
from maskaudit.audit.measuring.checkpoints.digests import shapes
from maskaudit.audit.measuring.checkpoints.located import Located, first_line
from maskaudit.audit.measuring.checkpoints.tokenizer import Tokenizer, check_rows, load_tokenizer
from maskaudit.audit.measuring.loading import adapter_settings
from maskaudit.audit.measuring.loading.adapter_settings import KINDS, NAMES
from maskaudit.audit.measuring.loading.opened import Opened

# The largest difference of log p, in nats, between a merged adapter and one beside its base.
EXACT = 1e-4
_SENTENCE = "This is {} , and that was not ."
_INSTALL = 'run  pip install "maskaudit[adapters]"'


@dataclass(frozen=True)
class Adapter:
    """An adapter's folder, its settings, and the base that these name."""

    located: Located
    settings: Mapping[str, Any]
    base: str

    @property
    def file(self) -> Path:
        """Its tensors."""
        return self.located.folder / ADAPTER_WEIGHTS


def found(located: Located) -> Adapter | None:
    """The adapter that a folder holds; None if it holds none.

    Raises `InputError` for one that is not whole, has no masked LM as its base, is of a kind that
    is not merged here, or names code.
    """
    folder, name = located.folder, located.name
    check_readable(folder, name)
    if not (folder / ADAPTER).exists():
        return None
    settings = json_object(folder / ADAPTER, name)
    if fault := _fault(folder, settings):
        raise InputError(f"model {name}: {fault}")
    return Adapter(located, settings, _base(folder, settings))


def merged(adapter: Adapter, base: Opened, base_name: str) -> Opened:
    """The base with the adapter merged into it, with the adapter's own tokenizer if it has one.

    Raises `InputError` if the adapter does not fit the base, or cannot be merged exactly.
    """
    name, folder = adapter.located.name, adapter.located.folder
    if base.derived:
        raise InputError(
            f"model {name}: the adapter's base, {base_name}, is no checkpoint of plain weights "
            f"({base.derived}); merge it into plain weights and save the whole model"
        )
    tokenizer = load_tokenizer(folder, name) if has_vocabulary(folder) else base.tokenizer
    model = _merged(adapter, base.model, tokenizer)
    check_rows(tokenizer.built, model.config.get_text_config().vocab_size, name)
    decisive = {key: value for key, value in adapter.settings.items() if key not in NAMES}
    settings = hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()
    kind = KINDS[str(adapter.settings["peft_type"])]
    return Opened(
        model,
        tokenizer,
        (*base.files, adapter.file),
        derived=f"{kind} on {base_name}, merged by peft {version('peft')}",
        settings=settings,
    )


def _fault(folder: Path, settings: Mapping[str, Any]) -> str:
    """What makes a folder no adapter that can be audited; empty if nothing does."""
    if (folder / WEIGHTS).exists() or (folder / CONFIG).exists():
        return (
            f"the folder holds an adapter ({ADAPTER}) and a model of its own; expected one of "
            "them: move the other into a folder of its own"
        )
    if not (folder / ADAPTER_WEIGHTS).is_file():
        pickled = Path(ADAPTER_WEIGHTS).with_suffix(".bin")
        is_there = (folder / pickled).exists()
        instead = f"{pickled}, pickled weights that can run code" if is_there else "no weights"
        return (
            f"the folder holds an adapter with {instead}; expected {ADAPTER_WEIGHTS}: save it "
            "again (save_pretrained)"
        )
    try:
        every = shapes([folder / ADAPTER_WEIGHTS]).values()
        largest = max((side for shape in every for side in shape), default=0)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return f"{ADAPTER_WEIGHTS} cannot be read; fetch the adapter again"
    return adapter_settings.fault(settings, largest)


def _base(folder: Path, settings: Mapping[str, Any]) -> str:
    """What `locate` is to find: a path relative to the adapter's folder first."""
    base = str(settings["base_model_name_or_path"]).strip()
    beside = folder / base
    if _is_folder(beside):
        return str(beside)
    revision = settings.get("revision")
    is_named = isinstance(revision, str) and revision and not _is_folder(Path(base))
    return f"{base}@{revision}" if is_named and "@" not in base else base


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # a name that is too long, or a folder of somebody else
        return False


def _merged(adapter: Adapter, base: Any, tokenizer: Tokenizer) -> Any:  # noqa: ANN401
    name = adapter.located.name
    try:
        import peft
    except ImportError as error:
        raise InputError(f"model {name}: an adapter is merged by peft; {_INSTALL}") from error
    text = _SENTENCE.format(tokenizer.built.mask_token)
    ids = torch.tensor([tokenizer.encode([text])[0].ids])
    try:
        # peft warns of what it leaves out or lacks; the checks below refuse it.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            settings = peft.PeftConfig.from_pretrained(str(adapter.located.folder))
            beside = peft.PeftModel.from_pretrained(
                base,
                str(adapter.located.folder),
                config=settings,
                torch_device="cpu",
                low_cpu_mem_usage=True,  # nothing is made that the file does not fill
            ).eval()
            _check_whole(adapter, beside)
            before = _log_p(beside, ids)
            whole = beside.merge_and_unload(safe_merge=True)
        after = _log_p(whole, ids)
    except InputError:
        raise
    except Exception as error:
        raise InputError(
            f"model {name}: peft cannot merge the adapter into its base ({first_line(error)}); "
            "expected the base that it was trained on"
        ) from error
    difference = float((before - after).abs().max())
    # Not "more than": a NaN compares as false.
    if not difference <= EXACT:
        raise InputError(
            f"model {name}: merged into its base the adapter gives log p {difference:.2g} nats "
            "apart from what it gives beside it, as where it changes a matrix that embeddings and "
            "head share; save the whole model as you use it, and name that"
        )
    return whole


def _check_whole(adapter: Adapter, beside: Any) -> None:  # noqa: ANN401
    """Refuse tensors that were not taken as they are stored, and tensors that are not stored."""
    from peft import get_peft_model_state_dict

    stored = load_file(adapter.file)
    taken = get_peft_model_state_dict(beside, save_embedding_layers=False)
    if set(stored) - set(taken):
        embeddings = get_peft_model_state_dict(beside, save_embedding_layers=True)
        taken |= {key: tensor for key, tensor in embeddings.items() if key in stored}
    faults = [
        *(
            f"has {key[:100]!r}, which the base has no place for"
            for key in set(stored) - set(taken)
        ),
        *(f"lacks {key[:100]!r}, which would be random" for key in set(taken) - set(stored)),
        *(
            f"has {key[:100]!r}, which peft did not take as it is"
            for key in set(stored) & set(taken)
            if not _is_same(stored[key], taken[key])
        ),
    ]
    if faults:
        raise InputError(
            f"model {adapter.located.name}: {ADAPTER_WEIGHTS} {min(faults)}; expected an adapter "
            "that was trained on this base"
        )


def _is_same(one: torch.Tensor, other: torch.Tensor) -> bool:
    """Whether two tensors have the same numbers; NaN is found when they are merged."""
    return torch.equal(torch.nan_to_num(one.float()), torch.nan_to_num(other.float()))


@torch.inference_mode()
def _log_p(model: Any, ids: torch.Tensor) -> torch.Tensor:  # noqa: ANN401
    logits: torch.Tensor = model(input_ids=ids, attention_mask=torch.ones_like(ids)).logits
    return torch.log_softmax(logits.double(), dim=-1)


__all__ = ["EXACT", "Adapter", "found", "merged"]
