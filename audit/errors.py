"""Every error that a user can cause: one clear line each, with the exit code of the command.

MaskauditError            70  an internal error, unless a subclass says otherwise
├── InputError             2  wrong usage or input: a file, a model, a setting
│   └── MissingExtraError  2  the packages that run models are not installed
├── DeviceMemoryError     70  a batch does not fit into the memory of a device
├── NotJudgedError         3  nothing could be judged: unequal method keys, nothing measured
├── SelftestError          1  the instrument did not recover a planted truth
├── WorseError             1  a record is credibly worse than the baseline or its anchor
├── CannotWriteError      74  a full or read-only disk
└── LockedError           75  another run holds the folder
"""

import re

_ADDRESS = re.compile(r"""(https?://)([^\s'"<>]*?)([;,.:)]*)(?=[\s'"<>]|$)""", re.IGNORECASE)
_HIDDEN = "***"


def without_secrets(text: str) -> str:
    """A text with the user, the password and the query of each address in it left out.

    Any of them may be a secret that somebody typed, and messages are kept in logs.
    """
    return _ADDRESS.sub(lambda found: f"{found[1]}{_shown(found[2])}{found[3]}", text)


def _shown(rest: str) -> str:
    """What may be shown of an address behind its scheme."""
    bare, mark, _ = next((p for m in "?#" if (p := rest.partition(m))[1]), (rest, "", ""))
    authority, slash, path = bare.partition("/")
    user, at, host = authority.rpartition("@")
    port = host.rpartition("]")[2].partition(":")[2]
    # What follows a colon and is no port is of a password, with a slash or a question mark in it.
    if not user and port and not port.isdecimal():
        return _HIDDEN
    return f"{_HIDDEN + at if at else ''}{host}{slash}{path}{mark + _HIDDEN if mark else ''}"


class MaskauditError(Exception):
    """Root of the tree; `exit_code` is what the command line ends with.

    Its message has no secret of an address: whatever was typed comes through here to be shown.
    """

    exit_code = 70

    def __init__(self, *words: object) -> None:
        super().__init__(*(without_secrets(w) if isinstance(w, str) else w for w in words))


class InputError(MaskauditError):
    """Something the user named or wrote cannot be used.

    `faults` has a line for every fault; the message is all of these lines.
    """

    exit_code = 2

    def __init__(self, *faults: str) -> None:
        self.faults = tuple(map(without_secrets, faults))
        super().__init__("\n".join(faults))


class MissingExtraError(InputError):
    """The command runs models, but the packages that it needs for them are not installed.

    `extra` is the extra of maskaudit that brings them, `does` what they are needed for.
    """

    def __init__(
        self, missing: str, does: str = "this command runs models", extra: str = "models"
    ) -> None:
        super().__init__(
            f"{does}, but the package {missing!r} is not installed; "
            f'run  pip install "maskaudit[{extra}]"'
        )


class DeviceMemoryError(MaskauditError):
    """A batch, halved once, does not fit into the memory of the device that runs the models."""


class NotJudgedError(MaskauditError):
    """There was nothing to judge, or numbers that may not be compared."""

    exit_code = 3


class SelftestError(MaskauditError):
    """The instrument did not recover a truth that was planted."""

    exit_code = 1


class WorseError(MaskauditError):
    """The record to accept is credibly worse than the baseline or its anchor."""

    exit_code = 1


class CannotWriteError(MaskauditError):
    """The disk is full, read-only or out of reach.

    `fault` says what could not be written; the message goes on with what was `kept`, if given.
    """

    exit_code = 74

    def __init__(self, fault: str, kept: str = "") -> None:
        self.fault = without_secrets(fault)
        super().__init__(f"{fault}; {kept}" if kept else fault)


class LockedError(MaskauditError):
    """Another run holds the folder."""

    exit_code = 75


class UndrawnWarning(UserWarning):
    """A page was written with tables in place of its charts."""
