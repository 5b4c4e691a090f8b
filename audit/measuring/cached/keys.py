"""Keys of the cache: digests of everything that the scores of a part of a set depend on."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from maskaudit.audit.measuring.cached.entries import About
from maskaudit.audit.measuring.cached.fingerprint import fingerprint
from maskaudit.audit.measuring.model import MaskedLM
from maskaudit.audit.measuring.planning import read_plan
from maskaudit.audit.measuring.reading.forward import Group, machine, setting
from maskaudit.audit.recording.rows.values import Reading
from maskaudit.probes.expand import Expanded
from maskaudit.probes.frames.sentence import MASK

# The columns of an item that its scores depend on, and those of rows that pair it with another.
_SCORED = ["item", "context", "target", "frame", "variant", "attribute", "class", "group", "term"]
_SENTENCE = f"They said that the {MASK} who came to see us on Monday was not at home."


@dataclass(frozen=True)
class Asked:
    """The key of a part in the cache, and what an entry under it is made with."""

    key: str
    about: About


class Keys:
    """Cache keys of parts: digests of everything that their scores depend on."""

    def __init__(self, models: Iterable[MaskedLM]) -> None:
        # A reference that several pairs share is asked its sentence once.
        distinct = {id(model): model for model in models}
        self._models = {key: _identified(model) for key, model in distinct.items()}
        # All models of an audit are given as much at once.
        self._here = here(next((model.batch_tokens for model in distinct.values()), None))

    def of(
        self,
        part: Expanded,
        groups: Sequence[Group],
        longest: int,
        measures: frozenset[str],
        reading: Reading,
    ) -> list[Asked]:
        """The cache key of each group for one part."""
        digest = hashlib.sha256()
        # Labels, shares and roles are left out: they change estimates but no score.
        for rows in (part.contexts, part.items[_SCORED]):
            digest.update(json.dumps(rows.to_dict("list"), default=str).encode())
        digest.update(json.dumps(part.beside, default=dict).encode())
        common = [digest.hexdigest(), longest, sorted(measures), reading]
        asked = []
        for group in groups:
            models = [[name, *self._models[id(model)]] for name, model in group]
            # What is scored, on whatever machine: without the models' answers to the sentence.
            what = _digest([*common, [[name, identity] for name, identity, _ in models]])
            about = replace(self._here, part=what)
            asked.append(Asked(_digest([asdict(about), models]), about))
        return asked


def here(batch_tokens: int | None = None) -> About:
    """What decides the bits of a score on this machine, with this software.

    `batch_tokens` is the most pieces that are run at once, None for the usual number.
    """
    # `audit.recording` too: an entry holds its tables.
    code = fingerprint("audit.measuring", "audit.recording")
    threads, processor = machine()
    return About(
        "", threads, processor, _digest([code, setting(), batch_tokens or read_plan.BATCH_PIECES])
    )


def _identified(model: MaskedLM) -> tuple[dict[str, Any], str]:
    """A model's identity without its names, and a digest of its exact log p for one sentence.

    The digest also covers what changes scores but no weights, such as a config key of the
    checkpoint or a processor with another instruction set.
    """
    [encoded] = model.encode([_SENTENCE.replace(MASK, model.mask_token)])
    ids = encoded.ids[: model.longest]
    answer = model.log_probs([ids], [(0, place) for place in range(len(ids))])
    return model.identity.without_names(), hashlib.sha256(answer.tobytes()).hexdigest()


def _digest(value: Sequence[Any]) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
