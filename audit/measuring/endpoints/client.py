"""Send a JSON body to an endpoint until it answers, or say in one line why it does not."""

import http.client
import re
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from email.message import Message
from typing import Any, NamedTuple, TypeVar
from urllib.parse import quote

from maskaudit.audit.audit_file import Endpoint as Declared
from maskaudit.audit.errors import InputError
from maskaudit.audit.measuring.endpoints import address, deadline
from maskaudit.audit.measuring.endpoints.pace import MOST_PATIENCE, Pace, backoff, retry_after
from maskaudit.audit.texts import bounded
from maskaudit.audit.texts.printable import printable

# Answers that may be others in a moment: too busy, starting, restarting.
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_OK = 200
# Thousands of fills, and no more than a parser reads in a moment.
MOST_BYTES = 8 << 20
_STEP = 1 << 16
_SHOWN = 200
Part = TypeVar("Part")
Answer = TypeVar("Answer")
KEPT = "what was answered before is kept: run the same command again to go on"


class RefusedError(InputError):
    """The endpoint refuses the request, whenever it is asked: `status` says how."""

    def __init__(self, message: str, status: int) -> None:
        self.status = status
        super().__init__(message)


class _Reply(NamedTuple):
    status: int
    retry_after: str | None
    location: str
    content: bytes


class _Stay(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: it could lead the sentences, and a secret header, to another host."""

    def http_error_302(self, *_args: object) -> None:
        """None: the redirect is an answer like any other, and where it leads is not even parsed."""

    # Each takes the same, and gives nothing.
    http_error_301 = http_error_303 = http_error_302  # type: ignore[assignment]
    http_error_307 = http_error_308 = http_error_302  # type: ignore[assignment]


class Client:
    """Asks one address; any number of threads may call it."""

    def __init__(self, url: str, declared: Declared, pace: Pace | None = None) -> None:
        self.name = address.name_of(url)
        self._where = f"endpoint {self.name}"
        self._url = address.checked(url, declared.headers)
        own = {"Content-Type": "application/json", "Accept": "application/json"}
        self._headers = own | {"User-Agent": "maskaudit"} | address.filled(declared.headers)
        self._secrets = address.secrets(self._url, declared.headers)
        self._concurrency = declared.concurrency
        self._timeout, self._retries = declared.timeout, declared.retries
        self._pace = pace or Pace(declared.rate)
        # Whether somebody keeps the answers, which an error then says.
        self.keeps = False
        secure = deadline.HTTPSHandler(ssl.create_default_context())
        # A proxy of the environment is for other machines, and not for this one.
        own_machine = [urllib.request.ProxyHandler({})] if address.is_loopback(self._url) else []
        self._opener = urllib.request.build_opener(
            _Stay, deadline.HTTPHandler, secure, *own_machine
        )

    def each(self, ask: Callable[[Part], Answer], parts: Iterable[Part]) -> Iterator[Answer]:
        """What `ask` returns of each part, in order, several at one time as is declared.

        The first failure ends it: what waits is not begun, and nobody waits for the others.
        """
        # A failure has ended all waiting, and whoever caught it may ask again.
        self._pace.end(ended=False)
        pool = ThreadPoolExecutor(self._concurrency)
        try:
            yield from pool.map(ask, parts)
        finally:
            self._pace.end()
            pool.shutdown(wait=False, cancel_futures=True)

    def ask(self, body: bytes) -> object:
        """The JSON that answers a body. Raises `RefusedError` if it is refused for good.

        What may pass (no connection, too busy, an error of the server) is tried again, later each
        time; after the last try, and for what is no answer at all, raises `InputError`.
        """
        failed = f"{self._where}: was not asked"
        for attempt in range(self._retries + 1):
            self._pace.wait()
            if self._pace.is_ended:
                break
            wait: float | None = None
            try:
                reply = self._reply(body)
            except (OSError, http.client.HTTPException) as error:
                failed = self._unreached(error)
            else:
                if reply.status == _OK:
                    return self._value(reply)
                failed = self._told(reply)
                if reply.status not in _PASSING:
                    raise RefusedError(failed, reply.status)
                wait = retry_after(reply.retry_after)
                if wait is not None and wait > MOST_PATIENCE:
                    raise InputError(
                        f"{failed}; it asks to wait for {wait:,.0f} seconds{self._kept}"
                    )
            if attempt < self._retries:
                # A service says when all may come back; without its word each draws a time.
                self._pace.hold(wait or 0.0)
                self._pace.sleep(backoff(attempt))
        tries = "once" if self._retries == 0 else f"{self._retries + 1} times"
        raise InputError(f"{failed}, tried {tries}{self._kept}")

    @property
    def _kept(self) -> str:
        return f"; {KEPT}" if self.keeps else ""

    def _reply(self, body: bytes) -> _Reply:
        request = urllib.request.Request(  # noqa: S310 - `address.checked` has seen its scheme
            self._url, data=body, headers=self._headers, method="POST"
        )
        try:
            with self._opener.open(request, timeout=self._timeout) as answer:
                return _reply(answer.status, answer.headers, _content(answer))
        except urllib.error.HTTPError as error:  # an answer too, with another status
            with error:
                return _reply(error.code, error.headers, _content(error))

    def _value(self, reply: _Reply) -> object:
        text = reply.content.decode("utf-8", "replace")
        try:
            if len(reply.content) > MOST_BYTES:
                raise InputError(
                    f"{self._where}: answered more than {bounded.shown(MOST_BYTES)}; expected the "
                    "fills of a few sentences"
                )
            return bounded.json_value(text)
        except ValueError as error:
            raise InputError(
                f"{self._where}: answered {self._quoted(text)}; expected JSON. Is it the address "
                "of the model, and not of a page about it?"
            ) from error

    def _told(self, reply: _Reply) -> str:
        """What came with another status than success, on one line."""
        if reply.status in _REDIRECTS:
            leads = printable(self._without_secrets(reply.location.partition("?")[0]))[:_SHOWN]
            leads = leads or "nowhere"
            return (
                f"{self._where}: redirects to {leads} ({reply.status}), which is not followed: "
                "sentences and headers go to the named address alone; name that one if it is yours"
            )
        text = reply.content[:_STEP].decode("utf-8", "replace")
        return f"{self._where}: answered with status {reply.status} ({self._quoted(text)})"

    def _quoted(self, text: str) -> str:
        return _what(self._without_secrets(text), self._without_secrets)

    def _without_secrets(self, text: str) -> str:
        """A text of the service, which may repeat what it was sent."""
        for secret in self._secrets:
            for form in (secret, quote(secret, safe="")):
                text = re.sub(re.escape(form), "***", text, flags=re.IGNORECASE)
        return text

    def _unreached(self, error: Exception) -> str:
        reason: object = getattr(error, "reason", None) or error
        if isinstance(reason, ssl.SSLCertVerificationError):
            # Another try changes nothing, and a certificate that does not fit is a warning.
            raise InputError(
                f"{self._where}: its certificate does not fit ({reason.verify_message}); expected "
                "one of this host, by an authority that this machine trusts (SSL_CERT_FILE)"
            ) from error
        if isinstance(reason, TimeoutError):
            return f"{self._where}: did not answer in {self._timeout:g} seconds"
        why = getattr(reason, "strerror", None) or reason or type(error).__name__
        # What a service sends in place of an answer is repeated in the reason.
        told = printable(self._without_secrets(str(why)))[:_SHOWN]
        return f"{self._where}: cannot be reached ({told})"


def _reply(status: int, headers: Message, content: bytes) -> _Reply:
    return _Reply(status, headers.get("Retry-After"), headers.get("Location") or "", content)


def _content(answer: Any) -> bytes:  # noqa: ANN401 - a response, or an error
    """The bytes of an answer, a little more than `MOST_BYTES` at most.

    Raises `TimeoutError`, and `IncompleteRead` for an answer that ends early.
    """
    parts, left = [], MOST_BYTES + 1
    while left > 0 and (part := answer.read1(min(_STEP, left))):
        parts.append(part)
        left -= len(part)
    if left > 0 and answer.length:
        raise http.client.IncompleteRead(b"", answer.length)
    return b"".join(parts)


def _what(text: str, masked: Callable[[str], str]) -> str:
    """What an answer is, in a few words of its own; `masked` leaves secrets out of a text."""
    bare = text.strip()
    if bare.startswith("<"):
        return "HTML or XML"
    if not bare:
        return "nothing"
    try:
        value = bounded.json_value(bare)
    except ValueError:
        value = None
    if isinstance(value, dict):
        for key in ("error", "message", "detail"):
            if isinstance(value.get(key), str | list):
                # Again: JSON may have written a secret in other characters.
                bare = masked(str(value[key]))
                break
    return printable(" ".join(bare.split()))[:_SHOWN]


__all__ = ["KEPT", "Client", "RefusedError"]
