"""Documents agree with the code and with one another: links, words, commands, decisions."""

import re
import tomllib
from datetime import date
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from maskaudit.audit.judging import decision
from maskaudit.audit.recording.rows.tables import COLUMNS
from maskaudit.probes import schema
from tests.places import PACKAGES, defined, resolves

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = sorted(
    path.relative_to(ROOT).as_posix()
    for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/**/*.md"))
)
DECISIONS = sorted(ROOT.glob("docs/decisions/0*.md"))
GITHUB = ROOT / ".github"
TEMPLATES = sorted(ROOT.glob("audit/running/templates/*"))
FORMS = sorted(GITHUB.glob("ISSUE_TEMPLATE/*.yml"))
# A link of Markdown to a file, not to the web and not to a heading of the same page.
LINK = re.compile(r"\]\((?![a-z]+:|#)([^)#\s]+)(?:#[^)]*)?\)")
# Inline code, which may hold several words.
CODE = re.compile(r"`([^`\n]+)`")
ROW = re.compile(r"\| (\d+) \| \[(.+)\]\((.+)\) \| ([\d-]+) \| (.+) \|")


def text_of(path: str) -> str:
    """Return a document as text."""
    return (ROOT / path).read_text("utf-8")


def first_cells(path: str) -> set[str]:
    """Return the code in the first cells of all tables of a document."""
    rows = (line.split(" | ")[0] for line in text_of(path).splitlines() if line.startswith("| "))
    return {code for cell in rows for code in CODE.findall(cell)}


def loaded(path: Path) -> Any:
    """Return what a file of YAML holds."""
    return yaml.safe_load(path.read_text("utf-8"))


@pytest.mark.parametrize("path", DOCUMENTS)
def test_a_link_to_a_file_leads_to_one(path: str) -> None:
    """Relative links are from the folder of the document."""
    folder = (ROOT / path).parent
    found = LINK.findall(text_of(path))
    assert not [link for link in found if not (folder / link).exists()]


# The four kinds of document, as the index has them; a page is of one kind.
KINDS = ["Learn", "Do a thing", "Look up", "Understand"]


def test_the_index_has_every_document_under_one_of_four_kinds() -> None:
    """A page that is added is added there; pages in folders with an index of their own are not."""
    parts = re.split(r"^## (.*)$", text_of("docs/README.md"), flags=re.MULTILINE)
    assert parts[1::2] == KINDS
    linked = [LINK.findall(part.rpartition("\n\n")[0]) for part in parts[2::2]]
    pages = {path.name for path in ROOT.glob("docs/*.md")} - {"README.md"}
    inside = [link for links in linked for link in links if "/" not in link]
    # `development.md` is for those who change the program, and stands below the four.
    assert sorted(inside) == sorted(pages - {"development.md"})
    assert "development.md" in LINK.findall(text_of("docs/README.md"))


@pytest.mark.parametrize("index", ["docs/README.md", "docs/how_to/README.md"])
def test_every_page_on_how_to_use_a_thing_is_in_both_indexes(index: str) -> None:
    """Those on how to add one are in the second alone, which `test_how_to.py` holds."""
    linked = {Path(link).name for link in LINK.findall(text_of(index))}
    pages = {path.name for path in ROOT.glob("docs/how_to/*.md")} - {"README.md"}
    assert {name for name in pages if not name.startswith("add_")} <= linked


def test_the_readme_leads_to_the_tutorial_and_to_the_index_before_anything_else() -> None:
    """Both are in the part on first steps."""
    _, _, rest = text_of("README.md").partition("\n## First steps\n")
    assert LINK.findall(rest.partition("\n## ")[0])[:2] == ["docs/tutorial.md", "docs/README.md"]


def test_no_document_installs_a_name_that_is_not_published() -> None:
    """Who takes the name on PyPI first would run code on the reader's machine."""
    shown = [*DOCUMENTS, *(path.relative_to(ROOT).as_posix() for path in TEMPLATES)]
    installed = [
        (path, line)
        for path in shown
        for line in text_of(path).splitlines()
        if re.search(r"pip install [\"']?maskaudit\b", line) and " @ " not in line
    ]
    assert not installed


def places() -> list[tuple[str, list[str]]]:
    """Return the files of CONTRIBUTING's table of places, each with the names it sends you to."""
    _, _, rest = text_of("CONTRIBUTING.md").partition("## Where to look\n")
    rows = [line for line in rest.partition("\n## ")[0].splitlines() if line.startswith("| ")]
    found: list[tuple[str, list[str]]] = []
    for row in rows[1:]:
        for code in CODE.findall(row.split(" | ")[1]):
            if "/" in code:
                found.append((code, []))
            else:
                found[-1][1].append(code)
    return found


@pytest.mark.parametrize(("path", "names"), places())
def test_who_looks_where_contributing_says_finds_it_there(path: str, names: list[str]) -> None:
    """Each place exists, and each name is defined in its file, not imported."""
    place = ROOT / path
    assert place.exists()
    assert not names or not set(names) - defined(place)


DOTTED = re.compile(r"`((?:[a-z_]\w*\.)+\w+)`")


@pytest.mark.parametrize("package", PACKAGES)
def test_a_module_that_a_docstring_or_comment_names_is_there(package: str) -> None:
    """Such as `judging.deciding.in_styles`, or a function in it."""
    named = {
        (path.relative_to(ROOT).as_posix(), name)
        for path in ROOT.glob(f"{package}/**/*.py")
        for name in DOTTED.findall(path.read_text("utf-8"))
    }
    assert not [(path, name) for path, name in sorted(named) if resolves(name) is False]


def test_a_name_that_leads_nowhere_is_found() -> None:
    """Otherwise the test above would hold nothing."""
    assert resolves("judging.deciding.in_styles")
    assert resolves("judging.decision.change")
    assert resolves("judging.card") is False
    assert resolves("judging.accepting.held") is False
    assert resolves("numpy.random") is None


def test_the_causes_of_an_inconclusive_verdict_are_listed_where_contributing_says() -> None:
    """Every module that gives one is named in the first lines of `one_verdict`."""
    causes = text_of("audit/judging/one_verdict.py").split('"""')[1]
    gives = re.compile(r"(?:=|else) INCONCLUSIVE\b")
    giving = {
        path.stem
        for path in (ROOT / "audit" / "judging").rglob("*.py")
        if gives.search(path.read_text("utf-8"))
    }
    assert {"decision", "in_styles"} <= giving
    assert not [name for name in giving - {"one_verdict"} if name not in causes]


def test_the_table_of_places_is_read_as_it_is_written() -> None:
    """A dozen questions or more; otherwise the test above would hold nothing."""
    assert len(places()) > 12


@pytest.mark.parametrize("table", COLUMNS)
def test_the_glossary_has_every_column_of_a_records_tables(table: str) -> None:
    """Each has a row of its own or shares one."""
    assert not set(COLUMNS[table]) - first_cells("docs/glossary.md")


def test_the_glossary_has_every_kind_of_probe_set_and_no_other() -> None:
    """The table of kinds is that of the schema."""
    part = text_of("docs/glossary.md").split("## Kinds of probe set")[1].split("## ")[0]
    rows = re.findall(r"^\| `(\w+)` \|", part, re.MULTILINE)
    assert sorted(rows) == sorted(get_args(schema.Kind))


def test_the_glossary_has_every_verdict() -> None:
    """Four words, each with what it means."""
    assert set(get_args(decision.Word)) <= first_cells("docs/glossary.md")


def test_the_glossary_has_every_word_that_a_text_column_may_hold() -> None:
    """Subjects, modes, scopes, statuses, flags and outcomes, as code or set off."""
    from maskaudit.audit.recording.rows.values import ALLOWED

    text = text_of("docs/glossary.md")
    words = {word for columns in ALLOWED.values() for own in columns.values() for word in own}
    assert len(words) > 20
    assert not sorted(word for word in words - {""} if not re.search(rf"[`*]{word}[`*]", text))


def test_the_commands_of_the_guide_are_targets_of_make() -> None:
    """What a newcomer is told to type exists."""
    targets = set(re.findall(r"^([a-z-]+):", text_of("Makefile"), re.MULTILINE))
    for path in ("CONTRIBUTING.md", "docs/development.md", "README.md"):
        text = text_of(path)
        code = [*CODE.findall(text), *re.findall(r"^make .*$", text, re.MULTILINE)]
        named = {match[1] for line in code if (match := re.match(r"make ([a-z][a-z-]+)", line))}
        assert named <= targets
        assert named


def test_the_index_of_decisions_has_every_page_as_the_page_says_it() -> None:
    """Number, title, date and status are those at the top of the page."""
    rows = [ROW.fullmatch(line) for line in text_of("docs/decisions/README.md").splitlines()]
    listed = [row.groups() for row in rows if row is not None]
    assert [name for _, _, name, _, _ in listed] == [path.name for path in DECISIONS]
    for number, title, name, day, status in listed:
        head = (ROOT / "docs" / "decisions" / name).read_text("utf-8").splitlines()
        assert name.startswith(f"{int(number):04}-")
        assert head[0] == f"# {number}. {title}"
        assert head[2].startswith(f"*{date.fromisoformat(day)}")
        assert status in head[2].lower()


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.stem)
def test_a_decision_says_what_was_known_what_was_chosen_and_what_it_costs(path: Path) -> None:
    """Three parts, none of them empty, on one page."""
    text = path.read_text("utf-8")
    parts = re.split(r"^## (.*)$", text, flags=re.MULTILINE)
    assert parts[1::2] == ["Context", "Decision", "Consequences"]
    assert all(part.strip() for part in parts[2::2])
    assert len(text.split()) < 600


def test_hosted_ci_runs_what_runs_everywhere_on_the_oldest_python() -> None:
    """One script, the version that pyproject.toml asks for, and the builds for the CPU."""
    [job] = loaded(GITHUB / "workflows" / "ci.yml")["jobs"].values()
    steps = job["steps"]
    assert steps[-1] == {"run": "bash .ci/run"}
    [python] = [
        step["with"]["python-version"] for step in steps if "python" in step.get("uses", "")
    ]
    assert f'requires-python = ">={python}"' in text_of("pyproject.toml")
    assert "TORCH_INDEX" in job["env"]


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_a_form_for_issues_is_one(path: Path) -> None:
    """A name, a description and fields with ids of their own, at least one of them required."""
    form = loaded(path)
    assert form["name"]
    assert form["description"]
    fields = [field for field in form["body"] if field["type"] != "markdown"]
    ids = [field["id"] for field in fields]
    assert len(set(ids)) == len(ids)
    assert all(field["attributes"]["label"] for field in fields)
    assert any(field.get("validations", {}).get("required") for field in fields)


def test_hooks_before_a_commit_use_the_ruff_of_make() -> None:
    """Another version would ask for another form than `make check` does."""
    [repo] = loaded(ROOT / ".pre-commit-config.yaml")["repos"]
    assert repo["repo"] == "local"
    assert all(hook["entry"].startswith(".venv/bin/ruff ") for hook in repo["hooks"])


def test_the_order_of_imports_is_told_as_it_is_checked() -> None:
    """One list, in the settings of the checks and in the page about the flow."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    [layers] = [
        contract["layers"]
        for contract in settings["tool"]["importlinter"]["contracts"]
        if contract["id"] == "layers"
    ]
    page = (ROOT / "docs" / "how_an_audit_runs.md").read_text("utf-8")
    assert page.rstrip().endswith("```\n" + "\n".join(layers) + "\n```")


@pytest.mark.parametrize("page", ["docs/development.md", "CONTRIBUTING.md", "README.md"])
def test_every_folder_and_file_that_a_page_names_is_there(page: str) -> None:
    """A newcomer follows these pages: what moved is named where it is now."""
    text = (ROOT / page).read_text("utf-8")
    named = re.findall(r"`((?:audit|probes|reports|tests|docs|examples|maskaudit)/[\w./]*)`", text)
    assert not [path for path in named if not (ROOT / path).exists()]
