"""A client asks until there is an answer, follows nobody, and says in one line what came."""

import contextlib
import json
import shutil
import socket
import ssl
import subprocess
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from maskaudit.audit.audit_file import Endpoint as Declared
from maskaudit.audit.errors import InputError
from maskaudit.audit.measuring.endpoints import address
from maskaudit.audit.measuring.endpoints.client import Client, RefusedError
from maskaudit.audit.measuring.endpoints.pace import (
    FIRST_WAIT,
    LONGEST_WAIT,
    Pace,
    backoff,
    retry_after,
)
from tests.served import Sent, as_json, serving

BODY = json.dumps({"inputs": "[MASK]"}).encode()


class Clock:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now, self.slept = 0.0, list[float]()

    def sleep(self, seconds: float) -> None:
        """Move on."""
        self.slept.append(seconds)
        self.now += seconds

    def pace(self, rate: float | None = None) -> Pace:
        """Return a pace of this clock."""
        return Pace(rate, sleeping=self.sleep, clock=lambda: self.now)


def client(url: str, clock: Clock | None = None, **declared: Any) -> Client:
    """Return a client whose waits take no time."""
    return Client(url, Declared(**declared), (clock or Clock()).pace(declared.get("rate")))


def told(sent: Sent | list[Sent], **declared: Any) -> str:
    """Return the one line that a client ends with, when these answers come and the last stays."""
    answers = [sent] if isinstance(sent, Sent) else sent
    left = iter(answers)
    with serving(lambda _body: next(left, answers[-1])) as url:
        with pytest.raises(InputError) as error:
            client(url, **declared).ask(BODY)
        assert str(error.value).startswith(f"endpoint {url}: ")
        assert "\n" not in str(error.value)
        return str(error.value)


def test_what_passes_is_tried_again_and_later_each_time() -> None:
    """Two refusals of a busy service, then the answer."""
    answers = iter([as_json({}, 503), as_json({}, 429), as_json([1])])
    clock = Clock()
    with serving(lambda _body: next(answers)) as url:
        assert client(url, clock).ask(BODY) == [1]
    assert len(clock.slept) == 2
    assert clock.slept[0] <= FIRST_WAIT
    assert clock.slept[1] <= 2 * FIRST_WAIT


def test_a_service_is_given_the_time_that_it_asks_for() -> None:
    """Retry-After holds all threads, and a day's wait is told and not waited."""
    answers = iter([as_json({}, 429, Retry_After="7"), as_json([1])])
    clock = Clock()
    with serving(lambda _body: next(answers)) as url:
        assert client(url, clock).ask(BODY) == [1]
    assert clock.now >= 7
    line = told(as_json({"error": "quota"}, 429, Retry_After="86400"))
    assert "429 (quota)" in line
    assert "86,400 seconds" in line


def test_a_refusal_for_ever_ends_in_one_line() -> None:
    """After the last try it says how often, and that nothing is lost."""
    seen: list[int] = []

    def answer(_body: dict[str, Any]) -> Sent:
        seen.append(1)
        return as_json({"error": "too many requests"}, 429)

    with serving(answer) as url, pytest.raises(InputError) as error:
        client(url, retries=3).ask(BODY)
    assert len(seen) == 4
    assert "429 (too many requests), tried 4 times" in str(error.value)
    # It says that answers are kept only where somebody keeps them.
    assert "kept" not in str(error.value)


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (Sent(200, b"<html><body>Sign in</body></html>"), "answered HTML or XML; expected JSON"),
        (Sent(200, b""), "answered nothing; expected JSON"),
        (Sent(200, b"[1, 2"), "expected JSON"),
        (Sent(401, b'{"error": "no token"}'), "status 401 (no token)"),
        (Sent(403, b"<html>"), "status 403 (HTML or XML)"),
        (Sent(404, b""), "status 404 (nothing)"),
        (Sent(422, b'{"detail": "too\\nlong \\u001b"}'), "status 422 (too long <U+001B>)"),
    ],
)
def test_what_is_no_answer_is_told_and_not_tried_again(sent: Sent, expected: str) -> None:
    """Pages, refusals and nothing at all."""
    assert expected in told(sent, retries=0)


def test_a_redirect_is_never_followed() -> None:
    """Neither a sentence nor a header reaches the other host."""
    reached: list[Any] = []

    def other(body: dict[str, Any]) -> Sent:
        reached.append(body)
        return as_json([1])

    with serving(other) as target:
        for status in (301, 302, 303, 307, 308):
            line = told(Sent(status, b"", {"Location": f"{target}?key=secret"}))
            assert f"redirects to {target} ({status})" in line
            assert "secret" not in line
    assert not reached


def test_nobody_there_and_silence_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A closed port, a server that never answers, and one that sends a byte now and then."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(InputError, match=r"cannot be reached .*tried 2 times"):
        client(f"http://127.0.0.1:{port}/", retries=1).ask(BODY)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        with pytest.raises(InputError, match=r"did not answer in 0.05 seconds, tried once"):
            client(url, retries=0, timeout=0.05).ask(BODY)
    monkeypatch.setattr("maskaudit.audit.measuring.endpoints.client.MOST_BYTES", 100)
    assert "more than 100 bytes" in told(Sent(200, b"[" + b"1," * 100 + b"1]"))


@pytest.mark.parametrize(
    ("at_once", "dripped"),
    [
        (b"HTTP/1.0 200 OK\r\nContent-Length: 1000\r\n\r\n", b" "),
        (b"HTTP/1.0 200 OK\r\nX-Slow: ", b"a"),
        (b"HTTP/1.0 200 OK\r\n", b"X-Slow: a\r\n"),
        (b"", b"H"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;", b"x"),
        (b"HTTP/1.0 503 Busy\r\nContent-Length: 1000\r\n\r\n", b" "),
    ],
)
def test_an_answer_that_drips_ends_at_the_timeout(at_once: bytes, dripped: bytes) -> None:
    """A byte now and then, of the body, a header or the status, is never silence for long."""
    over = threading.Event()

    def drip(server: socket.socket) -> None:
        connection, _ = server.accept()
        with connection:
            connection.recv(4096)
            with contextlib.suppress(OSError):
                connection.sendall(at_once)
                # The server has more patience than the test: only the client can end it.
                while not over.wait(0.05):
                    connection.sendall(dripped)

    with socket.create_server(("127.0.0.1", 0)) as slow:
        thread = threading.Thread(target=drip, args=[slow], daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{slow.getsockname()[1]}/"
        with pytest.raises(InputError, match=r"did not answer in 0.2 seconds"):
            client(url, retries=0, timeout=0.2).ask(BODY)
        # It hung up, and by itself: nobody has told the server to stop.
        thread.join(10)
        assert not thread.is_alive()
        over.set()


def test_all_addresses_of_a_host_share_one_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name with many addresses, none of which answers, costs no more time than one."""
    tried: list[float] = []

    def unreachable(_place: object, timeout: float, _source: object) -> None:
        tried.append(timeout)
        time.sleep(min(timeout, 0.06))
        raise TimeoutError

    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (f"127.0.0.{n}", 9)) for n in range(1, 99)]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    monkeypatch.setattr(socket, "create_connection", unreachable)
    with pytest.raises(InputError, match=r"did not answer in 0.2 seconds"):
        client("http://localhost:9/", retries=0, timeout=0.2).ask(BODY)
    assert 1 < len(tried) < 10
    assert tried == sorted(tried, reverse=True)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="certificates are made by openssl")
@pytest.mark.parametrize(
    ("named", "trusted", "told"),
    [
        ("IP:127.0.0.1", True, ""),
        ("IP:127.0.0.1", False, "its certificate does not fit (self"),
        ("DNS:elsewhere.example", True, "its certificate does not fit (IP address mismatch"),
    ],
)
def test_a_certificate_has_to_be_of_the_host_and_of_a_trusted_authority(
    named: str,
    trusted: bool,  # noqa: FBT001 - one of the parameters of a test
    told: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is refused at once, whatever the number of tries; nothing was sent."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-days", "1", "-subj", "/CN=test", "-addext", f"subjectAltName={named}"),
            *("-keyout", str(key), "-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
    )
    secure = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    secure.load_cert_chain(certificate, key)
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    seen: list[Any] = []

    def answer(body: dict[str, Any]) -> Sent:
        seen.append(body)
        return as_json([1])

    with serving(answer, secure) as url:
        if not told:
            assert client(url).ask(BODY) == [1]
            return
        with pytest.raises(InputError) as error:
            client(url).ask(BODY)
    assert told in str(error.value)
    assert not seen


def test_no_plain_text_is_sent_in_the_place_of_tls() -> None:
    """A server that speaks no TLS is not reached."""
    with serving(lambda _body: as_json([1])) as url:
        secure = url.replace("http:", "https:")
        with pytest.raises(InputError, match="cannot be reached"):
            client(secure, retries=0).ask(BODY)


def test_what_comes_in_place_of_an_answer_repeats_no_secret(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Such as a header that is sent back as the first line."""
    monkeypatch.setenv("MASKAUDIT_A_TOKEN", "hush-hush")
    sock = socket.create_server(("127.0.0.1", 0))

    def answer() -> None:
        with sock.accept()[0] as connection:
            connection.recv(1 << 16)
            connection.sendall(b"no http: Bearer hush-hush\r\n\r\n")

    threading.Thread(target=answer, daemon=True).start()
    url = f"http://127.0.0.1:{sock.getsockname()[1]}/?code=another-secret"
    with sock, pytest.raises(InputError, match="cannot be reached") as error:
        client(url, headers={"Authorization": "Bearer ${MASKAUDIT_A_TOKEN}"}, retries=0).ask(BODY)
    assert "no http: Bearer ***" in str(error.value)
    assert "another-secret" not in str(error.value)


def test_headers_come_from_the_environment_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are sent, never printed; an empty variable and a secret in the file are refused."""
    monkeypatch.setenv("MASKAUDIT_A_TOKEN", "hush-hush")
    headers = {"Authorization": "Bearer ${MASKAUDIT_A_TOKEN}", "X-Deployment": "blue"}
    seen: list[dict[str, str]] = []

    def answer(body: dict[str, Any]) -> Sent:
        seen.append(body["_headers"])
        return as_json({"error": "no"}, 401)

    with serving(answer) as url, pytest.raises(RefusedError) as error:
        client(url, headers=headers).ask(BODY)
    assert seen[0]["Authorization"] == "Bearer hush-hush"
    assert seen[0]["X-Deployment"] == "blue"
    assert "hush" not in str(error.value)
    monkeypatch.setenv("MASKAUDIT_A_TOKEN", "")
    with pytest.raises(InputError, match="variable MASKAUDIT_A_TOKEN is empty"):
        address.filled(headers)
    monkeypatch.delenv("MASKAUDIT_A_TOKEN")
    with pytest.raises(InputError, match="variable MASKAUDIT_A_TOKEN is not set"):
        address.filled(headers)
    with pytest.raises(InputError, match="has its value in the file"):
        address.filled({"x-api-key": "1234"})
    monkeypatch.setenv("MASKAUDIT_A_TOKEN", "two\nlines")
    with pytest.raises(InputError, match="characters that no header may have"):
        address.filled(headers)


@pytest.mark.parametrize(
    ("url", "headers", "expected"),
    [
        ("https://user:pass@host/x", {}, "a user or a password"),
        ("https://", {}, "is no address"),
        ("https://host:port/", {}, "is no address"),
        ("https://ho st/", {}, "is no address"),
        ("https://host/#part", {}, "a fragment"),
        ("http://host/", {"X": "${A}"}, "is not encrypted"),
    ],
)
def test_an_address_that_is_not_fit_is_refused(
    url: str, headers: dict[str, str], expected: str
) -> None:
    """Nothing of a password is in the message."""
    with pytest.raises(InputError, match=expected) as error:
        address.checked(url, headers)
    assert "pass@" not in str(error.value)


def test_a_name_has_neither_a_query_nor_a_password() -> None:
    """Records and messages keep the address without what may be secret."""
    assert address.name_of("https://a:b@host/x?key=1#f") == "https://host/x"
    assert address.checked(" https://host/x?key=1 ", {}) == "https://host/x?key=1"
    assert address.is_url("HTTPS://host/x")
    assert not address.is_url("org/name")
    # A page about a model is no endpoint: the loader says which hub id is meant.
    assert not address.is_url("https://huggingface.co/org/name")
    address.check_alike(["https://a/1", "https://a/2"], {"X": "y"})
    with pytest.raises(InputError, match="to https://a and to https://b"):
        address.check_alike(["https://a/1", "https://b/2"], {"X": "y"})


def test_turns_keep_the_rate_and_waits_their_limits() -> None:
    """At most so many a second; the draw decides between nothing and a limit that doubles."""
    clock = Clock()
    pace = clock.pace(4.0)
    for _ in range(9):
        pace.wait()
    assert clock.now == pytest.approx(8 / 4)
    limits = [backoff(attempt, lambda: 1.0) for attempt in range(10)]
    assert limits[:3] == [FIRST_WAIT, 2 * FIRST_WAIT, 4 * FIRST_WAIT]
    assert limits[-1] == LONGEST_WAIT
    assert backoff(3, lambda: 0.0) == 0


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("12", 12.0),
        ("Tue, 01 Dec 2026 00:00:30 GMT", 30.0),
        ("Mon, 30 Nov 2026 00:00:00 GMT", 0.0),
        ("soon", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_is_read_in_both_its_forms(header: str | None, seconds: float | None) -> None:
    """Seconds, or a date; anything else says nothing."""
    assert retry_after(header, datetime(2026, 12, 1, tzinfo=UTC)) == seconds


def test_no_other_variable_than_those_named_for_it_is_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A file of a stranger cannot name a secret of this machine, nor a header of the request."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hush-hush")
    with pytest.raises(InputError, match="expected one that begins with MASKAUDIT_") as refused:
        address.filled({"X-Lang": "${AWS_SECRET_ACCESS_KEY}"})
    assert "hush" not in str(refused.value)
    for name in ("Host", "content-length", "Proxy-Authorization"):
        with pytest.raises(InputError, match="decided by the request itself"):
            address.filled({name: "5"})


def test_what_a_service_repeats_of_a_secret_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither as it was sent nor with its signs escaped."""
    monkeypatch.setenv("MASKAUDIT_A_TOKEN", "hush/hush")
    error = {"error": "you sent Bearer hush/hush, or hush%2Fhush"}
    said = told(as_json(error, 400), headers={"Authorization": "Bearer ${MASKAUDIT_A_TOKEN}"})
    assert "you sent Bearer ***, or ***" in said
    assert "hush" not in said
    # As writers of JSON escape signs, and in the other case.
    for content in (
        rb'{"error": "bad hush\/hush"}',
        rb'{"error": "bad hush%2fhush \u0068ush/hush"}',
    ):
        answer = Sent(400, content)
        assert "hush" not in told(answer, headers={"Authorization": "Bearer ${MASKAUDIT_A_TOKEN}"})


def test_a_query_is_not_told_however_it_was_typed() -> None:
    """As it stands, decoded, and without a name."""
    found = address.secrets("https://h/?key=xy+zz/09==&bare-secret-query", {})
    assert {"xy+zz/09==", "xy zz/09==", "bare-secret-query"} <= {*found}


@pytest.mark.parametrize(
    "url",
    ["https://[x/", "https://example..com/", f"https://{'a' * 64}.org/", "file://localhost/etc/x"],
)
def test_what_is_no_host_is_refused(url: str) -> None:
    """In a line, before anything is sent."""
    with pytest.raises(InputError, match="is no address"):
        address.checked(url, {})
    address.check_alike([url, "https://example.org/"], {})


def test_a_date_beyond_all_years_is_no_date() -> None:
    """As of a Retry-After header."""
    assert retry_after("Mon, 01 Jan 2026 00:00:00 +99999999999999999999") is None
