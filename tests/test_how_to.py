"""The pages on how to add a thing name files that exist, and their examples run."""

import re
import tomllib
from collections.abc import Iterator
from inspect import signature
from pathlib import Path

import pytest

from maskaudit.probes import loading
from maskaudit.probes.expand import expand
from tests.places import defined

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs" / "how_to"
PAGES = sorted(path.stem for path in FOLDER.glob("add_*.md"))
SECTIONS = ["When you need one", "Files", "Test it", "Common mistakes"]
# A fenced block: its language and what is in it.
FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# A line of the block of files: what to do with a file, its path, and what for.
LISTED = re.compile(r"(edit|new) +(\S+) {2,}(\S.*)")
# A path of the repository in a sentence, such as `audit/pipeline.py` or `audit/estimating`.
NAMED = re.compile(r"`((?:audit|probes|reports|tests|docs|examples|maskaudit)/[\w./]+)`")
# A name beside the path of the file that defines it.
BEHIND = re.compile(r"`((?:audit|probes|reports|tests|maskaudit)/[\w./]+\.py)` `(\w+)`")
BEFORE = re.compile(r"`(\w+)` of `((?:audit|probes|reports|tests|maskaudit)/[\w./]+\.py)`")


def text_of(page: str) -> str:
    """Return the page as text."""
    return (FOLDER / f"{page}.md").read_text("utf-8")


def blocks(page: str, language: str) -> list[str]:
    """Return the fenced blocks of one language, in order."""
    return [body for found, body in FENCED.findall(text_of(page)) if found == language]


def files(page: str) -> dict[str, str]:
    """Return the files that the page lists, each with what to do with it."""
    [listed] = blocks(page, "files")
    found = [LISTED.fullmatch(line) for line in listed.splitlines()]
    assert all(found), f"{page}: a line of its files is no `edit|new PATH  purpose`"
    return {line[2]: line[1] for line in found if line is not None}


def examples(page: str) -> Iterator[tuple[int, str]]:
    """Yield each example in Python with the number of the line before it."""
    whole = text_of(page)
    for found in FENCED.finditer(whole):
        if found[1] == "python":
            yield whole[: found.start(2)].count("\n"), found[2]


def test_there_is_a_page_for_each_thing_to_add_and_the_index_has_them_all() -> None:
    """The index links every page, and no other."""
    linked = re.findall(r"\((add_\w+)\.md\)", (FOLDER / "README.md").read_text("utf-8"))
    assert sorted(linked) == PAGES
    assert len(PAGES) == 7


@pytest.mark.parametrize("page", PAGES)
def test_a_page_has_the_same_parts_as_every_other(page: str) -> None:
    """A reader finds what to touch and how to test it in the same place; steps may be several."""
    headings = re.findall(r"^## (.*)$", text_of(page), re.MULTILINE)
    assert [heading for heading in headings if not heading.startswith("Steps")] == SECTIONS
    assert any(heading.startswith("Steps") for heading in headings)


@pytest.mark.parametrize(
    ("page", "path", "what"),
    [(page, path, what) for page in PAGES for path, what in files(page).items()],
)
def test_a_file_to_edit_is_there_and_a_new_one_has_a_folder(
    page: str, path: str, what: str
) -> None:
    """The list of files is that of this repository as it is now."""
    place = ROOT / path
    if what == "edit":
        assert place.is_file(), f"{page}: {path} is missing"
    else:
        assert not place.exists(), f"{page}: {path} already exists"
        above = place.parent.relative_to(ROOT)
        mirrored = ROOT.joinpath(*above.parts[1:]) if above.parts[0] == "tests" else place.parent
        assert place.parent.is_dir() or mirrored.is_dir(), f"{page}: {path} has no folder"


@pytest.mark.parametrize("page", PAGES)
def test_a_path_in_a_sentence_is_there(page: str) -> None:
    """What the text sends a reader to exists, but for files that the page has one make."""
    new = {path for path, what in files(page).items() if what == "new"}
    named = set(NAMED.findall(text_of(page))) - new
    assert not sorted(path for path in named if not (ROOT / path).exists())


@pytest.mark.parametrize("page", PAGES)
def test_a_name_behind_a_path_is_defined_there(page: str) -> None:
    """As in "`audit/pipeline.py` `run_all`", or "`run_all` of `audit/pipeline.py`"."""
    text = text_of(page)
    pairs = [*BEHIND.findall(text), *((path, name) for name, path in BEFORE.findall(text))]
    assert not [(path, name) for path, name in pairs if name not in defined(ROOT / path)]


@pytest.mark.parametrize("page", PAGES)
def test_the_examples_compile_without_a_warning(page: str) -> None:
    """Each block of Python is whole."""
    for line, code in examples(page):
        compile("\n" * line + code, f"{page}.md", "exec")


@pytest.mark.parametrize("page", PAGES)
def test_the_examples_of_a_page_run_and_their_own_tests_pass(page: str, tmp_path: Path) -> None:
    """The blocks of a page are one module, whose tests hold what the page says of it."""
    module = {"__name__": f"how_to_{page}"}
    for line, code in examples(page):
        exec(compile("\n" * line + code, f"{page}.md", "exec"), module)  # noqa: S102 - our own page
    tests = [value for name, value in module.items() if name.startswith("test_")]
    assert tests or page == "add_a_probe_set"
    for test in tests:
        test(*([tmp_path] if signature(test).parameters else []))


def test_the_probe_set_shown_is_one_and_makes_the_sentences_it_promises() -> None:
    """Two groups, twelve chores, a frame with a paraphrase and one without."""
    [text, *_] = blocks("add_a_probe_set", "toml")
    made = loading.parse(tomllib.loads(text), text, "add_a_probe_set.md")
    rows = expand(made)
    probes = rows.items[rows.items["role"] == "probe"]
    assert len(probes) == 2 * 12 * 3
    assert "After work, [MASK] did the laundry without a word." in set(rows.contexts["text"])
