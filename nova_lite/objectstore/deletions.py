"""Many objects deleted by one request."""

from typing import Any

import webob

from nova_lite.core.errors import NovaError
from nova_lite.objectstore import xml
from nova_lite.objectstore.call import Call, document
from nova_lite.objectstore.conditions import check_write
from nova_lite.objectstore.errors import S3Error, in_words
from nova_lite.objectstore.objects import require_owner

_MOST = 1000
_CONDITIONS = ("LastModifiedTime", "Size")
"""What an object may be asked to be like, and at which nobody looks here: see ``metadata.refuse_conditions``."""


def delete_objects(call: Call) -> webob.Response:
    """Delete up to a thousand objects or versions; each goes its own way."""
    payload = call.payload()
    if not payload.is_guarded:
        raise S3Error("InvalidRequest", "Missing required header for this request: Content-MD5")
    try:
        wanted = xml.parse(payload.document(), "Delete")
        named = [(one.require("Key"), one) for one in wanted.all("Object")]
    except xml.Malformed as error:
        raise S3Error("MalformedXML") from error
    if not 1 <= len(named) <= _MOST:
        raise S3Error("MalformedXML")
    quiet = wanted.value("Quiet").lower() == "true"
    told = [_delete(call, *one) for one in named]
    return document("DeleteResult", [one for one in told if not quiet or one[0] == "Error"])


def _delete(call: Call, key: str, wanted: xml.Element) -> tuple[str, Any]:
    version, etag = wanted.value("VersionId"), wanted.value("ETag")
    named = [("Key", key), *([("VersionId", version)] if version else [])]
    try:
        if any(wanted.find(name) for name in _CONDITIONS):
            raise S3Error("NotImplemented", "This condition is not supported.")
        if version:
            require_owner(call)
        deleted = call.store.delete(
            call.bucket.name, key, version, lambda there: check_write({"if-match": etag}, there)
        )
    except NovaError as error:
        told = in_words(error)
        return "Error", [*named, ("Code", told.code), ("Message", str(told))]
    if deleted is not None and deleted.is_marker:
        named += [("DeleteMarker", "true"), ("DeleteMarkerVersionId", deleted.version)]
    return "Deleted", named
