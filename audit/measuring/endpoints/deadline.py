"""Connections that have one deadline for the whole exchange, however slowly its bytes come.

A timeout of a socket is one of silence: a byte now and then, of the headers or of the body, would
hold a request for ever. Here connecting, each address of a host, the handshake, sending and every
single read have what is left of the time. Only the look-up of a name is left to the resolver.
"""

import http.client
import io
import socket
import ssl
import time
import urllib.request
from typing import Any


class HTTPHandler(urllib.request.HTTPHandler):
    """Opens `http://` with a deadline: the timeout of the request is that of the whole exchange."""

    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        """The response to a request; `TimeoutError` at its deadline, here or while it is read."""
        return self.do_open(_Connection, req)


class HTTPSHandler(urllib.request.HTTPSHandler):
    """Opens `https://` with a deadline, as `HTTPHandler` does."""

    def __init__(self, context: ssl.SSLContext) -> None:
        super().__init__(context=context)
        self._verified = context

    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        """The response to a request; `TimeoutError` at its deadline, here or while it is read."""
        return self.do_open(_SecureConnection, req, context=self._verified)


class _Timed(http.client.HTTPConnection):
    """A connection for one exchange, whose timeout is that of all of it."""

    def __init__(self, host: str, *, timeout: float = 30.0, **options: Any) -> None:  # noqa: ANN401
        super().__init__(host, timeout=timeout, **options)
        self._until = time.monotonic() + timeout
        # Where the library takes its sockets and its responses from.
        self._create_connection = self._connected
        self.response_class = self._response  # type: ignore[assignment]

    def _connected(
        self, place: tuple[str, int], _timeout: float, source: tuple[str, int] | None
    ) -> socket.socket:
        """The first address of a host that can be reached; all of them have what is left."""
        failed = OSError("has no address")
        for *_, found in socket.getaddrinfo(*place, type=socket.SOCK_STREAM):
            left = _left(self._until)
            try:
                own = socket.create_connection((str(found[0]), int(found[1])), left, source)
            except OSError as error:
                failed = error
                continue
            # What follows on it, a handshake and the sending, is each bounded by its timeout.
            own.settimeout(_left(self._until))
            return own
        raise failed

    def _response(self, sock: Any, *rest: Any, **named: Any) -> http.client.HTTPResponse:  # noqa: ANN401
        """The response, each of whose reads has what is left."""
        return http.client.HTTPResponse(_Opened(sock, self._until), *rest, **named)  # type: ignore[arg-type]


class _Connection(_Timed):
    """Plain text."""


class _SecureConnection(_Timed, http.client.HTTPSConnection):
    """TLS: `HTTPSConnection` connects by `_Timed`, and then shakes hands."""


class _Opened:
    """A socket as a response opens it: as a file to read."""

    def __init__(self, sock: socket.socket, until: float) -> None:
        self._sock, self._until = sock, until

    def makefile(self, _mode: str) -> io.BufferedReader:
        """The file that is read from the socket."""
        return io.BufferedReader(_Reader(self._sock, self._until))


class _Reader(io.RawIOBase):
    """Reads a socket until a deadline."""

    def __init__(self, sock: socket.socket, until: float) -> None:
        self._sock, self._until = sock, until
        # The connection lets go of its socket, which stays open as long as this file of it is.
        self._file = sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        """True."""
        return True

    def readinto(self, buffer: Any) -> int | None:  # noqa: ANN401 - what can be written into
        """Read what is there, and wait for it no longer than to the deadline."""
        self._sock.settimeout(_left(self._until))
        return self._file.readinto(buffer)

    def close(self) -> None:
        """Close the file, and with it the socket."""
        self._file.close()
        super().close()


def _left(until: float) -> float:
    """The seconds that are left; raises `TimeoutError` where there are none."""
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
