"""RunInstances: from its parameters to a request for servers."""

import re
from collections.abc import Mapping
from typing import Any

from nova_lite.api.ec2 import ids, instance_view, subnets
from nova_lite.api.ec2.call import Ec2Call
from nova_lite.api.ec2.errors import Ec2Error, invalid, unsupported
from nova_lite.api.ec2.instance_view import RESERVATION, Reservation
from nova_lite.api.ec2.query import CLIENT_TOKEN, TAG_SPECIFICATIONS, Blob, Flag, Many, Number, Struct, Text
from nova_lite.api.ec2.query import ids as identifiers
from nova_lite.api.ec2.security_groups import groups_named
from nova_lite.api.ec2.status import image_state_of
from nova_lite.api.ec2.tags import wanted_tags
from nova_lite.core.boot import BootRequest, RequestedNetwork
from nova_lite.core.errors import InvalidInput, NotFound, OverQuota
from nova_lite.core.instance_options import InstanceOptions
from nova_lite.core.resource_tags import ResourceKind

STARTED = RESERVATION
CODES = {OverQuota: "InstanceLimitExceeded", InvalidInput: "InvalidParameterValue"}
_AS_USUAL = {"HttpEndpoint": "enabled", "HttpProtocolIpv6": "disabled", "InstanceMetadataTags": "enabled"}
"""What the metadata service does for every guest."""
METADATA_OPTIONS = (
    Text("HttpTokens"), Number("HttpPutResponseHopLimit", least=1, most=64), Text("HttpEndpoint"),
    Text("HttpProtocolIpv6"), Text("InstanceMetadataTags"),
)  # fmt: skip
_VIRTUAL = re.compile(r"ephemeral[0-9]{1,2}|swap|ami|root")

EBS = Struct(
    "Ebs", Text("SnapshotId"), Number("VolumeSize"), Flag("DeleteOnTermination"), Text("VolumeType"), Number("Iops"),
    Flag("Encrypted"), Text("KmsKeyId"), Number("Throughput"), Text("OutpostArn"),
)  # fmt: skip
BLOCK_DEVICES = Many(
    Struct("BlockDeviceMapping", Text("DeviceName"), Text("VirtualName"), Text("NoDevice"), EBS)
)

PARAMETERS = (
    Text("ImageId", required=True), Number("MinCount", least=1), Number("MaxCount", least=1), Text("InstanceType"),
    Text("KeyName", longest=255), identifiers("SecurityGroupId"), identifiers("SecurityGroup"), Blob("UserData"),
    Struct(
        "Placement", Text("AvailabilityZone", longest=255), Text("Tenancy"), Text("GroupName"), Text("HostId"),
        Text("Affinity"), Text("SpreadDomain"), Number("PartitionNumber"), Text("AvailabilityZoneId"),
    ),
    BLOCK_DEVICES,
    Many(Struct(
        "NetworkInterface", Number("DeviceIndex", least=0), Flag("AssociatePublicIpAddress"), Text("SubnetId"),
        identifiers("SecurityGroupId"), Text("PrivateIpAddress"), Text("Description"), Flag("DeleteOnTermination"),
        Text("NetworkInterfaceId"), Text("InterfaceType"), Number("NetworkCardIndex"),
    )),
    Struct("Monitoring", Flag("Enabled")), Flag("EbsOptimized"), Flag("DisableApiTermination"),
    Flag("DisableApiStop"), Text("InstanceInitiatedShutdownBehavior", "stop", "terminate"),
    Struct("HibernationOptions", Flag("Configured")),
    Struct("MetadataOptions", *METADATA_OPTIONS),
    Struct("CreditSpecification", Text("CpuCredits")), Struct("EnclaveOptions", Flag("Enabled")),
    Struct("MaintenanceOptions", Text("AutoRecovery")),
    Struct("CapacityReservationSpecification", Text("CapacityReservationPreference")),
    Struct(
        "PrivateDnsNameOptions", Text("HostnameType"), Flag("EnableResourceNameDnsARecord"),
        Flag("EnableResourceNameDnsAAAARecord"),
    ),
    Text("KernelId"), Text("RamdiskId"), Text("SubnetId"), Text("PrivateIpAddress"), Text("AdditionalInfo"),
    Number("Ipv6AddressCount"), CLIENT_TOKEN, TAG_SPECIFICATIONS,
)  # fmt: skip


def run_instances(call: Ec2Call) -> Reservation:
    """Boot instances; the same request with the same client token gives the same reservation."""
    _refuse_what_is_not_there(call)
    request, forced = _request(call)
    booted = call.cloud.servers.boot(call.elevated() if forced else call.context, request)
    shown = instance_view.new(call, request, booted) or instance_view.of_reservation(call, booted.uuids)
    return Reservation(booted.reservation_id, call.context.project_id, shown)


def _request(call: Ec2Call) -> tuple[BootRequest, bool]:
    """Return the request for servers, and whether it names a host, which only an administrator may."""
    image = ids.image(call, call.get("ImageId"), "ami")
    if image_state_of(image) != "available":
        raise Ec2Error(
            "InvalidAMIID.Unavailable", f"The image id '[{call.get('ImageId')}]' is not available."
        )
    zone, _, host = call.part("Placement").get("AvailabilityZone", "").partition(":")
    networks, group_ids, subnet_zone = _networks(call)
    most = call.get("MaxCount", call.get("MinCount", 1))
    least = call.get("MinCount", most)
    if least > most:
        raise invalid("MinCount", least, "It is more than MaxCount.")
    tags = wanted_tags(call, ResourceKind.INSTANCE, passed_over=(ResourceKind.VOLUME,))
    groups = groups_named(call, [*call.list("SecurityGroupId"), *group_ids], call.list("SecurityGroup"))
    request = BootRequest(
        name=tags.get("Name", "").strip()[:200],
        image_id=image.id,
        flavor_id=_flavor_id(call),
        min_count=least,
        max_count=most,
        key_name=_key_name(call),
        user_data=call.get("UserData", ""),
        metadata=tags,
        availability_zone=_zone(call, zone, subnet_zone),
        host=host,
        is_forced=bool(host),
        networks=networks,
        security_groups=tuple(group.id for group in groups),
        kernel_id=ids.image(call, call.get("KernelId"), "aki").id if call.get("KernelId") else "",
        ramdisk_id=ids.image(call, call.get("RamdiskId"), "ari").id if call.get("RamdiskId") else "",
        options=InstanceOptions(
            disable_delete=call.get("DisableApiTermination", False),
            disable_stop=call.get("DisableApiStop", False),
            monitoring=call.part("Monitoring").get("Enabled", False),
            ebs_optimized=call.get("EbsOptimized", False),
            metadata_tokens=wants_tokens(call, call.part("MetadataOptions")),
            hop_limit=call.part("MetadataOptions").get("HttpPutResponseHopLimit", 0),
        ),
        client_token=call.get("ClientToken", ""),
        fingerprint=call.fingerprint(),
    )
    return request, bool(host)


def _flavor_id(call: Ec2Call) -> str:
    name = call.get("InstanceType") or call.conf.ec2_default_instance_type
    for flavor in call.cloud.flavors.listing(call.context):
        if flavor.name == name and not flavor.disabled:
            return flavor.id
    raise invalid("InstanceType", name, "There is no such instance type.")


def _key_name(call: Ec2Call) -> str:
    name: str = call.get("KeyName", "")
    if name:
        try:
            call.cloud.key_pairs.get(call.context, name)
        except NotFound as error:
            raise Ec2Error("InvalidKeyPair.NotFound", f"The key pair '{name}' does not exist") from error
    return name


def _zone(call: Ec2Call, zone: str, of_subnet: str) -> str:
    if zone and of_subnet and zone != of_subnet:
        raise Ec2Error("InvalidParameterCombination", f"The subnet is in zone {of_subnet}, not in {zone}.")
    if zone and zone not in subnets.zones(call):
        raise invalid("Placement.AvailabilityZone", zone, "There is no such zone.")
    return zone or of_subnet


def _networks(call: Ec2Call) -> tuple[tuple[RequestedNetwork, ...] | None, list[str], str]:
    """Return the networks that are wanted (None for all), groups named with them, and their zone."""
    wanted = sorted(call.list("NetworkInterface"), key=lambda each: each.get("DeviceIndex", 0))
    if not wanted and call.get("SubnetId"):
        wanted = [{"SubnetId": call.get("SubnetId"), "PrivateIpAddress": call.get("PrivateIpAddress", "")}]
    elif wanted and call.get("SubnetId"):
        raise Ec2Error("InvalidParameterCombination", "Network interfaces and a subnet exclude each other.")
    elif call.get("PrivateIpAddress"):
        raise Ec2Error("InvalidParameterCombination", "PrivateIpAddress needs a SubnetId.")
    groups: list[str] = []
    networks: list[RequestedNetwork] = []
    zones: set[str] = set()
    for each in wanted:
        _check_interface(call, each)
        groups += each.get("SecurityGroupId", [])
        if each.get("SubnetId"):
            subnet = subnets.subnet(call, each["SubnetId"])
            networks.append(RequestedNetwork(subnet.network.uuid, each.get("PrivateIpAddress", "")))
            zones.add(subnet.zone)
        elif each.get("PrivateIpAddress"):
            raise Ec2Error("InvalidParameterCombination", "PrivateIpAddress needs a SubnetId.")
    if len(zones) > 1:
        raise Ec2Error("InvalidParameterCombination", "The subnets are in different zones.")
    return tuple(networks) or None, groups, zones.pop() if zones else ""


def _check_interface(call: Ec2Call, wanted: Mapping[str, Any]) -> None:
    if wanted.get("NetworkInterfaceId"):
        name = wanted["NetworkInterfaceId"]
        ids.starts([name], "InvalidNetworkInterfaceID", "eni")
        raise unsupported("An instance gets new network interfaces; one that is there cannot be given to it.")
    if wanted.get("AssociatePublicIpAddress") and not call.conf.auto_assign_floating_ip:
        raise unsupported("Addresses of the world are not assigned at launch here: associate one afterwards.")


def _refuse_what_is_not_there(call: Ec2Call) -> None:
    """Raise Ec2Error where something is asked for that this cloud has not, rather than leave it out."""
    for device in call.list("BlockDeviceMapping"):
        if device.get("Ebs"):
            raise unsupported("Instances have no EBS volumes here: leave Ebs out of BlockDeviceMapping.")
        virtual = device.get("VirtualName", "")
        if virtual and _VIRTUAL.fullmatch(virtual) is None:
            raise invalid("BlockDeviceMapping.VirtualName", virtual)
    placement = call.part("Placement")
    if (
        placement.get("Tenancy", "default") != "default"
        or placement.get("HostId")
        or placement.get("GroupName")
    ):
        raise unsupported("Only the default tenancy, without host and placement group, is supported.")
    if call.part("HibernationOptions").get("Configured") or call.part("EnclaveOptions").get("Enabled"):
        raise unsupported("Hibernation and enclaves are not supported.")
    if call.get("Ipv6AddressCount"):
        raise unsupported("Guests form their IPv6 addresses by themselves, one in each network that has such.")
    if call.get("InstanceInitiatedShutdownBehavior", "stop") != "stop":
        raise unsupported("An instance whose guest switches itself off is stopped, never terminated.")


def wants_tokens(call: Ec2Call, options: Mapping[str, Any]) -> bool:
    """Return whether an instance's metadata is told only to who shows a token; raises Ec2Error."""
    for name, usual in _AS_USUAL.items():
        if options.get(name, usual) != usual:
            raise unsupported(f"The metadata service knows only {name} {usual}.")
    tokens = options.get("HttpTokens", call.conf.metadata_tokens)
    if tokens not in ("optional", "required"):
        raise invalid("HttpTokens", tokens)
    if tokens == "optional" and call.conf.metadata_tokens == "required":
        raise unsupported("The metadata service requires tokens of every guest.")
    return bool(tokens == "required")
