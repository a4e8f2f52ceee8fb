"""Writing the XML of answers: a shape is the table of a thing's elements, in the order in which they stand.

Each element says where its value comes from. What has no value (None) is left out, a list without items is an
empty element: clients' parsers ask for that.
"""

import datetime
import re
from collections.abc import Callable, Iterable
from typing import Any

Write = Callable[[list[str], Any], None]
"""Writes an element of a thing."""

Get = Callable[[Any], Any]

_SPECIAL = re.compile(r"[&<>\"\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]")
# A carriage return as it is would be read as the end of a line.
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\r": "&#13;"}


def escape(text: str) -> str:
    """Return text as XML; what XML cannot hold becomes the replacement character."""
    if _SPECIAL.search(text) is None:
        return text
    return _SPECIAL.sub(lambda found: _ENTITIES.get(found[0], "\N{REPLACEMENT CHARACTER}"), text)


class Shape:
    """The elements of a thing."""

    def __init__(self, *elements: Write) -> None:
        self.elements = elements

    def write(self, out: list[str], thing: Any) -> None:
        """Write all elements."""
        for element in self.elements:
            element(out, thing)

    def __add__(self, other: "Shape") -> "Shape":
        return Shape(*self.elements, *other.elements)


def text(name: str, get: Get) -> Write:
    """An element of text."""
    start, end, empty = f"<{name}>", f"</{name}>", f"<{name}/>"

    def write(out: list[str], thing: Any) -> None:
        value = get(thing)
        if value:
            out.append(f"{start}{escape(value)}{end}")
        elif value is not None:
            out.append(empty)

    return write


def number(name: str, get: Get) -> Write:
    """An element of a whole number."""

    def write(out: list[str], thing: Any) -> None:
        value = get(thing)
        if value is not None:
            out.append(f"<{name}>{int(value)}</{name}>")

    return write


def flag(name: str, get: Get) -> Write:
    """An element that is true or false."""
    words = {True: f"<{name}>true</{name}>", False: f"<{name}>false</{name}>"}

    def write(out: list[str], thing: Any) -> None:
        value = get(thing)
        if value is not None:
            out.append(words[bool(value)])

    return write


def moment(name: str, get: Get) -> Write:
    """An element of a moment (ISO 8601, milliseconds, UTC)."""

    def write(out: list[str], thing: Any) -> None:
        value: datetime.datetime | None = get(thing)
        if value is not None:
            out.append(f"<{name}>{value.isoformat(timespec='milliseconds')}Z</{name}>")

    return write


def one(name: str, get: Get, shape: Shape) -> Write:
    """An element that has elements."""
    start, end = f"<{name}>", f"</{name}>"

    def write(out: list[str], thing: Any) -> None:
        value = get(thing)
        if value is not None:
            out.append(start)
            shape.write(out, value)
            out.append(end)

    return write


def many(name: str, get: Get, shape: Shape) -> Write:
    """A list of elements that have elements, each in ``item``."""
    start, end, empty = f"<{name}>", f"</{name}>", f"<{name}/>"
    elements = shape.elements

    def write(out: list[str], thing: Any) -> None:
        values = get(thing)
        if not values:
            out.append(empty)
            return
        out.append(start)
        for value in values:
            out.append("<item>")
            for element in elements:
                element(out, value)
            out.append("</item>")
        out.append(end)

    return write


def values(name: str, get: Callable[[Any], Iterable[str]]) -> Write:
    """A list of texts, each in ``item``."""

    def write(out: list[str], thing: Any) -> None:
        items = "".join(f"<item>{escape(value)}</item>" for value in get(thing))
        out.append(f"<{name}>{items}</{name}>" if items else f"<{name}/>")

    return write


def always(name: str, value: Any) -> Write:
    """An element that is the same of every thing: text, a number, true or false, or a mapping of such."""
    written = _constant(name, value)
    return lambda out, _thing: out.append(written)


def either(condition: Callable[[Any], bool], yes: Write) -> Write:
    """An element that is there only of things for which the condition holds."""

    def write(out: list[str], thing: Any) -> None:
        if condition(thing):
            yes(out, thing)

    return write


def _constant(name: str, value: Any) -> str:
    if isinstance(value, dict):
        return f"<{name}>{''.join(_constant(key, each) for key, each in value.items())}</{name}>"
    if isinstance(value, list | tuple):
        inner = "".join(_constant("item", each) for each in value)
        return f"<{name}>{inner}</{name}>" if inner else f"<{name}/>"
    shown = str(value).lower() if isinstance(value, bool) else escape(str(value))
    return f"<{name}>{shown}</{name}>" if shown else f"<{name}/>"


RETURN = Shape(always("return", True))
"""What an action says that has nothing else to say."""


def answer(action: str, version: str, request_id: str, shape: Shape, value: Any) -> bytes:
    """Return the document that answers an action of the EC2 API."""
    out = [
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<{action}Response xmlns="http://ec2.amazonaws.com/doc/{escape(version)}/">'
        f"<requestId>{request_id}</requestId>"
    ]
    shape.write(out, value)
    out.append(f"</{action}Response>")
    return "".join(out).encode()


def sts_answer(action: str, request_id: str, shape: Shape, value: Any) -> bytes:
    """Return the document that answers an action of the token service (the query protocol)."""
    out = [
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<{action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><{action}Result>'
    ]
    shape.write(out, value)
    out.append(
        f"</{action}Result><ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata>"
        f"</{action}Response>"
    )
    return "".join(out).encode()


def fault(code: str, message: str, request_id: str) -> bytes:
    """Return the document of an error."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<Response><Errors><Error><Code>{escape(code)}</Code><Message>{escape(message)}</Message></Error>"
        f"</Errors><RequestID>{request_id}</RequestID></Response>"
    ).encode()


def sts_fault(code: str, message: str, request_id: str, *, ours: bool) -> bytes:
    """Return the document of an error of the token service; ``ours`` where the caller has no part in it."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error>'
        f"<Type>{'Receiver' if ours else 'Sender'}</Type><Code>{escape(code)}</Code>"
        f"<Message>{escape(message)}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>"
    ).encode()
