"""Which addresses a server listens at, and which names of it a client may use."""

import ipaddress
import socket
from collections.abc import Collection
from dataclasses import dataclass

from maskaudit.audit.errors import InputError


@dataclass(frozen=True)
class Address:
    """Where a server listens: an IP address, a port (0: one that is free), and its `names`."""

    ip: str
    port: int
    names: frozenset[str] = frozenset({"localhost"})


def checked(host: str, port: int, *, exposed: bool) -> Address:
    """The address that a host name or an IP address means here.

    Raises `InputError` for none, and for one that other machines reach unless it is `exposed`:
    whoever reaches a server may ask its model, without a password and without encryption.
    """
    bare = host.removeprefix("[").removesuffix("]")
    try:
        # Without a name it would be the loopback address, which nobody asked for.
        found = socket.getaddrinfo(bare, 0, type=socket.SOCK_STREAM) if bare else []
    except (OSError, UnicodeError):
        found = []
    if not found:
        raise InputError(
            f"--host {host!r}: is no address of this machine; expected one such as 127.0.0.1"
        )
    ip = str(found[0][4][0])
    if not exposed and not ipaddress.ip_address(ip.partition("%")[0]).is_loopback:
        raise InputError(
            f"--host {host}: other machines reach this address, and could ask the model without a "
            "password; leave --host out (127.0.0.1), or add --expose if that is wanted"
        )
    return Address(ip, port, Address.names | {bare.lower()})


def is_own(header: str, names: Collection[str], port: int) -> bool:
    """Whether a Host header names this server, by an address or by one of its `names`.

    A page of a stranger can give its own name the address of this machine (DNS rebinding), and a
    browser then takes the server for part of that page; the header still has the page's name.
    """
    name, _, given = header.rpartition(":") if _has_port(header) else (header, "", "")
    # `int` reads digits of other scripts, and spaces and signs, which no port has.
    if given and not (given.isascii() and given.isdigit() and int(given) == port):
        return False
    bare = name.removeprefix("[").removesuffix("]")
    # Any address is taken, since only a name can be led here from a stranger's page.
    return bare.lower().removesuffix(".") in names or _is_address(bare)


def url(address: str, port: int) -> str:
    """The address of a server as clients write it."""
    return f"http://[{address}]:{port}/" if ":" in address else f"http://{address}:{port}/"


def _has_port(header: str) -> bool:
    # The colons of an address of version 6 stand in brackets.
    return ":" in header.rpartition("]")[2]


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
