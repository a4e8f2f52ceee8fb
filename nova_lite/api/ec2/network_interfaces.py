"""Network interfaces of the EC2 API: each is an instance's, made and removed with it."""

import dataclasses

from nova_lite.api.ec2 import filters, ids, paging, places
from nova_lite.api.ec2.addresses import Shown as Address
from nova_lite.api.ec2.addresses import every as every_address
from nova_lite.api.ec2.call import Ec2Call
from nova_lite.api.ec2.filters import Table
from nova_lite.api.ec2.instance_view import ADDRESS_V6, GROUP
from nova_lite.api.ec2.paging import Listed
from nova_lite.api.ec2.tags import TAG, Tags, tags_by_resource
from nova_lite.api.ec2.xml import Shape, always, either, many, moment, one, text
from nova_lite.core.ec2_ids import ec2_id
from nova_lite.core.network import Port


@dataclasses.dataclass(frozen=True, slots=True)
class Shown:
    """A network interface with what is shown beside it."""

    port: Port
    zone: str
    domain: str
    groups: tuple[tuple[str, str], ...]
    tags: Tags
    address: Address | None

    @property
    def id(self) -> str:
        """Its id."""
        return ec2_id("eni", self.port.interface.id)

    @property
    def subnet(self) -> str:
        """The id of its subnet."""
        return places.subnet_id(self.port.interface.network_uuid, self.zone)

    @property
    def vpc(self) -> str:
        """The id of its VPC."""
        return places.vpc_id(self.port.project_id)

    @property
    def attachment(self) -> str:
        """The id of its being the instance's."""
        return ec2_id("eni-attach", self.port.interface.id)

    @property
    def instance(self) -> str:
        """The id of its instance."""
        return ec2_id("i", self.port.interface.instance_uuid)

    @property
    def dns(self) -> str:
        """The name of its instance."""
        return f"{self.port.hostname}.{self.domain}" if self.domain else self.port.hostname


_ASSOCIATION = Shape(
    text("publicIp", lambda address: address.address.address),
    text("publicDnsName", lambda address: address.address.address),
    text("ipOwnerId", lambda address: address.address.project_id),
    text("allocationId", lambda address: address.allocation),
    text("associationId", lambda address: address.association),
)
_ASSOCIATED = either(
    lambda shown: shown.address is not None, one("association", lambda shown: shown.address, _ASSOCIATION)
)
_ATTACHMENT = Shape(
    text("attachmentId", lambda shown: shown.attachment),
    text("instanceId", lambda shown: shown.instance),
    text("instanceOwnerId", lambda shown: shown.port.project_id),
    always("deviceIndex", 0),
    always("status", "attached"),
    moment("attachTime", lambda shown: shown.port.interface.created_at),
    always("deleteOnTermination", True),
)
_PRIVATE = Shape(
    text("privateIpAddress", lambda shown: shown.port.interface.address or None),
    text("privateDnsName", lambda shown: shown.dns),
    always("primary", True),
    _ASSOCIATED,
)
INTERFACES = paging.shape(
    "networkInterfaceSet",
    Shape(
        text("networkInterfaceId", lambda shown: shown.id),
        text("subnetId", lambda shown: shown.subnet),
        text("vpcId", lambda shown: shown.vpc),
        text("availabilityZone", lambda shown: shown.zone),
        text("description", lambda shown: shown.port.description),
        text("ownerId", lambda shown: shown.port.project_id),
        always("requesterManaged", False),
        always("status", "in-use"),
        text("macAddress", lambda shown: shown.port.interface.mac),
        text("privateIpAddress", lambda shown: shown.port.interface.address or None),
        text("privateDnsName", lambda shown: shown.dns),
        always("sourceDestCheck", True),
        many("groupSet", lambda shown: shown.groups, GROUP),
        one("attachment", lambda shown: shown, _ATTACHMENT),
        _ASSOCIATED,
        many("tagSet", lambda shown: sorted(shown.tags.items()), TAG),
        many("privateIpAddressesSet", lambda shown: (shown,), _PRIVATE),
        many(
            "ipv6AddressesSet",
            lambda shown: [shown.port.interface.address_v6] if shown.port.interface.address_v6 else [],
            ADDRESS_V6,
        ),
        always("interfaceType", "interface"),
    ),
)

_FILTERS: Table = {
    "addresses.association.public-ip": lambda shown: shown.address.address.address if shown.address else None,
    "addresses.primary": lambda shown: True,
    "addresses.private-ip-address": lambda shown: shown.port.interface.address or None,
    "association.allocation-id": lambda shown: shown.address.allocation if shown.address else None,
    "association.association-id": lambda shown: shown.address.association if shown.address else None,
    "association.public-ip": lambda shown: shown.address.address.address if shown.address else None,
    "attachment.attachment-id": lambda shown: shown.attachment,
    "attachment.device-index": lambda shown: 0,
    "attachment.instance-id": lambda shown: shown.instance,
    "attachment.instance-owner-id": lambda shown: shown.port.project_id,
    "attachment.status": lambda shown: "attached",
    "availability-zone": lambda shown: shown.zone,
    "description": lambda shown: shown.port.description,
    "group-id": lambda shown: [ec2_id("sg", group) for group, _ in shown.groups],
    "group-name": lambda shown: [name for _, name in shown.groups],
    "interface-type": lambda shown: "interface",
    "mac-address": lambda shown: shown.port.interface.mac,
    "network-interface-id": lambda shown: shown.id,
    "owner-id": lambda shown: shown.port.project_id,
    "private-dns-name": lambda shown: shown.dns,
    "private-ip-address": lambda shown: shown.port.interface.address or None,
    "requester-managed": lambda shown: False,
    "source-dest-check": lambda shown: True,
    "status": lambda shown: "in-use",
    "subnet-id": lambda shown: shown.subnet,
    "vpc-id": lambda shown: shown.vpc,
}


def describe_network_interfaces(call: Ec2Call) -> Listed:
    """List the network interfaces of the project's instances."""
    wanted = call.list("NetworkInterfaceId")
    ids.starts(wanted, "InvalidNetworkInterfaceID", "eni")
    found = ids.pick(
        every(call), wanted, lambda shown: shown.id, "InvalidNetworkInterfaceID", "networkInterface ID"
    )
    chosen = filters.chosen(found, call.list("Filter"), _FILTERS, lambda shown: shown.tags)
    return paging.paged(call, chosen, lambda shown: shown.id, "NetworkInterfaceId")


def every(call: Ec2Call) -> list[Shown]:
    """Return the project's network interfaces."""
    tags = tags_by_resource(call)
    names = {group.id: group.name for group in call.cloud.security_groups.list(call.context)}
    addresses = {each.address.vif_id: each for each in every_address(call) if each.association}
    return [
        Shown(
            port,
            port.availability_zone or call.conf.node_availability_zone,
            call.conf.dhcp_domain,
            tuple((group, names.get(group, "")) for group in port.security_group_ids),
            tags.get(port.interface.id, {}),
            addresses.get(port.interface.id),
        )
        for port in call.cloud.networks.ports(call.context, {})
        if port.is_attached
    ]
