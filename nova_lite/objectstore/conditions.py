"""The conditions of requests (RFC 9110, section 13): on what is there, by ETag and by time."""

import datetime
import email.utils
from collections.abc import Mapping

from nova_lite.core.objects import ObjectVersion
from nova_lite.objectstore.errors import NotModified, S3Error

_COPY = "x-amz-copy-source-"


def check_read(headers: Mapping[str, str], version: ObjectVersion, shown: dict[str, str]) -> None:
    """Raise S3Error or NotModified unless the reader wants this version; ``shown`` are its headers."""
    if failed := _failed_precondition(headers, "", version):
        raise S3Error("PreconditionFailed", Condition=failed)
    if _unchanged(headers, "", version):
        raise NotModified(shown)


def check_source(headers: Mapping[str, str], version: ObjectVersion) -> None:
    """Raise S3Error unless the source of a copy is as its headers want it."""
    if failed := _failed_precondition(headers, _COPY, version):
        raise S3Error("PreconditionFailed", Condition=failed)
    if _unchanged(headers, _COPY, version):
        raise S3Error("PreconditionFailed", Condition="x-amz-copy-source-If-None-Match")


def check_write(headers: Mapping[str, str], there: ObjectVersion | None) -> None:
    """Raise S3Error unless what is ``there`` may be replaced or removed."""
    wanted, unwanted = headers.get("if-match", ""), headers.get("if-none-match", "")
    if wanted:
        if there is None:
            raise S3Error("NoSuchKey")
        if not _matches(wanted, there.etag):
            raise S3Error("PreconditionFailed", Condition="If-Match")
    if unwanted and there is not None and _matches(unwanted, there.etag):
        raise S3Error("PreconditionFailed", Condition="If-None-Match")


def _failed_precondition(headers: Mapping[str, str], prefix: str, version: ObjectVersion) -> str:
    match = headers.get(f"{prefix}if-match", "")
    if match:
        return "" if _matches(match, version.etag) else "If-Match"
    since = http_date(headers.get(f"{prefix}if-unmodified-since", ""))
    return "If-Unmodified-Since" if since is not None and _seconds(version) > since else ""


def _unchanged(headers: Mapping[str, str], prefix: str, version: ObjectVersion) -> bool:
    match = headers.get(f"{prefix}if-none-match", "")
    if match:
        return _matches(match, version.etag)
    since = http_date(headers.get(f"{prefix}if-modified-since", ""))
    return since is not None and _seconds(version) <= since


def _matches(wanted: str, etag: str) -> bool:
    names = {one.strip().removeprefix("W/").strip('"') for one in wanted.split(",")}
    return "*" in names or etag in names


def _seconds(version: ObjectVersion) -> datetime.datetime:
    """Return the time of a version as HTTP tells it, in whole seconds."""
    return version.modified_at.replace(microsecond=0)


def http_date(text: str) -> datetime.datetime | None:
    """Return a moment that a header tells, or None."""
    try:
        found = email.utils.parsedate_to_datetime(text)
        return found.astimezone(datetime.UTC).replace(tzinfo=None) if found.tzinfo else found
    except (TypeError, ValueError, OverflowError):
        return None
