"""The address of an endpoint, and the headers that it is asked with, which are never stored."""

import ipaddress
import os
import re
from collections.abc import Iterable, Mapping
from urllib.parse import parse_qsl, urlsplit

from maskaudit.audit.errors import InputError, without_secrets
from maskaudit.audit.texts.printable import printable

_VARIABLE = re.compile(r"\$\{(\w+)\}")
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
# A header of such a name is a secret, which no file should hold.
_SECRET = re.compile(r"auth|key|token|secret|cookie|password", re.IGNORECASE)
# Pages about models, copied from a browser: the loader says which hub id to write.
_PAGES = re.compile(r"https?://(www\.)?(huggingface\.co|hf\.co)(/|$)")
_SCHEMES = ("http://", "https://")
# Environment variables that a file may have sent: named for it, so that the settings of somebody
# else, as of a pull request, can send no other secret of this machine.
PREFIX = "MASKAUDIT_"
# Headers that decide what a request is, and to whom.
_OURS = re.compile(
    r"host|content-length|transfer-encoding|connection|expect|te|trailer|upgrade|proxy-.*",
    re.IGNORECASE,
)
# Shorter values are no secrets, and would be found in any text.
_LEAST_SECRET = 6


def is_url(model: str) -> bool:
    """Whether a model's name is the address of an endpoint, and not of a page of the hub."""
    name = model.strip().lower()
    return name.startswith(_SCHEMES) and not _PAGES.match(name)


def checked(model: str, headers: Mapping[str, str]) -> str:
    """The address as it is asked. Raises `InputError` for one that is not fit to be asked."""
    url = model.strip()
    shown = name_of(url)
    try:
        parts = urlsplit(url)
        # Both are parsed only when they are asked for: that of a bad port raises here.
        host, _ = parts.hostname, parts.port
    except ValueError:
        # Without its reason and its cause, which repeat what may be a password.
        raise InputError(f"endpoint {shown}: is no address; expected https://HOST/PATH") from None
    is_web = parts.scheme.lower() in {"http", "https"}
    is_plain = url.isascii() and url.isprintable() and " " not in url
    if not is_web or not host or not _is_host(host) or not is_plain:
        raise InputError(f"endpoint {shown}: is no address; expected https://HOST/PATH")
    if parts.username is not None or parts.password is not None:
        raise InputError(
            f"endpoint {shown}: has a user or a password in its address, which records would keep; "
            "put it into an environment variable: [endpoint] headers.Authorization = "
            '"${MASKAUDIT_TOKEN}"'
        )
    if parts.fragment:
        raise InputError(f"endpoint {shown}: has a fragment (#…); expected an address without one")
    if parts.scheme.lower() == "http" and headers and not _is_loopback(host):
        raise InputError(
            f"endpoint {shown}: is not encrypted, and the headers of [endpoint] would be sent as "
            "plain text; expected https://"
        )
    return url


def check_alike(urls: Iterable[str], headers: Mapping[str, str]) -> None:
    """Refuse endpoints of several hosts with headers, which would give one's secret to another."""
    hosts = list(dict.fromkeys(map(_origin, urls)))
    if headers and len(hosts) > 1:
        raise InputError(
            f"[endpoint] headers: would be sent to {' and to '.join(hosts)}; expected endpoints of "
            "one host, or no headers"
        )


def _origin(url: str) -> str:
    """Whom an address is asked of: its scheme, host and port, as the request will take them."""
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError:
        # No address, which is refused before it is asked; its shown name is made of any text.
        return name_of(url)
    scheme = parts.scheme.lower()
    usual = port is None or port == {"http": 80, "https": 443}.get(scheme)
    host = printable(parts.hostname or "")
    return f"{scheme}://{host}{'' if usual else f':{port}'}"


def name_of(url: str) -> str:
    """The address without its query, which may hold a key, as records and messages name it."""
    bare = url.strip().partition("#")[0].partition("?")[0]
    scheme, _, rest = bare.partition("://")
    host, slash, path = rest.partition("/")
    shown = without_secrets(f"{scheme}://{host.rpartition('@')[2]}{slash}{path}")
    return printable(shown)


def filled(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers with `${NAME}` replaced by the environment variable of that name.

    Raises `InputError`, which names the header and the variable and no value, for a variable that
    is not set or empty, and for a secret that stands in the file itself.
    """
    found = {}
    for name, template in headers.items():
        where = f"[endpoint] headers.{name}"
        variables = _VARIABLE.findall(template)
        if not _NAME.fullmatch(name):
            raise InputError(f"{where}: is no name of a header")
        if _OURS.fullmatch(name):
            raise InputError(f"{where}: is decided by the request itself; remove it")
        # Settings are shared and committed, and a secret in them would be too.
        if not variables and _SECRET.search(name):
            raise InputError(
                f"{where}: has its value in the file; expected the name of an environment variable "
                'that has it, as in "Bearer ${MASKAUDIT_TOKEN}"'
            )
        if others := [v for v in variables if not v.startswith(PREFIX)]:
            raise InputError(
                f"{where}: names the environment variable {others[0]}; expected one that begins "
                f"with {PREFIX}, since no other is sent: a file that somebody else wrote must not "
                f"send a secret of this machine. Set {PREFIX}TOKEN to it, and name that"
            )
        if empty := [v for v in variables if not os.environ.get(v, "").strip()]:
            raise InputError(
                f"{where}: the environment variable {empty[0]} is "
                f"{'empty' if empty[0] in os.environ else 'not set'}; expected the value to send"
            )
        # A secret that a shell read from a file often has a line end.
        value = _VARIABLE.sub(lambda match: os.environ[match[1]].strip(), template)
        if not value.isprintable() or not value.isascii():
            raise InputError(f"{where}: has characters that no header may have (a line end?)")
        found[name] = value
    return found


def secrets(url: str, headers: Mapping[str, str]) -> list[str]:
    """What no message may repeat: the values of variables, and the query of the address."""
    named = [v for template in headers.values() for v in _VARIABLE.findall(template)]
    raw = urlsplit(url).query
    # As it is decoded and as it was typed, with its name or without one.
    query = [value for _, value in parse_qsl(raw)]
    query += [own for part in raw.split("&") for own in (part, part.partition("=")[2])]
    values = [*(os.environ.get(v, "").strip() for v in named), *query]
    # The longest first: one may be a part of another.
    return sorted({v for v in values if len(v) >= _LEAST_SECRET}, key=len, reverse=True)


def is_loopback(url: str) -> bool:
    """Whether the address is of this machine."""
    return _is_loopback(urlsplit(url).hostname or "")


def _is_host(host: str) -> bool:
    # As the library will write it: an empty label, or one of over 63 characters, is none.
    try:
        host.encode("idna")
    except UnicodeError:
        return False
    return True


def _is_loopback(host: str) -> bool:
    if host.lower() == "localhost":
        return True
    # No other name is looked up: it may lead elsewhere by the time that it is asked.
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
