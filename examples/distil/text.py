"""Write the text of this example: the project's documents, and sentences of its probe sets.

A masked sentence is taken with all words that a set puts at its mask, so that she and he are as
frequent beside each occupation: what a student comes to lean, it has from its teacher. The set that
it is audited by, `occupations.toml`, is not among them.
"""

import random
import re
import sys
from pathlib import Path

from maskaudit.probes.expand import expand
from maskaudit.probes.loading import load, shipped

DOCUMENTS = Path(__file__).resolve().parents[2]
# Sentences of a set that are taken, by chance: of those with groups of gender, and of the others.
MOST_OF_GENDER, MOST = 2000, 100
# Code, tables, headings and links say little in English.
NOT_PROSE = re.compile(r"^(\||#|```|<|\s*[-*] \[)|https?:")


def prose() -> list[str]:
    """Return the paragraphs of the documents."""
    files = sorted(DOCUMENTS.glob("*.md")) + sorted(DOCUMENTS.glob("docs/**/*.md"))
    paragraphs = []
    for file in files:
        text = re.sub(r"```.*?```", "", file.read_text("utf-8"), flags=re.DOTALL)
        joined = (" ".join(part.split()) for part in text.split("\n\n"))
        plain = (re.sub(r"[`*]|\]\([^)]*\)|\[", "", part) for part in joined if part)
        paragraphs += [part for part in plain if not NOT_PROSE.search(part) and " " in part]
    return paragraphs


def sentences(rng: random.Random) -> list[str]:
    """Return sentences of the shipped sets, with their masks filled in."""
    found = []
    for file in shipped().values():
        probe_set = load(file)
        if probe_set.header.kind not in {"association", "cloze"}:
            continue
        most = MOST_OF_GENDER if probe_set.header.axis == "gender" else MOST
        part = expand(probe_set.drawn(0))
        rows = part.items[part.items["role"].isin(["probe", "control", ""])]
        rows = rows.merge(part.contexts, on="context")
        rows = rows[(rows["text"].str.count(r"\[MASK\]") == 1) & (rows["label"] != "wrong")]
        # All fillings of a masked sentence or none: she and he stand as often beside each word.
        fillings = [(text, sorted(set(own))) for text, own in rows.groupby("text")["target"]]
        rng.shuffle(fillings)
        taken: list[str] = []
        for text, targets in fillings:
            if len(taken) < most:
                filled = [text.replace("[MASK]", target) for target in targets]
                taken += [sentence[:1].upper() + sentence[1:] for sentence in filled]
        found += taken
    return found


if __name__ == "__main__":
    lines = prose() + sentences(random.Random(0))  # noqa: S311 - a draw of sentences
    Path(sys.argv[1]).write_text("\n".join(lines) + "\n", "utf-8")
    print(f"{len(lines):,} lines, {sum(map(len, lines)):,} characters")
