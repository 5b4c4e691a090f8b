"""Open what a folder holds: a checkpoint of plain, quantised or pruned weights, or an adapter."""

from dataclasses import replace

from maskaudit.audit.errors import InputError
from maskaudit.audit.measuring.checkpoints.checkpoint import ADAPTER, recognise, weight_files
from maskaudit.audit.measuring.checkpoints.config import load_config
from maskaudit.audit.measuring.checkpoints.located import Located, locate
from maskaudit.audit.measuring.checkpoints.tokenizer import check_rows, load_tokenizer
from maskaudit.audit.measuring.loading import adapters, pruned, quantised
from maskaudit.audit.measuring.loading.opened import Opened
from maskaudit.audit.measuring.loading.weights import loaded_weights


def opened(located: Located, *, allow_native: bool = False) -> Opened:
    """Open a located model, merging an adapter onto the base that it names.

    With `allow_native` a checkpoint that brings code of its own is loaded as transformers' class of
    its model type. Raises `InputError` if it is not whole, cannot run here, or is not understood.
    """
    adapter = adapters.found(located)
    if adapter is None:
        return _whole(located, allow_native=allow_native)
    try:
        at = locate(adapter.base)
        base = _whole(at, allow_native=allow_native)
    except InputError as error:
        raise InputError(
            f"model {located.name}: the base that its {ADAPTER} names cannot be used: {error}"
        ) from error
    return adapters.merged(adapter, base, at.name)


def _whole(located: Located, *, allow_native: bool) -> Opened:
    folder, name = located.folder, located.name
    recognise(folder, name)
    files = weight_files(folder, name)
    parts = quantised.parts(folder, files, name)
    config = load_config(
        folder, files, name, allow_native=allow_native, may_be_quantised=parts is not None
    )
    tokenizer = load_tokenizer(folder, name)
    if parts is not None:
        model = quantised.loaded(folder, files, name, config, parts)
        whole = Opened(
            model, tokenizer, tuple(files), derived=parts.derived, settings=parts.settings
        )
    else:
        masks = pruned.masks(files, name)
        model = loaded_weights(folder, files, name, config, masks=masks)
        whole = Opened(model, tokenizer, tuple(files))
    check_rows(tokenizer.built, config.get_text_config().vocab_size, name)
    return whole if parts is not None else replace(whole, **pruned.described(model, masks))
