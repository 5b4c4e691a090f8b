"""The pictures of README: an audit's page, the table in a terminal, and a gate that fails.

Run as a program, it audits the bundled pair and writes docs/*.png; it needs Chromium.
"""

import os
import pty
import subprocess
import sys
import tempfile
from io import StringIO
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright
from rich.console import Console
from rich.terminal_theme import DIMMED_MONOKAI
from rich.text import Text

from maskaudit.reports.pdf import browser as browser_here

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
COLUMNS = 100
COMMAND = [sys.executable, "-m", "maskaudit"]
_TERMINAL = """<!doctype html><html lang="en"><title>{title}</title><style>
body {{ margin: 0; padding: 18px 22px; width: max-content }}
body {{ background: {background}; color: {foreground} }}
pre {{ margin: 0; font: 14px/1.4 "DejaVu Sans Mono", monospace }}
</style><body><pre><b>$ {title}</b>
{code}</pre></body></html>"""


def in_terminal(*words: str, folder: Path) -> str:
    """Return what a command prints in a terminal of `COLUMNS`, colours included."""
    ours, its = pty.openpty()
    environment = os.environ | {"COLUMNS": str(COLUMNS), "TERM": "xterm-256color"}
    environment.pop("NO_COLOR", None)
    running = subprocess.Popen([*COMMAND, *words], cwd=folder, env=environment, stdout=its)
    os.close(its)
    parts = []
    try:
        while part := os.read(ours, 65536):
            parts.append(part)
    except OSError:  # Linux says so where the other end is closed
        pass
    running.wait()
    return b"".join(parts).decode().replace("\r\n", "\n").rstrip()


def of_terminal(browser: Browser, title: str, printed: str, path: Path) -> None:
    """Write a picture of what a command printed."""
    console = Console(record=True, width=COLUMNS, file=StringIO())
    console.print(Text.from_ansi(printed), soft_wrap=True)
    theme = DIMMED_MONOKAI
    code = console.export_html(theme=theme, inline_styles=True, code_format="{code}")
    page = browser.new_page(device_scale_factor=2)
    colours = {"background": theme.background_color.hex, "foreground": theme.foreground_color.hex}
    page.set_content(_TERMINAL.format(title=title, code=code, **colours))
    page.locator("body").screenshot(path=path)
    page.close()


def main() -> None:
    """Write every picture."""
    versions = ROOT / "examples" / "versions"
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        runs = Path(folder) / "runs"
        subprocess.run([*COMMAND, "run", "--out", str(runs)], check=True, cwd=folder)
        browser = playwright.chromium.launch(executable_path=browser_here())
        page = browser.new_page(viewport={"width": 1280, "height": 800}, device_scale_factor=1.5)
        page.goto(next(runs.glob("*/report.html")).as_uri())
        page.screenshot(path=DOCS / "page.png")
        shown = in_terminal("show", folder=Path(folder))
        of_terminal(browser, "maskaudit show", shown, DOCS / "table.png")
        judged = in_terminal("gate", "records/version-2", folder=versions)
        of_terminal(browser, "maskaudit gate records/version-2", judged, DOCS / "gate.png")
        browser.close()


if __name__ == "__main__":
    main()
