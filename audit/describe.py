"""A record's description of itself: its models, probe sets, method, and what was lost."""

import os
import platform
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from maskaudit.audit.estimating.design import CAUSAL, Design, design
from maskaudit.audit.estimating.estimate import Estimated
from maskaudit.audit.estimating.estimators.catalogue import ALL, needed
from maskaudit.audit.estimating.facts.competence import competence
from maskaudit.audit.measuring import causal
from maskaudit.audit.measuring.backends.devices import engine_of, software, threads
from maskaudit.audit.measuring.cached.fingerprint import fingerprint, version_of
from maskaudit.audit.measuring.checkpoints.exported import engines_of
from maskaudit.audit.measuring.endpoints.address import is_url
from maskaudit.audit.measuring.engine import library_of
from maskaudit.audit.measuring.planning.joins import lost_joins
from maskaudit.audit.measuring.planning.reads import unavailable
from maskaudit.audit.measuring.rounds import AnyModel
from maskaudit.audit.measuring.scoring import Scored, contexts
from maskaudit.audit.phantom import truth
from maskaudit.audit.recording import binding
from maskaudit.audit.recording import manifest as recorded
from maskaudit.audit.recording.cache_use import CacheUse
from maskaudit.audit.recording.manifest import (
    Identity,
    Manifest,
    Provenance,
)
from maskaudit.audit.recording.margins import Margins
from maskaudit.audit.recording.new_record import RecordDetails
from maskaudit.audit.recording.parts import LeftOut, Unavailable
from maskaudit.audit.recording.record import FORMAT
from maskaudit.audit.recording.rows.lost import lost
from maskaudit.audit.recording.rows.values import Reading
from maskaudit.audit.settings import Settings
from maskaudit.audit.texts.lexicon import digest_of
from maskaudit.audit.vocabulary import DIGESTING, EXPANDING, Progress, of_stage, silent
from maskaudit.probes.checking.budget import items_of
from maskaudit.probes.checking.checks_of_language import foreign_letters
from maskaudit.probes.expand import Expanded, expand
from maskaudit.probes.items_digest import items_digest
from maskaudit.probes.schema import ImportedSet, ProbeSet

# Named in a record, so that `verify` can say why a number comes out otherwise elsewhere.
PACKAGES = ("torch", "transformers", "tokenizers", "numpy", "scipy", "pandas", "pyarrow")
_TERMS = 40


@dataclass(frozen=True)
class Questions:
    """The probe sets that every pair of models is scored on, and how its numbers are computed.

    `parts` are the sets with their contexts and items; `items` has the items of all sets in one
    table; `method` is the part of the method keys that all sets share, `reading` the sentence that
    a mask is read in; `code` is a digest of the code that measures and estimates, and of the
    libraries it uses.
    """

    parts: list[Expanded]
    items: pd.DataFrame
    described: dict[str, recorded.ProbeSet]
    method: dict[str, str]
    reading: Reading
    settings: recorded.Settings
    lexicon: frozenset[str] | None
    code: str

    @property
    def designs(self) -> list[Design]:
        """The design of each set, as estimation needs it."""
        return [design(name, part, self.method) for name, part in self.described.items()]


def questions(settings: Settings, progress: Progress = silent) -> Questions:
    """Expand the probe sets into items, and describe each set for the record."""
    engine_method = engine_key(settings)  # first, for a device may not be there
    sets = settings.probe_sets()
    parts = [expanded(probe_set, progress) for probe_set in sets]
    lexicon = settings.lexicon()
    return Questions(
        parts=parts,
        items=pd.concat([part.items for part in parts], ignore_index=True),
        # Keyed by name, which no two sets of a run share: `Settings.probe_sets` refuses that.
        described={
            probe_set.header.name: described(
                probe_set, part, settings.run.seed, progress, margins=settings.margins_of(probe_set)
            )
            for probe_set, part in zip(sets, parts, strict=True)
        },
        method={
            **software(),
            **engine_method,
            "context": reading_of(settings),
            **_grade(settings),
            **lexicon_key(lexicon),
            **limit_key(settings.run.limit),
            **_causal_key(settings),
        },
        reading=reading_of(settings),
        settings=recorded.Settings(seed=settings.run.seed, adjust=settings.run.adjust),
        lexicon=lexicon,
        # The code itself, so that --skip-unchanged takes no record that an older version of an
        # estimator made.
        code=fingerprint("probes", "audit.recording", "audit.measuring", "audit.estimating"),
    )


def reading_of(settings: Settings) -> Reading:
    """The sentence that a mask is read in: where one model is an endpoint, its own text for all.

    An endpoint is sent the mask's text. Whether it would read a written word otherwise, only its
    tokenizer could say, and models are compared in one reading.
    """
    return "as_encoded" if _endpoints(settings) else settings.run.context


def _endpoints(settings: Settings) -> list[str]:
    names = {name for pair in settings.pairs() for name in pair.values()}
    return [name for name in names if is_url(name)]


def _grade(settings: Settings) -> dict[str, str]:
    """The part of a method key that says how an endpoint is asked; empty without one.

    Numbers of an endpoint are never compared with those of a model that was run here.
    """
    if not _endpoints(settings):
        return {}
    grade, most = settings.endpoint.grade, settings.endpoint.top_k
    # Of more fills other bounds follow.
    return {recorded.ENDPOINT: f"{grade}@{most}" if grade == recorded.CENSORED else grade}


def expanded(probe_set: ProbeSet, progress: Progress) -> Expanded:
    """The contexts and items of a set; `progress` receives how many of its rows are written."""
    name = probe_set.header.name
    return expand(probe_set, of_stage(progress, name, EXPANDING, items_of(probe_set)))


def described(
    probe_set: ProbeSet,
    part: Expanded,
    seed: int,
    progress: Progress = silent,
    *,
    margins: Margins | None = None,
) -> recorded.ProbeSet:
    """A probe set's header, contents and size for the record, and how its frames were drawn.

    `margins` are those that the set or the run declares for it.
    """
    tell = of_stage(progress, probe_set.header.name, DIGESTING, len(part.items))
    return recorded.ProbeSet(
        **probe_set.header.model_dump(exclude={"name"}),
        items_digest=items_digest(part.items, tell),
        **_drawing(probe_set, seed),
        **_margins(margins),
        **_parts_of(probe_set, part.items),
        sentences=len(part.contexts),
        items=int(part.items["item"].nunique()),
    )


def lexicon_key(lexicon: frozenset[str] | None) -> dict[str, str]:
    """The part of a method key that identifies the lexicon of hurtful words; empty without one."""
    return {} if lexicon is None else {"lexicon": digest_of(lexicon)}


def _causal_key(settings: Settings) -> dict[str, str]:
    """The part of a method key that identifies the causal model of predictions; else empty."""
    if settings.source is None or settings.source.causal is None:
        return {}
    return {CAUSAL: causal.digest(settings.source.causal)}


def engine_key(settings: Settings) -> dict[str, str]:
    """The part of a method key that says how models are run, and by which libraries beside torch.

    A file that was exported is run by its own library, whatever runs the model beside it. Raises
    `InputError` for a device or a library that is not there.
    """
    engine = engine_of(settings.run)
    names = {name for pair in settings.pairs() for name in pair.values() if not is_url(name)}
    found = {library_of((engines_of(name) or ["torch"])[0]) for name in names}
    if engine.name != "auto" or found <= {"torch"}:
        return engine.method
    return {**engine.method, "engine": " and ".join(sorted(found))}


def limit_key(limit: int | None) -> dict[str, str]:
    """The part of a method key that says that an audit was a trial; empty if it was whole."""
    return {} if limit is None else {recorded.LIMIT: str(limit)}


def key_of(pair: Mapping[str, AnyModel], questions: Questions) -> str:
    """The key of the record that this pair and these questions give (`binding.key_of`)."""
    identities = {subject: model.identity for subject, model in pair.items()}
    asked = (questions.described, questions.method, questions.settings, questions.code)
    return binding.key_of(identities, *asked)


def manifest(
    pair: Mapping[str, AnyModel],
    questions: Questions,
    scored: Scored,
    estimated: Estimated,
    details: RecordDetails,
) -> Manifest:
    """The record's manifest; it contains no path, user or host of this machine."""
    identities = {subject: model.identity for subject, model in pair.items()}
    # By the weights and not by the name: only these very models hold what was planted.
    planted = truth.truth_of(
        {subject: identity.weights for subject, identity in identities.items()}, questions.described
    )
    unavailable_parts = not_available(pair, questions.items["kind"].unique())
    without_states = [part.model for part in unavailable_parts if "state" in part.measures]
    all_contexts = contexts(questions.parts)
    return Manifest(
        format=FORMAT,
        key=details.key,
        code=questions.code,
        number=details.number,
        notes=details.notes,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        maskaudit=version_of("maskaudit"),
        models=identities,
        method=questions.method,
        provenance=_provenance(details.started, scored.cache),
        settings=questions.settings,
        probe_sets=questions.described,
        lost=[
            *lost(questions.items, scored.scores),
            *lost_joins(questions.items, all_contexts, scored.paired, list(pair), without_states),
        ],
        unavailable=unavailable_parts,
        left_out=[LeftOut.model_validate(cell) for cell in estimated.left_out],
        not_measured=_not_measured(identities),
        truth=planted,
        # The phantom models, recognised by their digests, are exempt: they learned other facts.
        competence={} if planted else competence(questions.items, scored.scores),
        rules=details.rules,
        # Left out without any, as in a record that was made before there was a place for them.
        **({"extrinsic": details.extrinsic} if details.extrinsic else {}),  # type: ignore[arg-type]
    )


def _provenance(started: float, cache: CacheUse | None) -> Provenance:
    return Provenance(
        python=platform.python_version(),
        machine=platform.machine(),
        processors=os.cpu_count(),
        threads=threads(),
        seconds=round(time.perf_counter() - started, 1),
        packages={name: version_of(name) for name in PACKAGES},
        # Left out without a cache, as in records that were made before there was one.
        **({} if cache is None else {"cache": cache}),
    )


def not_available(models: Mapping[str, AnyModel], kinds: Iterable[str]) -> list[Unavailable]:
    """The measures of these kinds of probe sets that a model cannot give, by model and reason."""
    measures = frozenset[str]().union(*(needed(kind) for kind in kinds))
    # By reason, since one lack, such as that of attention weights, costs several measures.
    found: dict[tuple[str, str], list[str]] = {}
    for name, model in models.items():
        for measure, reason in unavailable(model, measures).items():
            found.setdefault((name, reason), []).append(measure)
    return [
        Unavailable(
            model=name,
            measures=lost_measures,
            estimators=sorted({part.name for part in ALL if part.needs & set(lost_measures)}),
            reason=reason,
        )
        for (name, reason), lost_measures in found.items()
    ]


def _drawing(probe_set: ProbeSet, seed: int) -> dict[str, Any]:
    """How frames were drawn: universe, seed, frames and sentences; empty without a grammar."""
    if probe_set.grammar is None:
        return {}
    return {
        "grammar": {
            "universe": probe_set.universe,
            "seed": seed,
            "frames": probe_set.grammar.frames,
            "sentences": probe_set.grammar.sentences,
        }
    }


def _margins(margins: Margins | None) -> dict[str, Any]:
    """The declared margins; left out where none is declared, as in a record of an older set."""
    return {} if margins is None else {"margins": margins}


def _parts_of(probe_set: ProbeSet, items: pd.DataFrame) -> dict[str, Any]:
    """Groups, classes and frames, from the labels of a native set or the rows of an import."""
    if not isinstance(probe_set, ImportedSet):
        return {
            "groups": {
                name: {"label": group.label or name, "terms": [term.text for term in group.terms]}
                for name, group in probe_set.groups.items()
            },
            "classes": {
                name: {"label": part.label or name, "attributes": len(part.attributes)}
                for name, part in probe_set.classes.items()
            },
            # Left out where no class says so, as in a record of an older set.
            **({"directions": probe_set.directions} if probe_set.directions else {}),
            **({"plain": probe_set.header.plain} if probe_set.header.plain else {}),
            **({"factors": probe_set.factors} if probe_set.factors else {}),
            # Left out of most sets: they name their language, or are English.
            **({"foreign_letters": letters} if (letters := foreign_letters(probe_set)) else {}),
            "group_at_mask": probe_set.group_at_mask if probe_set.frames else None,
            # A set of facts has no frames: each fact is a sentence of its own, and counts as one.
            "frames": len(probe_set.frames) or len(probe_set.facts),
        }
    # An import lists no groups and classes: they are what stands in its rows.
    labelled = {column: items[items[column] != ""] for column in ("group", "class")}
    return {
        "groups": {
            str(name): {"label": str(name), "terms": sorted(rows["term"].unique())[:_TERMS]}
            for name, rows in labelled["group"].groupby("group", sort=False)
        },
        "classes": {
            str(name): {"label": str(name), "attributes": int(rows["attribute"].nunique())}
            for name, rows in labelled["class"].groupby("class", sort=False)
        },
        "group_at_mask": probe_set.group_at_mask,
        "frames": int(items["frame"].nunique()),
        "notes": probe_set.notes,
        "unusable": probe_set.unusable,
        **({"control_of": of} if (of := probe_set.header.control_of) else {}),
    }


def _of_endpoint(subject: str, identity: Identity) -> str:
    if identity.endpoint == recorded.CENSORED:
        return (
            f"The {subject} is an endpoint that was asked in {identity.endpoint} grade: it gave "
            "the probabilities of its likeliest fills alone. Of a word that is not among them the "
            "probability is not known, and not 0, so that every number of this record is given by "
            "bounds that hold whatever it is. Single attributes, words of several pieces, whole "
            "sentences, ranks and distributions are not measured."
        )
    return (
        f"The {subject} is an endpoint that was asked in {identity.endpoint} grade: each of its "
        "numbers follows from probabilities of single words at a mask that it gave, and nothing "
        "shows which weights gave them. Words of several pieces, whole sentences, ranks, fills and "
        "distributions are not measured."
    )


def _not_measured(identities: Mapping[str, Identity]) -> list[str]:
    """What cannot be measured with these models, a sentence each."""
    told = [_of_endpoint(name, own) for name, own in identities.items() if own.endpoint]
    if len(identities) == 1:
        return ["One model was audited alone: nothing was compared.", *told]
    if told:
        sentence = (
            "The distance between the distributions of the two models (KL, Jensen-Shannon) and the "
            "agreement of their fills need both whole, and are left out."
        )
        return [*told, sentence]
    if (
        # The size as well: with equal tokenizers one model may have unused rows, and then its
        # distributions have another length (`scoring._rounds`).
        len({(identity.tokenizer, identity.vocabulary_size) for identity in identities.values()})
        > 1
    ):
        sentence = (
            "The two models have different tokenizers or vocabularies: the distance between their "
            "distributions (KL, Jensen-Shannon) and the agreement of their fills need one "
            "vocabulary and are left out."
        )
        return [sentence]
    return []
