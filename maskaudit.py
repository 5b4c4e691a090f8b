"""The one way into the program: the command `maskaudit`, also as `python -m maskaudit`.

The program is three packages with common names: `audit`, `probes` and `reports`. The project that
somebody audits may have a folder of such a name, and Python may find it first (`python -m` puts the
working folder at the head of the path). So `main` loads the three from beside this file, whatever
else is on the path, before anything is imported from them.
"""

import sys
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from pathlib import Path
from types import ModuleType
from typing import NoReturn

PACKAGES = ("audit", "probes", "reports")


def main() -> None:
    """Run the command line on `sys.argv`; it ends the process with its own exit code."""
    for name in PACKAGES:
        _load_from_beside(name)

    from audit import cli

    cli.main()


def _load_from_beside(name: str) -> None:
    """Make `name` our package; where that cannot be, say what is in its place and what to do."""
    here = Path(__file__).resolve().parent
    if name in sys.modules:
        found = _place(sys.modules[name])
        if found != here / name:
            _refuse(
                f"{found} is loaded as '{name}' and shadows maskaudit's own, {here / name}: "
                "start maskaudit as a command, in a process of its own"
            )
        return

    spec = PathFinder.find_spec(name, [str(here)])
    if spec is None or spec.loader is None or spec.origin is None:
        _refuse(f"{here / name} is missing, this installation is not whole: install it again")
    module = sys.modules[name] = module_from_spec(spec)
    spec.loader.exec_module(module)


def _place(module: ModuleType) -> Path | None:
    """Return the folder of a package, the file of a plain module, None where there is neither."""
    places = [*getattr(module, "__path__", ()), getattr(module, "__file__", None)]
    return Path(places[0]).resolve() if places[0] else None


def _refuse(reason: str) -> NoReturn:
    """End the process as for any wrong input: one line, exit code 2."""
    sys.stderr.write(f"maskaudit: {reason}\n")
    sys.exit(2)


if __name__ == "__main__":
    main()
