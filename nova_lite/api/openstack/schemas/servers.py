"""Schemas of servers: request bodies, a variant for each microversion that adds a key; actions: server_actions."""

from typing import Any

from nova_lite.api.call import Microversion
from nova_lite.api.openstack.schemas import block_devices
from nova_lite.core.tags import LONGEST, MOST

Schema = dict[str, Any]

NAME: Schema = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": r"\S"}
METADATA: Schema = {
    "type": "object",
    "patternProperties": {r"^[a-zA-Z0-9\-_:. ]{1,255}$": {"type": "string", "maxLength": 255}},
    "additionalProperties": False,
}
COUNT: Schema = {"anyOf": [{"type": "integer", "minimum": 1}, {"type": "string", "pattern": "^[1-9][0-9]*$"}]}
BOOLEAN: Schema = {
    "anyOf": [
        {"type": "boolean"},
        {"type": "string", "pattern": "^(?i:true|false|1|0|yes|no|on|off|t|f|y|n)$"},
    ]
}
DISK_CONFIG: Schema = {"enum": ["AUTO", "MANUAL"]}
REFERENCE: Schema = {"type": ["string", "integer"], "minLength": 1, "maxLength": 255}
_NETWORK_KEYS: Schema = {
    "uuid": {"type": "string", "minLength": 1, "maxLength": 64},
    "fixed_ip": {"type": "string", "format": "ipv4"},
    "port": {"type": ["string", "null"], "format": "uuid"},
}


def _networks(more: Schema) -> Schema:
    """Return the schema of networks that are named one by one."""
    item: Schema = {"type": "object", "properties": _NETWORK_KEYS | more, "additionalProperties": False}
    return {"type": "array", "items": item}


NETWORKS = _networks({})
TAGGED_NETWORKS = _networks(block_devices.TAG)

_CREATE: Schema = {
    "name": NAME,
    "imageRef": {"type": "string", "maxLength": 255},
    "flavorRef": REFERENCE,
    "adminPass": {"type": "string", "maxLength": 255},
    "metadata": METADATA,
    "networks": NETWORKS,
    "OS-DCF:diskConfig": DISK_CONFIG,
    "accessIPv4": {"type": "string", "format": "ipv4"},
    "accessIPv6": {"type": "string", "format": "ipv6"},
    "key_name": {"type": "string", "minLength": 1, "maxLength": 255},
    "user_data": {"type": "string", "maxLength": 65535},
    "security_groups": {
        "type": "array",
        "items": {
            "type": "object",
            "properties": {"name": {"type": "string", "minLength": 1, "maxLength": 255}},
            "required": ["name"],
            "additionalProperties": False,
        },
    },
    "availability_zone": {"type": "string", "minLength": 1, "maxLength": 255},
    "config_drive": BOOLEAN,
    "min_count": COUNT,
    "max_count": COUNT,
    "return_reservation_id": BOOLEAN,
    "block_device_mapping": block_devices.LEGACY,
}

_PERSONALITY: Schema = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {
            "path": {"type": "string", "minLength": 1, "maxLength": 255},
            "contents": {"type": "string"},
        },
        "required": ["path", "contents"],
        "additionalProperties": False,
    },
}
_WITHOUT_PERSONALITY = 57
"""The minor version from which on no files are put into servers any more."""

DESCRIPTION: Schema = {"type": ["string", "null"], "maxLength": 255}
_AUTO_NETWORKS: Schema = {"oneOf": [NETWORKS, {"enum": ["none", "auto"]}]}
_AUTO_TAGGED_NETWORKS: Schema = {"oneOf": [TAGGED_NETWORKS, {"enum": ["none", "auto"]}]}
_HOSTNAME: Schema = {
    "type": "string",
    "minLength": 1,
    "maxLength": 63,
    "pattern": "^[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?$",
}

_TRUSTED: Schema = {
    "type": ["array", "null"],
    "items": {"type": "string", "minLength": 1, "maxLength": 255},
    "minItems": 1,
    "maxItems": 50,
    "uniqueItems": True,
}

_FULL_HOSTNAME: Schema = {
    "type": "string",
    "minLength": 1,
    "maxLength": 255,
    "pattern": "^[a-zA-Z0-9]([a-zA-Z0-9.-]*[a-zA-Z0-9])?$",
}

TAG: Schema = {"type": "string", "minLength": 1, "maxLength": LONGEST, "pattern": "^[^,/]*$"}
TAGS: Schema = {"type": "array", "items": TAG, "maxItems": MOST}
SET_TAGS: Schema = {
    "type": "object",
    "properties": {"tags": TAGS},
    "required": ["tags"],
    "additionalProperties": False,
}

_ADDED: tuple[tuple[int, Schema], ...] = (
    (1, {"personality": _PERSONALITY}),
    (19, {"description": DESCRIPTION}),
    (32, {"networks": TAGGED_NETWORKS}),
    (33, {}),
    (37, {"networks": _AUTO_NETWORKS}),
    (42, {"networks": _AUTO_TAGGED_NETWORKS}),
    (52, {"tags": TAGS}),
    (57, {}),
    (63, {"trusted_image_certificates": _TRUSTED}),
    (67, {}),
    (74, {"host": NAME, "hypervisor_hostname": NAME}),
    (90, {"hostname": _HOSTNAME}),
    (94, {"hostname": _FULL_HOSTNAME}),
)
"""What each microversion adds to the body of a create."""

_IDS: Schema = {
    "anyOf": [
        {"type": "string", "format": "uuid"},
        {"type": "array", "items": {"type": "string", "format": "uuid"}, "maxItems": 100},
    ]
}
_HINTS: Schema = {
    "type": "object",
    "properties": {
        "group": {"type": "string", "format": "uuid"},
        "same_host": _IDS,
        "different_host": _IDS,
        "query": {"type": ["string", "array"], "maxLength": 4096, "maxItems": 100},
        "build_near_host_ip": {"type": "string", "format": "ipv4"},
        "cidr": {"type": "string", "pattern": "^/[0-9]{1,2}$"},
        "target_cell": {"type": ["string", "array"]},
        "different_cell": {"type": ["string", "array"]},
    },
    "additionalProperties": True,
}

_REBUILD: Schema = {
    "imageRef": {"type": "string", "minLength": 1, "maxLength": 255},
    "preserve_ephemeral": BOOLEAN,
} | {
    name: _CREATE[name] for name in ("name", "adminPass", "metadata", "OS-DCF:diskConfig", "accessIPv4", "accessIPv6")
}  # fmt: skip
_REBUILD_ADDED: tuple[tuple[int, Schema], ...] = (
    (1, {"personality": _PERSONALITY}),
    (19, {"description": DESCRIPTION}),
    (54, {"key_name": {"type": ["string", "null"], "minLength": 1, "maxLength": 255}}),
    (57, {"user_data": {"type": ["string", "null"], "maxLength": 65535}}),
    (63, {"trusted_image_certificates": _TRUSTED}),
    (90, {"hostname": _HOSTNAME}),
    (94, {"hostname": _FULL_HOSTNAME}),
)
"""What each microversion adds to the body of a rebuild."""


Variants = list[tuple[Microversion, Microversion, Schema]]
"""Schemas of ranges of microversions: first, last, schema."""


def create_variants() -> Variants:
    """Return the schema of a create for each range of microversions."""
    return [
        (first, last, _with_hints(known | _disks(first), _required(first)))
        for first, last, known in _growing(_CREATE, _ADDED)
    ]


def _required(since: Microversion) -> list[str]:
    return ["name", "flavorRef", *(["networks"] if since.minor >= 37 else [])]


def _disks(since: Microversion) -> Schema:
    return {"block_device_mapping_v2": block_devices.current(since.minor)}


def _with_hints(known: Schema, required: list[str]) -> Schema:
    """Return the schema of a create, whose hints stand beside the server under one of two names."""
    schema = body("server", known, required)
    schema["properties"] |= {"os:scheduler_hints": _HINTS, "OS-SCH-HNT:scheduler_hints": _HINTS}
    return schema


def rebuild_variants() -> Variants:
    """Return the schema of a rebuild for each range of microversions."""
    return [
        (first, last, body("rebuild", known, ["imageRef"]))
        for first, last, known in _growing(_REBUILD, _REBUILD_ADDED)
    ]


def _growing(known: Schema, added: tuple[tuple[int, Schema], ...]) -> Variants:
    """Return what is known in each range of microversions."""
    found = []
    for position, (minor, more) in enumerate(added):
        known = known | more
        if minor >= _WITHOUT_PERSONALITY:
            known = {name: schema for name, schema in known.items() if name != "personality"}
        last = added[position + 1][0] - 1 if position + 1 < len(added) else 999
        found.append((Microversion(2, minor), Microversion(2, last), known))
    return found


def body(name: str, properties: Schema, required: list[str] | None = None) -> Schema:
    """Return the schema of a body with one object, ``name``, that knows only ``properties``."""
    inner: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
    if required:
        inner["required"] = required
    return {
        "type": "object",
        "properties": {name: inner},
        "required": [name],
        "additionalProperties": False,
    }


_UPDATE: Schema = {
    "name": NAME,
    "OS-DCF:diskConfig": DISK_CONFIG,
    "accessIPv4": {"anyOf": [{"type": "string", "format": "ipv4"}, {"const": ""}]},
    "accessIPv6": {"anyOf": [{"type": "string", "format": "ipv6"}, {"const": ""}]},
}
UPDATE = body("server", _UPDATE)
UPDATE_219 = body("server", _UPDATE | {"description": DESCRIPTION})
UPDATE_290 = body("server", _UPDATE | {"description": DESCRIPTION, "hostname": _HOSTNAME})
UPDATE_294 = body("server", _UPDATE | {"description": DESCRIPTION, "hostname": _FULL_HOSTNAME})

SET_METADATA: Schema = {
    "type": "object",
    "properties": {"metadata": METADATA},
    "required": ["metadata"],
    "additionalProperties": False,
}
SET_META_ITEM: Schema = {
    "type": "object",
    "properties": {"meta": METADATA | {"minProperties": 1, "maxProperties": 1}},
    "required": ["meta"],
    "additionalProperties": False,
}
