"""Names that several stages share: two files, a folder and the callback for progress."""

from collections.abc import Callable

# Names of files and a folder that people and other programs rely on.
SETTINGS_FILE = "AUDIT.toml"
GATES_FILE = "gates.toml"
BASELINES = "baseline"

# Called with what is being done, how much of it is done, and the total.
Progress = Callable[[str, int, int], None]
