"""Elastic addresses of the EC2 API: the floating addresses of the project."""

import dataclasses
from collections.abc import Sequence

from nova_lite.api.ec2 import filters, ids, paging
from nova_lite.api.ec2.call import Ec2Call
from nova_lite.api.ec2.errors import Ec2Error, missing
from nova_lite.api.ec2.filters import Table
from nova_lite.api.ec2.paging import Listed
from nova_lite.api.ec2.tags import TAG, Tags, put_tags, tags_by_resource, wanted_tags
from nova_lite.api.ec2.xml import Shape, always, either, many, text
from nova_lite.core.ec2_ids import derived_uuid, ec2_id
from nova_lite.core.errors import NotFound
from nova_lite.core.network import FloatingIp
from nova_lite.core.resource_tags import ResourceKind

DOMAIN = "vpc"


@dataclasses.dataclass(frozen=True, slots=True)
class Shown:
    """An address with its tags."""

    address: FloatingIp
    region: str
    tags: Tags = dataclasses.field(default_factory=dict)

    @property
    def allocation(self) -> str:
        """The id of its being the project's."""
        return ec2_id("eipalloc", self.address.id)

    @property
    def association(self) -> str | None:
        """The id of its leading where it leads."""
        if not self.address.instance_uuid:
            return None
        return ec2_id("eipassoc", derived_uuid(self.address.id, self.address.vif_id))

    @property
    def instance(self) -> str:
        """The id of the instance that it leads to."""
        return ec2_id("i", self.address.instance_uuid) if self.address.instance_uuid else ""

    @property
    def interface(self) -> str | None:
        """The id of the network interface that it leads to."""
        return ec2_id("eni", self.address.vif_id) if self.address.instance_uuid else None


ADDRESSES = Shape(
    many(
        "addressesSet",
        lambda addresses: addresses,
        Shape(
            text("publicIp", lambda shown: shown.address.address),
            text("allocationId", lambda shown: shown.allocation),
            always("domain", DOMAIN),
            text("instanceId", lambda shown: shown.instance),
            text("associationId", lambda shown: shown.association),
            text("networkInterfaceId", lambda shown: shown.interface),
            either(
                lambda shown: shown.association,
                text("networkInterfaceOwnerId", lambda shown: shown.address.project_id),
            ),
            either(
                lambda shown: shown.association,
                text("privateIpAddress", lambda shown: shown.address.fixed_address),
            ),
            text("publicIpv4Pool", lambda shown: shown.address.pool),
            text("networkBorderGroup", lambda shown: shown.region),
            many("tagSet", lambda shown: sorted(shown.tags.items()), TAG),
        ),
    )
)
ALLOCATED = Shape(
    text("publicIp", lambda shown: shown.address.address),
    text("allocationId", lambda shown: shown.allocation),
    always("domain", DOMAIN),
    text("publicIpv4Pool", lambda shown: shown.address.pool),
    text("networkBorderGroup", lambda shown: shown.region),
)
ASSOCIATED = Shape(always("return", True), text("associationId", lambda shown: shown.association))
ATTRIBUTES = paging.shape(
    "addressSet",
    Shape(
        text("publicIp", lambda shown: shown.address.address),
        text("allocationId", lambda shown: shown.allocation),
    ),
)

_FILTERS: Table = {
    "allocation-id": lambda shown: shown.allocation,
    "association-id": lambda shown: shown.association,
    "domain": lambda shown: DOMAIN,
    "instance-id": lambda shown: shown.instance or None,
    "network-border-group": lambda shown: shown.region,
    "network-interface-id": lambda shown: shown.interface,
    "network-interface-owner-id": lambda shown: shown.address.project_id if shown.association else None,
    "private-ip-address": lambda shown: shown.address.fixed_address or None,
    "public-ip": lambda shown: shown.address.address,
}


def describe_addresses(call: Ec2Call) -> Sequence[Shown]:
    """List the project's addresses."""
    found = every(call)
    wanted = call.list("AllocationId")
    ids.starts(wanted, "InvalidAllocationID", "eipalloc")
    found = ids.pick(found, wanted, lambda shown: shown.allocation, "InvalidAllocationID", "allocation ID")
    found = ids.pick(
        found, call.list("PublicIp"), lambda shown: shown.address.address, "InvalidAddress", "address"
    )
    return filters.chosen(found, call.list("Filter"), _FILTERS, lambda shown: shown.tags)


def describe_addresses_attribute(call: Ec2Call) -> Listed:
    """List addresses with their reverse names, of which there are none."""
    wanted = call.list("AllocationId")
    ids.starts(wanted, "InvalidAllocationID", "eipalloc")
    found = ids.pick(
        every(call), wanted, lambda shown: shown.allocation, "InvalidAllocationID", "allocation ID"
    )
    return paging.paged(call, found, lambda shown: shown.allocation, "AllocationId")


def allocate_address(call: Ec2Call) -> Shown:
    """Take an address for the project."""
    tags = wanted_tags(call, ResourceKind.ELASTIC_IP)
    try:
        found = call.cloud.floating_ips.allocate(
            call.context, call.get("PublicIpv4Pool", ""), address=call.get("Address", "")
        )
    except NotFound as error:
        # Clients take this code for "there is none left", which they wait for or tell.
        raise Ec2Error("InsufficientAddressCapacity", str(error)) from error
    put_tags(call, ResourceKind.ELASTIC_IP, found.id, tags)
    return Shown(found, call.conf.region_name, tags)


def release_address(call: Ec2Call) -> None:
    """Give an address back; one that leads somewhere does not any more."""
    call.cloud.floating_ips.release(call.context, _named(call).address.id)


def associate_address(call: Ec2Call) -> Shown:
    """Let an address lead to an instance or a network interface."""
    shown = _named(call)
    if shown.association and call.get("AllowReassociation") is False:
        raise Ec2Error(
            "Resource.AlreadyAssociated", f"resource {shown.allocation} is already associated with associate-id "
            f"{shown.association}",
        )  # fmt: skip
    fixed = call.get("PrivateIpAddress", "")
    operations = call.cloud.floating_ips
    if call.get("NetworkInterfaceId"):
        port = _interface(call, call.get("NetworkInterfaceId"))
        found = operations.associate_port(call.context, shown.address.id, port, fixed)
    elif call.get("InstanceId"):
        instance = ids.instance(call, call.get("InstanceId"))
        found = operations.associate(call.context, shown.address.id, instance.uuid, fixed)
    else:
        raise missing("InstanceId")
    return dataclasses.replace(shown, address=found)


def disassociate_address(call: Ec2Call) -> None:
    """Let an address lead nowhere."""
    wanted = call.get("AssociationId")
    if not wanted:
        if not call.get("PublicIp"):
            raise missing("AssociationId")
        shown = _named(call)
    else:
        ids.starts([wanted], "InvalidAssociationID", "eipassoc")
        held = [each for each in every(call) if each.association == wanted]
        if not held:
            raise ids.not_found("InvalidAssociationID", "association ID", [wanted])
        shown = held[0]
    call.cloud.floating_ips.disassociate(call.context, shown.address.id)


def every(call: Ec2Call) -> list[Shown]:
    """Return the project's addresses with their tags."""
    tags = tags_by_resource(call)
    return [
        Shown(address, call.conf.region_name, tags.get(address.id, {}))
        for address in call.cloud.floating_ips.list(call.context)
    ]


def _named(call: Ec2Call) -> Shown:
    """Return the address that a request names by AllocationId or PublicIp; raises Ec2Error."""
    allocation, address = call.get("AllocationId"), call.get("PublicIp")
    if not (allocation or address):
        raise missing("AllocationId")
    if allocation:
        ids.starts([allocation], "InvalidAllocationID", "eipalloc")
        return ids.pick(
            every(call), [allocation], lambda shown: shown.allocation, "InvalidAllocationID", "allocation ID"
        )[0]
    return ids.pick(every(call), [address], lambda shown: shown.address.address, "InvalidAddress", "address")[
        0
    ]


def _interface(call: Ec2Call, identifier: str) -> str:
    ids.starts([identifier], "InvalidNetworkInterfaceID", "eni")
    ports = call.cloud.networks.ports(call.context, {})
    found = ids.pick(
        ports, [identifier], lambda port: ec2_id("eni", port.interface.id), "InvalidNetworkInterfaceID",
        "networkInterface ID",
    )  # fmt: skip
    return found[0].interface.id
