"""Schemas of the network API's request bodies."""

from typing import Any

Schema = dict[str, Any]

_NAME: Schema = {"type": "string", "maxLength": 255}
_TEXT: Schema = {"type": "string", "maxLength": 255}
_PROJECT: Schema = {"type": "string", "maxLength": 64}
_ID: Schema = {"type": "string", "minLength": 1, "maxLength": 64}
_PORT: Schema = {
    "anyOf": [
        {"type": "integer", "minimum": -1, "maximum": 65535},
        {"type": "string", "pattern": "^[0-9]{1,5}$"},
        {"type": "null"},
    ]
}
_MTU: Schema = {"type": "integer", "minimum": 576, "maximum": 9216}
_SERVERS: Schema = {"type": "array", "items": {"type": "string", "format": "ipv4"}, "maxItems": 2}


def _body(name: str, properties: Schema, *required: str) -> Schema:
    """Return the schema of a body that holds one resource."""
    resource: Schema = {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }
    return {
        "type": "object",
        "properties": {name: resource},
        "required": [name],
        "additionalProperties": False,
    }


_NETWORK: Schema = {
    "name": _NAME,
    "admin_state_up": {"type": "boolean"},
    "shared": {"type": "boolean"},
    "mtu": _MTU,
    "router:external": {"type": "boolean"},
    "port_security_enabled": {"type": "boolean"},
    "is_default": {"type": "boolean"},
    "vlan_transparent": {"type": "boolean"},
    "description": {"const": ""},
}
CREATE_NETWORK = _body(
    "network",
    _NETWORK
    | {
        "project_id": _PROJECT,
        "tenant_id": _PROJECT,
        "availability_zone_hints": {"type": "array", "maxItems": 0},
    },
)
UPDATE_NETWORK = _body("network", _NETWORK)

_DHCP_OPTION: Schema = {
    "type": "object",
    "properties": {
        "opt_name": {"type": "string", "minLength": 1, "maxLength": 64},
        "opt_value": {"type": ["string", "null"], "maxLength": 255},
        "ip_version": {"enum": [4, "4"]},
    },
    "required": ["opt_name"],
    "additionalProperties": False,
}
UPDATE_PORT = _body(
    "port",
    {
        "name": _NAME,
        "description": _TEXT,
        "admin_state_up": {"const": True},
        "port_security_enabled": {"const": True},
        "security_groups": {"type": "array", "items": _ID, "uniqueItems": True},
        "extra_dhcp_opts": {"type": ["array", "null"], "items": _DHCP_OPTION, "maxItems": 20},
    },
)
_FIXED_IP: Schema = {
    "type": "object",
    "properties": {"subnet_id": _ID, "ip_address": {"type": "string", "format": "ipv4"}},
    "additionalProperties": False,
}
CREATE_PORT = _body(
    "port",
    {
        "network_id": _ID,
        "name": _NAME,
        "description": _TEXT,
        "project_id": _PROJECT,
        "tenant_id": _PROJECT,
        "admin_state_up": {"const": True},
        "port_security_enabled": {"const": True},
        "mac_address": {"type": "string", "pattern": "^[0-9a-fA-F][02468aceACE](:[0-9a-fA-F]{2}){5}$"},
        "fixed_ips": {"type": "array", "items": _FIXED_IP, "maxItems": 1},
        "binding:vnic_type": {"const": "normal"},
        "device_id": {"const": ""},
        "device_owner": {"const": ""},
    },
    "network_id",
)

CREATE_SUBNET = _body(
    "subnet",
    {
        "name": _NAME,
        "network_id": _ID,
        "cidr": {"type": "string", "maxLength": 43},
        "ip_version": {"enum": [4, "4", 6, "6"]},
        "ipv6_address_mode": {"enum": ["slaac", "dhcpv6-stateful", None]},
        "ipv6_ra_mode": {"enum": ["slaac", "dhcpv6-stateful", None]},
        "gateway_ip": {"type": ["string", "null"], "maxLength": 39},
        "allocation_pools": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"start": _TEXT, "end": _TEXT},
                "required": ["start", "end"],
                "additionalProperties": False,
            },
        },
        "dns_nameservers": _SERVERS,
        "host_routes": {"type": "array", "maxItems": 0},
        "enable_dhcp": {"const": True},
        "description": {"const": ""},
        "project_id": _PROJECT,
        "tenant_id": _PROJECT,
    },
    "network_id",
    "cidr",
)
UPDATE_SUBNET = _body("subnet", {"name": _NAME, "dns_nameservers": _SERVERS, "enable_dhcp": {"const": True}})

_GROUP: Schema = {"name": _NAME, "description": _TEXT, "stateful": {"type": "boolean"}}
CREATE_GROUP = _body("security_group", _GROUP | {"project_id": _PROJECT, "tenant_id": _PROJECT}, "name")
UPDATE_GROUP = _body("security_group", _GROUP)

CREATE_RULE = _body(
    "security_group_rule",
    {
        "security_group_id": _ID,
        "direction": {"enum": ["ingress", "egress"]},
        "ethertype": {"enum": ["IPv4", "IPv6"]},
        "protocol": {"type": ["string", "integer", "null"]},
        "port_range_min": _PORT,
        "port_range_max": _PORT,
        "remote_ip_prefix": {"type": ["string", "null"], "maxLength": 43},
        "remote_group_id": {"type": ["string", "null"], "maxLength": 64},
        "remote_address_group_id": {"type": "null"},
        "description": {"type": ["string", "null"], "maxLength": 255},
        "project_id": _PROJECT,
        "tenant_id": _PROJECT,
    },
    "security_group_id",
    "direction",
)

_LIMIT: Schema = {
    "anyOf": [
        {"type": "integer", "minimum": -1, "maximum": 0x7FFFFFFF},
        {"type": "string", "pattern": "^(-1|[0-9]{1,9})$"},
    ]
}
_LIMITED = (
    "floatingip", "network", "port", "rbac_policy", "router", "security_group", "security_group_rule",
    "subnet", "subnetpool",
)  # fmt: skip
UPDATE_QUOTA = _body(
    "quota",
    dict.fromkeys(_LIMITED, _LIMIT)
    | {"check_limit": {"type": "boolean"}, "force": {"type": "boolean"}, "tenant_id": _PROJECT},
)

_OR_NULL: Schema = {"type": ["string", "null"], "maxLength": 64}
_FLOATING_IP: Schema = {
    "port_id": _OR_NULL,
    "fixed_ip_address": {"type": ["string", "null"], "format": "ipv4"},
    "description": {"const": ""},
}
CREATE_FLOATING_IP = _body(
    "floatingip",
    _FLOATING_IP
    | {
        "floating_network_id": _ID,
        "floating_ip_address": {"type": ["string", "null"], "format": "ipv4"},
        "subnet_id": {"type": "null"},
        "project_id": _PROJECT,
        "tenant_id": _PROJECT,
    },
    "floating_network_id",
)
UPDATE_FLOATING_IP = _body("floatingip", _FLOATING_IP)

_ADDRESS: Schema = {"type": "string", "maxLength": 64}
_EXTRA_ROUTES: Schema = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {"destination": _ADDRESS, "nexthop": _ADDRESS},
        "required": ["destination", "nexthop"],
        "additionalProperties": False,
    },
    "maxItems": 100,
}
_ROUTER: Schema = {
    "name": _NAME,
    "admin_state_up": {"type": "boolean"},
    "external_gateway_info": {
        "type": ["object", "null"],
        "properties": {
            "network_id": _ID,
            "enable_snat": {"const": True},
            "external_fixed_ips": {"type": "array", "maxItems": 0},
        },
        "additionalProperties": False,
    },
    "description": {"const": ""},
    "routes": _EXTRA_ROUTES,
}
CREATE_ROUTER = _body(
    "router",
    _ROUTER
    | {
        "project_id": _PROJECT,
        "tenant_id": _PROJECT,
        "availability_zone_hints": {"type": "array", "maxItems": 0},
    },
)
UPDATE_ROUTER = _body("router", _ROUTER)
EXTRA_ROUTES = _body("router", {"routes": _EXTRA_ROUTES}, "routes")
ROUTER_INTERFACE: Schema = {
    "type": "object",
    "properties": {"subnet_id": _ID, "port_id": _ID},
    "minProperties": 1,
    "maxProperties": 1,
    "additionalProperties": False,
}

UPDATE_AGENT = _body("agent", {"admin_state_up": {"type": "boolean"}})
REPLACE_TAGS: Schema = {
    "type": "object",
    "properties": {
        "tags": {
            "type": "array",
            "items": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[^,/]*$"},
            "maxItems": 50,
        }
    },
    "required": ["tags"],
    "additionalProperties": False,
}
