"""A page as PDF, printed by a browser that is there: none comes with the package."""

import shutil
import subprocess
import tempfile
from pathlib import Path

from maskaudit.audit.errors import CannotWriteError, InputError
from maskaudit.audit.recording.files import replace_whole, writing

# Those that print a page from a command line, by the names that they are installed under.
BROWSERS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "microsoft-edge",
    "msedge",
)
_SECONDS = 120
_BY_HAND = "write the page as .html, and print it from a browser"


def browser() -> str:
    """The path of a browser that can print. Raises `InputError` where there is none."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        raise InputError(
            f".pdf takes a browser to print it, and none is here ({BROWSERS[0]}, {BROWSERS[2]} or "
            f"{BROWSERS[-1]}); {_BY_HAND}"
        )
    return found


def write_pdf(html: str, path: Path) -> Path:
    """Print a page that needs no network, whole or not at all, and return `path`.

    Raises `InputError` without a browser, and `CannotWriteError` where it fails or the disk is
    full. The browser has a profile of its own, which is deleted.
    """
    program = browser()
    with tempfile.TemporaryDirectory(prefix="maskaudit-") as scratch:
        page, printed = Path(scratch) / "page.html", Path(scratch) / "page.pdf"
        page.write_text(html, "utf-8", newline="\n")
        command = [
            program, "--headless", "--disable-gpu", "--no-first-run", "--no-pdf-header-footer",
            f"--user-data-dir={scratch}/profile", f"--print-to-pdf={printed}", page.as_uri(),
        ]  # fmt: skip
        try:
            ended = subprocess.run(  # noqa: S603 - a browser by its own name
                command, capture_output=True, timeout=_SECONDS, check=False
            )
            said = ended.stderr.decode("utf-8", "replace")
        except (OSError, subprocess.TimeoutExpired) as error:
            said = str(error)
        # Not by its exit code: what was asked for is there, or was not printed.
        if not printed.is_file() or not printed.read_bytes().startswith(b"%PDF-"):
            # What it ended with; before that stand its warnings, and those of what starts it.
            last = next((line for line in reversed(said.splitlines()) if line.strip()), "no reason")
            reason = last.rpartition("] ")[2]
            raise CannotWriteError(f"{path}: {program} did not print it ({reason})", _BY_HAND)
        with writing(path):
            # Resolved, since renaming onto a link would replace the link and not its target.
            replace_whole(path.resolve(), printed.read_bytes())
    return path
