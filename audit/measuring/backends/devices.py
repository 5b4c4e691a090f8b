"""The devices of this machine: which of them runs the models, and what is told of the others."""

import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import torch
import transformers

from maskaudit.audit.audit_file import Run
from maskaudit.audit.errors import InputError, MissingExtraError
from maskaudit.audit.measuring.engine import PACKAGES, Engine
from maskaudit.audit.vocabulary import silent

# The packages of each engine that are imported: onnx reads files before ONNX Runtime does.
_NEEDED = {"onnx": ("onnxruntime", "onnx"), "openvino": ("openvino",)}
_NVIDIA = Path("/dev/nvidia0")
# The side of the matrices by which the speed of a precision is tried: a few milliseconds each.
_SIDE, _TRIES = 512, 5


def engine_of(run: Run) -> Engine:
    """The engine that the settings ask for.

    Raises `InputError` for a device that is not there, for a library that is not installed, and for
    what that library does not do.
    """
    if run.engine in PACKAGES:
        return _exported(run)
    there = _there()
    device = run.device
    if device == "auto":
        device = "cuda" if "cuda" in there else "cpu"
    if device not in there:
        raise InputError(
            f"device {device!r} is not there: {_why_not(device)}; this machine has "
            f"{', '.join(there)}: use one of them, or auto"
        )
    return Engine(device, run.dtype, run.batch_tokens, run.engine)


def _exported(run: Run) -> Engine:
    """The engine for a library beside torch, which runs models on the processor."""
    check_installed(run.engine)
    if run.device not in {"auto", "cpu"}:
        raise InputError(
            f"engine {run.engine!r} runs models on the processor alone; leave out --device "
            f"{run.device}, or --engine {run.engine}"
        )
    if run.engine == "onnx" and run.dtype != "float32":
        raise InputError(
            f"engine 'onnx' runs models in float32 alone; for {run.dtype} leave out --engine onnx"
        )
    return Engine("cpu", run.dtype, run.batch_tokens, run.engine)


def check_installed(name: str) -> None:
    """Raise `MissingExtraError` for an engine the packages of which are not installed."""
    # Only looked for: to import them takes part of a second.
    for package in _NEEDED[name]:
        if find_spec(package) is None:
            raise MissingExtraError(package, f"engine {name!r} runs models", name)


def prepared(run: Run, note: Callable[[str], None] = silent) -> Engine:
    """The engine, with torch set to it; `note` receives what of the machine is not used, and why.

    Raises `InputError` for a device that is not there.
    """
    engine = engine_of(run)
    if run.threads is not None:
        torch.set_num_threads(run.threads)
    # Exact products: TF32 has 10 bits where float32 has 23.
    torch.set_float32_matmul_precision("highest")
    if engine.device == "cuda":
        torch.backends.cudnn.allow_tf32 = False
        torch.backends.cuda.matmul.allow_bf16_reduced_precision_reduction = False
    for sentence in _unused(engine):
        note(sentence)
    by_torch = engine.device == "cpu" and engine.name not in PACKAGES
    if engine.dtype == "bfloat16" and by_torch and (times := slower()) > 1:
        note(
            f"bfloat16 saves no time on this processor: its products take {times:.1f} times as "
            "long as those of float32, which are exact"
        )
    return engine


def slower() -> float:
    """How many times as long a product takes in bfloat16 as in float32 on this processor."""
    took = {}
    for dtype in (torch.float32, torch.bfloat16):
        square = torch.ones(_SIDE, _SIDE, dtype=dtype)
        torch.mm(square, square)  # the first also compiles
        took[dtype] = min(_seconds(square) for _ in range(_TRIES))
    return took[torch.bfloat16] / took[torch.float32]


def _seconds(square: torch.Tensor) -> float:
    start = time.perf_counter()
    torch.mm(square, square)
    return time.perf_counter() - start


def _there() -> list[str]:
    found = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    return ["cpu", *(name for name, is_there in found.items() if is_there)]


def _unused(engine: Engine) -> list[str]:
    """A sentence for each device that is there and does nothing."""
    if engine.name in PACKAGES:
        return [
            f"{name} is there and is not used: engine {engine.name!r} runs models on the processor"
            for name in _there()[1:]
        ]
    if engine.device == "cpu" and _NVIDIA.exists() and not torch.cuda.is_available():
        build = f"this machine has an NVIDIA GPU, and torch {torch.__version__} cannot use it"
        return [f"{build}; a build with CUDA can (https://pytorch.org/get-started)"]
    return [
        f"{name} is there and is not used: {engine.device} is; --device {name} takes it"
        for name in _there()
        if name not in {"cpu", engine.device}
    ]


def _why_not(device: str) -> str:
    built = {"cuda": torch.backends.cuda.is_built(), "mps": torch.backends.mps.is_built()}
    if built[device]:
        return "torch finds none that it can use"
    return f"torch {torch.__version__} is built without it"


def software() -> dict[str, str]:
    """Versions of the software that computes scores; part of every method key."""
    return {"torch": torch.__version__, "transformers": transformers.__version__}


def threads() -> int:
    """The number of threads of a forward pass."""
    return torch.get_num_threads()
