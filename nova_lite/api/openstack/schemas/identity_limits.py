"""Schemas of limits, which take no keys but their own."""

from nova_lite.api.openstack.schemas.identity import DESCRIPTION, ID, Schema, name

_NUMBER: Schema = {"type": "integer", "minimum": -1, "maximum": 0x7FFFFFFF}
_REGION: Schema = {"anyOf": [{"type": "null"}, name(255)]}
_OWNER: Schema = {"anyOf": [{"type": "null"}, ID]}

_PLACE: Schema = {
    "service_id": ID,
    "region_id": _REGION,
    "resource_name": name(255),
    "description": DESCRIPTION,
}
_REGISTERED: Schema = {**_PLACE, "default_limit": _NUMBER}


def _closed(properties: Schema, *required: str) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


def _several(plural: str, item: Schema) -> Schema:
    return _closed({plural: {"type": "array", "items": item, "minItems": 1, "maxItems": 1000}}, plural)


REGISTER_LIMITS: Schema = _several(
    "registered_limits", _closed(_REGISTERED, "service_id", "resource_name", "default_limit")
)
UPDATE_REGISTERED_LIMIT: Schema = _closed({"registered_limit": _closed(_REGISTERED)}, "registered_limit")

_LIMIT: Schema = _closed(
    {**_PLACE, "project_id": _OWNER, "domain_id": _OWNER, "resource_limit": _NUMBER},
    "service_id", "resource_name", "resource_limit",
)  # fmt: skip
_OF_PROJECT: Schema = {"required": ["project_id"], "properties": {"project_id": ID}}
_OF_DOMAIN: Schema = {"required": ["domain_id"], "properties": {"domain_id": ID}}
CREATE_LIMITS: Schema = _several("limits", {**_LIMIT, "oneOf": [_OF_PROJECT, _OF_DOMAIN]})
UPDATE_LIMIT: Schema = _closed(
    {"limit": _closed({"resource_limit": _NUMBER, "description": DESCRIPTION})}, "limit"
)
