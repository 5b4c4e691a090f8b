"""Names that several stages share: a file, a folder and the callback for progress."""

from collections.abc import Callable

# Names of a file and a folder that people and other programs rely on.
GATES_FILE = "gates.toml"
BASELINES = "baseline"

# Called with what is being done, how much of it is done, and the total.
Progress = Callable[[str, int, int], None]
