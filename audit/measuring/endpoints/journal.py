"""Answers of an endpoint, kept as they come, so that a run that ends goes on where it was.

A line for each answer: the HMAC of the rest by the user's key, and the question's digest with the
answer as JSON. What was cut off, changed or made with another key is no answer, and asked again.
"""

import contextlib
import hashlib
import hmac
import json
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from maskaudit.audit.measuring.cached import cache, trust
from maskaudit.audit.texts import bounded

_MAC = 64


class Journal:
    """The answers in a file of at most `most` bytes; without a file they are only remembered.

    Any number of threads may use it. `note` receives a sentence where nothing can be kept.
    """

    def __init__(
        self, path: Path | None, most: int = 0, note: Callable[[str], None] = lambda _: None
    ) -> None:
        self._path, self._most, self._note = path, most, note
        self._lock = threading.Lock()
        self._known: dict[str, Any] = {}
        self._key = b""
        # A line speaks of the endpoint whose file it stands in: a copied file has no answers.
        self._name = b"" if path is None else path.name.encode()
        self._size = 0
        if path is not None:
            try:
                self._key = trust.user_key()
                self._read(path)
            except OSError as error:
                self._disable(error)

    def __len__(self) -> int:
        return len(self._known)

    def get(self, question: object) -> Any:  # noqa: ANN401 - what JSON can hold
        """The answer to a question; None if it is not known."""
        return self._known.get(digest(question))

    def put(self, question: object, answer: object, *, lasts: bool = True) -> None:
        """Keep an answer, which is not None, before anything else is asked; else remember it."""
        name = digest(question)
        with self._lock:
            # Even where no file keeps it: this run need not ask again.
            self._known[name] = answer
            if self._path is None or not lasts:
                return
            text = json.dumps([name, answer], ensure_ascii=True, separators=(",", ":"))
            line = f"{self._mac(text)} {text}\n".encode()
            if self._size + len(line) > self._most:
                self._disable(None)
                return
            try:
                self._append(line)
            except OSError as error:
                self._disable(error)

    def clear(self) -> None:
        """Forget every answer, and delete the file."""
        with self._lock:
            self._known.clear()
            self._size = 0
            if self._path is not None:
                self._path.unlink(missing_ok=True)

    def _append(self, line: bytes) -> None:
        assert self._path is not None  # noqa: S101 - `put` has asked
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
        descriptor = os.open(self._path, flags, 0o600)
        try:
            # In one piece, so that a run that is killed, or runs beside this one, cuts no other's.
            os.write(descriptor, line)
        finally:
            os.close(descriptor)
        self._size += len(line)

    def _read(self, path: Path) -> None:
        with contextlib.suppress(FileNotFoundError):
            data = bounded.content(path, bounded.TABLE)
            self._size = len(data)
            for line in data.decode("ascii", "replace").splitlines():
                mac, text = line[:_MAC], line[_MAC + 1 :]
                if hmac.compare_digest(mac.encode(), self._mac(text).encode()):
                    name, answer = bounded.json_value(text)
                    self._known[name] = answer
            if data and not data.endswith(b"\n"):
                # A run was ended in the middle of a line, to which nothing may be added.
                self._append(b"\n")

    def _mac(self, text: str) -> str:
        said = b"\0".join((b"answer", self._name, text.encode()))
        return hmac.new(self._key, said, hashlib.sha256).hexdigest()

    def _disable(self, error: OSError | None) -> None:
        why = "the cache is full" if error is None else error.strerror or type(error).__name__
        self._note(
            f"{self._path}: answers cannot be kept ({why}), so that a run that is interrupted asks "
            f"them again; set {cache.VARIABLE} to another folder"
        )
        self._path = None


def digest(question: object) -> str:
    """The name of a question: SHA-256 of its JSON."""
    return hashlib.sha256(json.dumps(question).encode()).hexdigest()
