"""Signatures of a record's sums, with real keys of OpenSSH."""

import shutil
import subprocess
from pathlib import Path

import pytest

from maskaudit.audit.errors import InputError
from maskaudit.audit.recording import record
from maskaudit.audit.recording.files import unfinished
from maskaudit.audit.verifying import signature
from tests.reports import records

pytestmark = pytest.mark.skipif(
    shutil.which("ssh-keygen") is None, reason="ssh-keygen is not installed"
)


@pytest.fixture
def sealed(tmp_path: Path) -> Path:
    """Return the folder of a small record."""
    found = records.record([records.jobs(frames=4)], lost=2, tokens=("she", "he"))
    with unfinished(tmp_path / "runs") as folder:
        path = record.seal(found, folder / "0", tmp_path / "runs" / "one").path
    assert path is not None
    return path


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """Return a private key, beside its public one and a file that allows `ada` alone."""
    path = tmp_path / "key"
    ssh = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "a test", "-f", str(path)]
    subprocess.run(ssh, check=True)
    public = path.with_suffix(".pub").read_text().split()[:2]
    (tmp_path / "signers").write_text(f"ada {' '.join(public)}\n")
    return path


def test_a_signature_lies_beside_the_record_and_names_who_made_it(
    sealed: Path, key: Path, tmp_path: Path
) -> None:
    """The record is as it was, and any ssh-keygen checks the signature."""
    before = sorted(path.name for path in sealed.iterdir())
    path = signature.sign(sealed, key)
    assert path == sealed.parent / "one.sig"
    assert sorted(found.name for found in sealed.iterdir()) == before
    check = signature.signed(sealed, tmp_path / "signers")
    assert check.outcome == "verified"
    assert '"maskaudit" signature for ada' in check.text
    ssh = ["ssh-keygen", "-Y", "verify", "-f", str(tmp_path / "signers"), "-I", "ada"]
    with (sealed / "SHA256SUMS").open("rb") as sums:
        subprocess.run(
            [*ssh, "-n", "maskaudit", "-s", str(path)], stdin=sums, check=True, capture_output=True
        )


def test_what_was_not_signed_by_whom_it_should_be_is_refused(
    sealed: Path, key: Path, tmp_path: Path
) -> None:
    """No signature, other sums, another person, another purpose, another key."""
    signers = tmp_path / "signers"
    assert "no signature here" in signature.signed(sealed, signers).text
    path = signature.sign(sealed, key)
    assert signature.signed(sealed, signers, "ada").outcome == "verified"
    assert signature.signed(sealed, signers, "eve").differs
    good = path.read_bytes()
    ssh = ["ssh-keygen", "-Y", "sign", "-f", str(key), "-n", "git"]
    sums = (sealed / "SHA256SUMS").read_bytes()
    other = subprocess.run(ssh, input=sums, check=True, capture_output=True).stdout
    path.write_bytes(other)
    assert signature.signed(sealed, signers).differs
    path.write_bytes(good)
    allowed = signers.read_text()
    signers.write_text("")
    assert signature.signed(sealed, signers).differs
    signers.write_text(allowed)
    (sealed / "SHA256SUMS").write_bytes(sums + b"\n")
    assert signature.signed(sealed, signers).differs


def test_what_is_missing_is_one_line(
    sealed: Path, key: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key, the file of signers, or OpenSSH itself."""
    with pytest.raises(InputError, match="no such file; expected a private key"):
        signature.sign(sealed, tmp_path / "none")
    with pytest.raises(InputError, match="no such file; expected the allowed signers"):
        signature.signed(sealed, tmp_path / "none")
    (tmp_path / "no key").write_text("no key\n")
    with pytest.raises(InputError, match="cannot sign with it"):
        signature.sign(sealed, tmp_path / "no key")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match="ssh-keygen is not installed; install OpenSSH"):
        signature.sign(sealed, key)
