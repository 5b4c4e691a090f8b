"""The feed by the rules of Atom (RFC 4287): what it must have, once, and in which form."""

import re
import xml.etree.ElementTree as ET
from datetime import datetime

import pytest

from maskaudit.reports.site.feed import MOST, feed, identity
from tests.reports.site.audits import audit

ATOM = "{http://www.w3.org/2005/Atom}"
URN = re.compile(r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def read(audits, base="", own=None):
    """Return the feed of some audits, read back."""
    text = feed(audits, own or identity(audits), base)
    assert text.startswith("<?xml")
    return ET.fromstring(text)  # noqa: S314 - what we have just written


def checked(root):
    """Hold a feed against section 4 of RFC 4287, and return its entries."""
    assert root.tag == f"{ATOM}feed"
    entries = root.findall(f"{ATOM}entry")
    # 4.1.1: an id, a title and a time, once each; an author unless each entry has one.
    assert root.findall(f"{ATOM}author/{ATOM}name")
    for part in (root, *entries):
        for name in ("id", "title", "updated"):
            [found] = part.findall(f"{ATOM}{name}")
            assert found.text
        assert URN.fullmatch(part.find(f"{ATOM}id").text)
        # 3.3: RFC 3339, with a zone.
        assert datetime.fromisoformat(part.find(f"{ATOM}updated").text).tzinfo is not None
        # 4.1.2: without content an alternate link, and one alone of each kind.
        links = [(link.get("rel"), link.get("type")) for link in part.findall(f"{ATOM}link")]
        assert ("alternate", "text/html") in links
        assert len(links) == len(set(links))
    ids = [entry.find(f"{ATOM}id").text for entry in entries]
    assert len({*ids, root.find(f"{ATOM}id").text}) == len(ids) + 1
    return entries


def test_a_feed_has_what_atom_asks_for():
    """The newest first, each entry with its verdict and its finding; its time is the newest's."""
    audits = [audit(n, status=status) for n, status in ((3, "FAIL"), (2, "PASS"), (1, "PASS"))]
    root = read(audits)
    entries = checked(root)
    titles = [entry.find(f"{ATOM}title").text for entry in entries]
    assert [title.partition(":")[0] for title in titles] == ["FAIL", "PASS", "PASS"]
    times = [entry.find(f"{ATOM}updated").text for entry in entries]
    assert times == [f"2026-01-0{n}T00:00:00+00:00" for n in (3, 2, 1)]
    assert root.find(f"{ATOM}updated").text == times[0]
    assert audits[0].headline in entries[0].find(f"{ATOM}summary").text


def test_times_are_told_in_one_zone_and_the_latest_is_the_feed_s():
    """Of records without a zone as in UTC, whatever the order of the records is."""
    audits = [
        audit(1, name="a", created="2026-01-01T01:00:00+02:00"),
        audit(2, name="b", created="2026-01-01T00:30:00"),
    ]
    root = read(audits)
    times = [entry.find(f"{ATOM}updated").text for entry in checked(root)]
    assert times == ["2025-12-31T23:00:00+00:00", "2026-01-01T00:30:00+00:00"]
    assert root.find(f"{ATOM}updated").text == times[1]


@pytest.mark.parametrize("base", ["", "https://example.org/audits/"])
def test_links_are_relative_unless_the_site_s_address_is_known(base):
    """With it the feed also names itself."""
    root = read([audit(1, name="one")], base)
    [entry] = checked(root)
    assert entry.find(f"{ATOM}link").get("href") == f"{base}runs/one/report.html"
    own = [link.get("href") for link in root.findall(f"{ATOM}link") if link.get("rel") == "self"]
    assert own == ([f"{base}feed.xml"] if base else [])


def test_a_feed_without_audits_is_a_feed():
    """A reader may subscribe before the first audit."""
    assert checked(read([])) == []


def test_an_audit_has_one_identity_in_every_feed_and_a_feed_keeps_its_own():
    """Another audit of the same name has another."""
    one = audit(1)
    ids = [
        [entry.find(f"{ATOM}id").text for entry in checked(read(audits, base))]
        for audits, base in (([audit(2), one], ""), ([one], "https://example.org/"))
    ]
    assert ids[0][-1] == ids[1][-1]
    assert identity([audit(2), one]) == identity([one]) != identity([audit(2)])
    [again] = checked(read([audit(1, key="1" * 64)]))
    assert again.find(f"{ATOM}id").text != ids[1][-1]


def test_a_long_history_has_its_newest_audits_in_the_feed():
    """All of them are on the index."""
    audits = [audit(1, name=f"run-{n}") for n in range(MOST + 5)]
    assert len(checked(read(audits))) == MOST


def test_hostile_text_is_text():
    """Signs of markup are escaped, and what XML cannot hold is replaced."""
    name = "]]>&<b>\x00\x1b\ufffe\ud800\u202e"
    one = audit(1, model=name, name=name, headline=name)
    [entry] = checked(read([one]))
    assert entry.find(f"{ATOM}summary").text.startswith("]]>&<b>")
    assert len(list(entry.iter(f"{ATOM}b"))) == 0
