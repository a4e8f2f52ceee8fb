"""Schemas of the image API, in use for requests and shown at /v2/schemas."""

from typing import Any

from nova_lite.core.image import ImageStatus, MemberStatus, TaskStatus

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
        "status": {"type": "string", "readOnly": True, "enum": [str(status) for status in ImageStatus]},
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


def _list_of(name: str, item: Schema) -> Schema:
    return {
        "name": name,
        "properties": {name: {"type": "array", "items": item}, "schema": {"type": "string"}},
        "links": [{"rel": "describedby", "href": "{schema}"}],
    }


NEW_MEMBER: Schema = {
    "type": "object",
    "properties": {
        "member": {"type": "string", "minLength": 1, "maxLength": 64, "pattern": "^[0-9a-zA-Z_.-]+$"}
    },
    "required": ["member"],
    "additionalProperties": False,
}

MEMBER_ANSWER: Schema = {
    "type": "object",
    "properties": {"status": {"enum": [str(status) for status in MemberStatus]}},
    "required": ["status"],
}

_SHOWN_TEXT: Schema = {"type": "string", "readOnly": True}

SHOWN_MEMBER: Schema = {
    "name": "member",
    "properties": {
        "image_id": {"type": "string"},
        "member_id": {"type": "string"},
        "status": {"type": "string", "enum": [str(status) for status in MemberStatus]},
        "created_at": {"type": "string"},
        "updated_at": {"type": "string"},
        "schema": _SHOWN_TEXT,
    },
}

IMPORT: Schema = {
    "type": "object",
    "properties": {
        "method": {
            "type": "object",
            "properties": {
                "name": {"enum": ["glance-direct", "web-download"]},
                "uri": {"type": "string", "maxLength": 2048},
            },
            "required": ["name"],
            "additionalProperties": False,
        },
        "stores": {"type": "array", "items": _TEXT, "maxItems": 16},
        "all_stores": {"type": "boolean"},
        "all_stores_must_succeed": {"type": "boolean"},
    },
    "required": ["method"],
    "additionalProperties": False,
}

SHOWN_TASK: Schema = {
    "name": "task",
    "properties": {
        "id": {"type": "string"},
        "type": {"type": "string", "enum": ["api_image_import"]},
        "status": {"type": "string", "enum": [str(status) for status in TaskStatus]},
        "input": {"type": ["object", "null"]},
        "result": {"type": ["object", "null"]},
        "owner": {"type": "string"},
        "message": {"type": "string"},
        "expires_at": {"type": ["string", "null"]},
        "created_at": {"type": "string"},
        "updated_at": {"type": "string"},
        "self": _SHOWN_TEXT,
        "schema": _SHOWN_TEXT,
    },
}

BY_NAME: dict[str, Schema] = {
    "image": SHOWN,
    "images": SHOWN_LIST,
    "member": SHOWN_MEMBER,
    "members": _list_of("members", SHOWN_MEMBER),
    "task": SHOWN_TASK,
    "tasks": _list_of("tasks", SHOWN_TASK),
}
"""What is shown at /v2/schemas, by name."""
