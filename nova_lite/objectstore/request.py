"""A request as S3 reads it: bucket and key out of path and host, query and headers as they were signed."""

import dataclasses
import re
import urllib.parse
from collections.abc import Mapping
from typing import Any

import webob

from nova_lite.objectstore.errors import S3Error

_LONGEST_KEY = 1024
_MOST_DIGITS = 20
_OF_SIGNATURES = frozenset(
    f"x-amz-{name}"
    for name in ("algorithm", "content-sha256", "credential", "date", "expires", "security-token", "signature",
                 "signedheaders")
)  # fmt: skip
_HEADER = re.compile(r"x-amz-[a-z0-9!#$%&'*+.^_`|~-]+")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_ADDRESS = re.compile(r"\d+\.\d+\.\d+\.\d+")


@dataclasses.dataclass(frozen=True, slots=True)
class S3Request:
    """What was asked. ``path`` is as it was sent; ``resource`` is the same with the bucket always in it.

    Links may say in the query what other requests say in headers of Amazon's; those headers are ``from_query``.
    """

    http: webob.Request
    method: str
    path: str
    resource: str
    bucket: str
    key: str
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    from_query: frozenset[str] = frozenset()

    def parameter(self, name: str, default: str = "") -> str:
        """Return a query parameter's first value."""
        return next((value for key, value in self.query if key == name), default)

    def has(self, name: str) -> bool:
        """Tell whether the query has a parameter, with or without a value."""
        return any(key == name for key, _ in self.query)

    def header(self, name: str, default: str = "") -> str:
        """Return a header; the name in lower case."""
        return self.headers.get(name, default)


def read(http: webob.Request, domain: str) -> S3Request:
    """Read a request; raises S3Error for what is no text or no header, and for keys that are too long."""
    path = raw_path(http.environ)
    host = http.environ.get("HTTP_HOST", "").lower()
    below = _bucket_of_host(host, domain)
    if below:
        bucket, raw_key = below, path.removeprefix("/")
        resource = f"/{bucket}{path}"
    else:
        raw_bucket, _, raw_key = path.removeprefix("/").partition("/")
        bucket, resource = _decode(raw_bucket), path
    key = _decode(raw_key)
    if len(key.encode()) > _LONGEST_KEY:
        raise S3Error("KeyTooLongError", MaxSizeAllowed=str(_LONGEST_KEY))
    query, headers = _query(http.environ.get("QUERY_STRING", "")), _headers(http)
    more = {name: value for name, value in _headers_of_link(query).items() if name not in headers}
    return S3Request(
        http=http,
        method=http.method.upper(),
        path=path,
        resource=resource,
        bucket=bucket,
        key=key,
        query=query,
        headers=headers | more,
        from_query=frozenset(more),
    )


def natural(text: str) -> int | None:
    """Return a number that a client sent, None for what is none and for one that is too long for anything."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < _MOST_DIGITS else None


def is_bucket_name(name: str) -> bool:
    """Tell whether a new bucket may be called so: a host name, and no address."""
    return bool(_BUCKET.fullmatch(name)) and ".." not in name and not _ADDRESS.fullmatch(name)


def raw_path(environ: Mapping[str, Any]) -> str:
    """Return the path as it was sent: the servers tell it apart from the decoded one, each in its way."""
    sent: str = environ.get("RAW_PATH_INFO") or environ.get("REQUEST_URI", "")
    if not sent:
        return urllib.parse.quote(environ.get("PATH_INFO", "").encode("latin-1")) or "/"
    if sent.startswith(("http://", "https://")):
        sent = "/" + sent.split("/", 3)[3] if sent.count("/") > 2 else "/"
    return sent.partition("?")[0] or "/"


def _bucket_of_host(host: str, domain: str) -> str:
    name = host.rpartition(":")[0] if re.search(r":\d+$", host) else host
    return name.removesuffix(f".{domain}") if domain and name.endswith(f".{domain}") else ""


def _query(sent: str) -> tuple[tuple[str, str], ...]:
    pairs = []
    for part in sent.split("&"):
        if part:
            name, _, value = part.partition("=")
            pairs.append((_decode(name.replace("+", " ")), _decode(value.replace("+", " "))))
    return tuple(pairs)


def _headers_of_link(query: tuple[tuple[str, str], ...]) -> dict[str, str]:
    """Return the headers that a link of version 4 has in its query, all of which is signed; raises S3Error."""
    found: dict[str, str] = {}
    if any(name == "X-Amz-Signature" for name, _ in query):
        for name, value in query:
            name = name.lower()
            if name.startswith("x-amz-") and name not in _OF_SIGNATURES:
                if _HEADER.fullmatch(name) is None:
                    raise S3Error("InvalidArgument", "The query names no header.", ArgumentName=name)
                # As bytes of UTF-8, which is how headers come.
                found.setdefault(name, value.encode().decode("latin-1"))
    return found


def _decode(text: str) -> str:
    try:
        return urllib.parse.unquote_to_bytes(text.encode("latin-1")).decode()
    except (UnicodeDecodeError, UnicodeEncodeError) as error:
        raise S3Error("InvalidURI") from error


def _headers(http: webob.Request) -> dict[str, str]:
    """Return the headers that were sent: one server adds a type of content to requests that have none."""
    sent = http.environ.get("headers_raw") or http.headers.items()
    found: dict[str, str] = {}
    for name, value in sent:
        name, value = name.lower(), value.strip()
        found[name] = f"{found[name]},{value}" if name in found else value
    return found
