"""A fill-mask endpoint of tests: a loopback server that answers from a table of probabilities."""

import hashlib
import json
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MASK = "[MASK]"
WORDS = ("the", "she", "he", "nurse", "doctor", "woman", "man", "city", "engineer", "cook")


@dataclass(frozen=True)
class Sent:
    """What a server sends back: a status, the bytes of a body, and headers."""

    status: int
    content: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


def as_json(value: object, status: int = 200, **headers: str) -> Sent:
    """Return a JSON answer; an underscore in a header's name stands for a hyphen."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Sent(status, json.dumps(value).encode(), named)


def probability(text: str, slot: int, word: str, words: Sequence[str] = WORDS) -> float:
    """Return p of a word at a mask of a text: weights drawn from digests, divided by their sum."""
    weights = {own: _weight(text, slot, own) for own in words}
    return weights[word] / sum(weights.values())


def _weight(text: str, slot: int, word: str) -> float:
    digest = hashlib.sha256(f"{text}|{slot}|{word}".encode()).digest()
    return 1 + int.from_bytes(digest[:4], "big") / 2**28


@dataclass
class WordModel:
    """Answer as Hugging Face's pipeline does, with a vocabulary of `words`; counts what is asked.

    A target that is no word is answered with its first letters that are one, or with `the`.
    """

    words: Sequence[str] = WORDS
    asked: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)

    def __call__(self, body: dict[str, Any]) -> Sent:
        """Answer one body."""
        inputs = body["inputs"]
        texts = [inputs] if isinstance(inputs, str) else inputs
        parameters = body["parameters"]
        targets = tuple(parameters.get("targets", ()))
        self.asked += [(text, targets) for text in texts]
        found = [self._sentence(text, parameters["top_k"], targets) for text in texts]
        return as_json(found[0] if isinstance(inputs, str) else found)

    def _sentence(self, text: str, top_k: int, targets: Sequence[str]) -> Any:
        masks = []
        for slot in range(text.count(MASK)):
            chosen = [self._piece(target) for target in targets] or [*self.words]
            scored = {word: probability(text, slot, word, self.words) for word in chosen}
            best = sorted(scored, key=lambda word: -scored[word])[:top_k]
            masks.append([self._fill(text, slot, word, scored[word]) for word in best])
        return masks[0] if len(masks) == 1 else masks

    def _piece(self, target: str) -> str:
        word = target.strip().lower()
        starts = [word[:n] for n in range(len(word), 0, -1) if word[:n] in self.words]
        return starts[0] if starts else "the"

    def _fill(self, text: str, slot: int, word: str, score: float) -> dict[str, Any]:
        parts = text.split(MASK)
        masks = [word if place == slot else MASK for place in range(len(parts) - 1)]
        whole = "".join(part.lower() + own for part, own in zip(parts, [*masks, ""], strict=True))
        token = list(self.words).index(word)
        return {"score": score, "token": token, "token_str": word, "sequence": whole}


@contextmanager
def serving(
    answer: Callable[[dict[str, Any]], Sent], secure: ssl.SSLContext | None = None
) -> Iterator[str]:
    """Serve answers to POST requests on loopback, over TLS with `secure`; yields the address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            seen = json.loads(body) | {"_headers": dict(self.headers)}
            sent = answer(seen)
            self.send_response(sent.status)
            for name, text in sent.headers.items():
                self.send_header(name, text)
            self.send_header("Content-Length", str(len(sent.content)))
            self.end_headers()
            self.wfile.write(sent.content)

        def log_message(self, *_args: object) -> None:
            """Print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if secure is not None:
        server.socket = secure.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        scheme = "http" if secure is None else "https"
        yield f"{scheme}://127.0.0.1:{server.server_address[1]}/model"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
