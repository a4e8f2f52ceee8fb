"""Schemas of what compute is asked about volumes."""

from nova_lite.api.call import Microversion
from nova_lite.api.openstack.schemas.servers import BOOLEAN, Schema, Variants, body

_ID: Schema = {"type": "string", "format": "uuid"}
_DEVICE: Schema = {"type": ["string", "null"], "pattern": "(^/dev/x{0,1}[a-z]{0,1}d{0,1})([a-z]+)[0-9]*$"}
_TAG: Schema = {"tag": {"type": "string", "minLength": 1, "maxLength": 60, "pattern": "^[^,/]*$"}}
_ATTACHMENT: Schema = {"volumeId": _ID, "device": _DEVICE}


def _attachment(more: Schema) -> Schema:
    return body("volumeAttachment", _ATTACHMENT | more, ["volumeId"])


ATTACH: Variants = [
    (Microversion(2, 1), Microversion(2, 48), _attachment({})),
    (Microversion(2, 49), Microversion(2, 78), _attachment(_TAG)),
    (Microversion(2, 79), Microversion(2, 999), _attachment(_TAG | {"delete_on_termination": BOOLEAN})),
]
_UPDATED: Schema = _ATTACHMENT | {"id": _ID, "serverId": _ID, "delete_on_termination": BOOLEAN} | _TAG
UPDATE: Variants = [
    (Microversion(2, 1), Microversion(2, 84), body("volumeAttachment", {"volumeId": _ID}, ["volumeId"])),
    (Microversion(2, 85), Microversion(2, 999), body("volumeAttachment", _UPDATED, ["volumeId"])),
]
CREATE_SNAPSHOT = body(
    "snapshot",
    {
        "volume_id": {"type": "string", "minLength": 1},
        "create_info": {
            "type": "object",
            "properties": {
                "snapshot_id": {"type": "string", "minLength": 1},
                "type": {"enum": ["qcow2"]},
                "new_file": {"type": "string", "minLength": 1},
                "id": {"type": "string", "minLength": 1},
            },
            "required": ["snapshot_id", "type", "new_file"],
            "additionalProperties": False,
        },
    },
    ["volume_id", "create_info"],
)
