"""Schemas of the compute API's smaller resources."""

from typing import Any

from nova_lite.api.openstack.schemas.servers import BOOLEAN, NAME, body

Schema = dict[str, Any]

_TEXT: Schema = {"type": "string", "minLength": 1, "maxLength": 255}


def _count(least: int = 0) -> Schema:
    number = {"type": "integer", "minimum": least, "maximum": 2147483647}
    return {"anyOf": [number, {"type": "string", "pattern": "^[0-9]{1,9}$"}]}


CREATE_CERTIFICATE: Schema = {
    "type": "object",
    "properties": {"certificate": {"type": ["object", "null"], "additionalProperties": False}},
    "additionalProperties": False,
}
_GROUP: Schema = {"name": NAME, "description": {"type": ["string", "null"], "maxLength": 255}}
CREATE_SECURITY_GROUP = body("security_group", _GROUP, ["name", "description"])
UPDATE_SECURITY_GROUP = body("security_group", _GROUP, ["name", "description"])
_PORT: Schema = {
    "anyOf": [
        {"type": "integer", "minimum": -1, "maximum": 65535},
        {"type": "string", "pattern": "^(-1|[0-9]{0,5})$"},
        {"type": "null"},
    ]
}
CREATE_SECURITY_GROUP_RULE = body(
    "security_group_rule",
    {
        "parent_group_id": _TEXT,
        "ip_protocol": {"type": ["string", "null"], "maxLength": 16},
        "from_port": _PORT,
        "to_port": _PORT,
        "cidr": {"type": ["string", "null"], "maxLength": 43},
        "group_id": {"type": ["string", "null"], "maxLength": 255},
    },
    ["parent_group_id"],
)
ADD_SECURITY_GROUP = body("addSecurityGroup", {"name": _TEXT}, ["name"])
REMOVE_SECURITY_GROUP = body("removeSecurityGroup", {"name": _TEXT}, ["name"])

_FLAVOR: Schema = {
    "name": NAME,
    "id": {
        "type": ["string", "integer", "null"],
        "maxLength": 255,
        "pattern": r"^(?! )[a-zA-Z0-9. _-]*(?<! )$",
    },
    "ram": _count(1),
    "vcpus": _count(1),
    "disk": _count(),
    "OS-FLV-EXT-DATA:ephemeral": _count(),
    "swap": {"anyOf": [_count(), {"const": ""}]},
    "rxtx_factor": {"type": ["number", "string"], "exclusiveMinimum": 0, "pattern": r"^[0-9]+(\.[0-9]+)?$"},
    "os-flavor-access:is_public": BOOLEAN,
}
_DESCRIPTION: Schema = {"description": {"type": ["string", "null"], "maxLength": 65535}}
_REQUIRED = ["name", "ram", "vcpus", "disk"]

CREATE_FLAVOR = body("flavor", _FLAVOR, _REQUIRED)
CREATE_FLAVOR_255 = body("flavor", _FLAVOR | _DESCRIPTION, _REQUIRED)
UPDATE_FLAVOR = body("flavor", _DESCRIPTION, ["description"])

_SPEC: Schema = {"type": ["string", "number"], "maxLength": 255}
_SPECS: Schema = {"type": "object", "minProperties": 1, "additionalProperties": _SPEC}
EXTRA_SPECS: Schema = {
    "type": "object",
    "properties": {"extra_specs": _SPECS},
    "required": ["extra_specs"],
    "additionalProperties": False,
}
EXTRA_SPEC: Schema = {"type": "object", "minProperties": 1, "maxProperties": 1, "additionalProperties": _SPEC}
ADD_ACCESS = body("addTenantAccess", {"tenant": _TEXT}, ["tenant"])
REMOVE_ACCESS = body("removeTenantAccess", {"tenant": _TEXT}, ["tenant"])

_KEY_NAME: Schema = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[a-zA-Z0-9 _-]+$"}
_KEY_NAME_292: Schema = _KEY_NAME | {"pattern": "^[a-zA-Z0-9 _.@-]+$"}
_KEY_PAIR: Schema = {"name": _KEY_NAME, "public_key": {"type": ["string", "null"], "maxLength": 65535}}
CREATE_KEY_PAIR = body("keypair", _KEY_PAIR, ["name"])
CREATE_KEY_PAIR_22 = body("keypair", _KEY_PAIR | {"type": {"enum": ["ssh", "x509"]}}, ["name"])
CREATE_KEY_PAIR_210 = body(
    "keypair", _KEY_PAIR | {"type": {"enum": ["ssh", "x509"]}, "user_id": _TEXT}, ["name"]
)
CREATE_KEY_PAIR_292 = body(
    "keypair",
    {
        "name": _KEY_NAME_292,
        "public_key": {"type": "string", "minLength": 1, "maxLength": 65535},
        "type": {"enum": ["ssh", "x509"]},
        "user_id": _TEXT,
    },
    ["name", "public_key"],
)

_LIMIT: Schema = {
    "anyOf": [
        {"type": "integer", "minimum": -1, "maximum": 2147483647},
        {"type": "string", "pattern": "^(-1|[0-9]{1,9})$"},
    ]
}
_COMPUTE = (
    "instances",
    "cores",
    "ram",
    "metadata_items",
    "key_pairs",
    "server_groups",
    "server_group_members",
)
_NETWORK = ("fixed_ips", "floating_ips", "security_groups", "security_group_rules", "networks")
_INJECTED = ("injected_files", "injected_file_content_bytes", "injected_file_path_bytes")


def _quota(*names: str) -> Schema:
    return {name: _LIMIT for name in names}


_ALL = _quota(*_COMPUTE, *_NETWORK, *_INJECTED)
QUOTA_SET = body("quota_set", _ALL | {"force": BOOLEAN})
QUOTA_SET_236 = body("quota_set", _quota(*_COMPUTE, *_INJECTED) | {"force": BOOLEAN})
QUOTA_SET_257 = body("quota_set", _quota(*_COMPUTE) | {"force": BOOLEAN})
QUOTA_CLASS = body("quota_class_set", _ALL)

_SERVICE: Schema = {"host": _TEXT, "binary": _TEXT}


def _service(added: Schema) -> Schema:
    return {
        "type": "object",
        "properties": _SERVICE | added,
        "required": ["host", "binary", *added],
        "additionalProperties": False,
    }


ENABLE_SERVICE = _service({})
DISABLE_SERVICE = _service({"disabled_reason": _TEXT})
FORCE_DOWN = _service({"forced_down": {"type": "boolean"}})
UPDATE_SERVICE: Schema = {
    "type": "object",
    "properties": {
        "status": {"enum": ["enabled", "disabled"]},
        "disabled_reason": _TEXT,
        "forced_down": {"type": "boolean"},
    },
    "additionalProperties": False,
}

_AGENT: Schema = {
    "url": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": r"^[a-z][a-z0-9+.-]*://\S+$"},
    "md5hash": {"type": "string", "pattern": "^[a-fA-F0-9]{32}$"},
    "version": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[a-zA-Z0-9._-]+$"},
}
_GUESTS: Schema = {
    name: {"type": "string", "minLength": 1, "maxLength": 255} for name in ("hypervisor", "os", "architecture")
}
CREATE_AGENT = body("agent", _AGENT | _GUESTS, [*_AGENT, *_GUESTS])
UPDATE_AGENT = body("para", _AGENT, [*_AGENT])
_ZONE: Schema = {"type": ["string", "null"], "minLength": 1, "maxLength": 255, "pattern": "^[^:]*$"}
_AGGREGATE: Schema = {"name": NAME, "availability_zone": _ZONE}
CREATE_AGGREGATE = body("aggregate", _AGGREGATE, ["name"])
UPDATE_AGGREGATE = body("aggregate", _AGGREGATE)
UPDATE_AGGREGATE["properties"]["aggregate"]["minProperties"] = 1
ADD_HOST = body("add_host", {"host": _TEXT}, ["host"])
REMOVE_HOST = body("remove_host", {"host": _TEXT}, ["host"])
CACHE_IMAGES: Schema = {
    "type": "object",
    "properties": {
        "cache": {
            "type": "array",
            "minItems": 1,
            "uniqueItems": True,
            "items": {
                "type": "object",
                "properties": {"id": {"type": "string", "format": "uuid"}},
                "required": ["id"],
                "additionalProperties": False,
            },
        }
    },
    "required": ["cache"],
    "additionalProperties": False,
}
SET_AGGREGATE_METADATA = body(
    "set_metadata",
    {
        "metadata": {
            "type": "object",
            "properties": {"availability_zone": _ZONE},
            "patternProperties": {
                r"^[a-zA-Z0-9\-_:. ]{1,255}$": {"type": ["string", "null"], "maxLength": 255}
            },
            "additionalProperties": False,
        }
    },
    ["metadata"],
)


def _server_group(*policies: str) -> Schema:
    names: Schema = {"type": "array", "items": {"enum": list(policies)}, "minItems": 1, "maxItems": 1}
    return body("server_group", {"name": NAME, "policies": names}, ["name", "policies"])


_HARD, _SOFT = ("affinity", "anti-affinity"), ("soft-affinity", "soft-anti-affinity")
CREATE_SERVER_GROUP = _server_group(*_HARD)
CREATE_SERVER_GROUP_215 = _server_group(*_HARD, *_SOFT)
_MOST: Schema = {
    "anyOf": [
        {"type": "integer", "minimum": 1, "maximum": 2147483647},
        {"type": "string", "pattern": "^[1-9][0-9]{0,8}$"},
    ]
}
CREATE_SERVER_GROUP_264 = body(
    "server_group",
    {
        "name": NAME,
        "policy": {"enum": [*_HARD, *_SOFT]},
        "rules": {
            "type": "object",
            "properties": {"max_server_per_host": _MOST},
            "additionalProperties": False,
        },
    },
    ["name", "policy"],
)

_SWITCH: Schema = {"enum": ["enable", "disable", "Enable", "Disable", "ENABLE", "DISABLE"]}
UPDATE_HOST: Schema = {
    "type": "object",
    "properties": {"status": _SWITCH, "maintenance_mode": _SWITCH},
    "minProperties": 1,
    "additionalProperties": False,
}

_IPV4: Schema = {"type": "string", "format": "ipv4"}
_POOL: Schema = {"type": ["string", "null"], "maxLength": 255}
_RANGE: Schema = {"type": "string", "minLength": 1, "maxLength": 64}

_ADDRESS: Schema = {"type": ["string", "null"], "format": "ipv4"}
_DEVICE: Schema = {"type": ["string", "null"], "maxLength": 15}
CREATE_NETWORK = body(
    "network",
    {
        "label": {"type": "string", "minLength": 1, "maxLength": 255},
        "cidr": _RANGE,
        "gateway": _ADDRESS,
        "allowed_start": _ADDRESS,
        "allowed_end": _ADDRESS,
        "dns1": _ADDRESS,
        "dns2": _ADDRESS,
        "bridge": _DEVICE,
        "bridge_interface": _DEVICE,
        "mtu": {"type": ["integer", "null"], "minimum": 576, "maximum": 9216},
        "project_id": {"type": ["string", "null"], "maxLength": 64},
        "multi_host": {"type": ["boolean", "null"]},
        "vlan": {"type": ["integer", "null"], "minimum": 1, "maximum": 4094},
        "vpn_start": {"type": ["integer", "null"], "minimum": 1, "maximum": 65535},
        "cidr_v6": {"type": ["string", "null"], "maxLength": 64},
        "gateway_v6": {"type": ["string", "null"], "format": "ipv6"},
    },
    ["label"],
)
CREATE_TENANT_NETWORK = body(
    "network",
    {
        "label": {"type": "string", "minLength": 1, "maxLength": 255},
        "cidr": _RANGE,
        "ipam": BOOLEAN,
    },
    ["label", "cidr"],
)
ADD_NETWORK: Schema = {
    "type": "object",
    "properties": {"id": {"type": "string", "minLength": 1, "maxLength": 64}},
    "required": ["id"],
    "additionalProperties": False,
}
ASSOCIATE_HOST: Schema = {"type": "string", "minLength": 1, "maxLength": 255}

CREATE_FLOATING_IP: Schema = {
    "type": ["object", "null"],
    "properties": {"pool": _POOL},
    "additionalProperties": False,
}
ADD_FLOATING_IP = body("addFloatingIp", {"address": _IPV4, "fixed_address": _IPV4}, ["address"])
REMOVE_FLOATING_IP = body("removeFloatingIp", {"address": _IPV4}, ["address"])
CREATE_FLOATING_IPS = body(
    "floating_ips_bulk_create",
    {"ip_range": _RANGE, "pool": _POOL, "interface": {"type": ["string", "null"], "maxLength": 15}},
    ["ip_range"],
)
DELETE_FLOATING_IPS: Schema = {
    "type": "object",
    "properties": {"ip_range": _RANGE},
    "required": ["ip_range"],
    "additionalProperties": False,
}

_NULLABLE: Schema = {"type": ["string", "null"], "maxLength": 255}
CREATE_DNS_DOMAIN = body(
    "domain_entry",
    {"scope": {"enum": ["public", "private"]}, "project": _NULLABLE, "availability_zone": _NULLABLE},
    ["scope"],
)
SET_DNS_ENTRY = body(
    "dns_entry",
    {"ip": {"type": "string", "format": "ipv4"}, "dns_type": {"enum": ["a", "A"]}},
    ["ip", "dns_type"],
)
