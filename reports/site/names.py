"""What an audit and its version are called on the site, and the folder that its page lies in."""

import hashlib
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence

from maskaudit.reports.site.shown import Model, Shown
from maskaudit.reports.words import wording

# What every file system and every server takes as it is. A dot or an underscore at the beginning
# hides a folder, or keeps it from being published.
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}(?<!\.)", re.ASCII)
_DIGEST = re.compile(r"record-[0-9a-f]{24}", re.ASCII)
_LONGEST = 40


def folder_of(name: str) -> str:
    """The name of a record's folder on the site: its own, or a digest where others misread it.

    No two names have one folder, but for names that differ by capitals alone.
    """
    # A record that is named like a digest could lie in the folder of another one.
    if _PLAIN.fullmatch(name) and not _DIGEST.fullmatch(name):
        return name
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
    return f"record-{digest[:24]}"


def labels(models: Mapping[str, Model]) -> dict[str, str]:
    """What each model is called, by whatever names it: as little as tells versions apart.

    That is the model's name; with its revision where one name has several weights, and with the
    weights where they do not tell them apart either.
    """
    of_name = defaultdict(set)
    of_revision = defaultdict(set)
    for model in models.values():
        of_name[model.name].add(version(model))
        of_revision[model.name, model.revision].add(version(model))

    def label(model: Model) -> str:
        if len(of_name[model.name]) == 1:
            return model.name
        named = f"{model.name}@{model.revision[:12]}" if model.revision else model.name
        if len(of_revision[model.name, model.revision]) > 1:
            named = f"{named} {wording.short_digest(model.weights)}"
        return wording.visible(named, _LONGEST)

    return {key: label(model) for key, model in models.items()}


def labels_of(audits: Sequence[Shown]) -> dict[str, str]:
    """What the candidate of each audit is called, by record."""
    return labels({audit.name: audit.candidate for audit in audits})


def version(model: Model) -> tuple[str, str]:
    """What makes a model one version: its weights and its tokenizer."""
    return model.weights, model.tokenizer
