"""Tags of resources as values."""

import dataclasses
import enum

MOST = 50
"""How many tags a project may give to one resource."""
LONGEST_KEY, LONGEST_VALUE = 127, 255


class ResourceKind(enum.StrEnum):
    """What can have tags, by the names that the EC2 API has for it."""

    INSTANCE = "instance"
    IMAGE = "image"
    KEY_PAIR = "key-pair"
    SECURITY_GROUP = "security-group"
    SECURITY_GROUP_RULE = "security-group-rule"
    ELASTIC_IP = "elastic-ip"
    NETWORK_INTERFACE = "network-interface"
    SUBNET = "subnet"
    VPC = "vpc"
    VOLUME = "volume"
    SNAPSHOT = "snapshot"


@dataclasses.dataclass(frozen=True, slots=True)
class ResourceTag:
    """A tag of a resource, which its UUID names."""

    kind: ResourceKind
    resource_id: str
    key: str
    value: str
