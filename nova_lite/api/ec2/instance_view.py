"""Instances as the EC2 API shows them, and what filters look at of them."""

import dataclasses
import datetime
from collections.abc import Mapping, Sequence
from typing import Any

from nova_lite.api.ec2 import places
from nova_lite.api.ec2.call import Ec2Call
from nova_lite.api.ec2.filters import Table
from nova_lite.api.ec2.status import PENDING, STOPPED, TERMINATED, State, state_of
from nova_lite.api.ec2.tags import TAG
from nova_lite.api.ec2.xml import Shape, always, either, flag, many, moment, number, one, text
from nova_lite.core.boot import Booted, BootRequest
from nova_lite.core.ec2_ids import ec2_id
from nova_lite.core.errors import NoValidHost
from nova_lite.core.instance import Instance
from nova_lite.core.network import VirtualInterface
from nova_lite.db.instance_pages import Page
from nova_lite.operations.servers import ServerDetails

ARCHITECTURE = "x86_64"
HYPERVISOR = "xen"
"""Clients know only xen and nitro."""


@dataclasses.dataclass(frozen=True, slots=True)
class Nic:
    """A network interface of an instance; ``index`` is its place among them."""

    owner: "Shown"
    interface: VirtualInterface
    index: int

    @property
    def eni(self) -> str:
        """Its id."""
        return ec2_id("eni", self.interface.id)

    @property
    def subnet(self) -> str:
        """The id of its subnet."""
        return places.subnet_id(self.interface.network_uuid, self.owner.zone)

    @property
    def addresses_v6(self) -> list[str]:
        """The IPv6 addresses that the guest forms by itself."""
        return [self.interface.address_v6] if self.interface.address_v6 else []

    @property
    def public(self) -> str | None:
        """The address of the world that leads to it."""
        return self.interface.floating[0] if self.interface.floating else None


@dataclasses.dataclass(frozen=True, slots=True)
class Shown:
    """An instance with all that is shown of it."""

    id: str
    instance: Instance
    server: ServerDetails
    state: State
    zone: str
    domain: str
    token: str = ""

    @property
    def nics(self) -> list[Nic]:
        """Its network interfaces."""
        return [Nic(self, each, place) for place, each in enumerate(self.server.interfaces)]

    @property
    def first(self) -> VirtualInterface | None:
        """Its first interface."""
        return self.server.interfaces[0] if self.server.interfaces else None

    @property
    def private_ip(self) -> str | None:
        """Its first fixed address."""
        return next((each.address for each in self.server.interfaces if each.address), None)

    @property
    def public_ip(self) -> str | None:
        """The first address of the world that leads to it."""
        return next((each.floating[0] for each in self.server.interfaces if each.floating), None)

    @property
    def address_v6(self) -> str | None:
        """The first IPv6 address that the guest forms by itself."""
        return next((each.address_v6 for each in self.server.interfaces if each.address_v6), None)

    @property
    def vpc(self) -> str | None:
        """The id of its VPC while it has a network."""
        return places.vpc_id(self.instance.project_id) if self.server.interfaces else None

    @property
    def subnet(self) -> str | None:
        """The id of its first subnet."""
        first = self.first
        return places.subnet_id(first.network_uuid, self.zone) if first else None

    @property
    def private_dns(self) -> str:
        """Its full host name."""
        hostname = self.instance.hostname
        return f"{hostname}.{self.domain}" if self.domain else hostname

    @property
    def groups(self) -> list[tuple[str, str]]:
        """The ids and names of its security groups."""
        return list(zip(self.server.security_group_ids, self.server.security_groups, strict=True))

    @property
    def reason(self) -> tuple[str, str] | None:
        """A code and a sentence that say why it does not run."""
        fault = self.instance.fault
        if fault is not None and self.instance.vm_state == "error":
            full = fault.code == 500 and NoValidHost.default in fault.message
            code = "Server.InsufficientInstanceCapacity" if full else "Server.InternalError"
            return code, f"{code}: {fault.message}"
        if self.state in (STOPPED, TERMINATED):
            return "Client.UserInitiatedShutdown", "Client.UserInitiatedShutdown: User initiated shutdown"
        return ("pending", "pending") if self.state is PENDING else None


@dataclasses.dataclass(frozen=True, slots=True)
class Reservation:
    """The instances of one request to run some."""

    id: str
    owner: str
    instances: Sequence[Shown]


def shown(call: Ec2Call, servers: Sequence[ServerDetails]) -> list[Shown]:
    """Return servers with all that is shown of them."""
    reservations = {server.instance.reservation_id for server in servers}
    tokens = call.cloud.client_tokens.of_resources(call.context, sorted(reservations))
    default, domain = call.conf.node_availability_zone, call.conf.dhcp_domain
    return [
        Shown(
            ec2_id("i", server.instance.uuid),
            server.instance,
            server,
            state_of(server.instance),
            server.instance.availability_zone or server.instance.pinned_zone or default,
            domain,
            tokens.get(server.instance.reservation_id, ""),
        )
        for server in servers
    ]


def reservations(instances: Sequence[Shown]) -> list[Reservation]:
    """Return instances by their reservations, in the order of the first of each."""
    found: dict[str, list[Shown]] = {}
    for each in instances:
        found.setdefault(each.instance.reservation_id, []).append(each)
    return [Reservation(name, some[0].instance.project_id, some) for name, some in found.items()]


def tags_of(shown: Shown) -> Mapping[str, str]:
    """Return an instance's tags, which are its metadata."""
    return shown.instance.metadata


GROUP = Shape(
    text("groupId", lambda group: ec2_id("sg", group[0])), text("groupName", lambda group: group[1])
)
STATE = Shape(number("code", lambda state: state.code), text("name", lambda state: state.name))
_REASON = Shape(text("code", lambda reason: reason[0]), text("message", lambda reason: reason[1]))

_ASSOCIATION = Shape(
    text("publicIp", lambda nic: nic.public),
    text("publicDnsName", lambda nic: nic.public),
    text("ipOwnerId", lambda nic: nic.owner.instance.project_id),
)
_ASSOCIATED = either(lambda nic: nic.public is not None, one("association", lambda nic: nic, _ASSOCIATION))
_PRIVATE = Shape(
    text("privateIpAddress", lambda nic: nic.interface.address or None),
    text("privateDnsName", lambda nic: nic.owner.private_dns),
    always("primary", True),
    _ASSOCIATED,
)
ADDRESS_V6 = Shape(text("ipv6Address", lambda address: address), always("isPrimaryIpv6", False))
_ATTACHMENT = Shape(
    text("attachmentId", lambda nic: ec2_id("eni-attach", nic.interface.id)),
    number("deviceIndex", lambda nic: nic.index),
    always("status", "attached"),
    moment("attachTime", lambda nic: nic.interface.created_at),
    always("deleteOnTermination", True),
)
_NIC = Shape(
    text("networkInterfaceId", lambda nic: nic.eni),
    text("subnetId", lambda nic: nic.subnet),
    text("vpcId", lambda nic: nic.owner.vpc),
    always("description", ""),
    text("ownerId", lambda nic: nic.owner.instance.project_id),
    always("status", "in-use"),
    text("macAddress", lambda nic: nic.interface.mac),
    text("privateIpAddress", lambda nic: nic.interface.address or None),
    text("privateDnsName", lambda nic: nic.owner.private_dns),
    always("sourceDestCheck", True),
    many("groupSet", lambda nic: nic.owner.groups, GROUP),
    one("attachment", lambda nic: nic, _ATTACHMENT),
    _ASSOCIATED,
    many("privateIpAddressesSet", lambda nic: (nic,), _PRIVATE),
    many("ipv6AddressesSet", lambda nic: nic.addresses_v6, ADDRESS_V6),
    always("interfaceType", "interface"),
)
_PLACEMENT = Shape(
    text("availabilityZone", lambda shown: shown.zone), always("groupName", ""), always("tenancy", "default")
)
_CPU = Shape(number("coreCount", lambda flavor: flavor.vcpus), always("threadsPerCore", 1))

METADATA_OPTIONS = Shape(
    always("state", "applied"),
    text("httpTokens", lambda options: "required" if options.metadata_tokens else "optional"),
    number("httpPutResponseHopLimit", lambda options: options.hop_limit or 1),
    always("httpEndpoint", "enabled"),
    always("httpProtocolIpv6", "disabled"),
    always("instanceMetadataTags", "enabled"),
)

INSTANCE = Shape(
    text("instanceId", lambda shown: shown.id),
    text("imageId", lambda shown: ec2_id("ami", shown.instance.image_id)),
    one("instanceState", lambda shown: shown.state, STATE),
    text("privateDnsName", lambda shown: shown.private_dns),
    text("dnsName", lambda shown: shown.public_ip or ""),
    always("reason", ""),
    text("keyName", lambda shown: shown.instance.key_name),
    number("amiLaunchIndex", lambda shown: shown.instance.launch_index),
    always("productCodes", ()),
    text("instanceType", lambda shown: shown.instance.flavor.name),
    moment("launchTime", lambda shown: shown.instance.created_at),
    one("placement", lambda shown: shown, _PLACEMENT),
    either(
        lambda shown: shown.instance.kernel_id,
        text("kernelId", lambda shown: ec2_id("aki", shown.instance.kernel_id)),
    ),
    either(
        lambda shown: shown.instance.ramdisk_id,
        text("ramdiskId", lambda shown: ec2_id("ari", shown.instance.ramdisk_id)),
    ),
    one(
        "monitoring",
        lambda shown: shown.instance.options,
        Shape(text("state", lambda options: "enabled" if options.monitoring else "disabled")),
    ),
    text("subnetId", lambda shown: shown.subnet),
    text("vpcId", lambda shown: shown.vpc),
    text("privateIpAddress", lambda shown: shown.private_ip),
    text("ipAddress", lambda shown: shown.public_ip),
    text("ipv6Address", lambda shown: shown.address_v6),
    text("dnsNameV6", lambda shown: shown.address_v6),
    always("sourceDestCheck", True),
    many("groupSet", lambda shown: shown.groups, GROUP),
    one("stateReason", lambda shown: shown.reason, _REASON),
    always("architecture", ARCHITECTURE),
    always("rootDeviceType", "instance-store"),
    text("rootDeviceName", lambda shown: shown.instance.root_device_name),
    always("blockDeviceMapping", ()),
    always("virtualizationType", "hvm"),
    text("clientToken", lambda shown: shown.token),
    many("tagSet", lambda shown: sorted(shown.instance.metadata.items()), TAG),
    always("hypervisor", HYPERVISOR),
    many("networkInterfaceSet", lambda shown: shown.nics, _NIC),
    flag("ebsOptimized", lambda shown: shown.instance.options.ebs_optimized),
    always("enaSupport", False),
    one("cpuOptions", lambda shown: shown.instance.flavor, _CPU),
    always("capacityReservationSpecification", {"capacityReservationPreference": "open"}),
    always("hibernationOptions", {"configured": False}),
    one("metadataOptions", lambda shown: shown.instance.options, METADATA_OPTIONS),
    always("enclaveOptions", {"enabled": False}),
    always("maintenanceOptions", {"autoRecovery": "disabled"}),
)  # fmt: skip

RESERVATION = Shape(
    text("reservationId", lambda reservation: reservation.id),
    text("ownerId", lambda reservation: reservation.owner),
    always("groupSet", ()),
    many("instancesSet", lambda reservation: reservation.instances, INSTANCE),
)


def _of_nics(get: Any) -> Any:
    return lambda shown: [get(nic) for nic in shown.nics]


def _launch_time(shown: Shown) -> str:
    created: datetime.datetime = shown.instance.created_at
    return f"{created.isoformat(timespec='milliseconds')}Z"


FILTERS: Table = {
    "architecture": lambda shown: ARCHITECTURE,
    "availability-zone": lambda shown: shown.zone,
    "block-device-mapping.attach-time": lambda shown: None,
    "block-device-mapping.delete-on-termination": lambda shown: None,
    "block-device-mapping.device-name": lambda shown: None,
    "block-device-mapping.status": lambda shown: None,
    "block-device-mapping.volume-id": lambda shown: None,
    "client-token": lambda shown: shown.token or None,
    "dns-name": lambda shown: shown.public_ip,
    "group-id": lambda shown: [ec2_id("sg", group) for group, _ in shown.groups],
    "group-name": lambda shown: [name for _, name in shown.groups],
    "hypervisor": lambda shown: HYPERVISOR,
    "image-id": lambda shown: ec2_id("ami", shown.instance.image_id),
    "instance-id": lambda shown: shown.id,
    "instance-lifecycle": lambda shown: None,
    "instance-state-code": lambda shown: shown.state.code,
    "instance-state-name": lambda shown: shown.state.name,
    "instance-type": lambda shown: shown.instance.flavor.name,
    "instance.group-id": lambda shown: [ec2_id("sg", group) for group, _ in shown.groups],
    "instance.group-name": lambda shown: [name for _, name in shown.groups],
    "ipv6-address": _of_nics(lambda nic: nic.interface.address_v6 or None),
    "ip-address": lambda shown: shown.public_ip,
    "kernel-id": lambda shown: ec2_id("aki", shown.instance.kernel_id) if shown.instance.kernel_id else None,
    "key-name": lambda shown: shown.instance.key_name,
    "launch-index": lambda shown: shown.instance.launch_index,
    "launch-time": _launch_time,
    "metadata-options.http-endpoint": lambda shown: "enabled",
    "metadata-options.http-tokens": lambda shown: "required" if shown.instance.options.metadata_tokens else "optional",
    "monitoring-state": lambda shown: "enabled" if shown.instance.options.monitoring else "disabled",
    "network-interface.addresses.association.public-ip": _of_nics(lambda nic: nic.public),
    "network-interface.addresses.private-ip-address": _of_nics(lambda nic: nic.interface.address or None),
    "network-interface.association.public-ip": _of_nics(lambda nic: nic.public),
    "network-interface.attachment.device-index": _of_nics(lambda nic: nic.index),
    "network-interface.group-id": lambda shown: [ec2_id("sg", group) for group, _ in shown.groups],
    "network-interface.group-name": lambda shown: [name for _, name in shown.groups],
    "network-interface.mac-address": _of_nics(lambda nic: nic.interface.mac),
    "network-interface.network-interface-id": _of_nics(lambda nic: nic.eni),
    "network-interface.private-dns-name": _of_nics(lambda nic: nic.owner.private_dns),
    "network-interface.subnet-id": _of_nics(lambda nic: nic.subnet),
    "network-interface.vpc-id": _of_nics(lambda nic: nic.owner.vpc),
    "owner-id": lambda shown: shown.instance.project_id,
    "placement-group-name": lambda shown: None,
    "platform": lambda shown: None,
    "private-dns-name": lambda shown: shown.private_dns,
    "private-ip-address": _of_nics(lambda nic: nic.interface.address or None),
    "product-code": lambda shown: None,
    "ramdisk-id": lambda shown: (
        ec2_id("ari", shown.instance.ramdisk_id) if shown.instance.ramdisk_id else None
    ),
    "reason": lambda shown: None,
    "requester-id": lambda shown: shown.instance.user_id,
    "reservation-id": lambda shown: shown.instance.reservation_id,
    "root-device-name": lambda shown: shown.instance.root_device_name,
    "root-device-type": lambda shown: "instance-store",
    "source-dest-check": lambda shown: True,
    "spot-instance-request-id": lambda shown: None,
    "state-reason-code": lambda shown: shown.reason[0] if shown.reason else None,
    "state-reason-message": lambda shown: shown.reason[1] if shown.reason else None,
    "subnet-id": _of_nics(lambda nic: nic.subnet),
    "tenancy": lambda shown: "default",
    "virtualization-type": lambda shown: "hvm",
    "vpc-id": lambda shown: shown.vpc,
}
"""What filters of instances look at."""


def new(call: Ec2Call, request: BootRequest, booted: Booted) -> list[Shown]:
    """Return new instances by their places in their reservation, without a look at the database."""
    zone, domain = request.availability_zone or call.conf.node_availability_zone, call.conf.dhcp_domain
    group_ids = tuple(group_id for group_id, _ in booted.security_groups)
    names = tuple(name for _, name in booted.security_groups)
    return [
        Shown(
            ec2_id("i", instance.uuid),
            instance,
            ServerDetails(instance, (), names, security_group_ids=group_ids),
            state_of(instance),
            zone,
            domain,
            request.client_token,
        )
        for instance in booted.instances
    ]


def of_reservation(call: Ec2Call, uuids: Sequence[str]) -> list[Shown]:
    """Return the instances of a new reservation by their places in it."""
    page = Page(
        project_id=call.context.project_id,
        uuids=uuids,
        ended_since=datetime.datetime(1970, 1, 1),
        sort=(("id", False),),
        limit=len(uuids),
    )
    return shown(call, call.cloud.servers.listing(call.context, page)) if uuids else []
