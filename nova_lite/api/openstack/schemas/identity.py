"""Schemas of identity: users, projects, domains and roles.

As the real API does, these bodies take keys that mean nothing here; they are kept and shown again.
"""

from typing import Any

Schema = dict[str, Any]

_NO_SURROGATES = r"\A[^\ud800-\udfff]+\Z"


def name(longest: int) -> Schema:
    """Return the schema of a name: not blank, no control characters, nothing that is not Unicode text."""
    pattern = r"\A(?=.*\S)[^\x00-\x1f\x7f\ud800-\udfff]+\Z"
    return {"type": "string", "minLength": 1, "maxLength": longest, "pattern": pattern}


ID: Schema = {"type": "string", "minLength": 1, "maxLength": 64, "pattern": r"\A[a-zA-Z0-9-]+\Z"}
PASSWORD: Schema = {"type": "string", "minLength": 1, "maxLength": 4096, "pattern": _NO_SURROGATES}
DESCRIPTION: Schema = {
    "type": ["string", "null"],
    "maxLength": 65535,
    "pattern": r"\A[^\x00\ud800-\udfff]*\Z",
}
TAGS: Schema = {
    "type": "array",
    "items": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": r"\A[^,/]*\Z"},
    "maxItems": 80,
    "uniqueItems": True,
}
_NULLABLE_ID: Schema = {"anyOf": [{"type": "null"}, ID]}


def _body(noun: str, properties: Schema, required: tuple[str, ...] = ()) -> Schema:
    """Return the schema of ``{noun: {…}}`` whose object takes unknown keys."""
    inner: Schema = {"type": "object", "properties": properties, "required": list(required)}
    if not required:
        inner["minProperties"] = 1
    return {
        "type": "object",
        "properties": {noun: inner},
        "required": [noun],
        "additionalProperties": False,
    }


_OPTIONS: Schema = {"type": "object"}

_PROJECT: Schema = {
    "name": name(64),
    "description": DESCRIPTION,
    "enabled": {"type": "boolean"},
    "domain_id": _NULLABLE_ID,
    "parent_id": _NULLABLE_ID,
    "is_domain": {"enum": [False, None]},
    "tags": TAGS,
    "options": _OPTIONS,
}
_USER: Schema = {
    "name": name(255),
    "password": {"anyOf": [{"type": "null"}, PASSWORD]},
    "description": DESCRIPTION,
    "enabled": {"type": "boolean"},
    "domain_id": _NULLABLE_ID,
    "default_project_id": _NULLABLE_ID,
    "options": _OPTIONS,
}
_DOMAIN: Schema = {
    "name": name(64),
    "description": DESCRIPTION,
    "enabled": {"type": "boolean"},
    "tags": TAGS,
    "options": _OPTIONS,
}
_ROLE: Schema = {
    "name": name(255),
    "description": DESCRIPTION,
    "domain_id": {"type": "null"},
    "options": _OPTIONS,
}

CREATE_PROJECT = _body("project", _PROJECT, ("name",))
UPDATE_PROJECT = _body("project", _PROJECT)
CREATE_USER = _body("user", _USER, ("name",))
UPDATE_USER = _body("user", _USER)
CREATE_DOMAIN = _body("domain", _DOMAIN, ("name",))
UPDATE_DOMAIN = _body("domain", _DOMAIN)
CREATE_ROLE = _body("role", _ROLE, ("name",))
UPDATE_ROLE = _body("role", _ROLE)
CHANGE_PASSWORD = _body(
    "user", {"password": PASSWORD, "original_password": PASSWORD}, ("password", "original_password")
)

_GROUP: Schema = {"name": name(64), "description": DESCRIPTION, "domain_id": _NULLABLE_ID}
CREATE_GROUP = _body("group", _GROUP, ("name",))
UPDATE_GROUP = _body("group", _GROUP)

_ROLE_REFERENCE: Schema = {
    "type": "object",
    "properties": {"id": ID, "name": name(255)},
    "minProperties": 1,
    "additionalProperties": True,
}
_ACCESS_RULE: Schema = {
    "type": "object",
    "properties": {
        "id": ID,
        "service": {"type": "string", "minLength": 1, "maxLength": 64},
        "method": {"type": "string", "pattern": "^(POST|GET|HEAD|PATCH|PUT|DELETE)$"},
        "path": {"type": "string", "pattern": "^/.*$", "maxLength": 128},
    },
    "anyOf": [{"required": ["id"]}, {"required": ["service", "method", "path"]}],
    "additionalProperties": False,
}
_STORED: Schema = {
    "blob": {"type": "string", "maxLength": 65535},
    "type": name(255),
    "user_id": ID,
    "project_id": {"anyOf": [{"type": "null"}, ID]},
}
CREATE_CREDENTIAL = _body("credential", _STORED, ("blob", "type"))
UPDATE_CREDENTIAL = _body("credential", _STORED)
_TAG: Schema = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[^,/]*$"}
PROJECT_TAGS: Schema = {
    "type": "object",
    "properties": {"tags": {"type": "array", "items": _TAG, "maxItems": 80, "uniqueItems": True}},
    "required": ["tags"],
    "additionalProperties": False,
}
CREATE_APPLICATION_CREDENTIAL = _body(
    "application_credential",
    {
        "name": name(255),
        "description": DESCRIPTION,
        "secret": {"anyOf": [{"type": "null"}, PASSWORD]},
        "expires_at": {"type": ["string", "null"], "maxLength": 64},
        "roles": {"type": ["array", "null"], "items": _ROLE_REFERENCE, "maxItems": 100},
        "unrestricted": {"type": ["boolean", "null"]},
        "access_rules": {"type": ["array", "null"], "items": _ACCESS_RULE, "maxItems": 100},
    },
    ("name",),
)
CREATE_EC2_CREDENTIAL: Schema = {
    "type": "object",
    "properties": {"tenant_id": ID},
    "required": ["tenant_id"],
    "additionalProperties": True,
}

_INTERFACE: Schema = {"enum": ["public", "internal", "admin"]}
_URL: Schema = {
    "type": "string",
    "minLength": 1,
    "maxLength": 4096,
    "pattern": r"\A[^\s\x00-\x1f\ud800-\udfff]+\Z",
}
_REGION_ID: Schema = {
    "type": "string",
    "minLength": 1,
    "maxLength": 255,
    "pattern": r"\A[^/\x00-\x1f\ud800-\udfff]+\Z",
}
_NULLABLE_REGION: Schema = {"anyOf": [{"type": "null"}, _REGION_ID]}
_SERVICE: Schema = {
    "type": name(255),
    "name": {"anyOf": [{"type": "null"}, name(255)]},
    "description": DESCRIPTION,
    "enabled": {"type": "boolean"},
}
_ENDPOINT: Schema = {
    "service_id": ID,
    "interface": _INTERFACE,
    "url": _URL,
    "region": _NULLABLE_REGION,
    "region_id": _NULLABLE_REGION,
    "enabled": {"type": "boolean"},
}
_REGION: Schema = {"id": _NULLABLE_REGION, "description": DESCRIPTION, "parent_region_id": _NULLABLE_REGION}
CREATE_SERVICE = _body("service", _SERVICE, ("type",))
UPDATE_SERVICE = _body("service", _SERVICE)
CREATE_ENDPOINT = _body("endpoint", _ENDPOINT, ("service_id", "interface", "url"))
UPDATE_ENDPOINT = _body("endpoint", _ENDPOINT)
CREATE_REGION: Schema = _body("region", _REGION)
CREATE_REGION["properties"]["region"].pop("minProperties")
UPDATE_REGION = _body("region", _REGION)
