"""Schemas of the disks that a create may ask for, in both forms of it."""

from typing import Any

Schema = dict[str, Any]

_BOOLEAN: Schema = {
    "anyOf": [
        {"type": "boolean"},
        {"type": "string", "pattern": "^(?i:true|false|1|0|yes|no|on|off|t|f|y|n)$"},
    ]
}
_SIZE: Schema = {
    "anyOf": [
        {"type": "integer", "minimum": 1, "maximum": 2147483647},
        {"type": "string", "pattern": "^0*[1-9][0-9]{0,8}$"},
    ]
}
_ID: Schema = {"type": ["string", "null"], "minLength": 1, "maxLength": 255}
_NAME: Schema = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[a-zA-Z0-9._/-]*$"}
_INDEX: Schema = {
    "anyOf": [{"type": ["integer", "null"]}, {"type": "string", "pattern": "^-?[0-9]{1,9}$"}, {"enum": ["None"]}]
}

_COMMON: Schema = {
    "device_name": _NAME,
    "volume_size": _SIZE,
    "delete_on_termination": _BOOLEAN,
    "no_device": {},
}
LEGACY: Schema = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": _COMMON
        | {
            "virtual_name": {"type": "string", "maxLength": 255},
            "volume_id": _ID,
            "snapshot_id": _ID,
            "connection_info": {"type": "string", "maxLength": 16777215},
        },
        "additionalProperties": False,
    },
}
"""The older form, in which a disk without an id of anything has the virtual name of one on the host."""


TAG: Schema = {"tag": {"type": "string", "minLength": 1, "maxLength": 60, "pattern": "^[^,/]*$"}}
"""By what a guest is told which device is which; later versions lost it for a while, of disks and then of networks."""


def current(minor: int) -> Schema:
    """Return the schema of ``block_device_mapping_v2`` at version 2.``minor``."""
    properties: Schema = _COMMON | {
        "uuid": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[a-zA-Z0-9._-]*$"},
        "source_type": {"enum": ["volume", "image", "snapshot", "blank"]},
        "destination_type": {"enum": ["volume", "local"]},
        "guest_format": {"type": ["string", "null"], "maxLength": 255},
        "device_type": {"type": ["string", "null"], "maxLength": 255},
        "disk_bus": {"type": ["string", "null"], "maxLength": 255},
        "boot_index": _INDEX,
    }
    if minor == 32 or minor >= 42:
        properties |= TAG
    if minor >= 67:
        properties |= {"volume_type": {"type": ["string", "null"], "minLength": 0, "maxLength": 255}}
    return {
        "type": "array",
        "items": {"type": "object", "properties": properties, "additionalProperties": False},
    }
