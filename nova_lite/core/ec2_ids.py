"""Identifiers of the EC2 API, each made of the resource's UUID.

An id is a prefix and the first 17 hex digits of the UUID, of which 62 bits are random: nothing has to be kept, it
is the same in the EC2 API, the metadata service and on a config drive, and the resource is found by a range of its
own key.
"""

import functools
import re
import uuid

_FORM = re.compile(r"(?P<prefix>[a-z]+(?:-[a-z]+)*)-(?P<digits>[0-9a-f]{8}|[0-9a-f]{17})")
_SPACE = uuid.UUID("8f1b0c3a-6c0e-4a55-9a3b-2c1f6f0f7d11")


def ec2_id(prefix: str, resource_uuid: str) -> str:
    """Return a resource's id, such as ``i-0123456789abcdef0``."""
    return f"{prefix}-{resource_uuid.replace('-', '')[:17].lower()}"


def image_ec2_id(image_id: str, container_format: str | None = None) -> str:
    """Return an image's id, which tells kernels and ramdisks from machines."""
    prefix = container_format if container_format in ("aki", "ari") else "ami"
    return ec2_id(prefix, image_id)


def derived_uuid(*parts: str) -> str:
    """Return the UUID of what has none of its own, always the same for the same parts."""
    return str(uuid.uuid5(_SPACE, "/".join(parts)))


@functools.lru_cache(maxsize=4096)
def vpc_uuid(project_id: str) -> str:
    """Return the UUID of a project's VPC."""
    return derived_uuid("vpc", project_id)


@functools.lru_cache(maxsize=4096)
def subnet_uuid(network_uuid: str, zone: str) -> str:
    """Return the UUID of a network's subnet in a zone."""
    return derived_uuid("subnet", network_uuid, zone)


def start_of_uuid(identifier: str, *prefixes: str) -> str | None:
    """Return how the UUID of an id begins; empty where it can be nobody's, None where the id is malformed."""
    found = _FORM.fullmatch(identifier)
    if found is None or found["prefix"] not in prefixes:
        return None
    digits = found["digits"]
    if len(digits) != 17:
        return ""
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16]}"
