"""Signatures of a record's sums, made and checked by OpenSSH, that lie beside the record.

The sums cover every file of the record, so a signature of them covers the record. It lies outside
of it, as RECORD.sig: a record is never changed once it is sealed.
"""

import shutil
import subprocess
from pathlib import Path

from maskaudit.audit.errors import InputError
from maskaudit.audit.recording.files import write_whole
from maskaudit.audit.recording.record import SUMS
from maskaudit.audit.texts import bounded
from maskaudit.audit.verifying.check import Check, Difference, checked

# What the signature is for: one made for mail or for git does not pass.
NAMESPACE = "maskaudit"
_SUFFIX = ".sig"
_PATIENCE = 60.0


def signature_of(record: Path) -> Path:
    """Where the signature of a record lies: beside its folder."""
    # Resolved first: a record that is named `.` has no name to add to.
    folder = record.resolve()
    return folder.with_name(folder.name + _SUFFIX)


def sign(record: Path, key: Path) -> Path:
    """Sign the sums of a record with a private key of OpenSSH, and return the signature's path.

    Raises `InputError` without ssh-keygen or if the key cannot sign, `CannotWriteError` if the
    signature cannot be written.
    """
    if not key.is_file():
        raise InputError(f"{key}: no such file; expected a private key of OpenSSH")
    done = _run(["-Y", "sign", "-f", str(key.resolve()), "-n", NAMESPACE], record)
    if done.returncode != 0:
        raise InputError(f"{key}: cannot sign with it ({_line(done)})")
    return write_whole(signature_of(record), done.stdout.decode())


def signed(record: Path, signers: Path, identity: str | None = None) -> Check:
    """Whether the sums were signed by one of the allowed `signers`, a file as ssh-keygen reads it.

    `identity` is the one that has to have signed; None allows each of the file. Raises `InputError`
    without ssh-keygen or the file.
    """
    if not signers.is_file():
        raise InputError(f"{signers}: no such file; expected the allowed signers, a key a line")
    signature = signature_of(record)
    if not signature.is_file() or signature.is_symlink():
        return _refused(signature, f"no signature here; expected one of {SUMS}")
    allowed = ["-f", str(signers.resolve())]
    given = ["-s", str(signature)]
    # OpenSSH verifies for a name alone: without one it has to be asked first whose key it is.
    names = [identity] if identity else _principals(record, allowed, given)
    for name in names:
        verify = ["-Y", "verify", *allowed, "-I", name, "-n", NAMESPACE, *given]
        done = _run(verify, record)
        if done.returncode == 0:
            return checked("signature", [], f"{_line(done)}")
    who = identity or f"anyone whom {signers} allows"
    return _refused(signature, f"is no signature of these sums by {who}")


def _principals(record: Path, allowed: list[str], given: list[str]) -> list[str]:
    """The identities whose key made the signature, if the file allows any."""
    done = _run(["-Y", "find-principals", *allowed, *given], record)
    return done.stdout.decode(errors="replace").splitlines() if done.returncode == 0 else []


def _refused(signature: Path, text: str) -> Check:
    return checked("signature", [Difference(str(signature), None, "", text)], "")


def _run(arguments: list[str], record: Path) -> "subprocess.CompletedProcess[bytes]":
    """Run ssh-keygen on the sums of a record."""
    program = shutil.which("ssh-keygen")
    if program is None:
        raise InputError(
            "ssh-keygen is not installed; install OpenSSH (Debian: apt-get install openssh-client)"
        )
    try:
        # Read here and not by ssh-keygen, which knows no bound on what it reads.
        sums = bounded.content(record / SUMS, bounded.SUMS)
        return subprocess.run(  # noqa: S603 - a list of our own, and no shell
            [program, *arguments], input=sums, capture_output=True, check=False, timeout=_PATIENCE
        )
    except OSError as error:
        raise InputError(f"{record / SUMS}: cannot be read ({error.strerror})") from error
    except subprocess.TimeoutExpired as error:
        raise InputError(f"ssh-keygen did not end within {_PATIENCE:g} s") from error


def _line(done: "subprocess.CompletedProcess[bytes]") -> str:
    """The last line that ssh-keygen printed."""
    text = (done.stdout if done.returncode == 0 else done.stderr).decode(errors="replace")
    return (text.strip().splitlines() or ["it gave no reason"])[-1]
