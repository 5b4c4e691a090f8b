"""Small records for tests of the page: sets, scores and estimates that are made in a moment."""

from dataclasses import replace

import numpy as np
import pandas as pd

from maskaudit.audit.estimating.entries import DERIVED
from maskaudit.audit.estimating.estimate import Design, estimate
from maskaudit.audit.estimating.estimators.catalogue import needed
from maskaudit.audit.recording import tables
from maskaudit.audit.recording.manifest import Truth
from maskaudit.audit.recording.record import FORMAT, Record
from maskaudit.probes.expand import expand
from maskaudit.probes.imported import EMPTY
from maskaudit.probes.loading import parse
from maskaudit.probes.schema import Header, ImportedSet
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
_RECORDS = {}
HOSTILE = "<script>alert(1)</script>\u202e\u200b"


def header(name, title, *, kind="association", expect="lean", contrast=("women_jobs", "men_jobs")):
    """Return the [set] table of a probe set."""
    found = {
        "name": name, "version": "1.0", "kind": kind, "axis": "gender", "title": title,
        "question": f"What does {title} ask?", "how_to_read": f"How {title} is read.",
        "limits": f"What {title} cannot show.", "licence": "Apache-2.0",
        "sources": ["Written for a test"], "expect": expect,
    }  # fmt: skip
    return {**found, "contrast": list(contrast)} if kind == "association" else found


def association(name, title, texts, terms, **more):
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


def with_shares(made, *, neutral=False):
    """Return the set with the world's shares of women, and with neutral words in its frames."""
    for class_, shares in (("women_jobs", (0.6, 0.97)), ("men_jobs", (0.02, 0.4))):
        attributes = made["classes"][class_]["attributes"]
        for attribute, share in zip(attributes, np.linspace(*shares, len(attributes)), strict=True):
            attribute["share"] = round(float(share), 3)
    made["set"]["sources"] = ["Written for a test", "Shares of women: a census, 2020"]
    if neutral:
        made["controls"] = {"attributes": [{"text": "person"}, {"text": "neighbor"}]}
    return made


def jobs(*, frames=10, attribute=""):
    """Return a set with the group at the mask; `attribute` replaces the first one."""
    where = (CONTEXTS + MORE_CONTEXTS)[:frames]
    texts = [f"[MASK] was {{a attribute}} {place}." for place in where]
    made = association("jobs", "Pronoun by job", texts, (["she"], ["he"]))
    if attribute:
        made["classes"]["women_jobs"]["attributes"][0] = {"text": attribute}
    return made


def people(*, terms=2):
    """Return a set with the attribute at the mask and so many terms a group."""
    texts = [f"The {{term}} was the [MASK] {where}." for where in CONTEXTS]
    women = ["woman", "girl", "mother", "aunt", "widow"]
    men = ["man", "boy", "father", "uncle", "widower"]
    return association("people", "Job by person", texts, (women[:terms], men[:terms]))


def control():
    """Return a set in which no lean is expected."""
    texts = [f"{{a attribute}} called on [MASK] {where}." for where in CONTEXTS]
    days = (["Monday"], ["Friday"])
    return association("days", "Day by job", texts, days, expect="none")


def facts():
    """Return a set of facts."""
    return {
        "set": header("facts", "Plain facts", kind="cloze"),
        "facts": [
            {
                "id": f"fact-{i}", "relation": "color" if i % 2 else "number",
                "text": f"Fact {i} says [MASK] {where}.", "answers": ["yes"],
                "negated": f"Fact {i} does not say [MASK] {where}.",
            }
            for i, where in enumerate(CONTEXTS)
        ],
    }  # fmt: skip


def pairs(*, name="pairs", n=40, writers=8, edits=0, notes=(), unusable=0, **more):  # noqa: PLR0913
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


def triples(*, name="triples", n=40, terms=8):
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


def imported(name, title, kind, rows, notes=(), unusable=0, **more):  # noqa: PLR0913, PLR0917
    """Return a published set as the folder of an import would give it."""
    said = {k: v for k, v in header(name, title, kind=kind).items() if k != "contrast"}
    return ImportedSet.model_construct(
        header=Header.model_validate({**said, **more}), rows=rows, notes=list(notes),
        unusable=unusable,
    )  # fmt: skip


def record(sets=None, *, names=None, truth=None, **told):
    """Return the record of `_record`, made once for the same arguments: nothing changes one.

    `names` are the models' by subject, `truth` is that of a pair whose leans were planted.
    """
    key = repr((sets, sorted(told.items())))
    if key not in _RECORDS:
        _RECORDS[key] = _record(sets, **told)
    found = _RECORDS[key]
    models = {
        model: identity.model_copy(update={"name": (names or {}).get(model, identity.name)})
        for model, identity in found.manifest.models.items()
    }
    updates = {"models": models, "truth": truth}
    return replace(found, manifest=found.manifest.model_copy(update=updates))


def older(found):
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
    sets=None, *, reference=0.5, candidate=1.1, noise=0.05, lost=0,
    tokens=("she", "he", "they"), accuracy=(0.9, 0.6), one_tokenizer=True, seed=7, further=0.0,
):  # fmt: skip
    """Return a record whose models lean by half of `reference` and `candidate` a class.

    A `reference` of None leaves one model alone; the first `lost` items of the candidate are lost;
    the models are `further` apart (KL) in sentences with attributes of a class than in others.
    """
    sets = [jobs(), people(), control(), facts()] if sets is None else sets
    leans = {"candidate": candidate}
    if reference is not None:
        leans = {"reference": reference, **leans}
    parsed = [raw if isinstance(raw, ImportedSet) else parse(raw, "", "a test") for raw in sets]
    parts = [expand(probe_set) for probe_set in parsed]
    items = pd.concat([part.items for part in parts], ignore_index=True)
    contexts = pd.concat([part.contexts for part in parts]).drop_duplicates("context")
    scores = _scores(items, leans, noise=noise, accuracy=accuracy, lost=lost, seed=seed)
    designs = [
        Design(
            p.header.name, p.header.axis, tuple(p.header.contrast) if p.header.contrast else None,
            p.header.expect, {"probe_set": p.header.name, "version": "1.0"},
        )
        for p in parsed
    ]  # fmt: skip
    fills = [
        {"context": c, "model": m, "rank": r, "token": t, "probability": 0.5 / r}
        for c in contexts["context"]
        for m in leans
        for r, t in enumerate(tokens, start=1)
    ]
    paired = [
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
    estimated = estimate(
        items, scores, designs, tables.table("fills", fills), tables.table("paired", paired)
    )
    manifest = _manifest(parsed, parts, leans, left_out=estimated.left_out)
    if not one_tokenizer:
        manifest["not_measured"] = ["The two models have different tokenizers."]
    failed = items.merge(scores[scores["status"] != "ok"], on="item")
    manifest["lost"] = [
        {
            "probe_set": name, "model": "candidate", "group": group, "status": status,
            "items": len(rows), "examples": sorted(set(rows["target"])),
        }
        for (name, group, status), rows in failed.groupby(["probe_set", "group", "status"])
    ]  # fmt: skip
    return Record(
        manifests.manifest(**manifest),
        tables.conform("contexts", contexts),
        items,
        scores,
        tables.table("paired", paired),
        tables.table("fills", fills),
        estimated.estimates,
    )


def _distances(items, further, seed):
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


def changed(found, **cells):
    """Return the record with other values in the estimates of the difference's contrasts."""
    estimates = found.estimates.copy()
    rows = (estimates["estimator"] == "stereotype_contrast") & (
        estimates["subject"] == "difference"
    )
    for column, value in cells.items():
        estimates.loc[rows, column] = value
    return replace(found, estimates=estimates)


def estimate_of(found, probe_set, subject, estimator="stereotype_contrast", slice_="contrast"):
    """Return one row of the estimates, found by a line of pandas and not as the page finds it."""
    places = ["probe_set", "subject", "estimator", "slice"]
    return found.estimates.set_index(places).loc[(probe_set, subject, estimator, slice_)]


def truth_of(found):
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


def _scores(items, leans, *, noise, accuracy, lost, seed):  # noqa: PLR0913
    draws = np.random.default_rng(seed)
    once = items.drop_duplicates("item")
    shared = draws.normal(0, 0.1, len(once))
    rows = []
    for place, (model, lean) in enumerate(leans.items()):
        own = draws.normal(0, noise, len(once))
        right = draws.permutation(len(CONTEXTS)) < accuracy[place] * len(CONTEXTS)
        for i, row in enumerate(once.to_dict("records")):
            value, rank = -2.0, 3
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
            for measure in sorted(needed(row["kind"])):
                if row["kind"] in {"pairs", "triples"}:
                    value, rank = draws.normal(lean * (row["label"] == "stereotype"), 1), None
                    value -= 2 * (row["label"] == "unrelated")
                rows.append(
                    {
                        "item": row["item"], "model": model, "measure": measure,
                        "value": np.nan if gone else value, "rank": None if gone else rank,
                        "pieces": None if gone else 1 + (row["target"] == "midwife"),
                        "status": "target_unknown" if gone else "ok",
                    }
                )  # fmt: skip
    return tables.table("scores", rows)


def _manifest(parsed, parts, leans, *, left_out):
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
        "left_out": left_out,
        "not_measured": [] if len(leans) > 1 else ["One model was audited alone."],
        "truth": None,
    }  # fmt: skip


def _of_import(probe_set, part):
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
    }
