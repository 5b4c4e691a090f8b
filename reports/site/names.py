"""What an audit and its version are called on the site, and the folder that its page lies in."""

import hashlib
import re
from collections import defaultdict
from collections.abc import Sequence

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
    if _PLAIN.fullmatch(name) and not _DIGEST.fullmatch(name):
        return name
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
    return f"record-{digest[:24]}"


def labels(audits: Sequence[Shown]) -> dict[str, str]:
    """What each audit's candidate is called, by record: as little as tells versions apart.

    That is the model's name; with its revision where one name has several weights, and with the
    weights where they do not tell them apart either.
    """
    of_name = defaultdict(set)
    of_revision = defaultdict(set)
    for audit in audits:
        model = audit.candidate
        of_name[model.name].add(version(audit))
        of_revision[model.name, model.revision].add(version(audit))

    def label(model: Model) -> str:
        if len(of_name[model.name]) == 1:
            return model.name
        named = f"{model.name}@{model.revision[:12]}" if model.revision else model.name
        if len(of_revision[model.name, model.revision]) > 1:
            named = f"{named} {wording.short_digest(model.weights)}"
        return wording.visible(named, _LONGEST)

    return {audit.name: label(audit.candidate) for audit in audits}


def version(audit: Shown) -> tuple[str, str]:
    """What makes the candidate one version: its weights and its tokenizer."""
    return audit.candidate.weights, audit.candidate.tokenizer
