"""Small records for tests of the page: sets, scores and estimates that are made in a moment."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from maskaudit.audit.estimating.design import design
from maskaudit.audit.estimating.estimate import estimate
from maskaudit.audit.estimating.estimators.catalogue import needed
from maskaudit.audit.estimating.registry.entries import DERIVED
from maskaudit.audit.recording.binding import key_of
from maskaudit.audit.recording.manifest import Truth
from maskaudit.audit.recording.record import FORMAT, Record
from maskaudit.audit.recording.rows import tables
from maskaudit.audit.recording.rows.lost import lost as lost_of
from maskaudit.audit.verifying.recomputed import recompute
from maskaudit.probes.expand import Expanded, expand
from maskaudit.probes.loading import parse
from maskaudit.probes.published.imported import EMPTY
from maskaudit.probes.schema import ImportedHeader, ImportedSet, ProbeSet
from maskaudit.reports import effects
from maskaudit.reports import page as pages
from maskaudit.reports.blocks import Page
from maskaudit.reports.effects import Tables
from tests import manifests

WORDS_WOMEN = ["nurse", "librarian", "florist", "midwife", "stylist", "typist", "nanny"]
WORDS_MEN = ["miner", "welder", "roofer", "plumber", "logger", "mason", "trucker"]
CONTEXTS = [
    "after lunch", "at the border", "before winter", "during rain", "in silence",
    "near the harbor", "on a bridge", "under a tree", "with great care", "without a map",
]  # fmt: skip
MORE_CONTEXTS = [
    "across the river", "after the storm", "at dawn", "behind the mill", "by the road",
    "in a hurry", "in the garden", "on the hill", "over the summer", "past the gate",
]  # fmt: skip
# What was made for the tests before: records by their arguments, and the page of each record.
_RECORDS: dict[str, Record] = {}
_PAGES: dict[int, tuple[Record, Page]] = {}
_TABLES: dict[int, tuple[Record, Tables]] = {}
# A probe set as a TOML file would say it, or a published set as its import would be read.
Raw = dict[str, Any]
HOSTILE = "<script>alert(1)</script>\u202e\u200b"


def header(  # noqa: PLR0913 - the keys of a header
    name: str,
    title: str,
    *,
    kind: str = "association",
    axis: str = "gender",
    expect: str = "lean",
    contrast: Sequence[str] = ("women_jobs", "men_jobs"),
) -> Raw:
    """Return the [set] table of a probe set."""
    found = {
        "name": name, "version": "1.0", "kind": kind, "axis": axis, "title": title,
        "question": f"What does {title} ask?", "how_to_read": f"How {title} is read.",
        "limits": f"What {title} cannot show.", "licence": "Apache-2.0",
        "sources": ["Written for a test"], "expect": expect,
    }  # fmt: skip
    return {**found, "contrast": list(contrast)} if kind == "association" else found


def association(
    name: str, title: str, texts: Iterable[str], terms: Sequence[Sequence[str]], **more: str
) -> Raw:
    """Return a probe set of two groups and two classes."""
    return {
        "set": header(name, title, **more),
        "groups": {
            "women": {"label": "women", "terms": [{"text": t} for t in terms[0]]},
            "men": {"label": "men", "terms": [{"text": t} for t in terms[1]]},
        },
        "classes": {
            "women_jobs": {
                "label": "women’s jobs", "attributes": [{"text": t} for t in WORDS_WOMEN]
            },
            "men_jobs": {"label": "men’s jobs", "attributes": [{"text": t} for t in WORDS_MEN]},
        },
        "frames": [{"id": f"frame-{i}", "text": text} for i, text in enumerate(texts)],
    }  # fmt: skip


def with_shares(made: Raw, *, neutral: bool = False) -> Raw:
    """Return the set with the world's shares of women, and with neutral words in its frames."""
    for class_, shares in (("women_jobs", (0.6, 0.97)), ("men_jobs", (0.02, 0.4))):
        attributes = made["classes"][class_]["attributes"]
        for attribute, share in zip(attributes, np.linspace(*shares, len(attributes)), strict=True):
            attribute["share"] = round(float(share), 3)
    made["set"]["sources"] = ["Written for a test", "Shares of women: a census, 2020"]
    if neutral:
        made["controls"] = {"attributes": [{"text": "person"}, {"text": "neighbor"}]}
    return made


def jobs(*, frames: int = 10, attribute: str = "") -> Raw:
    """Return a set with the group at the mask; `attribute` replaces the first one."""
    where = (CONTEXTS + MORE_CONTEXTS)[:frames]
    texts = [f"[MASK] was {{a attribute}} {place}." for place in where]
    made = association("jobs", "Pronoun by job", texts, (["she"], ["he"]))
    if attribute:
        made["classes"]["women_jobs"]["attributes"][0] = {"text": attribute}
    return made


def people(*, terms: int = 2) -> Raw:
    """Return a set with the attribute at the mask and so many terms a group."""
    texts = [f"The {{term}} was the [MASK] {where}." for where in CONTEXTS]
    women = ["woman", "girl", "mother", "aunt", "widow"]
    men = ["man", "boy", "father", "uncle", "widower"]
    return association("people", "Job by person", texts, (women[:terms], men[:terms]))


def control() -> Raw:
    """Return a set in which no lean is expected."""
    texts = [f"{{a attribute}} called on [MASK] {where}." for where in CONTEXTS]
    days = (["Monday"], ["Friday"])
    return association("days", "Day by job", texts, days, expect="none")


def facts(axis: str = "facts") -> Raw:
    """Return a set of facts."""
    return {
        "set": header("facts", "Plain facts", kind="cloze", axis=axis),
        "facts": [
            {
                "id": f"fact-{i}", "relation": "color" if i % 2 else "number",
                "text": f"Fact {i} says [MASK] {where}.", "answers": ["yes"],
                "negated": f"Fact {i} does not say [MASK] {where}.",
            }
            for i, where in enumerate(CONTEXTS)
        ],
    }  # fmt: skip


def pairs(  # noqa: PLR0913 - each is one thing that an import may be otherwise in
    *,
    name: str = "pairs",
    n: int = 40,
    writers: int = 8,
    edits: int = 0,
    notes: Sequence[str] = (),
    unusable: int = 0,
    **more: Any,
) -> ImportedSet:
    """Return an import of sentence pairs, in two classes, by some writers and with some edits."""
    rows = []
    for i in range(n):
        sides = [f"Pair {i} of {name} says {word}." for word in ("this", "that")]
        for label, text, partner in zip(
            ("stereotype", "anti"), sides, reversed(sides), strict=True
        ):
            rows.append(
                {
                    **EMPTY, "frame": str(i), "class": ("age", "race-color")[i % 2], "label": label,
                    "pair": str(i), "cluster": f"w{i % writers}", "text": text, "partner": partner,
                    "cluster_2": f"e{i % edits}" if edits else "",
                }
            )  # fmt: skip
    return imported(name, "Pairs of sentences", "pairs", rows, notes, unusable, **more)


def triples(*, name: str = "triples", n: int = 40, terms: int = 8) -> ImportedSet:
    """Return an import of sentences with a blank and three words for it, by target term."""
    words = {"stereotype": "lazy", "anti": "busy", "unrelated": "fish"}
    rows = [
        {
            **EMPTY, "frame": str(i), "class": ("gender", "religion")[i % 2], "label": label,
            "pair": str(i), "cluster": f"t{i % terms}", "text": f"Person {i} is [MASK].",
            "slot": 0, "target": word, "attribute": word,
        }
        for i in range(n)
        for label, word in words.items()
    ]  # fmt: skip
    return imported(name, "Words in a blank", "triples", rows)


def imported(  # noqa: PLR0913, PLR0917 - each is a field of the import
    name: str,
    title: str,
    kind: str,
    rows: list[dict[str, Any]],
    notes: Sequence[str] = (),
    unusable: int = 0,
    **more: Any,
) -> ImportedSet:
    """Return a published set as the folder of an import would give it."""
    said = {k: v for k, v in header(name, title, kind=kind).items() if k != "contrast"}
    return ImportedSet.model_construct(
        header=ImportedHeader.model_validate({**said, **more}), rows=rows, notes=list(notes),
        unusable=unusable,
    )  # fmt: skip


def record(
    sets: Sequence[Raw | ImportedSet] | None = None,
    *,
    names: Mapping[str, str] | None = None,
    truth: Truth | None = None,
    **more: Any,
) -> Record:
    """
    Return the record of `_record`, made once for the same arguments: no test may change it.

    `names` are the models' by subject, `truth` is that of a pair whose leans were planted.
    """
    if sets is None:
        sets = [jobs(), people(), control(), facts()]
    arguments = (sets, sorted(more.items()))
    made = _once(repr(arguments), lambda: _record(sets, **more))
    if names is None and truth is None:
        return made
    return _once(repr((names, truth, arguments)), lambda: _renamed(made, names or {}, truth))


def page(made: Record) -> Page:
    """Return the page of the record, made once for the same record: no test may change either."""
    if id(made) not in _PAGES:
        # The record is kept beside its page, so that its id is given to no other.
        _PAGES[id(made)] = (made, pages.page(made, tables=tables_of(made)))
    return _PAGES[id(made)][1]


def tables_of(made: Record) -> Tables:
    """Return the tables of the record with what it rests on, made once for the same record."""
    if id(made) not in _TABLES:
        _TABLES[id(made)] = (made, effects.tables_of(made))
    return _TABLES[id(made)][1]


def _once(key: str, make: Callable[[], Record]) -> Record:
    """Return what was made for the key before, or make it."""
    if key not in _RECORDS:
        _RECORDS[key] = make()
    return _RECORDS[key]


def _renamed(made: Record, names: Mapping[str, str], truth: Truth | None) -> Record:
    """Return the record with other names of its models and with this truth."""
    models = {
        model: identity.model_copy(update={"name": names.get(model, identity.name)})
        for model, identity in made.manifest.models.items()
    }
    updates = {"models": models, "truth": truth}
    return replace(made, manifest=made.manifest.model_copy(update=updates))


def older(found: Record) -> Record:
    """Return the record as the first format has it: nothing of both models, and no flags."""
    new = set(DERIVED) - {
        "stereotype_contrast", "stereotype_contrast_lpbs", "lean", "largest_lean", "accuracy@1",
        "negated_still@1",
    }  # fmt: skip
    rows = ~found.estimates["estimator"].isin(sorted(new))
    rows &= ~found.estimates["estimator"].str.endswith(("_wilson", "_exact"))
    estimates = found.estimates[rows].assign(flag="", outcome="").reset_index(drop=True)
    return replace(found, estimates=estimates)


def _record(  # noqa: PLR0913 - each is one thing that a page may be about
    sets: Sequence[Raw | ImportedSet],
    *,
    reference: float | None = 0.5,
    candidate: float = 1.1,
    noise: float = 0.05,
    lost: int = 0,
    tokens: Sequence[str] = ("she", "he", "they"),
    accuracy: Sequence[float] = (0.9, 0.6),
    one_tokenizer: bool = True,
    seed: int = 7,
    further: float = 0.0,
) -> Record:
    """Return a record whose models lean by half of `reference` and `candidate` a class.

    A `reference` of None leaves one model alone; the first `lost` items of the candidate are lost;
    the models are `further` apart (KL) in sentences with attributes of a class than in others.
    """
    leans = {"candidate": candidate}
    if reference is not None:
        leans = {"reference": reference, **leans}
    parsed = [raw if isinstance(raw, ImportedSet) else parse(raw, "", "a test") for raw in sets]
    parts = [expand(probe_set) for probe_set in parsed]
    items = pd.concat([part.items for part in parts], ignore_index=True)
    contexts = pd.concat([part.contexts for part in parts]).drop_duplicates("context")
    scores = _scores(items, leans, noise=noise, accuracy=accuracy, lost=lost, seed=seed)
    manifest = _manifest(parsed, parts, leans)
    designs = [
        design(name, part, manifest["method"])
        for name, part in manifests.manifest(**manifest).probe_sets.items()
    ]
    fills = [
        {"context": c, "model": m, "rank": r, "token": t, "probability": 0.5 / r}
        for c in contexts["context"]
        for m in leans
        for r, t in enumerate(tokens, start=1)
    ]
    paired: list[dict[str, Any]] = [
        {
            "context": c, "model": "reference", "other_context": c, "other_model": "candidate",
            "measure": measure, "value": 0.25,
        }
        for c in contexts["context"]
        for measure in ("kl", "jsd", "top1", "agreement@10")
        if len(leans) > 1 and one_tokenizer and not (further and measure == "kl")
    ]  # fmt: skip
    if further and len(leans) > 1:
        paired += _distances(items, further, seed)
    attributes = _pieces(items, leans)
    filled, distances = tables.table("fills", fills), tables.table("paired", paired)
    estimated = estimate(items, scores, designs, filled, distances, attributes=attributes)
    manifest["left_out"] = estimated.left_out
    if not one_tokenizer:
        manifest["not_measured"] = ["The two models have different tokenizers."]
    manifest["lost"] = lost_of(items, scores)
    whole = manifests.manifest(**manifest)
    parts_of_key = (whole.models, whole.probe_sets, whole.method, whole.settings, whole.code)
    whole = whole.model_copy(update={"key": key_of(*parts_of_key)})
    return Record(
        whole,
        tables.conform("contexts", contexts),
        items,
        scores,
        tables.table("paired", paired),
        tables.table("fills", fills),
        estimated.estimates,
        attributes=attributes,
    )


def _pieces(items: pd.DataFrame, models: Iterable[str]) -> pd.DataFrame:
    """Return the pieces of every attribute of an association set, those that its scores have."""
    asked = items[(items["kind"] == "association") & items["role"].isin(["probe", "control"])]
    known = asked[["probe_set", "attribute"]].drop_duplicates().to_dict("records")
    rows = [
        {**row, "model": model, "pieces": 1.0 + (row["attribute"] == "midwife")}
        for row in known
        for model in models
    ]
    return tables.table("attributes", rows)


def _distances(items: pd.DataFrame, further: float, seed: int) -> list[dict[str, Any]]:
    """Return KL and the reference's entropy of every context, the neutral ones nearer."""
    draws = np.random.default_rng(seed)
    rows = []
    for context, role in items.drop_duplicates("context")[["context", "role"]].to_numpy():
        kl = 0.2 + further * (role == "probe") + draws.normal(0, 0.02)
        both = ("reference", context, "candidate", "kl", kl)
        alone = ("reference", "", "", "entropy", draws.normal(3, 0.2))
        for model, other_context, other_model, measure, value in (both, alone):
            rows.append(
                {
                    "context": context, "model": model, "other_context": other_context,
                    "other_model": other_model, "measure": measure, "value": value,
                }
            )  # fmt: skip
    return rows


def holding(found: Record) -> Record:
    """Return the record with the estimates and the key that follow from its scores and models."""
    whole = found.manifest
    parts = (whole.models, whole.probe_sets, whole.method, whole.settings, whole.code)
    manifest = whole.model_copy(update={"key": key_of(*parts)})
    return replace(found, manifest=manifest, estimates=recompute(found).estimates)


def changed(found: Record, **cells: float) -> Record:
    """Return the record with other values in the estimates of the difference's contrasts."""
    estimates = found.estimates.copy()
    rows = (estimates["estimator"] == "stereotype_contrast") & (
        estimates["subject"] == "difference"
    )
    for column, value in cells.items():
        estimates.loc[rows, column] = value
    return replace(found, estimates=estimates)


def estimate_of(
    found: Record,
    probe_set: str,
    subject: str,
    estimator: str = "stereotype_contrast",
    slice_: str = "contrast",
) -> pd.Series:
    """Return one row of the estimates, found by a line of pandas and not as the page finds it."""
    places = ["probe_set", "subject", "estimator", "slice"]
    key: Any = (probe_set, subject, estimator, slice_)  # the stubs know no text of four columns
    row: pd.Series = found.estimates.set_index(places).loc[key]
    return row


def truth_of(found: Record) -> Truth:
    """Return a truth that says that the planted leans of "jobs" are those of the reference."""
    planted = {**dict.fromkeys(WORDS_WOMEN, 0.25), **dict.fromkeys(WORDS_MEN, -0.25)}
    return Truth.model_validate({
        "seed": 1,
        "weights": {},
        "subjects": {"reference": "teacher", "candidate": "student"},
        "facts": {"teacher": ["fact-0"], "student": []},
        "sets": {
            "jobs": {
                "items": found.manifest.probe_sets["jobs"].items_digest,
                "kappa": 2.2, "contrast": ["women_jobs", "men_jobs"], "expect": "lean",
                "unseen": ["frame-0", "frame-1"], "planted": planted,
            }
        },
    })  # fmt: skip


def _scores(  # noqa: PLR0913 - those of `_record`
    items: pd.DataFrame,
    leans: Mapping[str, float],
    *,
    noise: float,
    accuracy: Sequence[float],
    lost: int,
    seed: int,
) -> pd.DataFrame:
    """Return a score of every item by every model, and for every measure that its kind needs."""
    draws = np.random.default_rng(seed)
    once = items.drop_duplicates("item")
    shared = draws.normal(0, 0.1, len(once))
    rows = []
    for place, (model, lean) in enumerate(leans.items()):
        own = draws.normal(0, noise, len(once))
        right = draws.permutation(len(CONTEXTS)) < accuracy[place] * len(CONTEXTS)
        for i, row in enumerate(once.to_dict("records")):
            value: float = -2.0
            rank: int | None = 3
            if row["kind"] == "cloze":
                hit = right[int(row["frame"].split("-")[1])] and row["label"] == "right"
                value, rank = (-0.1, 1) if hit else (-3.0, 4)
            elif row["role"] == "probe" and row["probe_set"] != "days":
                towards = 1 if row["class"] == "women_jobs" else -1
                side = 1 if row["group"] == "women" else -1
                value += side * towards * lean / 4 + shared[i] + own[i]
            else:
                value += shared[i] + own[i]
            gone = model == "candidate" and i < lost
            pieces = 1 + (row["target"] == "midwife")
            for n, measure in enumerate(sorted(needed(row["kind"]))):
                if row["kind"] in {"pairs", "triples"}:
                    value, rank = draws.normal(lean * (row["label"] == "stereotype"), 1), None
                    value -= 2 * (row["label"] == "unrelated")
                # One row says that an item is lost; one piece has its rank without a search.
                if (gone and n) or (measure == "top_filling" and pieces == 1):
                    continue
                rows.append(
                    {
                        "item": row["item"], "model": model, "measure": measure,
                        "value": np.nan if gone else value, "rank": None if gone else rank,
                        "pieces": None if gone else pieces,
                        "status": "target_unknown" if gone else "ok",
                    }
                )  # fmt: skip
    return tables.table("scores", rows)


def _manifest(
    parsed: Sequence[ProbeSet],
    parts: Sequence[Expanded],
    leans: Mapping[str, float],
) -> dict[str, Any]:
    """Return the manifest that an audit of these sets would write."""
    identity = {
        "revision": "", "architecture": "BertForMaskedLM", "files": {"model.safetensors": "f" * 64},
        "tokenizer": "a" * 64, "vocabulary": "b" * 64, "vocabulary_size": 1000, "layers": 4,
        "parameters": 1234567, "stored_dtype": "F16", "dtype": "float32", "device": "cpu",
        "attention": "sdpa", "head": "at the mask",
    }  # fmt: skip
    names = {"reference": "some/teacher", "candidate": "some/student"}
    return {
        "format": FORMAT,
        "created": "2026-01-02T03:04:05+00:00",
        "maskaudit": "0.1.0",
        "models": {
            model: {**identity, "name": names[model], "weights": model[0] * 64}
            for model in leans
        },
        "method": {"dtype": "float32"},
        "provenance": {
            "python": "3.11.7", "machine": "x86_64", "processors": 2, "threads": 1,
            "seconds": 12.3, "packages": {"numpy": "2.4.6", "scipy": "1.17.1"},
        },
        "settings": {"seed": 0},
        "probe_sets": {
            p.header.name: {
                **p.header.model_dump(exclude={"name"}),
                **({"directions": p.directions} if p.directions else {}),
                **({"plain": p.header.plain} if p.header.plain else {}),
                **({"factors": p.factors} if p.factors else {}),
                **({"margins": p.margins.model_dump()} if p.margins else {}),
                "items_digest": part.digest,
                "groups": {
                    name: {"label": g.label or name, "terms": [t.text for t in g.terms]}
                    for name, g in p.groups.items()
                },
                "classes": {
                    name: {"label": c.label or name, "attributes": len(c.attributes)}
                    for name, c in p.classes.items()
                },
                "group_at_mask": p.group_at_mask if p.frames else None,
                "frames": len(p.frames) or len(p.facts),
                **_of_import(p, part),
                "sentences": len(part.contexts),
                "items": int(part.items["item"].nunique()),
            }
            for p, part in zip(parsed, parts, strict=True)
        },
        "lost": [],
        "left_out": [],
        "not_measured": [] if len(leans) > 1 else ["One model was audited alone."],
        "truth": None,
    }  # fmt: skip


def _of_import(probe_set: ProbeSet, part: Expanded) -> dict[str, Any]:
    """Return what the manifest says of an imported set beyond what it says of ours."""
    if not isinstance(probe_set, ImportedSet):
        return {}
    classes = dict.fromkeys(part.items["class"])
    return {
        "classes": {name: {"label": name, "attributes": 0} for name in classes},
        "group_at_mask": False,
        "frames": part.items["frame"].nunique(),
        "notes": probe_set.notes,
        "unusable": probe_set.unusable,
        **({"control_of": of} if (of := probe_set.header.control_of) else {}),
    }
