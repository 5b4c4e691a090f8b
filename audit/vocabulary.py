"""Names that several stages share: two files, a folder and the callbacks for progress."""

from collections.abc import Callable

# Names of files and a folder that people and other programs rely on.
SETTINGS_FILE = "AUDIT.toml"
GATES_FILE = "gates.toml"
BASELINES = "baseline"

# Called with what is being done, how much of it is done, and the total. What is being done is the
# name of a set while its sentences are scored; before, a stage of `STAGES` follows the name.
Progress = Callable[[str, int, int], None]
EXPANDING, DIGESTING, PLANNING = "expanding", "taking its digest", "planning"
# What is counted in each stage of a set before its sentences are scored.
STAGES = {EXPANDING: "items", DIGESTING: "items", PLANNING: "sentences"}


# Called with what is being done where nothing is counted, such as loading a model.
Stage = Callable[[str], None]


def silent(*_message: object) -> None:
    """Ignore a progress report or a note."""


def of_stage(progress: Progress, name: str, stage: str, total: int) -> Callable[[int], None]:
    """A callback for how much is done, of `total`, of a stage of the set with this name."""
    return lambda done: progress(f"{name}, {stage}", done, total)
