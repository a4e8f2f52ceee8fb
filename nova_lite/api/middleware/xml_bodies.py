"""Speaks XML with clients of the compute API 1.1 and 2, whose bodies become JSON and back.

Only requests under ``/v1.1`` and ``/v2`` are looked at. A client gets XML when its path ends in ``.xml`` or
its ``Accept`` header prefers it. Names come from the tables of ``xml_names``, and from three rules: members
are elements, entries of a list are called as the list without its last letter, and links are Atom's.
"""

import json
import re
from collections.abc import Callable, Iterable
from typing import Any
from xml.etree import ElementTree

import defusedxml
import defusedxml.ElementTree
import webob

from nova_lite.api import xml_names as names
from nova_lite.api.call import Json
from nova_lite.api.errors import compute_fault
from nova_lite.core.errors import InvalidInput

_JSON, _XML = "application/json", "application/xml"
_OLD = re.compile(r"/(v1\.1|v2)(/.*)?")
_LEVELS = 32
"""Nobody nests an XML request deeper than this."""

ElementTree.register_namespace("atom", names.ATOM)
for _prefix, _uri in names.EXTENSIONS.items():
    ElementTree.register_namespace(_prefix, _uri)
_PREFIXES = {uri: prefix for prefix, uri in names.EXTENSIONS.items()}


class XmlBodies:
    """The filter; it stands outside of all others."""

    def __init__(self, application: Any) -> None:
        self._application = application

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""
        if not _OLD.fullmatch(environ["PATH_INFO"]):
            untouched: Iterable[bytes] = self._application(environ, start_response)
            return untouched
        request = webob.Request(environ)
        wants_xml = _wants_xml(request)
        request.accept = _JSON
        try:
            if request.content_type in (_XML, "text/xml") and request.body:
                request.body = json.dumps(read(request.body)).encode()
                request.content_type = _JSON
        except InvalidInput as error:
            response = compute_fault(400, error, request)
        else:
            response = request.get_response(self._application)
        if wants_xml and response.content_type == _JSON and response.body:
            response.body = write(json.loads(response.body))
            response.content_type, response.charset = _XML, "UTF-8"
        answer: Iterable[bytes] = response(environ, start_response)
        return answer


def _wants_xml(request: webob.Request) -> bool:
    """Tell in which form the client wants its answer, and take the form off the path."""
    for suffix, xml in ((".xml", True), (".json", False)):
        if request.path_info.endswith(suffix):
            request.path_info = request.path_info.removesuffix(suffix)
            return xml
    if "Accept" not in request.headers:
        return False
    offered: list[tuple[str, float]] = request.accept.acceptable_offers([_JSON, _XML])
    return bool(offered) and offered[0][0] == _XML


def read(raw: bytes) -> Json:
    """Return a request's XML document as JSON; raises InvalidInput."""
    try:
        root = defusedxml.ElementTree.fromstring(raw, forbid_dtd=True)
    except (ElementTree.ParseError, defusedxml.DefusedXmlException, ValueError, LookupError) as error:
        raise InvalidInput("The request body is malformed: it is not XML without a document type.") from error
    name = _name(root.tag)
    if name == "meta":
        return {name: _pairs([root])}
    return {name: _value(root, _LEVELS)}


def _value(element: ElementTree.Element, levels: int) -> Any:
    if not levels:
        raise InvalidInput("The request body is malformed: its elements are nested too deeply.")
    name = _name(element.tag)
    if name in names.MAPS:
        return _pairs(list(element))
    if name in names.LISTS:
        return [_value(child, levels - 1) for child in element]
    text = (element.text or "").strip()
    if not element.attrib and not len(element):
        return _scalar(name, text) if text else None
    value: Json = {_name(key): _scalar(_name(key), given) for key, given in element.attrib.items()}
    value |= {_name(child.tag): _value(child, levels - 1) for child in element}
    if text and name in names.TEXTS:
        value[names.TEXTS[name]] = text
    return value


def _pairs(elements: list[ElementTree.Element]) -> Json:
    return {element.get("key") or _name(element.tag): element.text or "" for element in elements}


def _scalar(name: str, text: str) -> Any:
    plain = name.rpartition(":")[2]
    if plain in names.NUMBERS and re.fullmatch(r"-?[0-9]{1,18}", text):
        return int(text)
    if plain in names.BOOLEANS and text.lower() in ("true", "false"):
        return text.lower() == "true"
    return text


def _name(tag: str) -> str:
    """Return an element's or attribute's name as JSON has it, ``{namespace}name`` as ``prefix:name``."""
    namespace, _, plain = tag.rpartition("}")
    prefix = _PREFIXES.get(namespace.removeprefix("{"))
    return f"{prefix}:{plain}" if prefix else plain


def write(document: Json) -> bytes:
    """Return the XML document of an answer; what stands beside its first member are links of that."""
    name, value = next(iter(document.items()))
    root = ElementTree.Element(_tag(name))
    _fill(root, name, value)
    for links, entries in list(document.items())[1:]:
        if links.endswith("_links"):
            _link(root, entries)
    # Set by hand: attributes have no namespace, which ElementTree's own default would not allow.
    root.set("xmlns", names.NAMESPACE)
    text: bytes = ElementTree.tostring(root, encoding="UTF-8", xml_declaration=True)
    return text


def _fill(element: ElementTree.Element, name: str, value: Any) -> None:
    if name == "limits":
        _fill_limits(element, value)
    elif name == "addresses" and isinstance(value, dict):
        for label, entries in value.items():
            _fill_network(ElementTree.SubElement(element, "network"), label, entries)
    elif name in names.MAPS and isinstance(value, dict):
        for key, text in value.items():
            _fill_pair(element, name, key, text)
    elif name == "meta" and isinstance(value, dict):
        for key, text in value.items():
            element.set("key", key)
            element.text = _text(text)
    elif isinstance(value, dict):
        _fill_members(element, name, value)
    elif isinstance(value, list):
        item = names.ITEMS.get(name) or (name[:-1] if name.endswith("s") else "item")
        for entry in value:
            _fill(ElementTree.SubElement(element, _tag(item)), item, entry)
    elif value is not None:
        element.text = _text(value)


def _fill_members(element: ElementTree.Element, name: str, members: Json) -> None:
    # A fault, such as <itemNotFound code="404">, is known by its members.
    attributed = name in names.ATTRIBUTED or members.keys() == {"code", "message"}
    children = names.CHILDREN.get(name, set()) | ({"message"} if "code" in members else set())
    renamed = names.RENAMED.get(name, {})
    for key, value in members.items():
        if key == "links":
            _link(element, value)
        elif isinstance(value, (dict, list)):
            _fill(ElementTree.SubElement(element, _tag(key)), key, value)
        elif attributed and key not in children:
            element.set(_tag(renamed.get(key, key)), _text(value))
        else:
            _fill(ElementTree.SubElement(element, _tag(key)), key, value)


def _fill_pair(element: ElementTree.Element, name: str, key: str, text: Any) -> None:
    if name in names.PAIRS or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.-]*", key):
        entry = ElementTree.SubElement(element, names.PAIRS.get(name, "item"), {"key": key})
    else:
        entry = ElementTree.SubElement(element, key)
    entry.text = _text(text)


def _fill_network(element: ElementTree.Element, label: str, entries: list[Json]) -> None:
    element.set("id", label)
    for entry in entries:
        _fill_members(ElementTree.SubElement(element, "ip"), "ip", entry)


def _fill_limits(element: ElementTree.Element, members: Json) -> None:
    rates = ElementTree.SubElement(element, "rates")
    for rate in members["rate"]:
        shown = ElementTree.SubElement(rates, "rate", {"uri": rate["uri"], "regex": rate["regex"]})
        for limit in rate["limit"]:
            ElementTree.SubElement(shown, "limit", {key: _text(value) for key, value in limit.items()})
    absolute = ElementTree.SubElement(element, "absolute")
    for name, value in members["absolute"].items():
        ElementTree.SubElement(absolute, "limit", {"name": name, "value": _text(value)})


def _link(element: ElementTree.Element, links: list[Json]) -> None:
    for link in links:
        given = {key: _text(value) for key, value in link.items()}
        ElementTree.SubElement(element, f"{{{names.ATOM}}}link", given)


def _tag(name: str) -> str:
    prefix, colon, plain = name.partition(":")
    return f"{{{names.EXTENSIONS[prefix]}}}{plain}" if colon and prefix in names.EXTENSIONS else name


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def filter_factory(global_conf: dict[str, str]) -> Callable[[Any], XmlBodies]:
    """Build the filter for a paste pipeline."""
    return XmlBodies
