"""Schemas of the image API, in use for requests and shown at /v2/schemas."""

from typing import Any

Schema = dict[str, Any]

_TEXT: Schema = {"type": "string", "maxLength": 255}

WRITABLE: Schema = {
    "name": {"type": ["string", "null"], "maxLength": 255},
    "visibility": {"enum": ["public", "private", "shared", "community"]},
    "protected": {"type": "boolean"},
    "os_hidden": {"type": "boolean"},
    "owner": {"type": ["string", "null"], "maxLength": 255},
    "tags": {"type": "array", "items": _TEXT, "maxItems": 128},
    "container_format": {"type": ["string", "null"], "enum": [None, "ami", "ari", "aki", "bare"]},
    "disk_format": {"type": ["string", "null"], "enum": [None, "ami", "ari", "aki", "raw", "qcow2", "iso"]},
    "min_disk": {"type": "integer", "minimum": 0, "maximum": 2147483647},
    "min_ram": {"type": "integer", "minimum": 0, "maximum": 2147483647},
}
"""What a client may set of an image besides its own properties."""

READ_ONLY = frozenset(
    {
        "id", "status", "size", "virtual_size", "checksum", "os_hash_algo", "os_hash_value", "created_at",
        "updated_at", "file", "self", "schema", "direct_url", "locations", "deleted", "deleted_at",
    }
)  # fmt: skip
"""What a client sees and cannot set."""

CREATE: Schema = {
    "type": "object",
    "properties": WRITABLE
    | {"id": {"type": "string", "pattern": "^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$"}},
    "patternProperties": {"^.{256,}$": False},
    "additionalProperties": {"type": ["string", "null"], "maxLength": 65535},
}

SHOWN: Schema = {
    "name": "image",
    "properties": WRITABLE
    | {
        "id": {"type": "string"},
        "status": {"type": "string", "readOnly": True, "enum": ["queued", "saving", "active", "deleted"]},
        "size": {"type": ["integer", "null"], "readOnly": True},
        "virtual_size": {"type": ["integer", "null"], "readOnly": True},
        "checksum": {"type": ["string", "null"], "readOnly": True},
        "os_hash_algo": {"type": ["string", "null"], "readOnly": True},
        "os_hash_value": {"type": ["string", "null"], "readOnly": True},
        "created_at": {"type": "string", "readOnly": True},
        "updated_at": {"type": "string", "readOnly": True},
        "file": {"type": "string", "readOnly": True},
        "self": {"type": "string", "readOnly": True},
        "schema": {"type": "string", "readOnly": True},
    },
    "additionalProperties": {"type": "string"},
    "links": [
        {"rel": "self", "href": "{self}"},
        {"rel": "enclosure", "href": "{file}"},
        {"rel": "describedby", "href": "{schema}"},
    ],
}

SHOWN_LIST: Schema = {
    "name": "images",
    "properties": {
        "images": {"type": "array", "items": SHOWN},
        "schema": {"type": "string"},
        "next": {"type": "string"},
        "first": {"type": "string"},
    },
    "links": [
        {"rel": "first", "href": "{first}"},
        {"rel": "next", "href": "{next}"},
        {"rel": "describedby", "href": "{schema}"},
    ],
}
