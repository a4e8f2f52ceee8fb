"""Server groups: instances that are to be together on a host, or apart."""

import dataclasses
import datetime
import enum


class GroupPolicy(enum.StrEnum):
    """What a group's instances want of each other."""

    AFFINITY = "affinity"
    ANTI_AFFINITY = "anti-affinity"
    SOFT_AFFINITY = "soft-affinity"
    SOFT_ANTI_AFFINITY = "soft-anti-affinity"


@dataclasses.dataclass(frozen=True, slots=True)
class ServerGroup:
    """A group and its instances; ``max_per_host`` bounds how many of an anti-affinity group share a host."""

    uuid: str
    project_id: str
    user_id: str
    name: str
    policy: GroupPolicy
    max_per_host: int
    created_at: datetime.datetime
    members: tuple[str, ...] = ()


def fits(policy: GroupPolicy, max_per_host: int, here: int, elsewhere: int) -> bool:
    """Tell whether a group may have ``here`` members on a host and ``elsewhere`` on others."""
    if policy is GroupPolicy.AFFINITY:
        return elsewhere == 0
    return policy is not GroupPolicy.ANTI_AFFINITY or here <= max_per_host
