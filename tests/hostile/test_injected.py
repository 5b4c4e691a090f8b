"""Texts of others in each place of a verdict and each output: nothing is obeyed, linked or torn.

`make chaos` counts them: every text, place and output is one.
"""

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from maskaudit.audit.judging.verdicts import Judgement
from maskaudit.audit.texts.characters import unseen
from maskaudit.audit.texts.printable import inert
from maskaudit.reports.ci.github import annotations
from maskaudit.reports.ci.junit import junit
from maskaudit.reports.ci.markdown import comment, summary
from maskaudit.reports.words.verdicts import lines
from tests.reports import verdicts
from tests.reports.ci.test_github import COMMAND
from tests.reports.ci.test_junit import ATTRIBUTES, CHILDREN
from tests.reports.ci.test_markdown import DEAD, LIVE, PARSER, parsed
from tests.reports.test_unseen import HOSTILE as UNSEEN
from tests.reports.verdicts import WAIVER, judgement, verdict

TEXTS = [
    *DEAD, verdicts.HOSTILE, UNSEEN,
    "::error::x", "\n::error::x", "\r\n::warning file=a::x", "%0A::error::x", "::add-mask::a",
    "::set-output name=a::b", "::stop-commands::a", "##[error]x",
    "]]>", "<![CDATA[x]]>", "<!ENTITY a 'b'>&a;", "&lt;b&gt;", "&#x1b;", "\"/><testcase name='x'/>",
    "</system-out>", "<!--", "-->", "<?x?>", "</details>", "<details>",
    "\x1b[2J", "\x1b]0;title\x07", "\x9b31m", "\x08\x08\x08ok", "\rpass", "\u202egnp",
    "\u2066x\u2069", "\ud800", "\ufffe", "\x00", "a" * 5000,
    "\n| a | b |", "\n# heading", "\n- item", "\n> quote", "\n```\n", "a\n\nb",
    "javascript:alert(1)", "data:text/html,x", "{{7*7}}", "${{ github.token }}", "$(id)", "`id`",
    ";id", "=1+1", "@SUM(1)", "../../etc/passwd",
]  # fmt: skip
# The mark of a comment, and what folds the verdicts that passed.
OURS = re.compile(r"\s*(<!-- maskaudit -->|<details>\s*<summary>[\w ]+</summary>|</details>)\s*")
IN_VERDICT = (
    "gate", "name", "rule", "reason", "probe_set", "axis", "slice", "estimator", "mode", "subject",
    "against", "method", "scale",
)  # fmt: skip
IN_WAIVER = ("owner", "reason")
IN_JUDGEMENT = ("note", "record", "policy")
PLACES = (
    *IN_VERDICT, *(f"waiver's {name}" for name in IN_WAIVER), *IN_JUDGEMENT
)  # fmt: skip


def told(text: str, place: str) -> Judgement:
    """Return verdicts with the text in one place, in one that stops and one that is waived."""
    waiver = WAIVER
    if place.startswith("waiver's"):
        waiver = WAIVER.model_copy(update={place.removeprefix("waiver's "): text})
    own = {place: text} if place in IN_VERDICT else {}
    notes = [text] if place == "note" else ["a note"]
    made = judgement(verdict(**own), verdict(**own, waiver=waiver), notes=notes)
    return replace(made, **({place: text} if place in {"record", "policy"} else {}))


def is_xml_of_the_known_shape(made: Judgement) -> None:
    """JUnit holds no element or attribute that is not ours."""
    root = ET.fromstring(junit(made).encode())  # noqa: S314 - our own
    assert len(list(root.iter("testcase"))) == len(made.verdicts)
    for element in root.iter():
        assert {child.tag for child in element} <= CHILDREN.get(element.tag, set())
        assert set(element.keys()) == ATTRIBUTES.get(element.tag, set())


def is_one_annotation(made: Judgement) -> None:
    """The one verdict that stops is one command of the runner, with its own parts."""
    [line] = annotations(made, Path("gates.toml"))
    assert COMMAND.fullmatch(inert(line))


def is_seen_and_ours(made: Judgement) -> None:
    """The terminal gets no character that it obeys, and no line that begins as a command does."""
    for line in inert("\n".join(lines(made))).split("\n"):
        assert not any(map(unseen, line)), line
        assert not re.match(r"::|##\[", line), line


def is_text_alone(make: Callable[[Judgement], str]) -> Callable[[Judgement], None]:
    """In Markdown a parser of others finds words, code, bold and our tables, and GitHub no link."""

    def holds(made: Judgement) -> None:
        parts, texts, blocks = parsed(make(made))
        assert not any(LIVE.search(part) for part in texts)
        kinds = {part.type for part in parts}
        assert kinds <= {"text", "code_inline", "strong_open", "strong_close", "softbreak"}
        assert not blocks & {"fence", "code_block", "hr", "blockquote_open", "bullet_list_open"}
        tags = [token.content for token in PARSER.parse(make(made)) if token.type == "html_block"]
        assert all(map(OURS.fullmatch, tags)), tags

    return holds


OUTPUTS: Mapping[str, Callable[[Judgement], None]] = {
    "JUnit": is_xml_of_the_known_shape,
    "annotations": is_one_annotation,
    "terminal": is_seen_and_ours,
    "summary": is_text_alone(summary),
    "comment": is_text_alone(comment),
}


# By number: some of them can be no name of a test.
@pytest.mark.parametrize("number", range(len(TEXTS)))
@pytest.mark.slow
def test_a_text_of_others_is_nothing_but_text(number):
    """In each place, for each output."""
    for place in PLACES:
        made = told(TEXTS[number], place)
        for name, holds in OUTPUTS.items():
            try:
                holds(made)
            except AssertionError as error:
                error.add_note(f"{TEXTS[number]!r} as {place}, in {name}")
                raise
