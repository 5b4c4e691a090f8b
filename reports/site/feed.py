"""The newest audits as an Atom feed (RFC 4287), for readers and for programs that wait for news."""

import re
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

from maskaudit.reports.site.index import PAGE
from maskaudit.reports.site.names import folder_of, labels_of
from maskaudit.reports.site.shown import Shown

ATOM = "http://www.w3.org/2005/Atom"
# A reader asks often and keeps what it has seen.
MOST = 50
# Of our own names: the same record has the same identity wherever the site lies.
_NAMESPACE = uuid.UUID("4f0b9c5e-6a0e-5d0b-9f4c-2c1e5b7a9d31")
_NOTHING_YET = "1970-01-01T00:00:00+00:00"
# What XML 1.0 cannot hold, not even as a reference.
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def identity(audits: Sequence[Shown]) -> str:
    """A new feed's identity, made of its oldest audit so that the same site has the same one."""
    return _urn("feed", *(_identity_of(audit) for audit in audits[-1:]))


def feed(audits: Sequence[Shown], own: str, base: str) -> str:
    """The feed of some audits, the newest first.

    `own` is the feed's identity. `base` is where the site lies, or "": its links are then relative
    to the feed.
    """
    # As the default one, or every name in the feed would begin with "ns0:".
    ET.register_namespace("", ATOM)
    root = ET.Element(_tag("feed"), {"{http://www.w3.org/XML/1998/namespace}lang": "en"})
    _text(root, "id", own)
    _text(root, "title", "Bias audits")
    _text(root, "updated", max(map(_moment, audits), default=_NOTHING_YET))
    _text(ET.SubElement(root, _tag("author")), "name", "maskaudit")
    _text(root, "generator", "maskaudit")
    _link(root, "alternate", f"{base}index.html", "text/html")
    if base:
        _link(root, "self", f"{base}feed.xml", "application/atom+xml")
    called = labels_of(audits)
    for audit in audits[:MOST]:
        entry = ET.SubElement(root, _tag("entry"))
        _text(entry, "id", _urn("audit", _identity_of(audit)))
        _text(entry, "title", f"{audit.strip.status}: {called[audit.name]}")
        _text(entry, "updated", _moment(audit))
        _link(entry, "alternate", f"{base}runs/{folder_of(audit.name)}/{PAGE}", "text/html")
        ET.SubElement(entry, _tag("category"), {"term": audit.strip.status})
        _text(entry, "summary", f"{audit.headline}. {audit.lead}".strip())
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _identity_of(audit: Shown) -> str:
    return f"{audit.name}\n{audit.key}\n{audit.created}"


def _urn(*parts: str) -> str:
    text = "\n".join(parts).encode("utf-8", "backslashreplace").decode()
    return uuid.uuid5(_NAMESPACE, text).urn


def _moment(audit: Shown) -> str:
    """When the audit was made, with its zone, in UTC: texts in the order of time."""
    moment = datetime.fromisoformat(audit.created)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC).isoformat(timespec="seconds")


def _text(parent: ET.Element, name: str, text: str) -> None:
    ET.SubElement(parent, _tag(name)).text = _NO_XML.sub("\ufffd", text)


def _link(parent: ET.Element, rel: str, href: str, kind: str) -> None:
    ET.SubElement(parent, _tag("link"), {"rel": rel, "type": kind, "href": href})


def _tag(name: str) -> str:
    return f"{{{ATOM}}}{name}"
