"""Documents of S3: written from nested pairs, read into small trees."""

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable
from typing import Any
from xml.sax.saxutils import escape

import defusedxml.ElementTree

from nova_lite.core.errors import NovaError

NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
_SPECIAL = re.compile("[\x00-\x08\x0b-\x1f&<>\"\ufffe\uffff]")
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0d\x0e-\x1f\ufffe\uffff]")

Fields = Iterable[tuple[str, Any]]
"""Elements in order: a name, and a text, a number, a truth, or again elements."""


class Malformed(NovaError):
    """A document that is none, or not what it should be."""


def document(name: str, fields: Fields | str, *, namespace: bool = True) -> bytes:
    """Return a document of the root element ``name``, which holds elements or a text."""
    attribute = f' xmlns="{NAMESPACE}"' if namespace else ""
    return f"{_DECLARATION}<{name}{attribute}>{_value(fields)}</{name}>".encode()


def _inside(fields: Fields) -> str:
    return "".join(f"<{name}>{_value(value)}</{name.partition(' ')[0]}>" for name, value in fields)


def _value(value: Any) -> str:
    if isinstance(value, str):
        if not _SPECIAL.search(value):
            return value
        return _CONTROLS.sub(lambda found: f"&#x{ord(found.group()):x};", escape(value, {'"': "&quot;"}))
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    return _inside(value)


class Element:
    """An element that was read; namespaces are left out of the names."""

    def __init__(self, element: ElementTree.Element) -> None:
        self._element = element

    @property
    def name(self) -> str:
        """The element's name."""
        return _local(self._element.tag)

    @property
    def text(self) -> str:
        """The element's text."""
        return self._element.text or ""

    def all(self, name: str) -> list["Element"]:
        """Return the elements of a name right below."""
        return [Element(child) for child in self._element if _local(child.tag) == name]

    def find(self, name: str) -> "Element | None":
        """Return the first element of a name right below."""
        return next(iter(self.all(name)), None)

    def value(self, name: str, default: str = "") -> str:
        """Return the text of the first element of a name right below."""
        found = self.find(name)
        return default if found is None else found.text

    def require(self, name: str) -> str:
        """Return the text of an element that must be there; raises Malformed."""
        found = self.find(name)
        if found is None:
            raise Malformed(f"The element {name} is missing.")
        return found.text

    def attribute(self, name: str) -> str:
        """Return an attribute."""
        return next((value for key, value in self._element.attrib.items() if _local(key) == name), "")


def parse(body: bytes, root: str) -> Element:
    """Return the root element of a document; raises Malformed where it is not ``root``."""
    try:
        element = Element(defusedxml.ElementTree.fromstring(body))
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        # What is dangerous (entities, files) is a ValueError of defusedxml, an unknown encoding a LookupError.
        raise Malformed("The document is not well-formed XML.") from error
    if element.name != root:
        raise Malformed(f"The document is a {element.name} and not a {root}.")
    return element


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]
