"""Whole manifests from the few words of them that a test is about."""

from typing import Any

from pydantic import BaseModel

from maskaudit.audit.recording.manifest import AttributeClass, Group, Identity, Manifest, ProbeSet
from maskaudit.audit.recording.record import FORMAT

IDENTITY: dict[str, Any] = {
    "name": "some/model", "revision": "", "architecture": "BertForMaskedLM", "weights": "w",
    "files": {}, "tokenizer": "t", "vocabulary": "v", "vocabulary_size": 10, "parameters": 100,
    "layers": 2, "stored_dtype": "F32", "dtype": "float32", "device": "cpu", "attention": "sdpa",
    "head": "at the mask", "config": "c",
}  # fmt: skip
PROBE_SET: dict[str, Any] = {
    "version": "1", "kind": "association", "axis": "gender", "title": "A set", "question": "?",
    "how_to_read": "Carefully.", "limits": "Many.", "licence": "Apache-2.0", "sources": [],
    "neutral": None, "contrast": None, "expect": "lean", "share_alike": False,
    "non_commercial": False, "cite": "", "items_digest": "d", "groups": {}, "classes": {},
    "group_at_mask": True, "frames": 1, "sentences": 1, "items": 1,
}  # fmt: skip
GRAMMAR = {"universe": "u", "seed": 0, "frames": 6, "sentences": 12}
WHOLE: dict[str, Any] = {
    "format": FORMAT, "key": "k", "number": 1, "notes": [], "created": "2026-01-01T00:00:00+00:00",
    "maskaudit": "0.1.0", "models": {"candidate": {}}, "method": {"dtype": "float32"},
    "provenance": {"python": "3.11.7", "machine": "x86_64", "processors": 2, "threads": 1,
                   "seconds": 1.5, "packages": {}},
    "settings": {"seed": 0, "adjust": "bh"}, "probe_sets": {}, "lost": [], "left_out": [],
    "not_measured": [], "truth": None, "competence": {},
}  # fmt: skip


def identity(**said: Any) -> Identity:
    """Return the identity of a model, with what is said of it."""
    return Identity.model_validate(IDENTITY | said)


def probe_set(**said: Any) -> ProbeSet:
    """Return what a manifest says of a set, with what is said of it here."""
    if said.get("grammar"):
        said["grammar"] = GRAMMAR | plain(said["grammar"])
    return ProbeSet.model_validate(plain(PROBE_SET | said))


def plain(value: Any) -> Any:
    """Return JSON values, as they are written, of typed ones and plain ones in each other."""
    if isinstance(value, BaseModel):
        return value.model_dump(exclude_unset=True)
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    return [plain(part) for part in value] if isinstance(value, list | tuple) else value


def raw(**said: Any) -> dict[str, Any]:
    """Return the JSON values of a whole manifest, with what is said of it; None leaves a key out.

    Models and probe sets are filled up too; a manifest of an older format lacks what came later.
    """
    whole = WHOLE | said
    if whole["format"] < 3:
        whole = {k: v for k, v in whole.items() if k not in {"key", "number", "notes"}}
    models = {name: identity(**plain(model)) for name, model in whole["models"].items()}
    sets = {name: probe_set(**plain(part)) for name, part in whole["probe_sets"].items()}
    return dict(plain(whole | {"models": models, "probe_sets": sets}))


def manifest(**said: Any) -> Manifest:
    """Return a whole manifest, with what is said of it."""
    return Manifest.model_validate(raw(**said))


def changed(found: Manifest, **said: Any) -> Manifest:
    """Return the manifest with other words, typed or plain; parts of them may be left out."""
    return manifest(**(plain(found) | said))


def group(label: str, *terms: str) -> Group:
    """Return a group by its label and terms."""
    return Group(label=label, terms=list(terms))


def attribute_class(label: str, attributes: int = 0) -> AttributeClass:
    """Return a class by its label."""
    return AttributeClass(label=label, attributes=attributes)
