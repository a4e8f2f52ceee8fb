"""Zones, and the network as clients of today expect one: a default VPC a project, with a subnet a network and zone."""

import functools

from nova_lite.api.ec2.call import Ec2Call
from nova_lite.core.ec2_ids import ec2_id, subnet_uuid, vpc_uuid
from nova_lite.core.instance import Instance
from nova_lite.operations.hosts import INTERNAL_ZONE


@functools.lru_cache(maxsize=4096)
def vpc_id(project_id: str) -> str:
    """Return the id of a project's VPC."""
    return ec2_id("vpc", vpc_uuid(project_id))


@functools.lru_cache(maxsize=4096)
def subnet_id(network_uuid: str, zone: str) -> str:
    """Return the id of a network's subnet in a zone."""
    return ec2_id("subnet", subnet_uuid(network_uuid, zone))


def zones(call: Ec2Call) -> dict[str, bool]:
    """Return the availability zones, and whether each is available."""
    found = {zone.name: zone.available for zone in call.cloud.hosts.zones(call.context)}
    found.pop(INTERNAL_ZONE, None)
    return found or {call.conf.node_availability_zone: False}


def zone_of(call: Ec2Call, instance: Instance) -> str:
    """Return the zone that an instance is in, or is to be in."""
    zone: str = instance.availability_zone or instance.pinned_zone or call.conf.node_availability_zone
    return zone
