"""The schema of logging in; what a method needs is checked where it is read."""

from nova_lite.api.openstack.schemas.identity import ID, PASSWORD, Schema, name

_DOMAIN: Schema = {
    "type": "object",
    "properties": {"id": ID, "name": name(255)},
    "minProperties": 1,
    "additionalProperties": False,
}
_NAMED = {"id": ID, "name": name(255), "domain": _DOMAIN}
_USER: Schema = {
    "type": "object",
    "properties": {**_NAMED, "password": PASSWORD},
    "required": ["password"],
    "additionalProperties": False,
}
_PROJECT: Schema = {"type": "object", "properties": _NAMED, "additionalProperties": False}
_SCOPE: Schema = {
    "type": "object",
    "properties": {
        "project": _PROJECT,
        "domain": _DOMAIN,
        "system": {"type": "object", "properties": {"all": {"const": True}}, "required": ["all"]},
        "unscoped": {"type": "object"},
    },
    "additionalProperties": False,
    "maxProperties": 1,
}
_IDENTITY: Schema = {
    "type": "object",
    "properties": {
        "methods": {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 8},
        "password": {"type": "object", "properties": {"user": _USER}, "required": ["user"]},
        "token": {
            "type": "object",
            "properties": {"id": {"type": "string", "minLength": 1, "maxLength": 4096}},
            "required": ["id"],
        },
        "application_credential": {
            "type": "object",
            "properties": {
                "id": ID,
                "name": name(255),
                "secret": PASSWORD,
                "user": {"type": "object", "properties": _NAMED, "additionalProperties": False},
            },
            "required": ["secret"],
            "additionalProperties": False,
        },
    },
    "required": ["methods"],
}

AUTHENTICATE: Schema = {
    "type": "object",
    "properties": {
        "auth": {
            "type": "object",
            "properties": {
                "identity": _IDENTITY,
                "scope": {"anyOf": [{"const": "unscoped"}, _SCOPE]},
            },
            "required": ["identity"],
        }
    },
    "required": ["auth"],
}

_TOKEN: Schema = {
    "type": "object",
    "properties": {"id": {"type": "string", "minLength": 1, "maxLength": 4096}},
    "required": ["id"],
}
_SIGNED: Schema = {
    "type": "object",
    "properties": {
        "access": {"type": "string", "minLength": 1, "maxLength": 255},
        "signature": {"type": "string", "minLength": 1, "maxLength": 1024},
        "host": {"type": "string", "maxLength": 1024},
        "verb": {"type": "string", "maxLength": 16},
        "path": {"type": "string", "maxLength": 4096},
        "params": {"type": "object", "additionalProperties": {"type": "string"}},
        "headers": {"type": "object", "additionalProperties": {"type": "string"}},
        "body_hash": {"type": "string", "maxLength": 255},
    },
    "required": ["access", "signature", "host", "verb", "path"],
}
EC2_TOKENS: Schema = {
    "type": "object",
    "properties": {"credentials": _SIGNED, "ec2Credentials": _SIGNED},
    "oneOf": [{"required": ["credentials"]}, {"required": ["ec2Credentials"]}],
    "additionalProperties": False,
}
S3_TOKENS: Schema = {
    "type": "object",
    "properties": {
        "credentials": {
            "type": "object",
            "properties": {
                "access": {"type": "string", "minLength": 1, "maxLength": 255},
                "signature": {"type": "string", "minLength": 1, "maxLength": 1024},
                "token": {"type": "string", "maxLength": 65536},
            },
            "required": ["access", "signature", "token"],
        }
    },
    "required": ["credentials"],
    "additionalProperties": False,
}
OLD_AUTHENTICATE: Schema = {
    "type": "object",
    "properties": {
        "auth": {
            "type": "object",
            "properties": {
                "passwordCredentials": {
                    "type": "object",
                    "properties": {"username": name(255), "userId": ID, "password": PASSWORD},
                    "required": ["password"],
                },
                "token": _TOKEN,
                "tenantName": {"anyOf": [{"enum": ["", None]}, name(64)]},
                "tenantId": {"anyOf": [{"enum": ["", None]}, ID]},
            },
        }
    },
    "required": ["auth"],
}
