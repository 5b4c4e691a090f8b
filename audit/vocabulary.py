"""Names that several stages share: a file, a folder and the callback for progress."""

from collections.abc import Callable

# Names of a file and a folder that people and other programs rely on.
GATES_FILE = "gates.toml"
BASELINES = "baseline"

# Called with what is being done, how much of it is done, and the total. What is being done is the
# name of a set while its sentences are scored; before, a stage of `STAGES` follows the name.
Progress = Callable[[str, int, int], None]
EXPANDING, DIGESTING, PLANNING = "expanding", "taking its digest", "planning"
# What is counted in each stage of a set before its sentences are scored.
STAGES = {EXPANDING: "items", DIGESTING: "items", PLANNING: "sentences"}


def of_stage(progress: Progress, name: str, stage: str, total: int) -> Callable[[int], None]:
    """A callback for how much is done, of `total`, of a stage of the set with this name."""
    return lambda done: progress(f"{name}, {stage}", done, total)
