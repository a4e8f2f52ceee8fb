"""Requests that a browser makes for a page of another site: a bucket's rules say which are answered."""

import re
from collections.abc import Mapping
from typing import Any

import webob

from nova_lite.core.objects import Bucket
from nova_lite.objectstore import buckets, xml
from nova_lite.objectstore.call import Call, answer, document, read_document
from nova_lite.objectstore.errors import S3Error

Rule = Mapping[str, Any]

_METHODS = {"GET", "PUT", "HEAD", "POST", "DELETE"}
_MOST_RULES = 100
_LISTS = {
    "AllowedOrigin": "origins", "AllowedMethod": "methods", "AllowedHeader": "headers", "ExposeHeader": "exposed",
}  # fmt: skip
_VARY = "Origin, Access-Control-Request-Headers, Access-Control-Request-Method"


def get_cors(call: Call) -> webob.Response:
    """Tell a bucket's rules."""
    rules = call.bucket.details.get("cors") or []
    if not rules:
        raise S3Error("NoSuchCORSConfiguration", BucketName=call.bucket.name)
    return document("CORSConfiguration", [("CORSRule", _fields(rule)) for rule in rules])


def put_cors(call: Call) -> webob.Response:
    """Set a bucket's rules."""
    wanted = read_document(call, "CORSConfiguration")
    rules = [_rule(element) for element in wanted.all("CORSRule")]
    if not 1 <= len(rules) <= _MOST_RULES:
        raise S3Error("MalformedXML")
    buckets.change_details(call, cors=rules)
    return answer()


def delete_cors(call: Call) -> webob.Response:
    """Remove a bucket's rules."""
    buckets.change_details(call, cors=[])
    return answer(204)


def preflight(call: Call) -> webob.Response:
    """Answer a browser that asks before it sends the request itself."""
    headers = call.request.headers
    origin = headers.get("origin", "")
    method = headers.get("access-control-request-method", "")
    if not origin or method not in _METHODS:
        raise S3Error("InvalidRequest", "Insufficient information. Origin request header needed.")
    asked = [one.strip().lower() for one in headers.get("access-control-request-headers", "").split(",")]
    rule = _match(call.found, origin, method, [one for one in asked if one])
    if rule is None:
        raise S3Error("CORSForbidden", Method=method)
    shown = _shown(rule, origin)
    shown["Access-Control-Allow-Methods"] = ", ".join(rule["methods"])
    if asked != [""]:
        shown["Access-Control-Allow-Headers"] = ", ".join(asked)
    if rule.get("age"):
        shown["Access-Control-Max-Age"] = str(rule["age"])
    return answer(headers=shown)


def decorate(bucket: Bucket | None, method: str, origin: str, response: webob.Response) -> None:
    """Let the page of ``origin`` see an answer, where the bucket's rules let it."""
    rule = _match(bucket, origin, method, []) if origin else None
    if rule is not None:
        response.headers.update(list(_shown(rule, origin).items()))


def _shown(rule: Rule, origin: str) -> dict[str, str]:
    anybody = "*" in rule["origins"]
    shown = {"Access-Control-Allow-Origin": "*" if anybody else origin, "Vary": _VARY}
    if not anybody:
        shown["Access-Control-Allow-Credentials"] = "true"
    if rule["exposed"]:
        shown["Access-Control-Expose-Headers"] = ", ".join(rule["exposed"])
    return shown


def _match(bucket: Bucket | None, origin: str, method: str, headers: list[str]) -> Rule | None:
    """Return the first rule that lets a page send such a request."""
    rules: list[Rule] = (bucket.details.get("cors") or []) if bucket else []
    for rule in rules:
        if (
            method in rule["methods"]
            and any(_fits(pattern, origin) for pattern in rule["origins"])
            and all(any(_fits(one.lower(), header) for one in rule["headers"]) for header in headers)
        ):
            return rule
    return None


def _fits(pattern: str, text: str) -> bool:
    """Tell whether a pattern with at most one star fits."""
    return bool(re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), text))


def _rule(element: xml.Element) -> dict[str, Any]:
    rule: dict[str, Any] = {
        name: [one.text.strip() for one in element.all(tag)] for tag, name in _LISTS.items()
    }
    age = element.value("MaxAgeSeconds").strip()
    if not rule["origins"] or not rule["methods"] or (age and not (age.isascii() and age.isdigit())):
        raise S3Error("MalformedXML")
    if set(rule["methods"]) - _METHODS:
        raise S3Error("InvalidRequest", "Found unsupported HTTP method in CORS config.")
    for pattern in (*rule["origins"], *rule["headers"]):
        if pattern.count("*") > 1 or not pattern.isprintable():
            raise S3Error("InvalidRequest", f'"{pattern}" can not have more than one wildcard.')
    if not all(one.isprintable() for one in rule["exposed"]):
        raise S3Error("MalformedXML")
    return rule | {"age": age, "id": element.value("ID")}


def _fields(rule: Rule) -> list[tuple[str, str]]:
    return [
        *([("ID", rule["id"])] if rule.get("id") else []),
        *((tag, value) for tag, name in _LISTS.items() for value in rule[name]),
        *([("MaxAgeSeconds", rule["age"])] if rule.get("age") else []),
    ]
