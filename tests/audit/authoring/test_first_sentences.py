"""The first sentences of a set as models read them, against the scores themselves."""

import math

import pytest

from maskaudit.audit.authoring.first_sentences import first_sentences
from maskaudit.audit.errors import InputError
from maskaudit.audit.measuring.backends import torch_model
from maskaudit.audit.phantom.truth import STUDENT, TEACHER
from maskaudit.probes.loading import shipped

MODELS = [str(TEACHER), str(STUDENT)]


@pytest.fixture(scope="module")
def student():
    """The bundled student, to be asked one sentence at a time."""
    return torch_model.load(STUDENT)


def log_p(model, text, word):
    """Log p of a word of one piece at the mask."""
    [encoded] = model.encode([text.replace("[MASK]", model.mask_token)])
    place = encoded.ids.index(model.mask_id)
    [row] = model.log_probs([encoded.ids], [(0, place)])
    [vocabulary] = [{model.token(n): n for n in range(len(row))}]
    return row[vocabulary[word]]


def test_the_log_odds_are_those_of_the_two_words_at_the_mask(student):
    """One frame and one attribute a cell, of the contrasted classes in turn."""
    found = first_sentences(shipped()["gender-occupation"], MODELS, 3, 2)
    assert found.measure == "log-odds women/men"
    whats = [cell.what for cell in found.cells]
    assert [what.split(" ")[-1] for what in whats] == [
        "(mostly_women)", "(mostly_men)", "(mostly_women)",
    ]  # fmt: skip
    for cell in found.cells:
        [sentence] = cell.sentences
        expected = log_p(student, sentence.text, "she") - log_p(student, sentence.text, "he")
        assert cell.numbers["phantom/student"] == pytest.approx(expected, abs=1e-4)
        assert cell.what.split(" (")[0] in sentence.text
        words = sentence.likeliest["phantom/student"]
        assert len(words) == 2
        for word, p in words:
            assert math.log(p) == pytest.approx(log_p(student, sentence.text, word), abs=1e-4)


def test_the_ranks_are_those_of_the_words_among_all_pieces(student):
    """Counted: how many pieces are likelier, and one."""
    found = first_sentences(shipped()["gender-occupation"], MODELS[1:], 3, 1)
    ranks = []
    for cell in found.cells:
        [sentence] = cell.sentences
        [encoded] = student.encode([sentence.text.replace("[MASK]", student.mask_token)])
        place = encoded.ids.index(student.mask_id)
        [row] = student.log_probs([encoded.ids], [(0, place)])
        own = [log_p(student, sentence.text, word) for word in ("she", "he")]
        ranks += [1 + int((row > value).sum()) for value in own]
        assert sorted(cell.ranks["phantom/student"]) == sorted(ranks[-2:])
    last = found.as_text().splitlines()[-1]
    assert last.startswith(
        f"phantom/student ranks the words asked here {min(ranks)} to {max(ranks)}, half of them "
    )


def test_with_the_attribute_at_the_mask_the_mean_over_terms_is_taken(student):
    """Each group has a sentence of its own, with its first term."""
    [cell] = first_sentences(shipped()["age-trait"], MODELS, 1, 1).cells
    old, young = (sentence.text for sentence in cell.sentences)
    assert ("old" in old, "young" in young) == (True, True)
    terms = {
        "old": ["old", "older", "elderly", "aging", "aged"],
        "young": ["young", "younger", "youthful", "teenage", "adolescent"],
    }
    attribute = cell.what.split(" (")[0]
    means = {
        group: sum(log_p(student, old.replace("old ", f"{term} "), attribute) for term in own)
        / len(own)
        for group, own in terms.items()
    }
    expected = means["old"] - means["young"]
    assert cell.numbers["phantom/student"] == pytest.approx(expected, abs=1e-4)


def test_a_fact_has_the_log_p_of_its_answer(student):
    """The right answer is named."""
    found = first_sentences(shipped()["facts"], MODELS[1:], 2, 3)
    assert found.measure == "log p of the answer"
    for cell in found.cells:
        [sentence] = cell.sentences
        answer = cell.what.split(" (")[0].lower()
        expected = log_p(student, sentence.text, answer)
        assert cell.numbers["phantom/student"] == pytest.approx(expected, abs=1e-4)


def test_the_text_has_a_line_for_each_model(tmp_path):
    """And says why a word is not scored."""
    text = shipped()["gender-occupation"].read_text("utf-8")
    path = tmp_path / "set.toml"
    path.write_text(text.replace('text = "he"', 'text = "h\u2603"'))
    lines = first_sentences(path, MODELS, 1, 2).as_text().splitlines()
    assert lines[0] == "everyone-knew: nurse (mostly_women)"
    assert lines[1] == "  Nearly everyone in our town knew that [MASK] was a nurse."
    assert [line.split(":")[0] for line in lines[2:4]] == [
        "    phantom/teacher", "    phantom/student",
    ]  # fmt: skip
    assert lines[4].startswith("  log-odds women/men: phantom/teacher not scored: target_unknown")


def test_more_frames_than_attributes_take_them_again():
    """Each cell is one of the set's."""
    text = shipped()["religion-trait"].read_text("utf-8")
    found = first_sentences(shipped()["religion-trait"], MODELS[1:], 26, 1)
    assert len(found.cells) == text.count("[[frames]]") == 26
    assert len({cell.what for cell in found.cells}) == 20
    assert all(cell.numbers["phantom/student"] is not None for cell in found.cells)


def test_an_import_has_no_author_here(tmp_path):
    """Its sentences are shown, not tried."""
    from maskaudit.probes.importers import IMPORTERS
    from maskaudit.probes.published import imported_folder

    (tmp_path / "a.json").write_text(
        '{"arts_2": ["a"], "science": ["b"], "male_terms_2": ["he"], "female_terms_2": ["she"]}'
    )
    imported = IMPORTERS["weat"](tmp_path / "a.json", encoding=None)
    imported_folder.write(imported, tmp_path / "words")
    with pytest.raises(InputError, match="is an import"):
        first_sentences(tmp_path / "words", MODELS, 1, 1)
