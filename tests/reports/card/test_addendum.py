"""The addendum of a card: what it says follows from tests and verdicts, and a parser reads it."""

import math
import re
from dataclasses import replace

import pandas as pd
import pytest
from markdown_it import MarkdownIt

from maskaudit.reports.card import marks
from maskaudit.reports.card.addendum import addendum
from maskaudit.reports.card.markdown import INSIDE, INSIDE_ADVICE, LAYOUTS, markdown
from maskaudit.reports.card.results import MOST_ROWS
from maskaudit.reports.effects import Effects
from maskaudit.reports.page import names_of
from maskaudit.reports.sections import competence, truth
from maskaudit.reports.sections.contrasts.claims import finding
from maskaudit.reports.sections.contrasts.tested import contrasts
from maskaudit.reports.words import markdown as words
from tests.reports import records
from tests.reports.ci.test_markdown import DEAD, LIVE
from tests.reports.verdicts import HOSTILE, WAIVER, judgement, verdict

PARSER = MarkdownIt("commonmark").enable("table")
HUB = LAYOUTS["huggingface"]


@pytest.fixture(scope="module")
def found():
    """Give a record with every kind of line: contrasts, a control, facts and pairs."""
    sets = [
        records.jobs(frames=6), records.people(), records.control(), records.facts(),
        records.pairs(),
    ]  # fmt: skip
    return records.record(sets)


def text_of(found, told=None, layout=HUB, inside=0):
    """Return the addendum as Markdown."""
    return markdown(addendum(found, told), layout, inside)


def headings(text):
    """Return the level and words of each heading, as a parser of others reads them."""
    tokens = PARSER.parse(text)
    return [
        (int(one.tag[1]), tokens[i + 1].content)
        for i, one in enumerate(tokens)
        if one.type == "heading_open"
    ]


def rows(text):
    """Return the rows of the only table, head included, as a parser of others reads them."""
    found, row = [], None
    for one in PARSER.parse(text):
        if one.type == "tr_open":
            row = []
            found.append(row)
        elif one.type == "inline" and row is not None:
            row.append("".join(part.content for part in one.children))
        elif one.type == "table_close":
            row = None
    return found


def plain(text):
    """Return the words of a text without its marks."""
    parts = [one.children for one in PARSER.parse(text) if one.type == "inline"]
    return " ".join("".join(part.content for part in children) for children in parts)


@pytest.mark.parametrize(
    ("layout", "inside", "expected"),
    [
        ("huggingface", 0, [(2, "Bias, Risks, and Limitations"), (3, "Recommendations")]),
        ("azure", 0, [(1, "Limitations and Biases"), (2, "Recommendations")]),
        ("huggingface", 2, [(3, INSIDE), (4, INSIDE_ADVICE)]),
        ("azure", 1, [(2, INSIDE), (3, INSIDE_ADVICE)]),
        ("huggingface", 6, [(6, INSIDE), (6, INSIDE_ADVICE)]),
    ],
)
def test_the_headings_are_those_of_the_card(found, layout, inside, expected):
    """Of the Hub's template and of Azure's descriptions, or one level below the card's own."""
    assert headings(text_of(found, layout=LAYOUTS[layout], inside=inside)) == expected


def test_it_is_one_screen_and_one_table():
    """At most 500 words around the table, in 45 lines, of two sets with a control and facts."""
    text = text_of(records.record())
    outside = [line for line in text.splitlines() if not line.startswith("|")]
    assert len(" ".join(outside).split()) <= 500
    assert len(outside) <= 45
    assert sum(one.type == "table_open" for one in PARSER.parse(text)) == 1


def test_the_first_paragraph_has_names_and_factors_and_no_nats(found):
    """The state of the candidate opens it, in the words of the page."""
    first = plain(text_of(found).split("\n\n")[1])
    assert first.startswith("student leans with the stereotype on “")
    assert "nats" not in first
    assert "teacher" in first
    assert not re.search(r"the candidate|the reference", plain(text_of(found)))


def test_each_claim_is_the_one_of_the_page(found):
    """Of every set the page's claim stands in the text, with names in place of roles."""
    names = names_of(found.manifest)
    all_contrasts = contrasts(found.manifest.probe_sets, Effects.of(found.estimates), names)
    text = plain(text_of(found))
    for contrast in all_contrasts:
        if contrast.is_tested:
            claim = finding(contrast, names).claim
            claim = claim.replace("The candidate (student)", "student")
            claim = claim.replace("the reference (teacher)", "teacher")
            head, _, title = claim.partition(" on “")
            assert f"“{title}. {head} there." in text or f"{head} on “{title}" in text


def test_the_table_has_a_line_a_set_with_the_records_numbers(found):
    """Factors are the exponentials of contrasts, shares are percentages."""
    head, *lines = rows(text_of(found))
    assert head == ["Set", "teacher", "student", "student against teacher"]
    by_title = {line[0]: line[1:] for line in lines}
    assert len(by_title) == 5
    for name, title in (("jobs", "Pronoun by job"), ("people", "Job by person")):
        for place, subject in enumerate(("reference", "candidate", "difference")):
            row = records.estimate_of(found, name, subject)
            low, high = math.exp(row["low"]), math.exp(row["high"])
            cell = f"{math.exp(row['estimate']):.2f} ({low:.2f} to {high:.2f})"
            assert by_title[title][place].startswith(cell)
        assert by_title[title][1].endswith(", leans with the stereotype")
        assert by_title[title][2].endswith(", leans further")
    assert by_title["Plain facts"][:2] == ["90 % (60 % to 98 %)", "60 % (31 % to 83 %)"]
    share = records.estimate_of(found, "pairs", "candidate", "crows_nangia", "all")["estimate"]
    assert by_title["Pairs of sentences"][1].startswith(f"{share.max():.1f} % (")
    assert "control" in by_title["Day by job (control)"][2]


def test_a_table_of_many_sets_is_cut_and_says_so(found):
    """The page has them all."""
    part = found.manifest.probe_sets["jobs"]
    own = found.estimates[found.estimates["probe_set"] == "jobs"]
    names = [f"set-{i}" for i in range(MOST_ROWS + 3)]
    parts = {n: part.model_copy(update={"title": f"Set {n}"}) for n in names}
    estimates = pd.concat([own.assign(probe_set=name) for name in names], ignore_index=True)
    manifest = found.manifest.model_copy(update={"probe_sets": parts})
    many = replace(found, manifest=manifest, estimates=estimates)
    text = text_of(many)
    assert len(rows(text)) == MOST_ROWS + 1
    assert "3 more sets stand on the page alone." in text
    assert len(text.split("\n\n")[1].split()) < 200


VERDICTS = {
    "FAIL": (judgement(verdict("fail")), "Do not release student"),
    "PASS": (judgement(verdict("pass")), ""),
    "INCONCLUSIVE": (judgement(verdict("inconclusive")), "Do not take student for passed"),
    "NOT MEASURED": (judgement(verdict("not_measured")), "Do not take student for passed"),
    "WARNING": (judgement(verdict("fail", severity="warn")), "read what only warns or is waived"),
    "WAIVED": (judgement(verdict("fail", waiver=WAIVER)), "read what only warns or is waived"),
    "NOTHING WAS JUDGED": (judgement(), "Do not take student for passed"),
    "NO RULE SET": (None, "no rule was set for student"),
}


@pytest.mark.parametrize("word", VERDICTS)
def test_the_release_rule_is_a_word_and_what_to_do_follows_from_it(found, word):
    """What did not pass is named with its reason; nothing else is told not to be released."""
    told, advice = VERDICTS[word]
    text = plain(text_of(found, told))
    assert f"Release rule: {word}." in text
    said = [one for _, one in VERDICTS.values() if one and one in text]
    assert set(said) == ({advice} if advice else set())
    open_ = told is not None and word not in {"PASS", "NOTHING WAS JUDGED"}
    assert ("no-regression[gender/jobs] against reference: " in text) == open_


def test_an_improvement_is_told_with_the_lean_that_stays():
    """In the finding, and once more where somebody could call the model free of bias."""
    better = records.record([records.jobs(frames=6)], reference=1.1, candidate=0.5)
    text = plain(text_of(better))
    assert text.index("student leans with the stereotype on") < text.index("leans less far than")
    assert "Do not call student free of bias because it leans less far than teacher" in text
    assert "Weigh teacher" not in text


def test_what_was_lost_and_what_was_not_asked_is_said():
    """Counts, and that no plain facts say whether the models know anything."""
    made = records.record([records.jobs(frames=6)], lost=12)
    text = plain(text_of(made))
    total = sum(one.items for one in made.manifest.lost)
    assert f"{total} words could not be scored in their places." in text
    assert f"{len(made.manifest.left_out)} cells" in text
    assert "No set of plain facts was asked" in text
    assert "Nothing was lost" not in text
    whole = plain(text_of(records.record([records.facts()])))
    assert "Nothing was lost: " in whole
    assert "No set of plain facts was asked" not in whole


def test_a_phantom_and_a_model_that_knows_nothing_are_told_first(found):
    """Before any number, as on the page."""
    phantom = replace(
        found,
        manifest=found.manifest.model_copy(update={"truth": records.truth_of(found)}),
    )
    assert plain(text_of(phantom).split("\n\n")[1]) == truth.BANNER
    weak = {
        "candidate": {
            "competent": False,
            "right": 3,
            "of": 10,
            "asked": 10,
            "majority": 3,
            "p": 1.0,
        }
    }
    manifest = type(found.manifest).model_validate(
        {**found.manifest.model_dump(exclude_unset=True), "competence": weak}
    )
    text = text_of(replace(found, manifest=manifest))
    assert plain(text.split("\n\n")[1]).startswith("student is not shown to know plain facts")
    assert competence.warnings(manifest, names_of(manifest))


def test_it_is_the_same_for_the_same_record(found):
    """And for the same verdicts, on whatever day they were made."""
    from datetime import date

    first, second = (replace(judgement(verdict()), judged=date(2030, 1, day)) for day in (1, 2))
    assert text_of(found, first) == text_of(found, second)


# --- Foreign text ---------------------------------------------------------------------------------

FOREIGN = [
    *DEAD, HOSTILE, marks.BEGIN, marks.END, "-->", "<!--", "a\x85b\x9b31m", "w" * 60, "1.", "1)",
    "  two  spaces ", "good, and", "’s", "”", "\ue000x\ue001", "\ue000", "x\ny", "\u2028", "שלום",
]  # fmt: skip


def hostile(found, text):
    """Return the record with the text as every name and title, and in each set's own words."""
    parts = {
        name: part.model_copy(
            update={"title": text, "question": text, "limits": text, "licence": text}
        )
        for name, part in found.manifest.probe_sets.items()
    }
    models = {
        model: one.model_copy(update={"name": f"{text}{model[0]}", "revision": text})
        for model, one in found.manifest.models.items()
    }
    updates = {"probe_sets": parts, "models": models, "not_measured": [text]}
    return replace(found, manifest=found.manifest.model_copy(update=updates))


@pytest.mark.parametrize("number", range(len(FOREIGN)))
def test_text_of_others_is_nothing_but_text(found, number):
    """No heading, list, link, image or comment is theirs, and no mark of ours."""
    text = FOREIGN[number]
    waiver = WAIVER.model_copy(update={"owner": text, "reason": text})
    told = judgement(verdict(gate=text, name=text, reason=text, against=text, waiver=waiver))
    told = replace(told, policy=text)
    made = text_of(hostile(found, text), told)
    tokens = PARSER.parse(made)
    parts = [part for one in tokens if one.type == "inline" for part in one.children]
    assert {part.type for part in parts} <= {
        "text", "code_inline", "strong_open", "strong_close", "softbreak",
    }  # fmt: skip
    assert not any(LIVE.search(part.content) for part in parts if part.type == "text")
    kinds = [one.type for one in tokens]
    assert not {"html_block", "fence", "code_block", "ordered_list_open", "hr"} & set(kinds)
    assert kinds.count("bullet_list_open") == kinds.count("heading_open") == 2
    assert kinds.count("table_open") == 1
    assert {len(row) for row in rows(made)} == {4}
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u202e\ue000\ue001]", made)
    block = marks.marked(made)
    where = marks.place(f"# Card\n\n{block}\n", HUB.title, "card")
    assert (where.start, where.end) == (8, 8 + len(block))


@pytest.mark.parametrize(
    "name", ["good model, and certified", "`a", "a``b", "x”y", "’s", "a|b", " a"]
)
def test_a_name_is_one_piece_of_code_wherever_it_stands(name):
    """A name that is made of words is not read as a part of our sentence."""
    for sentence in ("{} leans.", "of {}’s share", "({})", "“{}”,", "see {}", "x{}y"):
        made = words.inert(sentence.format(words.named(name)))
        [token] = [one for one in PARSER.parse(made) if one.type == "inline"]
        codes = [part.content for part in token.children if part.type == "code_inline"]
        read = "".join(part.content for part in token.children)
        assert " ".join(read.split()) == " ".join(sentence.format(name).split())
        assert any(name.strip() in code for code in codes)
