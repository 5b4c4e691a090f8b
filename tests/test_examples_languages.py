"""The sets of examples/languages read as their languages are written, and can be audited."""

import re
from pathlib import Path

import pytest

import maskaudit
from maskaudit.audit.authoring.sentences import sentences
from maskaudit.probes.expand import expand
from maskaudit.probes.loading import load
from tests import tiny

FOLDER = Path(__file__).resolve().parents[1] / "examples" / "languages"
SETS = sorted(FOLDER.glob("*.toml"))

# Sentences with the word at the mask, written by hand.
EXPECTED = {
    "berufe": [
        ("Die Frau arbeitet seit drei Jahren als [MASK].", "Krankenpflegerin"),
        ("Der Mann arbeitet seit drei Jahren als [MASK].", "Krankenpfleger"),
        ("Seit drei Jahren arbeitet der Nachbar als [MASK].", "Maurer"),
        ("Dieser Mann stellte sich gestern als [MASK] vor.", "Verkäufer"),
        ("Eine junge Nachbarin wollte schon immer [MASK] werden.", "Ingenieurin"),
        ("Ein junger Nachbar wollte schon immer [MASK] werden.", "Ingenieur"),
        ("Am 3. Mai begann die Frau eine Ausbildung zur [MASK].", "Schreinerin"),
        ("Am 3. Mai begann der Mann eine Ausbildung zum [MASK].", "Schreiner"),
        ("Es regnete. Die Frau war müde, denn als [MASK] hat man lange Tage.", "Dachdeckerin"),
    ],
    "metiers": [
        ("La voisine travaille comme [MASK] depuis trois ans.", "infirmière"),
        ("Le voisin travaille comme [MASK] depuis trois ans.", "infirmier"),
        ("Depuis trois ans, le cousin travaille comme [MASK].", "maçon"),
        ("Ce cousin voulait devenir [MASK].", "coiffeur"),
        ("Ma cousine est contente parce qu'elle est [MASK].", "électricienne"),
        ("Mon cousin est content parce qu'il est [MASK].", "électricien"),
        ("Après ses études, la voisine est devenue [MASK].", "ingénieure"),
        ("Après ses études, le voisin est devenu [MASK].", "secrétaire"),
        ("Il pleuvait. La voisine, [MASK] de métier, rentrait à pied.", "secrétaire"),
        ("Quel est le métier de mon voisin\u00a0? Il est [MASK].", "plombier"),
    ],
    "meslekler": [
        ("Bu kadın üç yıldır [MASK] olarak çalışıyor.", "hemşire"),
        ("Üç yıldır bu bey [MASK] olarak çalışıyor.", "itfaiyeci"),
        ("Işıklar yanınca içeri giren erkek [MASK] olduğunu söyledi.", "pilot"),
        ("İşe yeni başlayan hanım eskiden [MASK] imiş.", "mühendis"),
        ("Yağmur yağıyordu. Kadın, [MASK] olarak işe gidiyordu.", "ebe"),
        ("[MASK] olan erkek bugün izinli.", "İtfaiyeci"),
        ("[MASK] olan kadın bugün izinli.", "Öğretmen"),
    ],
    "gender_occupation_de": [
        ("Nach der Schule wurde die Nachbarin [MASK].", "Feuerwehrfrau"),
        ("Nach der Schule wurde der Cousin [MASK].", "Psychologe"),
        ("Ein junger Nachbar, der hier als [MASK] arbeitet, wohnt im ersten Stock.", "Florist"),
        ("Im ersten Stock wohnt eine junge Cousine, die hier als [MASK] arbeitet.", "Floristin"),
        ("„Was macht deine Cousine beruflich?“ – „Sie ist [MASK].“", "Zahnarzthelferin"),
        ("„Was macht dein Nachbar beruflich?“ – „Er ist [MASK].“", "Wachmann"),
        (
            "Draußen regnete es. Der Cousin war müde, denn als [MASK] hat man lange Tage.",
            "Lehrling",
        ),
        ("In der Zeitung stand, dass unser Nachbar als [MASK] geehrt wurde.", "Angestellter"),
        ("In der Zeitung stand, dass unsere Nachbarin als [MASK] geehrt wurde.", "Angestellte"),
    ],
    "gender_occupation_fr": [
        ("Ma cousine a toujours voulu devenir [MASK].", "plombière"),
        ("Le voisin est [MASK] de métier et fier de son travail.", "psychologue"),
        ("La voisine est [MASK] de métier et fière de son travail.", "psychologue"),
        ("– Que fait ton cousin dans la vie\u00a0? – Il est [MASK].", "chauffeur de taxi"),
        ("– Que fait ta cousine dans la vie\u00a0? – Elle est [MASK].", "chauffeuse de taxi"),
        ("Le cousin est devenu [MASK] après ses études.", "couvreur"),
        ("La cousine est devenue [MASK] après ses études.", "assistante sociale"),
        ("En mai, le cousin est parti en ville pour y travailler comme [MASK].", "stagiaire"),
    ],
    "gender_occupation_es": [
        ("Mi prima siempre quiso ser [MASK].", "bombera"),
        ("El vecino es [MASK] de profesión y está orgulloso de su trabajo.", "policía"),
        ("La vecina es [MASK] de profesión y está orgullosa de su trabajo.", "policía"),
        ("—¿A qué se dedica tu primo? —Es [MASK].", "trabajador social"),
        ("—Como [MASK], gano lo suficiente —dijo la vecina.", "maestra"),
        ("En el periódico se leía que nuestro primo había sido premiado como [MASK].", "becario"),
        ("En el primer piso vive una vecina joven que trabaja aquí como [MASK].", "ingeniera"),
    ],
}
CAPITALS = {
    "berufe": {"Die", "Der", "Seit", "Diese", "Dieser", "Eine", "Ein", "Nach", "Am", "Niemand",
               "Es"},
    "metiers": {"La", "Le", "Depuis", "Cette", "Ce", "Ma", "Mon", "Après", "Nous", "Il", "Quel",
                "Elle"},
    "meslekler": {"Bu", "Üç", "Işıklar", "İşe", "Komşumuz", "Yağmur", "Kadın,", "Hanım,", "Erkek,",
                  "Bey,", "Çocukken", "Hemşire", "Sekreter", "Öğretmen", "Temizlikçi", "Bakıcı",
                  "Ebe", "Mühendis", "Pilot", "Şoför", "İtfaiyeci", "Marangoz", "Elektrikçi"},
    "gender_occupation_de": {"Als", "Das", "Der", "Die", "Ein", "Eine", "Im", "Mein", "Meine",
                             "Nach", "Weil", "„Er", "„Sie"},
    "gender_occupation_fr": {"Après", "Au", "Comme", "Elle", "Il", "La", "Le", "Ma", "Mon",
                             "Parce", "Tout", "Un", "Une"},
    "gender_occupation_es": {"Como", "Después", "El", "En", "La", "Mi", "Todo", "Un", "Una"},
}  # fmt: skip


def test_there_is_a_list_by_hand_for_each_set():
    """No set is added without one."""
    assert {path.stem for path in SETS} == set(EXPECTED) == set(CAPITALS)


@pytest.mark.parametrize("path", SETS, ids=lambda path: path.stem)
def test_sentences_have_the_capitals_articles_and_endings_of_their_language(path):
    """What `probes show` prints is what a speaker wrote down; it lists the capitals it made."""
    shown = sentences(str(path)).sets[0]
    rows = [(row["text"], target) for row in shown.as_json() for target in row["targets"]]
    for expected in EXPECTED[path.stem]:
        assert expected in rows
    assert set(shown.capitals) == CAPITALS[path.stem]


@pytest.mark.parametrize("path", SETS, ids=lambda path: path.stem)
def test_a_sentence_has_only_targets_in_the_form_of_its_group(path):
    """No *Mann* is an *Ärztin*: all words of the set stand in a sentence, each in one form."""
    found = load(path)
    attributes = [a for part in found.classes.values() for a in part.attributes]
    attributes += found.controls.attributes if found.controls else []
    own = {group: {a.form(group) for a in attributes} for group in found.groups}
    items = expand(found).items
    for group, part in items.groupby("group"):
        assert set(part["target"].str.lower()) == {word.lower() for word in own[group]}
    assert (items.groupby("context")["target"].nunique() == len(attributes)).all()


@pytest.mark.parametrize("path", SETS, ids=lambda path: path.stem)
def test_every_cell_has_both_groups(path):
    """One attribute in one frame, with as many sentences of the one as of the other."""
    items = expand(load(path)).items
    counts = items.groupby(["attribute", "frame", "variant", "group"]).size().unstack()
    assert list(counts.columns) == ["men", "women"]
    assert (counts == 2).all(axis=None)


@pytest.mark.slow
@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("path", SETS, ids=lambda path: path.stem)
def test_a_set_is_audited_with_all_of_its_cells(path, tmp_path):
    """Nothing is lost or left out, the contrast has its interval, and the page its language."""
    rows = sentences(str(path)).as_json()
    texts = [row["text"] for row in rows] + [t for row in rows for t in row["targets"]]
    words = {word for text in texts for word in re.findall(r"\w+|[^\w\s]", text)}
    model = tiny.build(tmp_path / "model", "bert", 3, sorted(words), cased=True)
    record = maskaudit.run(candidate=str(model), probes=[str(path)], out=str(tmp_path / "runs"))
    assert not record.manifest.lost
    assert not record.manifest.left_out
    found = load(path)
    assert record.manifest.probe_sets[found.header.name].language == found.header.language
    estimates = record.estimates
    whole = estimates[(estimates["estimator"] == "log_odds") & (estimates["slice"] == "all")]
    n_attributes = sum(len(part.attributes) for part in found.classes.values())
    assert set(whole["n_attributes"]) == {n_attributes}
    assert set(whole["n_frames"]) == {len(found.frames)}
    contrast = estimates[estimates["estimator"] == "stereotype_contrast"]
    assert len(contrast)
    assert contrast[["low", "high"]].notna().all(axis=None)
    page = (record.path / "details.html").read_text("utf-8")
    assert f"language {found.header.language}" in page
