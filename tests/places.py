"""Names that documents send a reader to: where they are defined in the source."""

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("audit", "probes", "reports", "maskaudit")


def defined(path: Path) -> set[str]:
    """Return the classes, functions, methods and module-level names that a module defines."""
    tree = ast.parse(path.read_text("utf-8"))
    named = {
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    }
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        targets += [node.target] if isinstance(node, ast.AnnAssign) else []
        named |= {
            one.id
            for target in targets
            for one in (target.elts if isinstance(target, ast.Tuple) else [target])
            if isinstance(one, ast.Name)
        }
    return named


def resolves(dotted: str) -> bool | None:
    """Whether a dotted name is a module, or a name in one; None if it is not one of ours at all.

    It may begin in the package or in a folder of `audit`, as docstrings write it.
    """
    parts = dotted.removeprefix("maskaudit.").split(".")
    starts = [base for base in (ROOT, ROOT / "audit") if (base / parts[0]).is_dir()]
    if not starts or (len(starts) < 2 and parts[0] not in {*PACKAGES, *_folders()}):
        return None
    return any(_leads(start, parts) for start in starts)


def _folders() -> set[str]:
    return {path.name for path in (ROOT / "audit").iterdir() if (path / "__init__.py").is_file()}


def _leads(start: Path, parts: list[str]) -> bool:
    whole = start.joinpath(*parts)
    if whole.is_dir() or whole.with_suffix(".py").is_file():
        return True
    module = start.joinpath(*parts[:-1]).with_suffix(".py")
    return module.is_file() and parts[-1] in defined(module)
