"""Find lines that are in another encoding than the rest of their file."""

import re

# Characters of two to four bytes, as UTF-8 writes them.
_UTF8 = re.compile(
    rb"(?:[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xef][\x80-\xbf]{2}"
    rb"|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf4][\x80-\xbf]{3})+"
)
# A file that is UTF-8 as a whole may have been decoded wrongly before it was saved: by these.
_BEFORE = ("cp1252", "latin-1", "mac_roman")
# A single character of these says enough: accented Latin letters, and typographic quotes, dashes
# and dots. Any other may come about by chance, as from the end of a French quotation.
_TELLING = re.compile(r"[\u00a0-\u017f\u2010-\u203a\u20ac]")


def residues(text: str, encoding: str) -> list[tuple[int, str, str]]:
    """Return the places of a decoded text that are UTF-8 when encoded back.

    Each is a line, from 1, what stands there (such as `√©`) and what was probably meant (`é`).
    `encoding` is the one by which the text was decoded.
    """
    encodings = _BEFORE if encoding.startswith("utf") else (encoding,)
    found = []
    for number, line in enumerate(text.split("\n"), start=1):
        if line.isascii():
            continue
        pair = next((pair for name in encodings if (pair := _residue(line, name))), None)
        if pair is not None:
            found.append((number, *pair))
    return found


def _residue(line: str, encoding: str) -> tuple[str, str] | None:
    # A character that the encoding lacks is no part of such a place: it becomes "?".
    for match in _UTF8.finditer(line.encode(encoding, "replace")):
        meant = match[0].decode("utf-8", "replace")
        if "\ufffd" not in meant and (len(meant) > 1 or _TELLING.fullmatch(meant)):
            return match[0].decode(encoding, "replace"), meant
    return None
