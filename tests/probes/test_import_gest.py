"""GEST: English sentences in four templates, and translations whose sides differ in a word."""

import csv
import json
import math
from collections import defaultdict
from itertools import product

import pytest

from maskaudit.audit.errors import InputError
from maskaudit.audit.estimating.design import Design
from maskaudit.audit.estimating.estimate import estimate
from maskaudit.audit.recording.rows import tables
from maskaudit.probes.expand import from_rows
from maskaudit.probes.importers import IMPORTERS
from maskaudit.probes.importers.gest import OF_WOMEN, STEREOTYPES
from tests.probes.test_importers import expanded, reasons

SENTENCES = [
    ("I water the plants.", 4),
    ("I never lock the door.", 8),
    ("I sing, then {they} clap.", 5),
    ('I said "no".', 13),
]
VARIANTS = [
    ("A", "sk", "I slept.", 1, "Spal som.", "Spala som."),
    ("B", "sk", "I slept.", 1, "Spal som.", "Spala som."),
    ("A", "cs", "I slept.", 9, "Už jsem „spal“.", "Už jsem „spala“."),
    ("A", "cs", "I slept.", 9, "On spal.", "Ona spala."),
    ("A", "cs", "I went.", 9, "Šel jsem.", "Byla jsem."),
    ("A", "cs", "I went.", 17, "Šel jsem.", "Šla jsem."),
    ("A", "cs", "I went.", 9, "Šel jsem.", "Šla jsem tam."),
    ("A", "cs", "I went.", 9, "Šel jsem.", ""),
    ("A", "cs", "I went.", 9, "Šel, jsem.", "Šla jsem."),
]


def gest(path, **given):
    """Return what the importer reads."""
    return IMPORTERS["gest"](path, **given)


def sentences(folder, rows=SENTENCES, head=("sentence", "stereotype"), name="gest.csv"):
    """Write a file in the authors' layout."""
    with (folder / name).open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([head, *rows])
    return folder / name


def variants(folder, rows=VARIANTS):
    """Write translations in the authors' layout."""
    head = ("translator", "language", "original", "stereotype", "male", "female")
    return sentences(folder, rows, head, "gender_variants.csv")


def test_a_sentence_is_said_by_a_man_and_by_a_woman_in_four_templates(tmp_path):
    """A context each, with two words at its mask; the first group is that of men."""
    found = gest(sentences(tmp_path))
    assert reasons(found) == []
    assert (found.header["kind"], found.header["language"]) == ("association", "en")
    made = expanded(found)
    assert len(made.contexts) == 4 * len(SENTENCES)
    assert len(made.items) == 8 * len(SENTENCES)
    both = made.items.merge(made.contexts, on="context")
    written = {
        text.replace("[MASK]", word)
        for text, word in zip(both["text"], both["target"], strict=True)
    }
    first = SENTENCES[0][0]
    assert written >= {f'He said: "{first}"', f'The woman said: "{first}"', f'"{first}", she said.'}
    assert f'"{first}", the man said.' in written
    assert list(dict.fromkeys(made.items["group"])) == ["men", "women"]
    assert {*made.items["class"]} == {"neat", "tough", "social", "leaders"}
    assert any("{they}" in text for text in both["text"])
    assert gest(tmp_path).rows == found.rows


@pytest.mark.parametrize("cell", ["4", " 4", "4.0", 4], ids=repr)
def test_a_stereotype_is_known_by_its_number(tmp_path, cell):
    """Of a table, and of JSON, in which it is a number."""
    path = tmp_path / "gest.json"
    path.write_text(json.dumps([{"sentence": "I am.", "stereotype": cell}]), "utf-8")
    assert {row["class"] for row in gest(path).rows} == {"neat"}


@pytest.mark.parametrize("cell", ["", "0", "17", "4.5", "neat", "-4"])
def test_a_number_that_no_stereotype_has_costs_its_line(tmp_path, cell):
    """Told with what was expected; the other lines are read."""
    found = gest(sentences(tmp_path, [*SENTENCES, ("I am.", cell), ("", 4)]))
    assert reasons(found) == [
        (6, f"stereotype is {cell!r}; expected a number from 1 to 16"),
        (7, "sentence is empty"),
    ]
    assert len(found.rows) == 8 * len(SENTENCES)


def test_of_translations_the_word_is_masked_in_which_the_sides_differ(tmp_path):
    """As published: one word, with the same first letter; a pair counts once."""
    found = gest(variants(tmp_path), language="cs")
    rows = [(row["group"], row["text"], row["target"], row["class"]) for row in found.rows]
    assert rows == [
        ("men", "Už jsem „[MASK]“.", "spal", "self-confident"),
        ("women", "Už jsem „[MASK]“.", "spala", "self-confident"),
    ]
    assert found.header["language"] == "cs"
    assert [why.partition(":")[0] for _, why in reasons(found)] == [
        "the two sides differ in 2 words; expected one",
        "the two words begin with different letters",
        "stereotype is '17'; expected a number from 1 to 16",
        "the two sides differ in their number of words",
        "female is empty",
        "the two sides differ in more than a word",
    ]
    assert any(note.startswith("2 rows in other languages than cs") for note in found.notes)
    twice = gest(variants(tmp_path), language="sk")
    assert len(twice.rows) == 2
    assert reasons(twice) == [(3, "is a pair that an earlier line has")]


def test_of_several_languages_one_has_to_be_named(tmp_path):
    """Told with those that are there; a file in one language needs none."""
    path = variants(tmp_path)
    with pytest.raises(InputError, match=r"in cs \(7\), sk \(2\); expected one .* --language cs"):
        gest(path)
    with pytest.raises(InputError, match=r"has no sentence in pl, but cs \(7\), sk \(2\)"):
        gest(path, language="pl")
    assert gest(variants(tmp_path, VARIANTS[:1])).header["language"] == "sk"


def test_the_command_imports_the_language_that_is_named(tmp_path, command):
    """And counts what was left out, by reason."""
    variants(tmp_path)
    path = ("gest", "gender_variants.csv", "-o", "out")
    done = command(tmp_path, "probes", "import", *path, "--language", "cs")
    assert done.returncode == 0, done.stderr
    assert "out: 2 rows; 6 unusable (unusable.jsonl)" in done.stdout
    assert "  1: the two sides differ in 2 words; expected one" in done.stdout
    assert "Language: cs" in done.stdout


def test_another_file_is_refused_with_both_layouts(tmp_path):
    """What was found, and the columns of each file of the authors."""
    path = sentences(tmp_path, head=("text", "number"))
    with pytest.raises(
        InputError, match=r"names 'text', 'number'; expected .*'sentence'.*; or .*'translator'"
    ):
        gest(path)


def _rates(scores, stereotypes):
    """The published rate of each stereotype, and the overall one, from a score for each sentence.

    As their notebook has it: exp of the mean of differences of log10 p, and the ratio of geometric
    means over the stereotypes of men and those of women.
    """
    of = defaultdict(list)
    for score, number in zip(scores, stereotypes, strict=True):
        of[int(number)].append(score)
    rates = {number: math.exp(sum(of[number]) / len(of[number])) for number in sorted(of)}

    def mean(numbers):
        known = [rates[number] for number in numbers if number in rates]
        return math.prod(known) ** (1 / len(known))

    men, women = mean(range(OF_WOMEN + 1, 17)), mean(range(1, OF_WOMEN + 1))
    return {STEREOTYPES[number - 1]: rate for number, rate in rates.items()}, men / women


def _of_estimates(estimates):
    """The same from the log-odds of the classes, in nats."""
    rows = estimates[(estimates["estimator"] == "log_odds") & (estimates["slice"] != "all")]
    leans = {
        slice_.removeprefix("class="): value / math.log(10)
        for slice_, value in zip(rows["slice"], rows["estimate"], strict=True)
    }

    def mean(names):
        known = [leans[name] for name in names if name in leans]
        return sum(known) / len(known)

    overall = mean(STEREOTYPES[OF_WOMEN:]) - mean(STEREOTYPES[:OF_WOMEN])
    return {name: math.exp(lean) for name, lean in leans.items()}, math.exp(overall)


def _estimated(found, scores_by_template):
    """Estimates of the scores that the authors stored: one for each sentence in a template."""
    head = {"probe_set": "gest", "kind": "association", "axis": "gender"}
    chosen = [
        row for row in found.rows if int(row["frame"].rpartition(" ")[2]) in scores_by_template
    ]
    table = from_rows({**head, **row} for row in chosen)
    items = table.items
    lines = [int(name.partition(" ")[2]) for name in items["attribute"]]
    numbers = {line: place for place, line in enumerate(sorted(set(lines)))}
    templates = [int(frame.rpartition(" ")[2]) for frame in items["frame"]]
    # The difference is all that was stored: it is given to the man's word.
    values = [
        scores_by_template[template][numbers[line]] * math.log(10) if group == "men" else 0.0
        for line, template, group in zip(lines, templates, items["group"], strict=True)
    ]
    scores = tables.table(
        "scores",
        {
            "item": items["item"],
            "model": "candidate",
            "measure": "logp",
            "value": values,
            "pieces": 1,
            "status": "ok",
        },
    ).drop_duplicates("item")
    design = Design("gest", "gender", None, "lean", {})
    return estimate(items, scores, [design]).estimates


def test_the_published_rates_follow_from_the_log_odds(tmp_path):
    """Of made-up scores in one template: by the notebook's own formula, in another manner."""
    rows = [
        (f"I did thing {number} of {part}.", number)
        for number, part in product(range(1, 17), range(3))
    ]
    found = gest(sentences(tmp_path, rows))
    scores = [math.sin(7 * place) / 3 for place in range(len(rows))]
    expected = _rates(scores, [number for _, number in rows])
    rates, overall = _of_estimates(_estimated(found, {1: scores}))
    assert rates == pytest.approx(expected[0])
    assert overall == pytest.approx(expected[1])


@pytest.mark.slow
@pytest.mark.parametrize("template", range(4))
def test_the_stored_predictions_make_the_published_rates(shared, template):
    """Of every model whose predictions lie beside the data."""
    folder = shared / "data" / "gest"
    stored = sorted(folder.rglob(f"english_mlm/*_template-{template}.txt"))
    if not stored:
        pytest.skip("there are no predictions of GEST in the folder 'shared'")
    [file] = folder.rglob("gest.csv")
    found = gest(file)
    with file.open(encoding="utf-8", newline="") as rows:
        stereotypes = [row["stereotype"] for row in csv.DictReader(rows)]
    assert reasons(found) == []
    for path in stored:
        scores = [float(line) for line in path.read_text("utf-8").split()]
        rates, overall = _of_estimates(_estimated(found, {template: scores}))
        expected = _rates(scores, stereotypes)
        assert rates == pytest.approx(expected[0]), path.name
        assert overall == pytest.approx(expected[1]), path.name
