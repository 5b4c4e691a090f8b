"""Messages have no secret of an address, wherever it was typed and whatever it holds."""

import pytest

from maskaudit.audit.audit_file import File
from maskaudit.audit.errors import (
    CannotWriteError,
    InputError,
    MaskauditError,
    NotJudgedError,
    without_secrets,
)
from maskaudit.audit.measuring.endpoints import address
from maskaudit.audit.settings import overridden, read
from maskaudit.audit.texts.toml_files import document

HUSHED = "hush-hush"


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("https://host/x?key=hush-hush", "https://host/x?***"),
        ("HTTPS://host?hush-hush", "HTTPS://host?***"),
        ("http://user:hush-hush@host:80/x", "http://***@host:80/x"),
        ("https://hush-hush@host/x#y", "https://***@host/x#***"),
        ("https://user:pa/hush-hush@host/x", "https://***"),
        ("https://user:pa?hush-hush@host/x", "https://***"),
        ("https://user:pa#hush-hush@host/x", "https://***"),
        ("https://[::1]:8080/models/a@main", "https://[::1]:8080/models/a@main"),
        ("https://host/x", "https://host/x"),
    ],
)
def test_an_address_is_shown_without_what_may_be_secret(typed, shown):
    """In every error, in the midst of a sentence, in quotes and at its end; its name too."""
    assert without_secrets(f"asked {typed}; and '{typed}'.") == f"asked {shown}; and '{shown}'."
    for kind in (MaskauditError, InputError, NotJudgedError, CannotWriteError):
        error = kind(f"{typed}: is no model")
        assert str(error) == f"{shown}: is no model"
    assert InputError("a", f"see {typed}").faults == ("a", f"see {shown}")
    assert HUSHED not in address.name_of(typed)


@pytest.mark.parametrize(
    "typed",
    [
        "https://user:pa/hush-hush@host/x",
        "https://user:hush-hush@ho\u2100st/x",
        "https://user:hush-hush@[host/x",
        "https://user:hush-hush@host:port/x",
    ],
)
def test_what_is_no_address_is_refused_without_a_word_of_it(typed):
    """The reason of a library repeats what it could not read."""
    with pytest.raises(InputError) as raised:
        address.checked(typed, {})
    assert HUSHED not in str(raised.value)
    assert raised.value.__cause__ is None


def test_settings_tell_a_fault_of_an_address_without_its_secret(tmp_path):
    """Of one with a revision, of one that is named twice, and of two where one is expected."""
    url = f"https://host/x?key={HUSHED}"
    for models in (
        f'candidate = {{ id = "{url}", revision = "1" }}',
        f'candidates = ["{url}", "{url}"]',
        f'candidate = "{url}"\nextra = "{url}"',
    ):
        path = tmp_path / "AUDIT.toml"
        path.write_text(f"[models]\n{models}\n", "utf-8")
        with pytest.raises(InputError) as raised:
            document(path).checked(File)
        assert HUSHED not in str(raised.value)
    path.write_text("")
    with pytest.raises(InputError) as raised:
        overridden(read(path), candidates=[url, f"{url}2"]).check_one_candidate()
    assert HUSHED not in str(raised.value)


@pytest.mark.parametrize(
    ("first", "second", "is_one"),
    [
        ("https://host?key=hush-hush", "https://HOST:443/x?key=other", True),
        ("https://host?https://other", "https://other?https://host", False),
        ("https://host/x", "https://host:8443/x", False),
        ("http://localhost:80/", "https://localhost:80/", False),
        ("https://host?@other", "https://other", False),
        ("https://host/x@other", "https://host/y", True),
    ],
)
def test_headers_are_for_one_origin_whatever_stands_behind_it(first, second, is_one):
    """Scheme, host and port; a query, a path and an @ in them are no host."""
    headers = {"Authorization": "Bearer ${MASKAUDIT_TOKEN}"}
    if is_one:
        address.check_alike([first, second], headers)
        return
    with pytest.raises(InputError, match="expected endpoints of one host") as raised:
        address.check_alike([first, second], headers)
    assert HUSHED not in str(raised.value)
    address.check_alike([first, second], {})
