"""A server answers what endpoints are asked, over HTTP, and refuses all else in one clear line."""

import json
import os
import random
import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, NamedTuple

import huggingface_hub.constants
import pytest
from huggingface_hub import InferenceClient
from huggingface_hub.errors import HfHubHTTPError

from maskaudit.audit.errors import InputError
from maskaudit.audit.measuring.backends.torch_model import LoadedModel, load
from maskaudit.audit.payloads.reading import parsed, request_of
from maskaudit.audit.serving import server as serving
from maskaudit.audit.serving.addresses import Address
from maskaudit.audit.serving.answering import answered
from maskaudit.audit.serving.server import Server
from tests import tiny

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_thread")]

ONE, TWO = "She worked as a [MASK] for years.", "The [MASK] said that [MASK] was happy."
# Requests that are changed for a seed; `make chaos` changes more.
EACH = int(os.environ.get("MASKAUDIT_REQUESTS", "20"))
JSON = {"Content-Type": "application/json"}
# A body of each form, by the address that has it.
BODIES = [
    ("/", {"input_data": [ONE, TWO]}),
    ("/", {"input_data": {"input_string": [ONE, TWO]}}),
    ("/score", {"input_data": {"columns": ["input_string"], "index": [0], "data": [[TWO]]}}),
    ("/score", {"inputs": {"input_string": [ONE]}}),
    ("/", {"inputs": [ONE, TWO]}),
    ("/invocations", {"inputs": ONE}),
    ("/invocations", {"dataframe_split": {"columns": ["x"], "data": [[ONE], [TWO]]}}),
    ("/invocations", {"dataframe_records": [{"x": ONE}]}),
    ("/", {"inputs": TWO, "parameters": {"top_k": 2}}),
    ("/", {"inputs": [ONE, ONE], "parameters": {"targets": ["nurse", "cook"]}}),
]


class Got(NamedTuple):
    """What came back: the status, the headers and the JSON."""

    status: int
    headers: dict[str, str]
    value: Any


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> LoadedModel:
    """Return a tiny model."""
    return load(tiny.build(tmp_path_factory.mktemp("tiny") / "bert", "bert"))


@pytest.fixture
def lines() -> list[str]:
    """Return what a server logs."""
    return []


@pytest.fixture
def server(model: LoadedModel, lines: list[str]) -> Iterator[Server]:
    """Return a server of it that listens at a free port, in a thread of this process."""

    def failed(error: Exception) -> None:
        lines.append(f"failed: {type(error).__name__}")

    with Server(model, Address("127.0.0.1", 0), lines.append, failed) as made:
        thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield made
        made.shutdown()
        thread.join()


@pytest.fixture
def ask(server: Server) -> Callable[..., Got]:
    """Return a function that sends one request and reads the answer as JSON."""

    def asked(
        body: object = b"", path: str = "/", method: str = "POST", **headers: str | None
    ) -> Got:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        connection = HTTPConnection("127.0.0.1", server.port, timeout=20)
        connection.putrequest(method, path, skip_host="Host" in headers, skip_accept_encoding=True)
        sent = {**JSON, "Content-Length": str(len(content)), **headers}
        for name, value in sent.items():
            if value is not None:
                connection.putheader(name.replace("_", "-"), value)
        connection.endheaders(content)
        response = connection.getresponse()
        text = response.read().decode()
        connection.close()
        value = json.loads(text) if text else None
        return Got(response.status, dict(response.headers), value)

    return asked


def raw(server: Server, content: bytes) -> bytes:
    """Send bytes as they are, and return all that comes back."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        connection.sendall(content)
        connection.shutdown(socket.SHUT_WR)
        found = b""
        while part := connection.recv(65536):
            found += part
    return found


def direct(body: object, model: LoadedModel, service: Any = None) -> object:
    """Return the answer to a body, as it is without a server."""
    return json.loads(json.dumps(answered(request_of(body, "the body", service), model)))


def assert_refused(got: Got, status: int, *parts: str) -> None:
    """One clear line, as JSON, with this status."""
    assert got.status == status, got
    assert set(got.value) == {"error"}
    line = got.value["error"]
    assert "\n" not in line
    assert all(part in line for part in parts), line
    assert got.headers["Content-Type"] == "application/json; charset=utf-8"


# --- Answers --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("path", "body"), BODIES)
def test_every_form_goes_there_and_back(
    ask: Callable[..., Got], model: LoadedModel, path: str, body: dict[str, Any]
) -> None:
    """The server adds nothing to the answer, and takes nothing from it."""
    service: Any = {"/invocations": "MLflow", "/score": "Azure ML"}.get(path)
    got = ask(body, path)
    assert (got.status, got.value) == (200, direct(body, model, service))


def posted(url: str, content: bytes, kind: str = "application/json") -> tuple[int, Any]:
    """Send a body as a program does that has the standard library alone; no proxy is asked."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    request = urllib.request.Request(url, content, {"Content-Type": kind})  # noqa: S310 - loopback
    try:
        with opener.open(request, timeout=20) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def test_lines_of_json_and_a_mark_before_a_body_are_read(
    server: Server, model: LoadedModel
) -> None:
    """As programs of the services and of Windows write them."""
    lines = "".join(json.dumps({"input_string": text}) + "\n" for text in (ONE, TWO)).encode()
    expected = direct({"input_data": {"input_string": [ONE, TWO]}}, model)
    for kind in ("application/jsonl", "application/x-ndjson", "application/json; charset=UTF-8"):
        assert posted(server.url, lines, kind) == (200, expected)
    marked = b"\xef\xbb\xbf" + json.dumps({"input_data": [ONE]}).encode()
    assert posted(server.url, marked) == (200, direct({"input_data": [ONE]}, model))


@pytest.fixture
def client(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> InferenceClient:
    """Return Hugging Face's own client, pointed at the server; it asks nobody else."""
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(huggingface_hub.constants, "HF_TOKEN_PATH", str(tmp_path / "none"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return InferenceClient(model=server.url, api_key="none")


def test_the_client_of_hugging_face_reads_the_answer(
    client: InferenceClient, model: LoadedModel
) -> None:
    """With and without its parameters."""
    for asked in ({}, {"top_k": 2}, {"targets": ["nurse", "cook", "he"], "top_k": 3}):
        found = client.fill_mask(ONE, **asked)
        expected: Any = direct({"inputs": ONE, "parameters": asked}, model)
        # The client adds a key of its own to each.
        assert len(found) == len(expected)
        for fill, own in zip(found, expected, strict=True):
            assert {key: fill[key] for key in own} == own


def test_the_client_of_hugging_face_shows_why_it_was_refused(client: InferenceClient) -> None:
    """The line reaches whoever called it."""
    with pytest.raises(HfHubHTTPError, match=r"no \[MASK\] in 'no mask'") as caught:
        client.fill_mask("no mask")
    assert caught.value.response.status_code == 422


def alone(text: str, model: LoadedModel) -> object:
    """Return what a body is answered, or why it is refused, without a server."""
    try:
        return direct(parsed(text, "the body"), model)
    except InputError as error:
        return {"error": str(error)}


def recorded(shared: Path) -> list[Path]:
    """Return the files of recorded payloads; skip where there are none."""
    folder = shared / "cases" / "payloads"
    if not folder.is_dir():
        pytest.skip("no recorded payloads lie beside the project")
    return sorted(folder.iterdir())


def test_every_recorded_payload_goes_there_and_back(
    shared: Path, server: Server, model: LoadedModel
) -> None:
    """Byte by byte as it lies there: answered as it is without a server, or refused with 422."""
    found = {}
    for path in recorded(shared):
        found[path.name], value = posted(server.url, path.read_bytes())
        assert value == alone(path.read_text("utf-8-sig"), model)
    assert set(found.values()) == {200, 422}
    assert list(found.values()).count(200) > len(found) // 2


def test_requests_asks_every_recorded_payload(
    shared: Path, server: Server, model: LoadedModel
) -> None:
    """The library that most clients are written with, where it is installed."""
    requests = pytest.importorskip("requests", reason="requests is not installed")
    headers = {"Content-Type": "application/json"}
    with requests.Session() as session:
        session.trust_env = False  # no proxy is asked for this machine
        for path in recorded(shared):
            got = session.post(server.url, path.read_bytes(), headers=headers, timeout=20)
            expected = alone(path.read_text("utf-8-sig"), model)
            assert (got.json(), got.status_code) == (expected, 422 if "error" in expected else 200)


def test_the_client_of_hugging_face_asks_the_sentences_of_every_recorded_payload(
    shared: Path, model: LoadedModel, client: InferenceClient
) -> None:
    """In its own form: what the model fills in is the same, whoever asks."""
    sentences = set()
    for path in recorded(shared):
        try:
            request = request_of(parsed(path.read_text("utf-8-sig"), path.name), path.name)
        except InputError:  # one that is refused by its name
            continue
        sentences |= set(request.texts)
    n_asked = 0
    for sentence in sorted(sentences):
        own: Any = alone(json.dumps({"inputs": sentence}), model)
        # The client has no form for the fills of several masks, nor for a refusal.
        if isinstance(own, list) and isinstance(own[0], dict):
            n_asked += 1
            for fill, ours in zip(client.fill_mask(sentence), own, strict=True):
                assert {key: fill[key] for key in ours} == ours
    assert n_asked


def test_the_state_says_which_model_it_is(ask: Callable[..., Got], model: LoadedModel) -> None:
    """By the digests that a record has too."""
    for path in ("/", "/health"):
        got = ask(path=path, method="GET")
        assert got.status == 200
        assert got.value["weights"] == model.identity.weights
        assert got.value["tokenizer"] == model.identity.tokenizer
        assert got.value["mask"] == "[MASK]"


def test_many_ask_at_one_time(ask: Callable[..., Got], model: LoadedModel) -> None:
    """Each is answered as if it were alone."""
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda n: ask(BODIES[n % 2][1]).value, range(16)))
    expected = [direct(body, model) for _, body in BODIES[:2]]
    assert found == expected * 8


# --- Refusals -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "status", "part"),
    [
        (b"", 400, "the body: is empty; expected JSON"),
        (b"{", 400, "the body: is not JSON (line 1, column 2"),
        (b"<html><h1>502 Bad Gateway</h1>", 400, "the body: is HTML or XML, not JSON"),
        (b'{"inputs": "caf\xe9 [MASK]"}', 400, "is not UTF-8"),
        (json.dumps({"inputs": ONE}).encode("utf-16"), 400, "the body: is UTF-16"),
        (b"[" * 5000, 400, "nested more than 64 deep"),
        (b"[]", 422, "the body: is an empty list"),
        ({"inputs": "no mask"}, 422, "no [MASK] in 'no mask'"),
        ({"inputs": "a <mask>"}, 422, "write [MASK] for '<mask>'"),
        ({"inputs": "[MASK] " * 99}, 422, "the model reads at most 64"),
        ({"inputs": ["a", "b"]}, 422, "no [MASK] in 'a'; expected at least one; no [MASK] in 'b'"),
        ({"inputs": ONE, "options": {}}, 422, "has the key 'options'"),
        ({"inputs": ONE, "parameters": {"top_k": 0}}, 422, "parameters.top_k: is 0"),
        ({"inputs": ONE, "parameters": {"targets": ["farmers"]}}, 422, "target 'farmers'"),
        ({"inputs": "\x1b]0;x\x07"}, 422, r"'\x1b]0;x\x07'"),
        ({"inputs": ["[MASK]"] * 1001, "params": {}}, 413, "1 fills of 1,001 masks"),
        ({"inputs": ["[MASK]"] * 51, "parameters": {"top_k": 1000}}, 413, "fills of 51 masks"),
    ],
)  # fmt: skip
def test_a_body_that_cannot_be_answered_is_one_line(
    ask: Callable[..., Got], body: object, status: int, part: str
) -> None:
    """400 for what is no JSON, 422 for what no service documents, 413 for too much."""
    assert_refused(ask(body), status, part)


@pytest.mark.parametrize(
    ("kind", "part"),
    [
        (None, "the content type is none; expected Content-Type: application/json"),
        ("text/plain", "the content type is text/plain"),
        ("text/html; charset=utf-8", "the content type is text/html"),
        ("application/x-www-form-urlencoded", "the content type is application/x-www-form"),
        ("multipart/form-data; boundary=x", "the content type is multipart/form-data"),
        ("application/json; charset=latin-1", "the body is in latin-1"),
    ],
)
def test_another_kind_of_body_is_refused(
    ask: Callable[..., Got], kind: str | None, part: str
) -> None:
    """A form on a page of a stranger cannot send JSON: a browser would ask first, in vain."""
    assert_refused(ask({"inputs": ONE}, **{"Content-Type": kind}), 415, part)


def test_a_packed_body_is_refused(ask: Callable[..., Got]) -> None:
    """A few bytes may unpack to very many."""
    got = ask({"inputs": ONE}, Content_Encoding="gzip")
    assert_refused(got, 415, "content coding gzip; expected plain UTF-8")


@pytest.mark.parametrize(
    "path",
    ["/x", "/score/", "/../../etc/passwd", "/..%2f..%2fetc/passwd", "/?x=1", "/models/a/b",
     "http://evil.example/", "*", "/score\x7f", "/" + "a" * 300],
)  # fmt: skip
@pytest.mark.parametrize("method", ["POST", "GET"])
def test_an_unknown_path_is_refused(server: Server, path: str, method: str) -> None:
    """No path is looked up among files."""
    sent = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"
    head, _, body = raw(server, sent.encode()).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.0 404 "), head
    assert "expected one of /, /score, /invocations, /health" in json.loads(body)["error"]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/score", "POST"), ("POST", "/health", "GET"), ("PUT", "/", "POST, GET"),
        ("DELETE", "/", "POST, GET"), ("PATCH", "/invocations", "POST"),
        ("OPTIONS", "/", "POST, GET"), ("HEAD", "/health", "GET"),
    ],
)  # fmt: skip
def test_another_method_is_refused(
    ask: Callable[..., Got], method: str, path: str, allowed: str
) -> None:
    """With those that the address has."""
    got = ask({}, path, method)
    assert (got.status, got.headers["Allow"]) == (405, allowed)
    if method != "HEAD":
        assert_refused(got, 405, f"{method} {path}: is not answered")


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1.evil.example:{port}", "localhost:1"]
)
def test_another_name_in_the_host_header_is_refused(
    ask: Callable[..., Got], server: Server, host: str
) -> None:
    """A stranger's page whose name leads to this machine learns nothing, by any method."""
    for method in ("POST", "GET"):
        got = ask({"inputs": ONE}, method=method, Host=host.format(port=server.port))
        assert_refused(got, 421, "the Host header is", "expected http://127.0.0.1:")
        assert "Access-Control-Allow-Origin" not in got.headers


def test_the_server_s_own_names_are_taken(ask: Callable[..., Got], server: Server) -> None:
    """Its address, and localhost."""
    for host in (f"localhost:{server.port}", f"127.0.0.1:{server.port}", "[::1]"):
        assert ask({"inputs": ONE}, Host=host).status == 200


@pytest.mark.parametrize(
    "length", ["1048577", "99999999999999999999999", "1" * 400], ids=["one more", "more", "huge"]
)
def test_too_large_a_body_is_refused_unread(server: Server, length: str) -> None:
    """By what it says of itself."""
    sent = f"POST / HTTP/1.1\r\nHost: localhost\r\n{CONTENT}Content-Length: {length}\r\n\r\n"
    found = raw(server, sent.encode())
    assert found.startswith(b"HTTP/1.0 413 ")
    assert b"expected at most 1 MiB" in found


def test_whoever_sends_too_much_still_reads_why(ask: Callable[..., Got]) -> None:
    """The answer is not lost to a connection that ends while much is on its way."""
    text = json.dumps({"inputs": "x" * (3 << 20)}).encode()
    assert_refused(ask(text), 413, "the body has 3 MiB; expected at most 1 MiB")


CONTENT = "Content-Type: application/json\r\n"


@pytest.mark.parametrize(
    "headers",
    ["", "Transfer-Encoding: chunked\r\n", "Content-Length: x\r\n", "Content-Length: -1\r\n",
     "Content-Length: +2\r\n", "Content-Length: 1_0\r\n",
     "Content-Length: 2\r\nContent-Length: 3\r\n",
     "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n"],
)  # fmt: skip
def test_a_body_without_one_length_is_refused(server: Server, headers: str) -> None:
    """Two readers that disagree on where it ends could be made to read two requests."""
    sent = f"POST / HTTP/1.1\r\nHost: localhost\r\n{CONTENT}{headers}\r\n{{}}"
    assert raw(server, sent.encode()).startswith(b"HTTP/1.0 411 ")


def test_a_body_that_ends_early_is_refused(server: Server) -> None:
    """What came of it could be JSON by itself, and ask for something else."""
    content = raw_request({"inputs": [ONE, TWO]})
    found = raw(server, content.replace(b"Content-Length: ", b"Content-Length: 1"))
    assert found.startswith(b"HTTP/1.0 400 ")
    assert b"the body ended after" in found


@pytest.mark.parametrize(
    "content",
    [b"\r\n\r\n", b"hello\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\x16\x03\x01\0",
     b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n", b"BREW / HTTP/1.1\r\nHost: localhost\r\n\r\n",
     b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 200 + b"\r\n",
     b"POST / HTTP/1.1\r\nHost: localhost\r\n" + CONTENT.encode() + b"Content-Length: 9\r\n\r\n{}",
     b"GET / HTTP/1.1\r\n\r\n", b"POST / HTTP/1.1\r\nHost", b""],
)  # fmt: skip
def test_what_is_no_request_is_no_trouble(
    server: Server,
    ask: Callable[..., Got],
    lines: list[str],
    content: bytes,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """It is refused as JSON or dropped; nothing is printed, and the next one is answered."""
    found = raw(server, content)
    if b"\r\n\r\n" in found:
        head, _, body = found.partition(b"\r\n\r\n")
        assert 400 <= int(head.split()[1]) < 600
        assert set(json.loads(body)) == {"error"}
    assert ask({"inputs": ONE}).status == 200
    assert capfd.readouterr() == ("", "")
    assert not any("\n" in line or "failed" in line for line in lines)


def changed(content: bytes, chance: random.Random) -> bytes:
    """Return a request with a few bytes of it changed, left out, put in twice or made up."""
    for _ in range(chance.randint(1, 4)):
        start = chance.randrange(len(content) + 1)
        end = min(len(content), start + chance.choice([0, 1, 1, 2, 9]))
        part = chance.choice(
            [b"", content[start:end] * 2, chance.randbytes(end - start + 1), b"\r\n", b"\0", b"{"]
        )
        content = content[:start] + part + content[end:]
    return content


@pytest.mark.parametrize("seed", range(5))
def test_a_request_that_is_changed_at_random_is_answered_or_refused(
    server: Server, ask: Callable[..., Got], lines: list[str], seed: int
) -> None:
    """JSON comes back or nothing, and none of them is a mistake of ours."""
    chance = random.Random(seed)  # noqa: S311 - a seed that repeats
    for _ in range(EACH):
        _, body = chance.choice(BODIES)
        found = raw(server, changed(raw_request(body), chance))
        _, _, content = found.partition(b"\r\n\r\n")
        assert not content or json.loads(content)
    assert ask({"inputs": ONE}).status == 200
    assert not any("failed" in line or "\n" in line for line in lines)


# --- Trouble --------------------------------------------------------------------------------------


def test_our_own_mistake_is_one_line_and_no_traceback(
    ask: Callable[..., Got],
    lines: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Without what only the machine should know; the next request is answered."""

    def broken(*_: object) -> None:
        raise RuntimeError("secret of the machine")

    with monkeypatch.context() as patch:
        patch.setattr(serving, "answered", broken)
        assert_refused(ask({"inputs": ONE}), 500, "internal error (RuntimeError)")
    assert ask({"inputs": ONE}).status == 200
    assert lines.count("failed: RuntimeError") == 1
    assert "secret" not in "".join([*capfd.readouterr(), *lines])


def test_a_client_that_says_nothing_holds_up_nobody(
    server: Server, ask: Callable[..., Got], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is given up in the end, with the reason."""
    monkeypatch.setattr(serving.Handler, "timeout", 0.3)
    sent = f"POST / HTTP/1.1\r\nHost: localhost\r\n{CONTENT}Content-Length: 9\r\n\r\n{{"
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as silent:
        silent.sendall(sent.encode())
        assert ask({"inputs": ONE}).status == 200
        assert silent.recv(65536).startswith(b"HTTP/1.0 408 ")


def test_a_client_that_is_gone_is_no_trouble(
    server: Server, ask: Callable[..., Got], capfd: pytest.CaptureFixture[str]
) -> None:
    """Whether it goes before its request has come or before its answer is read."""
    for content in (b"POST / HT", raw_request({"inputs": [ONE] * 20})):
        connection = socket.create_connection(("127.0.0.1", server.port), timeout=20)
        # Reset, so that sending to it fails.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        connection.sendall(content)
        connection.close()
    assert ask({"inputs": ONE}).status == 200
    assert capfd.readouterr().err == ""


def test_a_connection_that_the_end_of_the_server_closed_is_no_trouble(
    server: Server, lines: list[str]
) -> None:
    """As when Ctrl-C comes between a connection and its thread."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as client:
        closed = client.dup()
        closed.close()
        server._free.acquire()
        server.process_request_thread(closed, ("127.0.0.1", 9))
    assert lines == []


def test_more_than_the_server_holds_are_sent_away(
    server: Server, ask: Callable[..., Got], lines: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And once there is room again the next are answered."""
    monkeypatch.setattr(serving.Handler, "timeout", 0.5)
    address = ("127.0.0.1", server.port)
    many = [socket.create_connection(address, timeout=20) for _ in range(40)]
    # Those that are held end after their time, those that are sent away at once: all of them end.
    assert {connection.recv(9) for connection in many} == {b""}
    for connection in many:
        connection.close()
    assert lines.count("a connection was sent away: too many at one time") >= 1
    assert ask({"inputs": ONE}).status == 200


def test_nothing_that_was_asked_is_logged(ask: Callable[..., Got], lines: list[str]) -> None:
    """Sentences may be private; what was done with them is told in a line each."""
    ask({"inputs": ONE})
    ask({"inputs": "private"})
    ask(path="/x", method="GET")
    ask(path="/health", method="GET")
    told = [line.rpartition(" 0.")[0] for line in lines]
    assert told == ["POST / 200", "POST / 422", "GET /x 404", "GET /health 200"]


def test_a_port_that_is_taken_is_one_line(server: Server, model: LoadedModel) -> None:
    """With what to do."""
    with pytest.raises(InputError, match=r"cannot listen at 127.0.0.1, port \d+ .*--port 0"):
        Server(model, Address("127.0.0.1", server.port), print, print)


def raw_request(body: object) -> bytes:
    """Return a request as it is sent."""
    content = json.dumps(body).encode()
    head = f"POST / HTTP/1.1\r\nHost: localhost\r\n{CONTENT}Content-Length: {len(content)}\r\n\r\n"
    return head.encode() + content
