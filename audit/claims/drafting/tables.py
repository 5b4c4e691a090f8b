"""Rows of benchmark scores in a card: a line of task names above a line of numbers."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from maskaudit.audit.claims.card import plain

_LEAST = 3
_SCORE = re.compile(r"\d{1,3}\.\d+|\d{1,3}")
_TASK = re.compile(r"[A-Za-z][\w.+/()-]*")
_RULE = re.compile(r"[|:\s-]+")
_BENCHMARK = re.compile(r"\b(SuperGLUE|GLUE|XTREME|XNLI|SQuAD|CLUE)\b", re.IGNORECASE)
_NAMES = {
    name.casefold(): name for name in ("SuperGLUE", "GLUE", "XTREME", "XNLI", "SQuAD", "CLUE")
}
# Whose tasks they are, where no line above names a benchmark.
_OF_GLUE = {"mnli", "qqp", "qnli", "sst-2", "cola", "sts-b", "mrpc", "rte"}
# The first column of a table may name what is in its rows.
_HEADS = {"task", "model", "metric", ""}


@dataclass(frozen=True)
class ScoreRow:
    """A row of scores by task, on a benchmark, with the card's own words: the numbers."""

    benchmark: str
    scores: Mapping[str, float]
    quote: str


def rows(text: str) -> Iterator[ScoreRow]:
    """Yield each row of at least three scores right below a line with as many names of tasks.

    A table of several models has several rows, and only its person knows which is the card's.
    """
    tasks: list[str] = []
    benchmark = ""
    for line in text.splitlines():
        if not line.strip() or _RULE.fullmatch(line):
            continue
        cells = _cells(line)
        scores = _scores(cells)
        if tasks and len(scores) == len(tasks):
            of_glue = {task.casefold() for task in tasks} & _OF_GLUE
            name = benchmark or ("GLUE" if of_glue else "")
            if name:
                pairs = zip(tasks, map(float, scores), strict=True)
                yield ScoreRow(name, dict(pairs), _quote(line, scores))
            continue
        tasks = _tasks(cells)
        if named := _BENCHMARK.search(line):
            benchmark = _NAMES[named[0].casefold()]


def _cells(line: str) -> list[str]:
    """The cells of a line of a Markdown table, or the words of a table that lost its lines."""
    if "|" in line:
        return [cell.strip().strip("*`") for cell in line.strip().strip("|").split("|")]
    return line.split()


def _scores(cells: list[str]) -> list[str]:
    """The numbers of a row, which may begin with a name; empty if anything else is in it."""
    if cells and not _SCORE.fullmatch(cells[0]):
        cells = cells[1:]
    is_row = len(cells) >= _LEAST and all(_SCORE.fullmatch(cell) for cell in cells)
    return cells if is_row else []


def _tasks(cells: list[str]) -> list[str]:
    """The names of tasks in a line of titles; empty if it is none."""
    if cells and cells[0].casefold() in _HEADS:
        cells = cells[1:]
    names = [cell.split("(")[0] for cell in cells]
    is_titles = len(names) >= _LEAST and all(_TASK.fullmatch(name) for name in names)
    return names if is_titles and len(set(names)) == len(names) else []


def _quote(line: str, scores: list[str]) -> str:
    """From the first number to the last, as they stand in the line."""
    shown = plain(line)
    return shown[shown.index(scores[0]) : shown.rindex(scores[-1]) + len(scores[-1])]
