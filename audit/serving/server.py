"""An HTTP server that answers the bodies of fill-mask endpoints with a model, in one process.

    POST /             any form, told by its keys; as Hugging Face's client asks a URL
    POST /score        the forms of Azure ML
    POST /invocations  the forms of MLflow
    GET  /, /health    which model this is

Each connection is one request (HTTP/1.0) in a thread of its own, and the model answers one at a
time. An error is JSON, {"error": "one line"}, with a status that says whose it is.
"""

import http.server
import os
import socket
import socketserver
import sys
import threading
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, NamedTuple

from maskaudit.audit.errors import InputError
from maskaudit.audit.measuring.backends.torch_model import LoadedModel
from maskaudit.audit.measuring.fill import with_masks
from maskaudit.audit.payloads.reading import parsed, request_of
from maskaudit.audit.payloads.request import Request, Service
from maskaudit.audit.serving import addresses
from maskaudit.audit.serving.addresses import Address
from maskaudit.audit.serving.answering import answered
from maskaudit.audit.texts.bounded import shown
from maskaudit.audit.texts.printable import json_text, printable
from maskaudit.audit.texts.text_files import decoded
from maskaudit.probes.frames.sentence import MASK

MOST_BYTES = 1 << 20
# Masks of a request, and fills of an answer: a body of few bytes may ask for very much.
MOST_MASKS, MOST_ANSWERED = 1_000, 50_000
# Requests that are read or wait for the model at one time; any more are sent away.
MOST_CONNECTIONS = 32
# Seconds of silence in the middle of a request, after which it is given up.
PATIENCE = 10
# What is sent beyond the limit is read and dropped up to here, so that the client sees the answer.
_DROPPED = 64 << 20
_SERVICES: dict[str, Service | None] = {"/": None, "/score": "Azure ML", "/invocations": "MLflow"}
_STATES = ("/", "/health")
_JSON = ("application/json", "application/jsonl", "application/x-ndjson", "application/x-jsonlines")
_WHERE = "the body"
_DIGITS = 16

Log = Callable[[str], None]
Failed = Callable[[Exception], None]


class RefusedError(Exception):
    """A request is not answered, with this status and for this reason."""

    def __init__(self, status: HTTPStatus, reason: str) -> None:
        self.status = status
        super().__init__(reason)


class Reply(NamedTuple):
    """What is sent back: a status and a JSON value."""

    status: HTTPStatus
    value: object


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    """A server of one model at an address of this machine; port 0 takes one that is free.

    `log` receives a line for each request, without any of its text, and `failed` each error that is
    our own mistake. Raises `InputError` if it cannot listen there.
    """

    daemon_threads = True
    request_queue_size = 64
    # On Windows it would let two servers share a port.
    allow_reuse_address = os.name == "posix"

    def __init__(self, model: LoadedModel, address: Address, log: Log, failed: Failed) -> None:
        self.model, self.log, self.failed = model, log, failed
        self.names = address.names
        self.model_lock = threading.Lock()
        self._free = threading.Semaphore(MOST_CONNECTIONS)
        # Before the constructor, which makes the socket of this family.
        self.address_family = socket.AF_INET6 if ":" in address.ip else socket.AF_INET
        try:
            super().__init__((address.ip, address.port), Handler)
        except OSError as error:
            raise InputError(
                f"cannot listen at {address.ip}, port {address.port} "
                f"({error.strerror or error}); choose another with --port, or --port 0 for one "
                "that is free"
            ) from error

    @property
    def port(self) -> int:
        """The port at which it listens."""
        return int(self.server_address[1])

    @property
    def url(self) -> str:
        """Its address as clients write it."""
        return addresses.url(str(self.server_address[0]), self.port)

    def server_bind(self) -> None:
        """Take the address; unlike the library, ask no name server for a name of it."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), self.port

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401
        """Answer in a thread, or send away what comes while too many are answered."""
        if not self._free.acquire(blocking=False):
            self.log("a connection was sent away: too many at one time")
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except BaseException:  # no thread could be started
            self._free.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:  # noqa: ANN401
        """Answer, and make room for another."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002
        """Tell what failed outside of an answer.

        There is nothing but the connection there, so that any error of the system is a client that
        is gone, or a connection that was closed since the server ends.
        """
        error = sys.exception()
        if isinstance(error, Exception) and not isinstance(error, OSError):
            self.failed(error)


class Handler(http.server.BaseHTTPRequestHandler):
    """One request."""

    server: Server
    timeout = PATIENCE
    server_version, sys_version = "maskaudit", ""

    def do_POST(self) -> None:
        """Answer, or say in one line why not."""
        began = time.monotonic()
        self._unread = self._length() or 0
        reply = self._reply()
        if reply is None:  # nobody is there any more
            return
        took = time.monotonic() - began
        # Before it is sent: whoever has the answer finds its line in the log.
        self.server.log(f"{self.command} {self.path[:80]} {reply.status.value} {took:.3f} s")
        self._send(reply)
        self._drop()

    # The library calls a method of each name; which of them an address has, `_check_address` says.
    do_GET = do_HEAD = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_POST  # noqa: N815

    def _reply(self) -> Reply | None:
        """What is sent back; None where the client is gone."""
        try:
            self._check_host()
            self._check_address()
            return self._answered() if self.command == "POST" else self._state()
        except RefusedError as refused:
            return _error(refused.status, str(refused))
        except InputError as error:
            return _error(HTTPStatus.UNPROCESSABLE_ENTITY, str(error))
        except TimeoutError:
            return _error(HTTPStatus.REQUEST_TIMEOUT, f"no more came in {PATIENCE} seconds")
        except ConnectionError:
            return None
        except Exception as error:  # noqa: BLE001 - the last resort: a line, and no traceback
            self.server.failed(error)
            kind = type(error).__name__
            return _error(HTTPStatus.INTERNAL_SERVER_ERROR, f"internal error ({kind})")

    def _check_host(self) -> None:
        header = self.headers.get("Host", "")
        if not addresses.is_own(header, self.server.names, self.server.port):
            raise RefusedError(
                HTTPStatus.MISDIRECTED_REQUEST,
                f"the Host header is {header[:80]!r}; expected {self.server.url}, or localhost",
            )

    def _check_address(self) -> None:
        methods = self._methods()
        if not methods:
            raise RefusedError(
                HTTPStatus.NOT_FOUND,
                f"nothing is at {self.path[:80]!r}; expected one of "
                f"{', '.join(dict.fromkeys([*_SERVICES, *_STATES]))}",
            )
        if self.command not in methods:
            raise RefusedError(
                HTTPStatus.METHOD_NOT_ALLOWED,
                f"{self.command} {self.path}: is not answered; expected {' or '.join(methods)}",
            )

    def _methods(self) -> list[str]:
        ways = {"POST": self.path in _SERVICES, "GET": self.path in _STATES}
        return [method for method, is_taken in ways.items() if is_taken]

    def _state(self) -> Reply:
        model = self.server.model
        value = {
            "status": "ok",
            "model": model.identity.name,
            "revision": model.identity.revision,
            "weights": model.identity.weights,
            "tokenizer": model.identity.tokenizer,
            "mask": model.mask_token,
            "longest": model.longest,
        }
        return Reply(HTTPStatus.OK, value)

    def _answered(self) -> Reply:
        content = self._body()
        try:
            body = parsed(decoded(content, _WHERE), _WHERE)
        except InputError as error:
            raise RefusedError(HTTPStatus.BAD_REQUEST, str(error)) from error
        request = request_of(body, _WHERE, _SERVICES[self.path])
        model = self.server.model
        _check_size(request, model)
        # Only now: a client that is slow to send must not hold up the others.
        with self.server.model_lock:
            return Reply(HTTPStatus.OK, answered(request, model))

    def _body(self) -> bytes:
        """The bytes of the body. Raises `RefusedError` for another kind, and for too many."""
        kind = self.headers.get_content_type() if "Content-Type" in self.headers else "none"
        # A form on a page of a stranger cannot send JSON: the browser would ask first, in vain.
        if kind not in _JSON:
            raise RefusedError(
                HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
                f"the content type is {kind}; expected Content-Type: application/json",
            )
        charset = self.headers.get_content_charset("utf-8")
        coding = self.headers.get("Content-Encoding", "identity")
        # A few packed bytes may unpack to very many.
        if charset not in {"utf-8", "utf8"} or coding.lower() != "identity":
            raise RefusedError(
                HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
                f"the body is in {charset}, content coding {coding}; expected plain UTF-8",
            )
        length = self._length()
        if length is None:
            raise RefusedError(
                HTTPStatus.LENGTH_REQUIRED, "the body has no length; expected one Content-Length"
            )
        if length > MOST_BYTES:
            raise RefusedError(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                f"the body has {shown(length)}; expected at most {shown(MOST_BYTES)}",
            )
        content = self.rfile.read(length)
        self._unread = 0
        if len(content) < length:
            reason = f"the body ended after {len(content):,} of {length:,} bytes; send it again"
            raise RefusedError(HTTPStatus.BAD_REQUEST, reason)
        return content

    def _length(self) -> int | None:
        found = set(self.headers.get_all("Content-Length", []))
        text = found.pop() if len(found) == 1 else ""
        if "Transfer-Encoding" in self.headers or not (text.isascii() and text.isdigit()):
            return None
        # One of many digits is too large, whichever it is.
        return int(text) if len(text) < _DIGITS else 10**_DIGITS

    def _send(self, reply: Reply) -> None:
        content = (json_text(reply.value) + "\n").encode()
        self.send_response(reply.status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        if reply.status == HTTPStatus.METHOD_NOT_ALLOWED:
            self.send_header("Allow", ", ".join(self._methods()))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)
        self.wfile.flush()

    def _drop(self) -> None:
        """Read what is left of a body: a connection closed before it would lose the answer."""
        left = min(self._unread, _DROPPED)
        while left > 0 and (part := self.rfile.read(min(left, MOST_BYTES))):
            left -= len(part)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:  # noqa: ARG002
        """Send as JSON what the library refuses, such as a request that is none."""
        status = HTTPStatus(code)
        self.server.log(f"{code} for what is no request that is answered here")
        self._send(_error(status, message or status.phrase))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Print nothing of the library's own: `_reply` logs each request."""


def _error(status: HTTPStatus, reason: str) -> Reply:
    return Reply(status, {"error": printable("; ".join(reason.splitlines()))})


def _check_size(request: Request, model: LoadedModel) -> None:
    """Raise `RefusedError` for more masks or fills than one request may have."""
    masks = sum(with_masks(text, [model]).count(MASK) for text in request.texts)
    if masks > MOST_MASKS or masks * request.top_k > MOST_ANSWERED:
        raise RefusedError(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            f"the body asks for {request.top_k:,} fills of {masks:,} masks; expected at most "
            f"{MOST_MASKS:,} masks and {MOST_ANSWERED:,} fills in a request",
        )
