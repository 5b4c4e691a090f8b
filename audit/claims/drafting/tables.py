"""Rows of benchmark scores in a card: a line of task names above a line of numbers."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from maskaudit.audit.claims.card import plain

_LEAST = 3
_SCORE = re.compile(r"\d{1,3}(?:\.\d+)?(?:/\d{1,3}(?:\.\d+)?)?")
_TASK = re.compile(r"[A-Za-z][\w.+/()-]*")
_RULE = re.compile(r"[|:\s-]+")
_BENCHMARK = re.compile(r"\b(SuperGLUE|GLUE|XTREME|XNLI|SQuAD|CLUE)\b", re.IGNORECASE)
_NAMES = {
    name.casefold(): name for name in ("SuperGLUE", "GLUE", "XTREME", "XNLI", "SQuAD", "CLUE")
}
# Whose tasks they are, where no line above names a benchmark.
_OF_GLUE = {"mnli", "qqp", "qnli", "sst-2", "cola", "sts-b", "mrpc", "rte"}
# The first column of a table may name what is in its rows; one of the last may have their mean.
_HEADS = {"task", "model", "metric", ""}
_MEANS = {"average", "avg", "mean"}
# Two numbers of one task: matched and mismatched, of MNLI.
_MATCHED = "(m/mm)"


@dataclass(frozen=True)
class ScoreRow:
    """A row of scores by task, and the mean as it is printed, empty without.

    `name` is what the row begins with, such as a model; `quote` the numbers as the card has them.
    """

    benchmark: str
    name: str
    scores: Mapping[str, float]
    mean: str
    quote: str


def rows(text: str) -> list[list[ScoreRow]]:
    """The tables of a text as their rows of three scores or more, each right below its tasks."""
    tables: list[list[ScoreRow]] = []
    tasks: list[str] = []
    benchmark = ""
    for line in text.splitlines():
        if not line.strip() or _RULE.fullmatch(line):
            continue
        name, scores = _scores(_cells(line))
        if tasks and len(scores) == len(tasks):
            of_glue = {task.casefold().split("-(")[0] for task in tasks} & _OF_GLUE
            if benchmark or of_glue:
                tables[-1].append(_row(benchmark or "GLUE", name, tasks, scores, line))
            continue
        if tasks := _tasks(_cells(line)):
            tables.append([])
        if named := _BENCHMARK.search(line):
            benchmark = _NAMES[named[0].casefold()]
    return [table for table in tables if table]


def _row(
    benchmark: str, name: str, tasks: Sequence[str], scores: Sequence[str], line: str
) -> ScoreRow:
    mean = ""
    by_task: dict[str, float] = {}
    for task, score in zip(tasks, scores, strict=True):
        if task.casefold() in _MEANS:
            mean = score
        else:
            by_task |= _by_task(task, score)
    shown = plain(line)
    quote = shown[shown.index(scores[0]) : shown.rindex(scores[-1]) + len(scores[-1])]
    return ScoreRow(benchmark, name, by_task, mean, quote)


def _by_task(task: str, score: str) -> Iterator[tuple[str, float]]:
    """Yield the score of a task; of a task with two numbers the second under a name of its own."""
    name = task.removesuffix(_MATCHED).rstrip("-").split("(")[0]
    first, _, second = score.partition("/")
    yield name, float(first)
    if second:
        yield f"{name}-{'mm' if task.endswith(_MATCHED) else '2'}", float(second)


def _cells(line: str) -> list[str]:
    """The cells of a line of a Markdown table, or the words of a table that lost its lines."""
    if "|" in line:
        return [cell.strip().strip("*`") for cell in line.strip().strip("|").split("|")]
    return line.split()


def _scores(cells: list[str]) -> tuple[str, list[str]]:
    """The name of a row and its numbers; no number if anything else is in it."""
    name = ""
    if cells and not _SCORE.fullmatch(cells[0]):
        name, *cells = cells
    is_row = len(cells) >= _LEAST and all(_SCORE.fullmatch(cell) for cell in cells)
    return name, cells if is_row else []


def _tasks(cells: list[str]) -> list[str]:
    """The names of tasks in a line of titles; empty if it is none."""
    if cells and cells[0].casefold() in _HEADS:
        cells = cells[1:]
    is_titles = len(cells) >= _LEAST and all(_TASK.fullmatch(name) for name in cells)
    return cells if is_titles and len(set(cells)) == len(cells) else []
