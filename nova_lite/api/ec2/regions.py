"""Regions, availability zones and what an account may have."""

import dataclasses
from collections.abc import Sequence

from nova_lite.api.ec2 import filters, ids, places
from nova_lite.api.ec2.call import Ec2Call
from nova_lite.api.ec2.errors import invalid
from nova_lite.api.ec2.filters import Table
from nova_lite.api.ec2.xml import Shape, always, many, text
from nova_lite.operations.hosts import INTERNAL_ZONE

_PATH = "/services/Cloud"


@dataclasses.dataclass(frozen=True, slots=True)
class Region:
    """A region and where its EC2 API is."""

    name: str
    endpoint: str


@dataclasses.dataclass(frozen=True, slots=True)
class Zone:
    """An availability zone; for administrators also a daemon in one, as cloud controllers of old showed it."""

    name: str
    state: str
    region: str


REGIONS = Shape(
    many(
        "regionInfo",
        lambda regions: regions,
        Shape(
            text("regionName", lambda region: region.name),
            text("regionEndpoint", lambda region: region.endpoint),
            always("optInStatus", "opt-in-not-required"),
        ),
    )
)
ZONES = Shape(
    many(
        "availabilityZoneInfo",
        lambda zones: zones,
        Shape(
            text("zoneName", lambda zone: zone.name),
            text("zoneId", lambda zone: zone.name),
            text("zoneState", lambda zone: zone.state),
            text("regionName", lambda zone: zone.region),
            text("groupName", lambda zone: zone.region),
            text("networkBorderGroup", lambda zone: zone.region),
            always("optInStatus", "opt-in-not-required"),
            always("zoneType", "availability-zone"),
            always("messageSet", ()),
        ),
    )
)
_VALUE = Shape(text("attributeValue", lambda value: value))
ATTRIBUTES = Shape(
    many(
        "accountAttributeSet",
        lambda attributes: attributes,
        Shape(
            text("attributeName", lambda attribute: attribute[0]),
            many("attributeValueSet", lambda attribute: attribute[1], _VALUE),
        ),
    )
)

_REGION_FILTERS: Table = {
    "endpoint": lambda region: region.endpoint,
    "region-name": lambda region: region.name,
    "opt-in-status": lambda region: "opt-in-not-required",
}
_ZONE_FILTERS: Table = {
    "group-name": lambda zone: zone.region,
    "message": lambda zone: None,
    "opt-in-status": lambda zone: "opt-in-not-required",
    "region-name": lambda zone: zone.region,
    "state": lambda zone: zone.state,
    "zone-id": lambda zone: zone.name,
    "zone-name": lambda zone: zone.name,
    "zone-type": lambda zone: "availability-zone",
}


def describe_regions(call: Ec2Call) -> Sequence[Region]:
    """List the regions."""
    wanted = call.list("RegionName")
    found = _regions(call)
    unknown = [name for name in wanted if name not in {region.name for region in found}]
    if unknown:
        raise invalid("RegionName", unknown[0], "There is no such region.")
    found = [region for region in found if not wanted or region.name in wanted]
    return filters.chosen(found, call.list("Filter"), _REGION_FILTERS)


def describe_availability_zones(call: Ec2Call) -> Sequence[Zone]:
    """List the availability zones, with ``verbose`` and for administrators their hosts and daemons."""
    region = call.conf.region_name
    found = [
        Zone(name, "available" if available else "unavailable", region)
        for name, available in places.zones(call).items()
    ]
    wanted = [*call.list("ZoneName"), *call.list("ZoneId")]
    if "verbose" in wanted and call.elevated().is_admin:
        return _with_daemons(call, found)
    chosen = ids.pick(found, wanted, lambda zone: zone.name, "InvalidZone", "availability zone")
    return filters.chosen(chosen, call.list("Filter"), _ZONE_FILTERS)


def describe_account_attributes(call: Ec2Call) -> Sequence[tuple[str, Sequence[str]]]:
    """Say what the account may have, and that it has a default VPC."""
    limits = call.cloud.quotas.get(call.context, call.context.project_id)
    every: dict[str, Sequence[str]] = {
        "supported-platforms": ("EC2", "VPC"),
        "default-vpc": (places.vpc_id(call.context.project_id),),
        "max-instances": (_limit(limits["instances"].limit),),
        "max-elastic-ips": (_limit(limits["floating_ips"].limit),),
        "vpc-max-elastic-ips": (_limit(limits["floating_ips"].limit),),
        "vpc-max-security-groups-per-interface": (_limit(limits["security_groups"].limit),),
    }
    wanted = call.list("AttributeName")
    for name in wanted:
        if name not in every:
            raise invalid("AttributeName", name)
    return [(name, values) for name, values in every.items() if not wanted or name in wanted]


def _limit(limit: int) -> str:
    return str(limit if limit >= 0 else 2**31 - 1)


def _regions(call: Ec2Call) -> list[Region]:
    here = call.conf.public_host or call.request.host.rpartition(":")[0] or call.request.host
    listed = [entry.partition("=") for entry in call.conf.region_list]
    pairs = [(name, host or name) for name, _, host in listed] or [(call.conf.region_name, here)]
    scheme, port = call.request.scheme, call.conf.ec2_listen_port
    return [Region(name, f"{scheme}://{host}:{port}{_PATH}") for name, host in pairs]


def _with_daemons(call: Ec2Call, zones: Sequence[Zone]) -> list[Zone]:
    found = []
    shown = [*(zone.name for zone in zones), INTERNAL_ZONE]
    every = {zone.name: zone for zone in call.cloud.hosts.zones(call.context)}
    for name in shown:
        if name not in every:
            continue
        region = call.conf.region_name
        found.append(Zone(name, "available" if every[name].available else "unavailable", region))
        for service in every[name].services:
            able, alive = "disabled" if service.disabled else "enabled", ":-)" if service.up else "XXX"
            state = f"{able} {alive} {service.heartbeat_at}"
            found.append(Zone(f"|- {service.host}", "", region))
            found.append(Zone(f"| |- {service.binary}", state, region))
    return found
