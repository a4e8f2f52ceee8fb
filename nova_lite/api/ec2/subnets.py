"""The default VPC of a project with its subnets, as clients expect them: nothing of it can be made or changed."""

import dataclasses
import ipaddress
from collections.abc import Mapping, Sequence

from nova_lite.api.ec2 import filters, ids, paging, places
from nova_lite.api.ec2.call import Ec2Call
from nova_lite.api.ec2.filters import Table
from nova_lite.api.ec2.paging import Listed
from nova_lite.api.ec2.tags import TAG, tags_by_resource
from nova_lite.api.ec2.xml import Shape, always, flag, many, number, text
from nova_lite.core.ec2_ids import derived_uuid, ec2_id, subnet_uuid, vpc_uuid
from nova_lite.core.network import Network

_NO_NETWORK = "10.0.0.0/8"
"""What a VPC is shown with while there is no network."""


@dataclasses.dataclass(frozen=True, slots=True)
class Subnet:
    """A network in a zone."""

    network: Network
    zone: str
    project_id: str
    available: int = 0
    public: bool = False
    tags: Mapping[str, str] = dataclasses.field(default_factory=dict)

    @property
    def uuid(self) -> str:
        """Its UUID."""
        return subnet_uuid(self.network.uuid, self.zone)

    @property
    def id(self) -> str:
        """Its id."""
        return places.subnet_id(self.network.uuid, self.zone)


@dataclasses.dataclass(frozen=True, slots=True)
class Vpc:
    """The default VPC of a project."""

    project_id: str
    cidrs: Sequence[str]
    tags: Mapping[str, str]

    @property
    def uuid(self) -> str:
        """Its UUID."""
        return vpc_uuid(self.project_id)

    @property
    def id(self) -> str:
        """Its id."""
        return places.vpc_id(self.project_id)

    @property
    def dhcp_options(self) -> str:
        """The id of its DHCP options."""
        return ec2_id("dopt", derived_uuid("dopt", self.project_id))


_CIDR = Shape(
    text("associationId", lambda cidr: ec2_id("vpc-cidr-assoc", derived_uuid("cidr", cidr))),
    text("cidrBlock", lambda cidr: cidr),
    always("cidrBlockState", {"state": "associated"}),
)
_CIDR_V6 = Shape(
    text("associationId", lambda cidr: ec2_id("subnet-cidr-assoc", derived_uuid("cidr", cidr))),
    text("ipv6CidrBlock", lambda cidr: cidr),
    always("ipv6CidrBlockState", {"state": "associated"}),
)
VPCS = paging.shape(
    "vpcSet",
    Shape(
        text("vpcId", lambda vpc: vpc.id),
        text("ownerId", lambda vpc: vpc.project_id),
        always("state", "available"),
        text("cidrBlock", lambda vpc: vpc.cidrs[0]),
        many("cidrBlockAssociationSet", lambda vpc: vpc.cidrs, _CIDR),
        always("ipv6CidrBlockAssociationSet", ()),
        text("dhcpOptionsId", lambda vpc: vpc.dhcp_options),
        many("tagSet", lambda vpc: sorted(vpc.tags.items()), TAG),
        always("instanceTenancy", "default"),
        always("isDefault", True),
    ),
)
SUBNETS = paging.shape(
    "subnetSet",
    Shape(
        text("subnetId", lambda subnet: subnet.id),
        text("subnetArn", lambda subnet: f"arn:aws:ec2:{subnet.zone}:{subnet.project_id}:subnet/{subnet.id}"),
        text("ownerId", lambda subnet: subnet.project_id),
        always("state", "available"),
        text("vpcId", lambda subnet: places.vpc_id(subnet.project_id)),
        text("cidrBlock", lambda subnet: subnet.network.cidr),
        many(
            "ipv6CidrBlockAssociationSet",
            lambda subnet: [subnet.network.cidr_v6] if subnet.network.cidr_v6 else [],
            _CIDR_V6,
        ),
        number("availableIpAddressCount", lambda subnet: subnet.available),
        text("availabilityZone", lambda subnet: subnet.zone),
        text("availabilityZoneId", lambda subnet: subnet.zone),
        always("defaultForAz", True),
        flag("mapPublicIpOnLaunch", lambda subnet: subnet.public),
        always("assignIpv6AddressOnCreation", False),
        always("mapCustomerOwnedIpOnLaunch", False),
        many("tagSet", lambda subnet: sorted(subnet.tags.items()), TAG),
    ),
)

_VPC_FILTERS: Table = {
    "cidr": lambda vpc: vpc.cidrs[0],
    "cidr-block-association.cidr-block": lambda vpc: vpc.cidrs,
    "cidr-block-association.state": lambda vpc: "associated",
    "dhcp-options-id": lambda vpc: vpc.dhcp_options,
    "is-default": lambda vpc: True,
    "isDefault": lambda vpc: True,
    "owner-id": lambda vpc: vpc.project_id,
    "state": lambda vpc: "available",
    "vpc-id": lambda vpc: vpc.id,
}
_SUBNET_FILTERS: Table = {
    "availability-zone": lambda subnet: subnet.zone,
    "availabilityZone": lambda subnet: subnet.zone,
    "availability-zone-id": lambda subnet: subnet.zone,
    "available-ip-address-count": lambda subnet: subnet.available,
    "cidr": lambda subnet: subnet.network.cidr,
    "cidr-block": lambda subnet: subnet.network.cidr,
    "cidrBlock": lambda subnet: subnet.network.cidr,
    "default-for-az": lambda subnet: True,
    "defaultForAz": lambda subnet: True,
    "ipv6-cidr-block-association.ipv6-cidr-block": lambda subnet: subnet.network.cidr_v6 or None,
    "map-public-ip-on-launch": lambda subnet: subnet.public,
    "owner-id": lambda subnet: subnet.project_id,
    "state": lambda subnet: "available",
    "subnet-id": lambda subnet: subnet.id,
    "vpc-id": lambda subnet: places.vpc_id(subnet.project_id),
}


def describe_vpcs(call: Ec2Call) -> Listed:
    """Show the default VPC."""
    found = ids.pick(
        [vpc(call)],
        _checked(call, "VpcId", "InvalidVpcID", "vpc"),
        lambda each: each.id,
        "InvalidVpcID",
        "vpc ID",
    )
    chosen = filters.chosen(found, call.list("Filter"), _VPC_FILTERS, lambda each: each.tags)
    return paging.paged(call, chosen, lambda each: each.id, "VpcId")


def describe_subnets(call: Ec2Call) -> Listed:
    """List the default subnets."""
    wanted = _checked(call, "SubnetId", "InvalidSubnetID", "subnet")
    found = ids.pick(every(call), wanted, lambda each: each.id, "InvalidSubnetID", "subnet ID")
    chosen = filters.chosen(found, call.list("Filter"), _SUBNET_FILTERS, lambda each: each.tags)
    return paging.paged(call, chosen, lambda each: each.id, "SubnetId")


def vpc(call: Ec2Call) -> Vpc:
    """Return the project's VPC."""
    project_id = call.context.project_id
    ranges = [
        ipaddress.ip_network(network.cidr)
        for network in call.cloud.networks.list(call.context)
        if network.cidr
    ]
    cidrs = [str(each) for each in ranges] or [_NO_NETWORK]
    return Vpc(project_id, cidrs, tags_by_resource(call).get(vpc_uuid(project_id), {}))


def zones(call: Ec2Call) -> dict[str, bool]:
    """Return the availability zones, and whether each is available."""
    return places.zones(call)


def every(call: Ec2Call) -> list[Subnet]:
    """Return the project's subnets."""
    counts = call.cloud.networks.address_counts(call.context)
    tags = tags_by_resource(call)
    found = []
    for network in call.cloud.networks.list(call.context):
        if not network.cidr:
            continue
        count = counts.get(network.id)
        left = count.total - count.used if count else 0
        for zone in zones(call):
            subnet = Subnet(network, zone, call.context.project_id, left, call.conf.auto_assign_floating_ip)
            found.append(dataclasses.replace(subnet, tags=tags.get(subnet.uuid, {})))
    return found


def subnet(call: Ec2Call, identifier: str) -> Subnet:
    """Return one subnet; raises Ec2Error (InvalidSubnetID.NotFound)."""
    ids.starts([identifier], "InvalidSubnetID", "subnet")
    return ids.pick(every(call), [identifier], lambda each: each.id, "InvalidSubnetID", "subnet ID")[0]


def _checked(call: Ec2Call, name: str, code: str, prefix: str) -> list[str]:
    wanted = call.list(name)
    ids.starts(wanted, code, prefix)
    return wanted
