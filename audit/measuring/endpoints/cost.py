"""What an audit would ask of an endpoint: sentences, requests, characters and minutes."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from maskaudit.audit.measuring.endpoints.bounds import asks_of
from maskaudit.audit.measuring.endpoints.endpoint import CANARIES, Ask, Endpoint
from maskaudit.audit.measuring.endpoints.wanted import Wanted
from maskaudit.audit.measuring.endpoints.words import known
from maskaudit.audit.recording.rows.values import Status
from maskaudit.probes.expand import Expanded


@dataclass(frozen=True)
class Cost:
    """What asking costs; of `sentences`, `kept` are answered from before.

    `requests` and `characters` (of the sentences and words that are sent) are of what is left, with
    the canaries that are asked again after each part; `minutes` too: from the seconds that the
    endpoint took to answer a few sentences just now, and the limits of `[endpoint]`. `lost` has why
    an item is not given, by item.
    """

    sentences: int
    kept: int
    requests: int
    characters: int
    minutes: float
    lost: dict[str, Status]

    @classmethod
    def of(cls, endpoint: Endpoint, part: Expanded, parts: Iterable[Expanded]) -> "Cost":
        """What a set would cost that is asked in `parts`.

        In exact grade the endpoint is asked which of its words it has.
        """
        wanted = Wanted.of(part)
        words = {} if endpoint.is_censored else known(endpoint, wanted.forms())

        def asked(some: Wanted) -> set[Ask]:
            return {*(asks_of(some) if endpoint.is_censored else some.asks(words).values())}

        asks = asked(wanted)
        # A run asks part by part, and after each whether the same model is still served.
        new: list[Ask] = []
        requests = again = 0
        for own in map(Wanted.of, parts):
            left = {ask for ask in asked(own).difference(new) if not endpoint.knows(ask)}
            requests += _requests(left, endpoint.declared.batch)
            again += bool(left)
            new += left
        requests += again * len(CANARIES)
        seconds = requests * endpoint.seconds / endpoint.declared.concurrency
        # Several at one time shorten the waiting, but not the time between turns.
        if endpoint.declared.rate:
            seconds = max(seconds, requests / endpoint.declared.rate)
        lost: dict[str, Status] = {
            item: "several_pieces"
            for item, (_, word) in wanted.targets.items()
            # In censored grade only the answers say which words are known.
            if word not in words and not endpoint.is_censored
        }
        lost |= dict.fromkeys(wanted.open, "not_answered")
        characters = sum(len(ask.text) + sum(map(len, ask.words)) for ask in new)
        characters += again * sum(map(len, CANARIES))
        return cls(len(asks), len(asks) - len(new), requests, characters, seconds / 60, lost)


def told(subject: str, endpoint: Endpoint, costs: Iterable[Cost]) -> dict[str, Any]:
    """The cost of all sets as plain values; a sentence that two sets share is counted twice."""
    each = list(costs)
    return {
        "model": subject,
        "endpoint": endpoint.name,
        "grade": endpoint.identity.endpoint,
        "sentences": sum(cost.sentences for cost in each),
        "kept": sum(cost.kept for cost in each),
        "requests": sum(cost.requests for cost in each),
        "characters": sum(cost.characters for cost in each),
        "seconds_a_request": endpoint.seconds,
        "minutes": sum(cost.minutes for cost in each),
    }


def sentence(cost: dict[str, Any]) -> str:
    """The cost of all sets in words."""
    return (
        f"{cost['model']} is the endpoint {cost['endpoint']} ({cost['grade']} grade): "
        f"{cost['sentences']:,} sentences, {cost['kept']:,} of them answered before; "
        f"{cost['requests']:,} requests to send, {cost['characters']:,} characters, about "
        f"{cost['minutes']:.1f} minutes at {cost['seconds_a_request']:.3f} s a request."
    )


def _requests(asks: Iterable[Ask], batch: int) -> int:
    by_words = Counter(ask.words for ask in asks)
    return sum(-(-n // batch) for n in by_words.values())
