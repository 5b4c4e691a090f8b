"""Winogender schemas: a pronoun and an occupation, with the occupation's share of women."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from maskaudit.audit.errors import InputError
from maskaudit.probes.frames.sentence import MASK
from maskaudit.probes.published import published_files
from maskaudit.probes.published.imported import Imported, Report, faults, header, row

# Women first, because the share is that of the first group.
GROUPS = ("female", "male", "neutral")
_FORMS = {
    "NOM": {"female": "she", "male": "he", "neutral": "they"},
    "ACC": {"female": "her", "male": "him", "neutral": "them"},
    "POSS": {"female": "her", "male": "his", "neutral": "their"},
}
_PRONOUN = re.compile(r"\$(NOM|ACC|POSS)_PRONOUN")
_AND_VERB = re.compile(r"\$NOM_PRONOUN (was|is|has)\b")
_PLURAL = {"was": "were", "is": "are", "has": "have"}
_MOSTLY_WOMEN, _MOSTLY_MEN = 0.7, 0.3
_N_PARTS = 5
_WORDS = {
    "title": "Winogender schemas",
    "question": "Which pronoun does the model expect beside an occupation?",
    "how_to_read": "Log-odds of her forms against his, beside the share of women in the "
    "occupation. A sentence is a frame of one occupation: frames and occupations do not cross.",
    "limits": "120 templates, two an occupation. In half of the sentences the pronoun stands for "
    "the other person, not for the occupation; shares are those of the United States, 2015/16.",
    "licence": "MIT",
    "sources": [
        "Rudinger, Naradowsky, Leonard and Van Durme, NAACL 2018",
        "shares: US Bureau of Labor Statistics, 2015/16, as given in occupations-stats.tsv",
    ],
    "cite": "Rudinger et al. (2018), Gender Bias in Coreference Resolution.",
}

# A frame's masked sentence and its pronoun, by group.
Sentences = dict[str, tuple[str, str]]


def read(path: Path, *, encoding: str | None = None) -> Imported:
    """Read `all_sentences.tsv` or `templates.tsv`, with shares from `occupations-stats.tsv`.

    The shares' file is optional and lies in the same folder. Raises `InputError` where a file is
    missing, cannot be read or lacks a column.
    """
    file = (
        published_files.first_existing(path, "all_sentences.tsv", "templates.tsv")
        if path.is_dir()
        else path
    )
    if file is None:
        raise InputError(f"{path}: expected all_sentences.tsv or templates.tsv in this folder")
    report = Report()
    # The two published files differ in their columns; the header shows which one this is.
    head = next(iter(published_files.lines(published_files.source(file, encoding).text)), "")
    needed = ("sentid", "sentence") if "sentid" in head else _TEMPLATE
    source, records, bad = published_files.table(file, needed, encoding)
    report.sources.append(source)
    for bad_line in bad:
        report.refuse(bad_line.line, bad_line.reason, bad_line.text)
    by_frame = _from_sentences if needed[0] == "sentid" else _from_templates
    shares = _shares(file.parent, encoding, report)
    rows = []
    for frame, sentences in by_frame(records, report).items():
        occupation = frame.partition(".")[0]
        if shares and occupation not in shares:
            report.note(f"no share of women is given for {occupation!r}")
        rows += [_row(frame, group, *sentences[group], shares) for group in GROUPS]
    return report.imported(
        header("winogender", "association", "gender", report.sources, **_WORDS), rows
    )


_TEMPLATE = ("occupation(0)", "other-participant(1)", "answer", "sentence")


def _row(
    frame: str, group: str, text: str, target: str, shares: Mapping[str, float]
) -> dict[str, Any]:
    occupation = frame.partition(".")[0]
    share = shares.get(occupation)
    return row(
        frame=frame,
        attribute=occupation,
        class_=_class(share),
        share=share,
        group=group,
        term=target.lower(),
        cluster=occupation,
        text=text,
        slot=0,
        target=target,
    )


def _class(share: float | None) -> str:
    if share is None:
        return ""
    if share >= _MOSTLY_WOMEN:
        return "mostly_women"
    return "mostly_men" if share <= _MOSTLY_MEN else "middle"


def _shares(folder: Path, encoding: str | None, report: Report) -> dict[str, float]:
    """Return the share of women by occupation, 0 to 1; empty without the shares' file."""
    file = published_files.first_existing(folder, "occupations-stats.tsv")
    if file is None:
        report.note("occupations-stats.tsv is not in the sentences' folder: no shares, no classes")
        return {}
    source, records, _ = published_files.table(file, ("occupation", "bls_pct_female"), encoding)
    report.sources.append(source)
    shares = {}
    for line, record in records:
        share = percent(record["bls_pct_female"])
        if share is None:
            report.note(f"{file.name}: not a percentage ({record['bls_pct_female']!r})", [line])
        else:
            shares[str(record["occupation"])] = share
    return shares


def percent(cell: object) -> float | None:
    """Return a percentage as a share from 0 to 1; None if it is not a percentage."""
    try:
        share = round(float(str(cell)) / 100, 6)
    except ValueError:
        return None
    # NaN fails the comparison, so a cell with “nan” is no share either.
    return share if 0 <= share <= 1 else None


def _from_sentences(
    records: Iterable[published_files.Record], report: Report
) -> dict[str, Sentences]:
    """Return the frames of published sentences, masked where the female and male ones differ."""
    frames: dict[str, dict[str, tuple[int, str]]] = {}
    for line, record in records:
        why = faults({"sentid": record["sentid"], "sentence": record["sentence"]}, "sentence")
        parts = str(record["sentid"]).split(".")
        if not why and (len(parts) != _N_PARTS or parts[3] not in GROUPS):
            why = "sentid does not have the form occupation.participant.answer.group.txt"
        by_group = frames.setdefault(".".join(parts[:3]), {}) if not why else {}
        if not why and parts[3] in by_group:
            why = f"the sentence already appears on line {by_group[parts[3]][0]}"
        if why:
            report.refuse(line, why, record["sentence"])
        else:
            by_group[parts[3]] = (line, record["sentence"])
    masked = {}
    for frame, sides in frames.items():
        result = _masked({group: text for group, (_, text) in sides.items()})
        if isinstance(result, str):
            for line, text in sides.values():
                report.refuse(line, result, text)
        else:
            masked[frame] = result
    return masked


def _masked(sides: Mapping[str, str]) -> Sentences | str:
    """Return each sentence with its pronoun masked, and the pronoun; or why that is impossible."""
    if missing := [group for group in GROUPS if group not in sides]:
        return f"the frame has no {missing[0]} sentence"
    words = {group: text.split(" ") for group, text in sides.items()}
    if len({len(side) for side in words.values()}) > 1:
        return "the sentences of the frame differ in length"
    # The neutral sentence is not compared: its verb may differ too, as in “they were”.
    pairs = zip(words["female"], words["male"], strict=True)
    places = [place for place, (hers, his) in enumerate(pairs) if hers != his]
    if len(places) != 1:
        return f"the female and the male sentence differ in {len(places)} words; expected one"
    masked = {}
    for group, side in words.items():
        pronoun = re.sub(r"^\W+|\W+$", "", side[places[0]])
        if not any(pronoun.lower() == forms[group] for forms in _FORMS.values()):
            return f"{pronoun!r} is not a pronoun of the group {group}"
        side[places[0]] = side[places[0]].replace(pronoun, MASK, 1)
        masked[group] = (" ".join(side), pronoun)
    return masked


def _from_templates(
    records: Iterable[published_files.Record], report: Report
) -> dict[str, Sentences]:
    """Return the frames of the templates, with the participant named and as "someone"."""
    frames: dict[str, Sentences] = {}
    for line, record in records:
        cells = {name: record[name] for name in _TEMPLATE}
        text = str(record["sentence"])
        why = faults(cells, "sentence")
        if not why and len(_PRONOUN.findall(text)) != 1:
            why = "the template does not contain exactly one pronoun"
        if why:
            report.refuse(line, why, text)
            continue
        occupation, answer = record["occupation(0)"], record["answer"]
        for participant in (record["other-participant(1)"], "someone"):
            filled = _filled(text, occupation, participant)
            frame = f"{occupation}.{participant}.{answer}"
            if frame in frames:
                report.refuse(line, f"the frame {frame} already exists", text)
            else:
                frames[frame] = {group: _with_mask(filled, group) for group in GROUPS}
    return frames


def _filled(text: str, occupation: str, participant: str) -> str:
    text = text.replace("$OCCUPATION", occupation)
    if participant == "someone":
        text = re.sub(r"^(The|A|An) \$PARTICIPANT", "Someone", text)
        text = re.sub(r"\b(the|an?) \$PARTICIPANT", "someone", text)
    return text.replace("$PARTICIPANT", participant)


def _with_mask(text: str, group: str) -> tuple[str, str]:
    match = _PRONOUN.search(text)
    assert match is not None  # noqa: S101 - the caller has counted
    if group == "neutral":
        # Singular they takes the verb's plural form.
        text = _AND_VERB.sub(lambda verb: f"$NOM_PRONOUN {_PLURAL[verb[1]]}", text)
    pronoun = _FORMS[match[1]][group]
    target = pronoun.capitalize() if match.start() == 0 else pronoun
    return _PRONOUN.sub(lambda _: MASK, text), target
