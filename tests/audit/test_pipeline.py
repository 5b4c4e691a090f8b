"""One command for one candidate or several, again and again: nothing twice, nothing mixed up."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
import torch
from tokenizers import Tokenizer

import maskaudit
from maskaudit.audit import describe, pipeline, preview, settings
from maskaudit.audit.errors import CannotWriteError, InputError
from maskaudit.audit.judging import verdicts
from maskaudit.audit.measuring import pairs, scoring
from maskaudit.audit.measuring.cached import cache, entries, fingerprint
from maskaudit.audit.measuring.cached.cache import MIB, Cache
from maskaudit.audit.phantom.truth import STUDENT
from maskaudit.audit.preview import planned
from maskaudit.audit.recording import new_record, record
from maskaudit.audit.recording.record import DETAILS, PAGE, TABLES, Record, load_record
from maskaudit.probes.importers import IMPORTERS
from maskaudit.probes.published import imported_folder
from tests import tiny
from tests.audit.attempts import SET

pytestmark = pytest.mark.slow

SMALL = "".join(part for part in SET.partition('[[frames]]\nid = "f6"')[:1])


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return models by name: a reference, some of its vocabulary or another, and a copy."""
    root = tmp_path_factory.mktemp("models")
    made = {
        "teacher": tiny.build(root / "teacher", "bert", seed=1),
        "student": tiny.build(root / "student", "distilbert", seed=2),
        "third": tiny.build(root / "third", "bert", seed=3),
        "short": tiny.build(root / "short", "bert", seed=4, max_position_embeddings=12),
        "other": tiny.build(root / "other", "roberta", seed=5),
    }
    made["copy"] = tiny.copy_reordered(made["student"], root / "copy")
    return {name: str(folder) for name, folder in made.items()}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a working folder with a small probe set."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.toml").write_text(SMALL, "utf-8")
    return tmp_path


@pytest.fixture
def scored(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list that gets the number of pairs whenever one is to be scored; pages are empty."""
    found: list[int] = []
    each = scoring.score_each

    def spy(parts: object, pairs: list[object], *rest: object, **named: object) -> object:
        found.append(len(pairs))
        return each(parts, pairs, *rest, **named)

    monkeypatch.setattr(scoring, "score_each", spy)
    monkeypatch.setattr(pipeline, "write_page", lambda found: (found.path / PAGE).write_text(""))
    return found


Audit = Callable[..., Record]
UNJUDGED = "no gates.toml: nothing was judged"


@pytest.fixture
def run(here: Path, folders: dict[str, str]) -> Audit:  # noqa: ARG001 - paths are from there
    """Give a function that audits a student against its teacher, unless it is told otherwise.

    Its notes are those on the audit: that there is no gates.toml is said as often, and left out.
    """

    def once(**said: object) -> Record:
        names = {"reference": folders["teacher"], "candidate": folders["student"]}
        notes: list[str] = []
        made = maskaudit.run(**{**names, "probes": ["small.toml"], **said, "note": notes.append})
        assert notes.count(UNJUDGED) <= 1
        for text in notes:
            if text != UNJUDGED and "note" in said:
                said["note"](text)
        return made

    return once


def tables_of(found: Record) -> dict[str, bytes]:
    """Return the bytes of each table of a record on disk."""
    return {name: (found.path / f"{name}.parquet").read_bytes() for name in TABLES}


# --- Several candidates ---------------------------------------------------------------------------


def test_each_of_several_candidates_has_the_record_that_it_would_have_alone(run, folders, here):
    """To the byte in every table, whatever vocabulary it has and however much it can read."""
    names = ["student", "short", "other"]
    (here / "AUDIT.toml").write_text(
        f'[models]\nreference = {{ id = "{folders["teacher"]}" }}\ncandidates = [\n'
        + "".join(f'  {{ id = "{folders[name]}" }},\n' for name in names)
        + ']\n[probes]\nsets = ["small.toml"]\n'
    )
    found = pipeline.run_all(settings.resolve())
    assert [one.manifest.number for one in found] == [1, 2, 3]
    for name, one in zip(names, found, strict=True):
        alone = run(candidate=folders[name], out="alone", no_cache=True)
        assert tables_of(one) == tables_of(alone)
        assert one.manifest.models == alone.manifest.models
        assert one.manifest.key == alone.manifest.key
        assert one.manifest.not_measured == alone.manifest.not_measured
        assert (one.path / "report.html").is_file()
    [page] = (here / "runs").glob("overview-*.html")
    linked = re.findall(r'href="([^"#]+)"', page.read_text("utf-8"))
    assert [(page.parent / link).resolve() for link in linked] == [
        (one.path / "report.html").resolve() for one in found
    ]


def test_several_candidates_without_a_reference_are_each_audited_alone(folders, here):
    """And a candidate that is named twice is one."""
    names = [folders[name] for name in ("student", "third", "student")]
    wanted = settings.resolve(candidates=names, probes=["small.toml"], out=here / "runs")
    found = pipeline.run_all(wanted)
    assert [list(one.manifest.models) for one in found] == [["candidate"]] * 2
    assert len({one.manifest.models["candidate"].weights for one in found}) == 2


def test_what_is_for_one_candidate_refuses_several(folders, here):
    """The line says what was found and expected."""
    names = [folders["student"], folders["third"]]
    wanted = settings.resolve(candidates=names, probes=["small.toml"])
    with pytest.raises(InputError, match=r"2 candidates are named \(.*\); expected one"):
        pairs.load_models(wanted)
    listed = ", ".join(f'{{ id = "{name}" }}' for name in names)
    (here / "AUDIT.toml").write_text(f"[models]\ncandidates = [{listed}]\n")
    with pytest.raises(InputError, match="expected one"):
        maskaudit.run(probes=["small.toml"])
    assert not (here / "runs").exists()


# --- Unchanged ------------------------------------------------------------------------------------


def test_what_is_unchanged_is_not_audited_again(run, folders, scored):
    """The record that is there is returned, from a copy of the model too; only if it is asked."""
    first = run()
    assert scored == [1]
    again = run(skip_unchanged=True)
    assert again.path == first.path
    assert run(skip_unchanged=True, candidate=folders["copy"]).path == first.path
    assert scored == [1, 0, 0]
    second = run()
    assert second.path != first.path
    assert (second.manifest.key, second.manifest.number) == (first.manifest.key, 2)
    assert tables_of(second) == tables_of(first)
    assert run(skip_unchanged=True).path == second.path


def test_of_several_candidates_only_the_new_one_is_audited(run, folders, scored, here):
    """The others' records stand, and the page has them all."""
    first = run(candidate=folders["third"])
    names = [folders["student"], folders["third"]]
    wanted = settings.resolve(
        reference=folders["teacher"], candidates=names, probes=["small.toml"], out="runs"
    )
    found = pipeline.run_all(wanted, skip_unchanged=True)
    assert scored == [1, 1]
    assert [one.path.name == first.path.name for one in found] == [False, True]
    [page] = (here / "runs").glob("overview-*.html")
    assert first.path.name in page.read_text("utf-8")


CHANGES = {
    "another candidate": {"candidate": "third"},
    "another reference": {"reference": "third"},
    "another seed": {"seed": 1},
    "other probes": {"probes": ["small.toml", "facts"]},
    "another folder of runs": {"out": "elsewhere"},
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_is_changed_is_audited(run, folders, scored, change):
    """Be it a model, the seed or the probe sets."""
    run()
    said = {name: folders.get(str(value), value) for name, value in CHANGES[change].items()}
    run(skip_unchanged=True, **said)
    assert scored == [1, 1]


TEXTS = {
    "a sentence": ("in Paris", "in London"),
    "a word of the page": ('limits = "Many."', 'limits = "Few."'),
    "what is contrasted": ('["first", "second"]', '["second", "first"]'),
}


@pytest.mark.parametrize("change", TEXTS)
def test_a_changed_probe_set_is_audited(run, scored, here, change):
    """Even where no number changes: the page would say something else."""
    run()
    old, new = TEXTS[change]
    assert old in SMALL
    (here / "small.toml").write_text(SMALL.replace(old, new), "utf-8")
    run(skip_unchanged=True)
    assert scored == [1, 1]


def test_a_changed_setting_or_version_is_audited(run, scored, here, monkeypatch):
    """How p values are adjusted, the user's hurtful words, a library's version, torch, our code."""
    run()
    (here / "words.txt").write_text("nasty\n")
    for text in ('[run]\nadjust = "by"\n', '[probes]\nlexicon = "words.txt"\n'):
        (here / "AUDIT.toml").write_text(text)
        run(skip_unchanged=True)
    (here / "AUDIT.toml").unlink()
    with monkeypatch.context() as patch:
        patch.setattr(fingerprint, "version", lambda _name: "9.9")
        run(skip_unchanged=True)
    with monkeypatch.context() as patch:
        patch.setattr(describe, "software", lambda: {"torch": "9.9"})
        run(skip_unchanged=True)
    with monkeypatch.context() as patch:
        patch.setattr(fingerprint, "_modules", lambda _folder: iter(()))
        run(skip_unchanged=True)
    assert scored == [1] * 6


def test_a_damaged_record_does_not_count_as_done(run, scored):
    """It is named, and the audit is made again."""
    first = run()
    table = first.path / "scores.parquet"
    table.write_bytes(table.read_bytes()[:-1])
    notes: list[str] = []
    again = run(skip_unchanged=True, note=notes.append)
    assert again.path != first.path
    assert scored == [1, 1]
    assert "scores.parquet: changed since it was sealed" in notes[0]
    assert notes[0].endswith("this record is ignored")


def test_extrinsic_scores_stand_in_the_record_and_change_none_of_its_numbers(run, folders, here):
    """Not a byte of a table, nor the key; another score makes another record."""

    def told(value: float) -> None:
        score = f"scores.'{folders['student']}' = {{ value = {value} }}"
        (here / "AUDIT.toml").write_text(
            f"[models]\nreference = '{folders['teacher']}'\ncandidate = '{folders['student']}'\n"
            '[[run.extrinsic]]\nname = "gap"\nunit = "points"\nhigher_is = "worse"\n'
            f'source = "Ada"\n{score}\n'
        )

    plain = run(reference=None, candidate=folders["student"], out="plain")
    assert plain.manifest.extrinsic == []
    without = run()
    made = []
    for value in (1.5, 1.5, 2.5):
        told(value)
        made.append(maskaudit.run(probes=["small.toml"], skip_unchanged=True, note=lambda _: None))
    assert made[0].path == made[1].path
    assert len({one.path for one in (without, *made)}) == 3
    for one, value in zip(made, (1.5, 1.5, 2.5), strict=True):
        [entry] = load_record(one.path).manifest.extrinsic
        assert (entry.name, entry.scores["candidate"].value) == ("gap", value)
        assert tables_of(one) == tables_of(without)
        assert one.manifest.key == without.manifest.key
        assert "Measured elsewhere" in (one.path / DETAILS).read_text("utf-8")
    assert "no extrinsic score was given" in (without.path / DETAILS).read_text("utf-8")


# --- Numbers and clocks ---------------------------------------------------------------------------


class Before(datetime):
    """A clock that has gone back by a year."""

    @classmethod
    def now(cls, tz: object = None) -> datetime:
        """The time a year ago."""
        return datetime.now(tz) - timedelta(days=365)


def test_a_clock_that_goes_backwards_is_told_and_the_order_of_records_stays(run, monkeypatch):
    """By their numbers; in the record too. A clock that runs as it should says nothing."""
    notes: list[str] = []
    first = run(note=notes.append)
    assert (notes, first.manifest.notes) == ([], [])
    with monkeypatch.context() as patch:
        for module in (describe, new_record):
            patch.setattr(module, "datetime", Before)
        second = run(note=notes.append)
    [told] = second.manifest.notes
    assert told in notes
    assert first.path.name in told
    assert "Records are numbered in the order" in told
    assert second.path.name < first.path.name
    assert list(record.manifests(first.path.parent)) == [first.path, second.path]
    assert run(skip_unchanged=True, note=notes.append).path == second.path


def test_numbers_go_on_after_records_that_have_none(run, here):
    """A folder of older versions, and one whose records were deleted in part."""
    for name in ("a", "b"):
        (here / "runs" / name).mkdir(parents=True)
        said = {"format": 2, "created": datetime.now(UTC).isoformat(timespec="seconds")}
        (here / "runs" / name / "record.json").write_text(json.dumps(said))
    assert [run(note=lambda _told: None).manifest.number for _ in range(2)] == [3, 4]


# --- The cache ------------------------------------------------------------------------------------


def test_a_run_says_what_it_took_from_the_cache_and_can_do_without(run):
    """With `no_cache` nothing is taken and nothing kept; all three make the same tables."""
    notes: list[str] = []
    without = run(no_cache=True, note=notes.append)
    assert cache.contents(cache.default_folder()).entries == 0
    first = run(note=notes.append)
    assert notes == []
    again = run(note=notes.append)
    assert notes == ["1 of 1 parts were read from the cache (maskaudit cache info)"]
    assert tables_of(without) == tables_of(first) == tables_of(again)


def test_a_user_without_a_place_for_caches_is_audited_all_the_same(run, monkeypatch):
    """One line says what is lost."""

    def homeless() -> Path:
        raise InputError("there is no home folder")

    monkeypatch.setattr(cache, "default_folder", homeless)
    notes: list[str] = []
    load_record(run(note=notes.append).path)
    [told] = notes
    assert told.startswith(
        "scores cannot be cached, so an interrupted run cannot be resumed: there"
    )


def only_entry(change: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    """Change the scores of the one entry that is cached, with the user's own key."""
    folder = cache.default_folder()
    [path] = folder.iterdir()
    key = path.name.removesuffix(cache.SUFFIX)
    entry = Cache(folder, MIB, pytest.fail).read(key)
    _, about = entries.about(path)
    Cache(folder, MIB, pytest.fail).write(key, {**entry, "scores": change(entry["scores"])}, about)


POISON = {
    "five rows": lambda rows: rows.iloc[:5],
    "infinities": lambda rows: rows.assign(value=float("inf")),
    "a row twice": lambda rows: pd.concat([rows, rows.iloc[:1]], ignore_index=True),
    "no values": lambda rows: rows.assign(value=float("nan")),
}


@pytest.mark.usefixtures("scored")
@pytest.mark.parametrize("poison", POISON)
def test_an_entry_without_exactly_the_rows_that_are_asked_for_is_not_taken(run, poison):
    """Though it is authenticated: that is told, and the tables are those of a run without it."""
    first = run()
    only_entry(POISON[poison])
    notes: list[str] = []
    again = run(note=notes.append)
    assert tables_of(again) == tables_of(first)
    assert any("this cache entry" in note and "scored again" in note for note in notes)
    use = again.manifest.provenance.cache
    assert (use.asked, use.taken, use.keys) == (1, 0, [])


@pytest.mark.usefixtures("scored")
def test_a_forged_entry_with_a_valid_sum_is_not_taken(run):
    """Whoever can write to the folder, but lacks the key, decides no number."""
    first = run()
    folder = cache.default_folder()
    [path] = folder.iterdir()
    key = path.name.removesuffix(cache.SUFFIX)
    entry = Cache(folder, MIB, pytest.fail).read(key)
    _, about = entries.about(path)
    scores = entry["scores"].assign(value=lambda rows: rows["value"] - 1)
    path.write_bytes(entries.packed(key, {**entry, "scores": scores}, about, b"f" * 32))
    notes: list[str] = []
    assert tables_of(run(note=notes.append)) == tables_of(first)
    assert any("made with another key than yours" in note for note in notes)


def test_the_record_its_page_and_its_gates_say_what_was_taken_from_the_cache(run, here):
    """And of the first run, that nothing was; without a cache, nothing is said."""
    (here / "gates.toml").write_text(
        '[[gate]]\nid = "a"\nrule = "bound"\nbound = 99.0\nreason = "a test"\n'
    )
    uses, pages, notes = [], [], []
    for said in ({}, {}, {"no_cache": True}):
        found = load_record(run(**said, note=lambda _told: None).path)
        uses.append(found.manifest.provenance.cache)
        pages.append((found.path / DETAILS).read_text("utf-8"))
        notes.append(verdicts.read(found.path).notes)
    [path] = cache.default_folder().iterdir()
    key = path.name.removesuffix(cache.SUFFIX)
    assert uses[0].model_dump() == {"asked": 1, "taken": 0, "keys": []}
    assert uses[1].model_dump() == {"asked": 1, "taken": 1, "keys": [key]}
    assert uses[2] is None
    assert [("none was taken from the cache" in page) for page in pages] == [True, False, False]
    taken = "1 of 1 parts of the scores were taken from the cache of an earlier run"
    assert [taken in page for page in pages] == [False, True, False]
    assert [taken in said for said in notes] == [False, True, False]


def test_a_rule_that_is_changed_after_its_record_was_seen_stays_the_younger(run, here):
    """The first run reads it before it measures; a later record of the same numbers tells."""
    rule = '[[gate]]\nid = "a"\nrule = "bound"\nbound = {}\nreason = "a test"\n'
    ages = []
    for bound in (99.0, 98.0, 98.0, 99.0):
        (here / "gates.toml").write_text(rule.format(bound))
        found = load_record(run().path)
        (verdict,) = verdicts.read(found.path).verdicts
        assert list(found.manifest.rules) == [verdict.rule_digest]
        ages.append(verdict.rule_before)
    assert ages == [True, False, False, True]
    page = (found.path / DETAILS).read_text("utf-8")
    assert f"Rules older than the record: a ({verdict.rule_digest[:12]}, since " in page
    # Without gates a run reads no rule.
    (here / "gates.toml").unlink()
    assert load_record(run().path).manifest.rules == {}


def test_a_folder_that_others_may_write_to_ends_a_run_before_anything_is_scored(run, here, scored):
    """With what to type; without a cache the audit is made."""
    cache.default_folder().mkdir(mode=0o777)
    cache.default_folder().chmod(0o777)
    with pytest.raises(InputError, match=r"type  chmod go-w "):
        run()
    assert scored == []
    assert [path.name for path in (here / "runs").iterdir()] == [".lock"]
    run(no_cache=True)


def test_a_plan_says_what_would_be_taken_and_why_not_more(run, folders):
    """Of the same part with other threads; of other parts nothing is known."""
    wanted = settings.resolve(
        reference=folders["teacher"], candidate=folders["student"], probes=["small.toml"]
    )
    assert planned(wanted).as_json()["cache"] == {"asked": 1, "taken": 0, "not_taken": {}}
    run()
    assert planned(wanted).as_json()["cache"] == {"asked": 1, "taken": 1, "not_taken": {}}
    assert "1 of 1 parts would be taken from it" in planned(wanted).as_text()
    before = torch.get_num_threads()
    torch.set_num_threads(before + 1)
    try:
        preview = planned(wanted)
    finally:
        torch.set_num_threads(before)
    why = f"{before} threads (here {before + 1})"
    assert preview.as_json()["cache"] == {"asked": 1, "taken": 0, "not_taken": {why: 1}}
    assert f"1 would not, made with {why}" in preview.as_text()


@pytest.mark.usefixtures("here")
def test_models_of_one_vocabulary_are_planned_once(folders, monkeypatch):
    """Each has the row that it has alone; another vocabulary or limit is planned for itself."""
    asked: list[object] = []
    whole = preview.plans
    monkeypatch.setattr(
        preview, "plans", lambda part, model, *rest, **named: (
            asked.append(model), whole(part, model, *rest, **named))[1],
    )  # fmt: skip

    def rows(**models: object) -> list[dict[str, object]]:
        plan = planned(settings.resolve(probes=["small.toml"], **models)).as_json()
        return [{**row, "model": "", "minutes": 0} for row in plan["sets"]]

    together = ["student", "third", "other", "short"]
    found = rows(reference=folders["teacher"], candidates=[folders[name] for name in together])
    assert len(asked) == 3
    alone = [rows(candidate=folders[name])[0] for name in ["teacher", *together]]
    assert found == alone


_SMALL_SETS_WORDS = ("nurse", "maid", "teacher", "engineer", "farmer", "lawyer")


def test_a_plan_names_the_words_in_several_pieces_and_what_to_type_next(tmp_path):
    """Those that the tokenizer's own library writes so; their pieces make the further sentences."""
    words = ["jolly", "calm", "kind", "quick", "old", "rude"]
    pieces = Tokenizer.from_file(str(STUDENT / "tokenizer.json"))
    counts = {word: len(pieces.encode(word, add_special_tokens=False)) for word in words}
    path = tmp_path / "set.toml"
    text = tiny.small_set(["woman"], ["man"])
    for old, new in zip(_SMALL_SETS_WORDS, words, strict=True):
        text = text.replace(f'"{old}"', f'"{new}"')
    path.write_text(f'{text}[[frames]]\nid = "f"\ntext = "The {{term}} was [MASK]."\n')
    plan = planned(settings.resolve(probes=[str(path)], candidate=str(STUDENT)))
    several = [word for word, n in counts.items() if n > 1]
    assert sorted(plan.apart["candidate"]) == sorted(several) != []
    [row] = plan.rows
    # Two sentences; and for each number of pieces one with as many masks, shared by such words.
    lengths = {counts[word] for word in several}
    assert row["sentences"] == 2 + 2 * (len(lengths) + sum(counts[w] - 1 for w in several))
    assert row["several_pieces"] == 2 * len(several)
    lines = plan.as_text().splitlines()
    assert f"candidate writes in several pieces: {', '.join(plan.apart['candidate'])}." in lines
    assert lines[lines.index("Nothing would be lost.") + 1].endswith("without --plan runs it.")


def test_a_plan_counts_no_sentence_that_is_read_whole_as_a_word_in_pieces(tmp_path):
    """The two sentences of a pair are scored piece by piece, and no word of theirs is asked for."""
    (tmp_path / "crows.csv").write_text(
        "sent_more,sent_less,stereo_antistereo,bias_type,annotations,anon_writer,anon_annotators\n"
        "She worked as a jolly nurse.,He worked as a jolly nurse.,stereo,gender,[],a,[]\n",
        "utf-8",
    )
    folder = tmp_path / "crows"
    imported_folder.write(IMPORTERS["crows-pairs"](tmp_path / "crows.csv"), folder)
    plan = planned(settings.resolve(probes=[str(folder)], candidate=str(STUDENT)))
    assert [row["several_pieces"] for row in plan.rows] == [0]
    assert plan.apart == {}


# --- Pages that are missing -----------------------------------------------------------------------


def test_a_record_that_lacks_its_page_is_finished_and_not_made_again(run, scored):
    """By a plain run too; only the newest of its key counts, and another key is no reason."""
    first = run()
    (first.path / PAGE).unlink()
    notes: list[str] = []
    assert run(note=notes.append).path == first.path
    assert scored == [1, 0]
    assert (first.path / PAGE).is_file()
    assert notes == [
        f"{first.path.name}: this record is whole, and only its page was missing; it is finished"
    ]
    second = run()
    (first.path / PAGE).unlink()
    assert run().path not in {first.path, second.path}
    (run(seed=1).path / PAGE).unlink()
    assert run().manifest.number == 5


@pytest.mark.usefixtures("here", "scored")
def test_several_candidates_say_which_records_are_whole_when_the_disk_is_full(folders, monkeypatch):
    """The second record cannot be sealed: the first is kept, and a retry goes on from it."""
    seal = record.seal
    sealed: list[Record] = []

    def full(*said: object) -> Record:
        if sealed:
            raise CannotWriteError("runs: cannot write (No space left on device)", "nothing")
        sealed.append(seal(*said))
        return sealed[0]

    wanted = settings.resolve(
        candidates=[folders["student"], folders["third"]], probes=["small.toml"], out="runs"
    )
    with monkeypatch.context() as patch:
        patch.setattr(record, "seal", full)
        with pytest.raises(CannotWriteError) as told:
            pipeline.run_all(wanted)
    assert str(told.value) == (
        "runs: cannot write (No space left on device); the record is whole; its page: maskaudit "
        f"report {sealed[0].path}"
    )
    found = pipeline.run_all(wanted)
    assert [one.manifest.number for one in found] == [1, 2]
    assert found[0].path == sealed[0].path
