"""Changes of images as clients send them: JSON patches (RFC 6902) of top-level members."""

import dataclasses
import json
from typing import Any

import jsonschema

from nova_lite.api.call import Json
from nova_lite.api.errors import HttpError
from nova_lite.api.openstack.schemas import images as schemas
from nova_lite.core.errors import Forbidden, InvalidInput
from nova_lite.core.image import Image, ImageStatus, Visibility

_OLD = "application/openstack-images-v2.0-json-patch"
CONTENT_TYPES = ("application/openstack-images-v2.1-json-patch", _OLD)
FIELDS = tuple(schemas.WRITABLE)
"""What of an image a client may set besides its own properties."""
_OPERATIONS = ("add", "replace", "remove")


def read(raw: bytes, content_type: str) -> list[tuple[str, str, Any]]:
    """Return (operation, member, value) of each change; raises InvalidInput, Forbidden."""
    if content_type not in CONTENT_TYPES:
        raise HttpError(415, f"The content type must be one of {', '.join(CONTENT_TYPES)}.")
    try:
        document = json.loads(raw)
    except ValueError as error:
        raise InvalidInput("The request body is malformed: it is not JSON.") from error
    if not isinstance(document, list):
        raise InvalidInput("The request body must be a JSON array of operation objects.")
    changes = []
    for entry in document:
        if not isinstance(entry, dict):
            raise InvalidInput("The request body must be a JSON array of operation objects.")
        if content_type == _OLD:
            entry = _of_old(entry)
        if entry.get("op") not in _OPERATIONS:
            raise InvalidInput(f"Operations must be one of {', '.join(_OPERATIONS)}.")
        path = str(entry.get("path", ""))
        if not path.startswith("/") or "/" in path[1:]:
            raise InvalidInput(f"The path {path[:255]} does not name a member of an image.")
        name = path[1:].replace("~1", "/").replace("~0", "~")
        if name in schemas.READ_ONLY:
            raise Forbidden(f"Attribute '{name}' is read-only.")
        if entry["op"] != "remove" and "value" not in entry:
            raise InvalidInput(f"The operation on {path} has no value.")
        changes.append((entry["op"], name, entry.get("value")))
    return changes


def _of_old(entry: Json) -> Json:
    """Return an operation of the older form, ``{"replace": "/name", "value": …}``, in the newer one."""
    found = [name for name in _OPERATIONS if name in entry]
    if len(found) != 1:
        raise InvalidInput(f"Operations must be one of {', '.join(_OPERATIONS)}.")
    rest = {name: value for name, value in entry.items() if name == "value"}
    return {"op": found[0], "path": entry[found[0]], **rest}


def apply(image: Image, operation: str, name: str, value: Any) -> Image:
    """Return the image after one change; raises InvalidInput, Forbidden, HttpError (409)."""
    if operation == "remove":
        if name in FIELDS:
            raise Forbidden(f"Property {name} may not be removed.")
        if name not in image.properties:
            raise HttpError(409, f"Property {name} does not exist.")
        left = {key: kept for key, kept in image.properties.items() if key != name}
        return dataclasses.replace(image, properties=left)
    if operation == "replace" and name not in FIELDS and name not in image.properties:
        raise HttpError(409, f"Property {name} does not exist.")
    if name not in FIELDS:
        if not isinstance(value, str) or not 0 < len(name) <= 255:
            raise InvalidInput(f"Property {name[:255]} must be a string.")
        return dataclasses.replace(image, properties={**image.properties, name: value})
    try:
        jsonschema.validate(value, schemas.WRITABLE[name])
    except jsonschema.ValidationError as error:
        raise InvalidInput(f"Invalid value for {name}: {error.message[:200]}") from error
    if name in ("disk_format", "container_format") and image.status is not ImageStatus.QUEUED:
        raise Forbidden(f"Attribute {name} can be only replaced for a queued image.")
    return dataclasses.replace(image, **typed({name: value}))


def typed(fields: Json) -> Json:
    """Return what a client set of an image, by field, as the image has it."""
    values = dict(fields)
    if "visibility" in values:
        values["visibility"] = Visibility(values["visibility"])
    if "tags" in values:
        values["tags"] = tuple(dict.fromkeys(values["tags"]))
    return values
