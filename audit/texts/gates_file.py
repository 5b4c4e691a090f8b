"""Which gates.toml is ours: one rule for the command line, the Python interface and pytest.

A file of this name is ours unless it is plainly another tool's. Ours that cannot be read is refused
by `policy.read`: a gate that is passed over in silence would let everything through.
"""

from pathlib import Path

from maskaudit.audit.errors import InputError
from maskaudit.audit.texts.names import has_keys_like, in_any_case, is_there
from maskaudit.audit.vocabulary import BASELINES, GATES_FILE, SETTINGS_FILE

# The tables and keys of a gates.toml. Written here, since pytest's plugin asks in sessions that
# have nothing of ours and must not import pydantic; a test holds them against `policy`.
KEYS = frozenset({
    *("gate", "waiver", "policy"),
    *("id", "rule", "select", "margin", "total_margin", "bound", "harm", "reason", "severity"),
    *("holds_in", "sharpness", "sharpness_reason"),
    *("baseline", "claims", "slice", "owner", "until", "longest_waiver"),
    *("probe_set", "axis", "estimator", "mode", "subject"),
})  # fmt: skip
LEFT_ALONE = "not ours, left alone"


def find(folder: Path) -> Path | None:
    """The gates.toml of a folder, readable or not; None if there is none, or none of ours.

    Under another case of the name it is found too, and first, so that `check_name` refuses it.
    """
    return next((path for path in in_any_case(folder, GATES_FILE) if is_ours(path)), None)


def is_ours(path: Path) -> bool:
    """Whether a file named gates.toml is meant for maskaudit, even a malformed one.

    When in doubt, it is. It is another tool's only if no AUDIT.toml and no folder of baselines lies
    beside it, it can be read as TOML, and no key is within two edits of one of ours.
    """
    folder = path.parent
    if in_any_case(folder, SETTINGS_FILE) or is_there(folder / BASELINES):
        return True
    return has_keys_like(path, KEYS)


def absent(folder: Path) -> str:
    """What to say where `find` finds nothing."""
    others = in_any_case(folder, GATES_FILE)
    if others:
        # The last, which is the file with exactly this name where there is one.
        return f"{others[-1]}: {LEFT_ALONE}; nothing was judged"
    return f"no {GATES_FILE}: nothing was judged"


def check_name(path: Path) -> None:
    """Raise `InputError` if gates would be read here under a name under which others miss them."""
    if path.name.casefold() != GATES_FILE:
        return
    for beside in in_any_case(path.parent, GATES_FILE):
        if beside.name != GATES_FILE and is_ours(beside):
            raise InputError(
                f"{beside}: gates are read from a file named {GATES_FILE}, in small letters; "
                "rename it"
            )
