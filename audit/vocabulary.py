"""The words that several stages share, each said once: file names, subjects, levels, callbacks."""

from collections.abc import Callable

# Files and folders that people and programs find by their names.
GATES_FILE = "gates.toml"
BASELINES = "baseline"

# Called with what is being done, how much of it is done, and how much there is.
Progress = Callable[[str, int, int], None]
