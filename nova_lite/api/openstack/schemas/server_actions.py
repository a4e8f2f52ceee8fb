"""Schemas of the actions on servers: request bodies, variants where a microversion changes them."""

from nova_lite.api.call import Microversion
from nova_lite.api.openstack.schemas.servers import (
    BOOLEAN,
    DISK_CONFIG,
    METADATA,
    NAME,
    REFERENCE,
    Schema,
    Variants,
    body,
)


def action(name: str, value: Schema) -> Schema:
    """Return the schema of an action's body: the action's name and its arguments."""
    return {
        "type": "object",
        "properties": {name: value},
        "required": [name],
        "additionalProperties": False,
    }


NO_ARGUMENTS: Schema = {"type": ["object", "null", "string"], "maxProperties": 0}

REBOOT = action(
    "reboot",
    {
        "type": "object",
        "properties": {"type": {"enum": ["HARD", "Hard", "hard", "SOFT", "Soft", "soft"]}},
        "required": ["type"],
        "additionalProperties": False,
    },
)
ANYTHING: Schema = {}
LOCK = action("lock", ANYTHING)
LOCK_273 = action(
    "lock",
    {
        "type": ["object", "null"],
        "properties": {"locked_reason": {"type": "string", "minLength": 1, "maxLength": 255}},
        "additionalProperties": False,
    },
)
CREATE_IMAGE = action(
    "createImage",
    {
        "type": "object",
        "properties": {"name": NAME, "metadata": METADATA},
        "required": ["name"],
        "additionalProperties": False,
    },
)
CREATE_BACKUP = action(
    "createBackup",
    {
        "type": "object",
        "properties": {
            "name": NAME,
            "backup_type": {"type": "string", "minLength": 1, "maxLength": 255},
            "rotation": {
                "anyOf": [
                    {"type": "integer", "minimum": 0, "maximum": 10000},
                    {"type": "string", "pattern": "^[0-9]{1,4}$"},
                ]
            },
            "metadata": METADATA,
        },
        "required": ["name", "backup_type", "rotation"],
        "additionalProperties": False,
    },
)
RESCUE = action(
    "rescue",
    {
        "type": ["object", "null"],
        "properties": {
            "adminPass": {"type": "string", "maxLength": 255},
            "rescue_image_ref": {"type": ["string", "null"], "maxLength": 255},
        },
        "additionalProperties": False,
    },
)
RESET_STATE = action(
    "os-resetState",
    {
        "type": "object",
        "properties": {"state": {"enum": ["active", "error"]}},
        "required": ["state"],
        "additionalProperties": False,
    },
)
RESIZE = action(
    "resize",
    {
        "type": "object",
        "properties": {"flavorRef": REFERENCE, "OS-DCF:diskConfig": DISK_CONFIG},
        "required": ["flavorRef"],
        "additionalProperties": False,
    },
)
MIGRATE_256 = action(
    "migrate",
    {
        "type": ["object", "null"],
        "properties": {"host": {"type": ["string", "null"], "minLength": 1, "maxLength": 255}},
        "additionalProperties": False,
    },
)

_ZONE: Schema = {"type": "string", "minLength": 1, "maxLength": 255}
_UNSHELVE_277: Schema = {
    "type": ["object", "null"],
    "properties": {"availability_zone": _ZONE},
    "required": ["availability_zone"],
    "additionalProperties": False,
}
_UNSHELVE_291: Schema = {
    "type": ["object", "null"],
    "properties": {"availability_zone": {"type": ["string", "null"], "maxLength": 255}, "host": NAME},
    "additionalProperties": False,
}
UNSHELVE: Variants = [
    (Microversion(2, 1), Microversion(2, 76), action("unshelve", ANYTHING)),
    (Microversion(2, 77), Microversion(2, 90), action("unshelve", _UNSHELVE_277)),
    (Microversion(2, 91), Microversion(2, 999), action("unshelve", _UNSHELVE_291)),
]

_EVACUATE: Schema = {"host": NAME, "adminPass": {"type": "string", "maxLength": 255}}
EVACUATE: Variants = [
    (
        Microversion(2, 1),
        Microversion(2, 13),
        body("evacuate", _EVACUATE | {"onSharedStorage": BOOLEAN}, ["onSharedStorage"]),
    ),
    (Microversion(2, 14), Microversion(2, 28), body("evacuate", _EVACUATE)),
    (Microversion(2, 29), Microversion(2, 67), body("evacuate", _EVACUATE | {"force": BOOLEAN})),
    (Microversion(2, 68), Microversion(2, 999), body("evacuate", _EVACUATE)),
]
"""Bodies of an evacuation; whether storage is shared the hosts see for themselves."""

_MIGRATE_LIVE: Schema = {"host": {"type": ["string", "null"], "minLength": 1, "maxLength": 255}}
_BLOCK_OR_AUTO: Schema = {"block_migration": {"anyOf": [BOOLEAN, {"enum": ["auto"]}]}}
_MIGRATE_LIVE_225 = _MIGRATE_LIVE | _BLOCK_OR_AUTO
MIGRATE_LIVE: Variants = [
    (
        Microversion(2, 1),
        Microversion(2, 24),
        body(
            "os-migrateLive",
            _MIGRATE_LIVE | {"block_migration": BOOLEAN, "disk_over_commit": BOOLEAN},
            ["host", "block_migration", "disk_over_commit"],
        ),
    ),
    (
        Microversion(2, 25),
        Microversion(2, 29),
        body("os-migrateLive", _MIGRATE_LIVE_225, ["host", "block_migration"]),
    ),
    (
        Microversion(2, 30),
        Microversion(2, 67),
        body("os-migrateLive", _MIGRATE_LIVE_225 | {"force": BOOLEAN}, ["host", "block_migration"]),
    ),
    (
        Microversion(2, 68),
        Microversion(2, 999),
        body("os-migrateLive", _MIGRATE_LIVE_225, ["host", "block_migration"]),
    ),
]
"""Bodies of a live migration."""
