"""JSON Schemas of what is asked of guests: consoles, passwords, interfaces; and of what happened to them."""

from nova_lite.api.call import Microversion
from nova_lite.api.openstack.schemas.server_actions import action
from nova_lite.api.openstack.schemas.servers import Schema

CONSOLE_OUTPUT = action(
    "os-getConsoleOutput",
    {
        "type": "object",
        "properties": {
            "length": {"anyOf": [{"type": ["integer", "null"]}, {"type": "string", "pattern": "^-?[0-9]+$"}]}
        },
        "additionalProperties": False,
    },
)


def console(action_name: str, *kinds: str) -> Schema:
    """Return the schema of an action that shows a console of one of these kinds."""
    wanted: Schema = {
        "type": "object",
        "properties": {"type": {"type": "string", "enum": list(kinds)}},
        "required": ["type"],
        "additionalProperties": False,
    }
    return action(action_name, wanted)


CONSOLES = {
    name: (Microversion(2, 5), console(name, *kinds))
    for name, kinds in (
        ("os-getVNCConsole", ("novnc", "xvpvnc")),
        ("os-getSPICEConsole", ("spice-html5",)),
        ("os-getRDPConsole", ("rdp-html5",)),
        ("os-getSerialConsole", ("serial",)),
    )
}
"""The last version and the schema of each action that shows a console."""


def remote_console(**protocols: list[str]) -> Schema:
    """Return the schema of a request for a console; ``protocols`` have each their kinds."""
    return {
        "type": "object",
        "properties": {
            "remote_console": {
                "type": "object",
                "properties": {
                    "protocol": {"type": "string", "enum": list(protocols)},
                    "type": {
                        "type": "string",
                        "enum": [kind for kinds in protocols.values() for kind in kinds],
                    },
                },
                "required": ["protocol", "type"],
                "additionalProperties": False,
                "oneOf": [
                    {"properties": {"protocol": {"const": protocol}, "type": {"enum": kinds}}}
                    for protocol, kinds in protocols.items()
                ],
            }
        },
        "required": ["remote_console"],
        "additionalProperties": False,
    }


_PROTOCOLS = {
    "vnc": ["novnc", "xvpvnc"],
    "spice": ["spice-html5"],
    "rdp": ["rdp-html5"],
    "serial": ["serial"],
}
REMOTE_CONSOLE_26 = remote_console(**_PROTOCOLS)
REMOTE_CONSOLE_28 = remote_console(**_PROTOCOLS, mks=["webmks"])
CHANGE_PASSWORD: Schema = action(
    "changePassword",
    {
        "type": "object",
        "properties": {"adminPass": {"type": "string", "maxLength": 255}},
        "required": ["adminPass"],
        "additionalProperties": False,
    },
)

ADD_FIXED_IP: Schema = action(
    "addFixedIp",
    {
        "type": "object",
        "properties": {"networkId": {"type": ["string", "integer"], "maxLength": 255}},
        "required": ["networkId"],
        "additionalProperties": False,
    },
)

REMOVE_FIXED_IP: Schema = action(
    "removeFixedIp",
    {
        "type": "object",
        "properties": {
            "address": {"type": "string", "maxLength": 64, "anyOf": [{"format": "ipv4"}, {"format": "ipv6"}]}
        },
        "required": ["address"],
        "additionalProperties": False,
    },
)


def attach_interface(*, tags: bool) -> Schema:
    """Return the schema of an interface that is wanted; ``tags`` for versions that know device tags."""
    fixed_ip: Schema = {
        "type": "object",
        "properties": {"ip_address": {"type": "string", "format": "ipv4"}},
        "required": ["ip_address"],
        "additionalProperties": False,
    }
    wanted: Schema = {
        "net_id": {"type": ["string", "null"], "maxLength": 255},
        "port_id": {"type": ["string", "null"], "maxLength": 255},
        "fixed_ips": {"type": "array", "items": fixed_ip, "minItems": 1, "maxItems": 1},
    }
    if tags:
        wanted["tag"] = {"type": "string", "minLength": 1, "maxLength": 60, "pattern": "^[^,/]*$"}
    attachment: Schema = {"type": ["object", "null"], "properties": wanted, "additionalProperties": False}
    return {
        "type": "object",
        "properties": {"interfaceAttachment": attachment},
        "additionalProperties": False,
    }


ATTACH_INTERFACE = attach_interface(tags=False)
ATTACH_INTERFACE_249 = attach_interface(tags=True)


def external_events(*names: str) -> Schema:
    """Return the schema of events with these names."""
    event: Schema = {
        "type": "object",
        "properties": {
            "server_uuid": {"type": "string", "format": "uuid"},
            "name": {"type": "string", "enum": list(names)},
            "status": {"type": "string", "enum": ["failed", "completed", "in-progress"]},
            "tag": {"type": "string", "maxLength": 255},
        },
        "required": ["server_uuid", "name"],
        "additionalProperties": False,
    }
    return {
        "type": "object",
        "properties": {"events": {"type": "array", "items": event, "minItems": 1, "maxItems": 1000}},
        "required": ["events"],
        "additionalProperties": False,
    }


_EVENTS = ("network-changed", "network-vif-plugged", "network-vif-unplugged", "network-vif-deleted")
_EVENTS_251 = (*_EVENTS, "volume-extended")
_EVENTS_276 = (*_EVENTS_251, "power-update")
_EVENTS_282 = (*_EVENTS_276, "accelerator-request-bound")

EXTERNAL_EVENTS = tuple(
    (Microversion(2, first), Microversion(2, last), external_events(*names))
    for first, last, names in (
        (1, 50, _EVENTS),
        (51, 75, _EVENTS_251),
        (76, 81, _EVENTS_276),
        (82, 92, _EVENTS_282),
        (93, 999, (*_EVENTS_282, "volume-reimaged")),
    )
)
"""(first version, last version, schema) of the events that versions know."""
