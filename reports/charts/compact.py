"""The drawing engine's SVG in fewer bytes: what many marks share is written once, and digits end.

The engine writes the whole outline, the colours and the words for a screen reader at every mark. A
page with four scatter plots of a hundred words each is a fifth smaller without that.
"""

import re
from collections.abc import Iterator
from xml.etree import ElementTree as ET

_SVG = "http://www.w3.org/2000/svg"
_USE, _PATH, _DEFS, _GROUP, _TITLE, _TEXT = (
    f"{{{_SVG}}}{name}" for name in ("use", "path", "defs", "g", "title", "text")
)
_NUMBER = re.compile(r"-?\d+\.\d{2,}")
_PLACE = re.compile(r"translate\((-?[\d.]+),(-?[\d.]+)\)")
# A tenth of a pixel: no screen shows less of a mark.
_DIGITS = 1
_DRAWN = ("transform", "d", "x", "y", "x1", "x2", "y1", "y2", "width", "height", "font-size")
_FONT = ("font-family", "font-size")


def compact(drawing: str, name: str) -> str:
    """The same picture with marks as uses of a few shapes; `name` makes their addresses its own.

    What a mark is stands in its title, which a pointer shows. All marks together are hidden from a
    screen reader: it has the picture's own title and description, and the tables of the page.
    """
    # As the default one, or every name would begin with "ns0:".
    ET.register_namespace("", _SVG)
    root = ET.fromstring(drawing)  # noqa: S314 - the drawing engine's own, of numbers and labels
    shapes: dict[tuple[tuple[str, str], ...], str] = {}
    for element in root.iter():
        label = element.attrib.pop("aria-label", "")
        # An axis shows what it is by itself.
        if element.attrib.get("aria-roledescription") == "axis":
            label = ""
        for key in [key for key in element.attrib if key.startswith("aria-") or key == "role"]:
            del element.attrib[key]
        for key in _DRAWN:
            if key in element.attrib:
                element.set(key, _NUMBER.sub(_shorter, element.attrib[key]))
        # The words of a text are its label too.
        if label and element.tag != _TEXT:
            ET.SubElement(element, _TITLE).text = label
        if label and element.tag == _PATH:
            _as_use(element, shapes, name)
    content = ET.Element(_GROUP, {"aria-hidden": "true", **_common_font(root)})
    if shapes:
        content.append(_definitions(shapes))
    content.extend(list(root))
    for child in list(root):
        root.remove(child)
    root.append(content)
    return ET.tostring(root, encoding="unicode")


def _as_use(element: ET.Element, shapes: dict[tuple[tuple[str, str], ...], str], name: str) -> None:
    """Make a mark a use of its shape, which is added to the others where it is new."""
    place = _PLACE.fullmatch(element.attrib.get("transform", ""))
    if place is None:
        return
    look = tuple(sorted((key, v) for key, v in element.attrib.items() if key != "transform"))
    address = shapes.setdefault(look, f"{name}-mark-{len(shapes) + 1}")
    element.tag = _USE
    element.attrib.clear()
    element.attrib |= {"href": f"#{address}", "x": place[1], "y": place[2]}


def _definitions(shapes: dict[tuple[tuple[str, str], ...], str]) -> ET.Element:
    made = ET.Element(_DEFS)
    for look, address in shapes.items():
        ET.SubElement(made, _PATH, {"id": address, **dict(look)})
    return made


def _common_font(root: ET.Element) -> dict[str, str]:
    """The font of most texts, which these then inherit."""
    texts = [element for element in root.iter() if element.tag == _TEXT]
    common = dict(_most(texts))
    for text in texts:
        for key, value in common.items():
            if text.attrib.get(key) == value:
                del text.attrib[key]
    return common


def _most(texts: list[ET.Element]) -> Iterator[tuple[str, str]]:
    for key in _FONT:
        values = [text.attrib[key] for text in texts if key in text.attrib]
        # Only where every text has one: any other would inherit it.
        if values and len(values) == len(texts):
            yield key, max(values, key=values.count)


def _shorter(number: re.Match[str]) -> str:
    return f"{round(float(number[0]), _DIGITS):g}"
