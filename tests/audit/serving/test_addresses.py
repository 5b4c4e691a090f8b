"""A server is reached from this machine alone, and under its own names alone."""

import pytest

from maskaudit.audit.errors import InputError
from maskaudit.audit.serving import addresses


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "localhost", "::1", "[::1]"])
def test_an_address_of_this_machine_alone_is_taken(host):
    """Whichever way it is written."""
    address = addresses.checked(host, 8000, exposed=False)
    assert address.ip in {"127.0.0.1", "127.0.0.2", "::1"}
    assert address.names == {"localhost", host.strip("[]")}


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "8.8.8.8"])  # noqa: S104
def test_an_address_that_others_reach_has_to_be_asked_for_twice(host):
    """By its name and by --expose: whoever reaches it may ask the model."""
    with pytest.raises(InputError, match=r"other machines reach this address.*--expose"):
        addresses.checked(host, 8000, exposed=False)
    assert addresses.checked(host, 8000, exposed=True).ip == host


@pytest.mark.parametrize("host", ["", "[]", "no such host", "a\0b", "x" * 300])
def test_what_is_no_address_is_one_line(host):
    """An empty one is not taken for every address."""
    with pytest.raises(InputError, match=r"is no address of this machine; expected one such as"):
        addresses.checked(host, 8000, exposed=False)


@pytest.mark.parametrize(
    ("header", "is_own"),
    [
        ("127.0.0.1:8000", True),
        ("localhost:8000", True),
        ("LOCALHOST:8000", True),
        ("localhost.:8000", True),
        ("localhost", True),
        ("[::1]:8000", True),
        ("192.0.2.7:8000", True),  # no page can be served under an address that is not its own
        ("box:8000", True),
        ("localhost:8001", False),
        ("localhost:", True),
        ("localhost:+8000", False),
        ("localhost:8000:8000", False),
        ("evil.example:8000", False),
        ("127.0.0.1.evil.example:8000", False),
        ("localhost.evil.example", False),
        ("evil.example@localhost:8000", False),
        ("", False),
        (":8000", False),
        ("::1", False),
    ],
)
def test_a_host_header_is_an_address_or_a_name_of_the_server(header, is_own):
    """A page of a stranger that is given this machine's address keeps its own name."""
    assert addresses.is_own(header, {"localhost", "box"}, 8000) is is_own


def test_the_url_has_brackets_where_an_address_has_colons():
    """As clients expect it."""
    assert addresses.url("::1", 8000) == "http://[::1]:8000/"
    assert addresses.url("127.0.0.1", 80) == "http://127.0.0.1:80/"
