"""Tags of buckets and objects: in a document, or in a header as a query string."""

import urllib.parse
from collections.abc import Iterable, Mapping
from typing import Any

from nova_lite.objectstore import xml
from nova_lite.objectstore.errors import S3Error

MOST_OF_BUCKET = 50
MOST_OF_OBJECT = 10
_LONGEST_KEY = 128
_LONGEST_VALUE = 256


def of_document(document: xml.Element, most: int) -> dict[str, str]:
    """Return the tags of a document; raises S3Error."""
    found = document.find("TagSet")
    if found is None:
        raise S3Error("MalformedXML")
    try:
        return _checked(((one.require("Key"), one.require("Value")) for one in found.all("Tag")), most)
    except xml.Malformed as error:
        raise S3Error("MalformedXML") from error


def of_header(text: str) -> dict[str, str]:
    """Return the tags of the header ``x-amz-tagging``; raises S3Error."""
    try:
        return _checked(urllib.parse.parse_qsl(text, keep_blank_values=True, errors="strict"), MOST_OF_OBJECT)
    except ValueError as error:
        raise S3Error("InvalidArgument", "The header 'x-amz-tagging' is not a query string.") from error


def fields(found: Mapping[str, str]) -> xml.Fields:
    """Return the elements that tell tags."""
    return [("TagSet", [("Tag", [("Key", key), ("Value", value)]) for key, value in found.items()])]


def _checked(pairs: Iterable[tuple[str, str]], most: int) -> dict[str, Any]:
    found: dict[str, str] = {}
    for key, value in pairs:
        if key in found:
            raise S3Error("InvalidTag", "Cannot provide multiple Tags with the same key", TagKey=key)
        if not 1 <= len(key) <= _LONGEST_KEY:
            raise S3Error("InvalidTag", "The TagKey you have provided is invalid", TagKey=key)
        if len(value) > _LONGEST_VALUE:
            raise S3Error("InvalidTag", "The TagValue you have provided is invalid", TagKey=key)
        found[key] = value
    if len(found) > most:
        raise S3Error("InvalidTag", f"There can be at most {most} tags.")
    return found
