"""How models are run: by which library, on which device, in which precision, how much at once."""

from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

# The packages that run models beside torch, by the name of the engine.
PACKAGES = {"onnx": "onnxruntime", "openvino": "openvino"}


@dataclass(frozen=True)
class Engine:
    """The way in which all models of an audit are run, as it was found to be possible here.

    `device` is cpu, cuda or mps; `dtype` float32 or bfloat16. `batch_tokens` is how many pieces a
    batch has at most; None for the usual number. `name` is torch, onnx or openvino, or auto: a
    checkpoint is then run by torch, and a file that was exported by the library it was made for.
    """

    device: str = "cpu"
    dtype: str = "float32"
    batch_tokens: int | None = None
    name: str = "auto"

    @property
    def method(self) -> dict[str, str]:
        """The part of the method keys: what makes numbers incomparable.

        Neither the processor nor torch is named, so that the keys of what torch scored there in
        float32 stay as they were.
        """
        device = {} if self.device == "cpu" else {"device": self.device}
        library = {"engine": library_of(self.name)} if self.name in PACKAGES else {}
        return {"dtype": self.dtype, **device, **library}


def library_of(name: str) -> str:
    """The package that an engine is, with its version; of torch, which has a key of its own, not.

    Another version of a runtime may add up in another order.
    """
    if name not in PACKAGES:
        return "torch"
    try:
        return f"{PACKAGES[name]} {version(PACKAGES[name])}"
    except PackageNotFoundError:
        return PACKAGES[name]


# The engine that every other is held against.
EXACT = Engine()
