"""Print the most memory in bytes that this process held when it scored a folder's sentences.

    python benchmarks/peak.py maskaudit CHECKPOINT

The sentences, with `[MASK]`, are in CHECKPOINT/texts.txt, one a line.
"""

import sys
from pathlib import Path

import checkpoints  # noqa: F401 - puts the project on the path
import torch
import transformers
from held import most_held
from routes import Plain

from maskaudit.audit.measuring import scoring
from maskaudit.audit.measuring.backends.torch_model import load
from maskaudit.audit.measuring.engine import Engine
from maskaudit.probes.expand import from_rows


def main() -> None:
    """Score as the first argument says."""
    name, folder = sys.argv[1], Path(sys.argv[2])
    transformers.logging.set_verbosity_error()
    texts = (folder / "texts.txt").read_text("utf-8").splitlines()
    if name == "pipeline":
        Plain(folder).pipeline(texts, ["he", "she"], 32)()
    elif name != "libraries alone":
        engine = Engine(dtype="bfloat16" if "bfloat16" in name else "float32")
        n = 2 if name == "two models" else 1
        models = [load(folder, engine=engine) for _ in range(n)]
        rows = (
            {"probe_set": "s", "frame": text, "text": text, "slot": 0, "target": target}
            for text in texts
            for target in ("he", "she")
        )
        scoring.score(from_rows(rows), models)
    assert torch.get_num_threads()  # noqa: S101 - torch is loaded in every case
    print(most_held())


if __name__ == "__main__":
    main()
