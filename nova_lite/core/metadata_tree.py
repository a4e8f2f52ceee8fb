"""The EC2 metadata tree: nested folders of text."""

import base64
import json
import string
from collections.abc import Mapping

from nova_lite.core import clock, hardware
from nova_lite.core.ec2_ids import ec2_id, subnet_uuid, vpc_uuid
from nova_lite.core.metadata import InstanceMetadata
from nova_lite.core.network import VirtualInterface

Tree = Mapping[str, "Tree | str"]

VERSIONS = (
    "1.0", "2007-01-19", "2007-03-01", "2007-08-29", "2007-10-10", "2007-12-15", "2008-02-01", "2008-09-01",
    "2009-04-04", "2011-01-01", "2011-05-01", "2012-01-12", "2014-02-25", "2014-11-05", "2015-10-20",
    "2016-04-19", "2016-06-30", "2016-09-02", "2018-03-28", "2018-08-17", "2018-09-24", "2019-10-01",
    "2020-10-27", "2021-01-03", "2021-03-23",
)  # fmt: skip
"""The dated versions of the tree, all with the same content; ``latest`` stands for the last."""

_NO_MANIFEST = "(unknown)"
"""What Amazon tells of images that were never bundled."""


def ec2_tree(data: InstanceMetadata) -> Tree:
    """Return everything that is below a version."""
    tree: dict[str, Tree | str] = {
        "dynamic": {"instance-identity": {"document": _identity_document(data)}},
        "meta-data": _meta_data(data),
    }
    if data.instance.user_data:
        tree["user-data"] = base64.b64decode(data.instance.user_data).decode("utf-8", "surrogateescape")
    return tree


def _meta_data(data: InstanceMetadata) -> Tree:
    instance = data.instance
    tree: dict[str, Tree | str] = {
        "ami-id": _ami_id(data),
        "ami-launch-index": str(instance.launch_index),
        "ami-manifest-path": instance.image_properties.get(hardware.LOCATION) or _NO_MANIFEST,
        "block-device-mapping": _block_devices(data),
        "hostname": data.fqdn,
        "instance-action": "none",
        "instance-id": _instance_id(data),
        "instance-type": instance.flavor.name,
        "local-hostname": data.fqdn,
        "local-ipv4": data.address,
        "mac": data.mac,
        "network": {"interfaces": {"macs": _interfaces(data)}},
        "placement": {"availability-zone": instance.availability_zone or "", "region": data.settings.region},
        "public-hostname": data.fqdn,
        "public-ipv4": data.floating,
        "reservation-id": instance.reservation_id,
        "security-groups": "\n".join(data.security_groups),
    }
    if instance.key_name and instance.public_key:
        tree["public-keys"] = {f"0={instance.key_name}": {"openssh-key": instance.public_key}}
    if instance.kernel_id:
        tree["kernel-id"] = ec2_id("aki", instance.kernel_id)
    if instance.ramdisk_id:
        tree["ramdisk-id"] = ec2_id("ari", instance.ramdisk_id)
    if instance.metadata:
        tree["tags"] = {"instance": dict(instance.metadata)}
    return tree


def _block_devices(data: InstanceMetadata) -> Tree:
    root = data.instance.root_device_name
    tree = {"ami": root.removeprefix("/dev/"), "root": root}
    others = [
        *(f"ephemeral{number}" for number in range(len(data.instance.ephemerals))),
        *(["swap"] if data.instance.swap_mb else []),
    ]
    # Guests' disks follow each other in this order, the root disk first.
    prefix = root.removeprefix("/dev/").rstrip("0123456789")
    for name, letter in zip(others, string.ascii_lowercase[1:], strict=False):
        tree[name] = f"{prefix[:-1]}{letter}"
    return tree


def _interfaces(data: InstanceMetadata) -> Tree:
    return {
        interface.mac: _interface(data, number, interface) for number, interface in enumerate(data.interfaces)
    }


def _interface(data: InstanceMetadata, number: int, interface: VirtualInterface) -> Tree:
    tree: dict[str, Tree | str] = {
        "device-number": str(number),
        "interface-id": ec2_id("eni", interface.id),
        "local-hostname": data.fqdn,
        "mac": interface.mac,
        "owner-id": data.instance.project_id,
        "security-groups": "\n".join(data.security_groups),
        "subnet-id": ec2_id("subnet", subnet_uuid(interface.network_uuid, data.instance.availability_zone or "")),
        "vpc-id": ec2_id("vpc", vpc_uuid(data.instance.project_id)),
    }
    if interface.cidr:
        tree |= {"local-ipv4s": interface.address, "subnet-ipv4-cidr-block": interface.cidr}
    if interface.cidr_v6:
        tree["ipv6s"] = interface.address_v6
        tree["subnet-ipv6-cidr-blocks"] = interface.cidr_v6
    if interface.floating:
        tree["ipv4-associations"] = dict.fromkeys(interface.floating, interface.address)
        tree["public-hostname"] = data.fqdn
        tree["public-ipv4s"] = "\n".join(interface.floating)
    return tree


def _identity_document(data: InstanceMetadata) -> str:
    instance = data.instance
    document = {
        "accountId": instance.project_id,
        "architecture": "x86_64",
        "availabilityZone": instance.availability_zone or "",
        "imageId": _ami_id(data),
        "instanceId": _instance_id(data),
        "instanceType": instance.flavor.name,
        "kernelId": ec2_id("aki", instance.kernel_id) if instance.kernel_id else None,
        "pendingTime": clock.iso8601(instance.launched_at or instance.created_at),
        "privateIp": data.address,
        "ramdiskId": ec2_id("ari", instance.ramdisk_id) if instance.ramdisk_id else None,
        "region": data.settings.region,
        "version": "2017-09-30",
    }
    return json.dumps(document, indent=2)


def _ami_id(data: InstanceMetadata) -> str:
    return ec2_id("ami", data.instance.image_id)


def _instance_id(data: InstanceMetadata) -> str:
    return ec2_id("i", data.instance.uuid)


def find(tree: Tree, parts: list[str]) -> "Tree | str | None":
    """Return what is at a path: a folder, a text, or None."""
    found: Tree | str | None = tree
    for part in parts:
        if not isinstance(found, Mapping):
            return None
        found = found.get(part) if part in found else _numbered(found, part)
    return found


def listing(tree: Tree) -> str:
    """List a folder: a name a line, folders with a slash, public keys with their name."""
    return "\n".join(
        f"{name}/" if isinstance(tree[name], Mapping) and "=" not in name else name for name in sorted(tree)
    )


def _numbered(tree: Tree, part: str) -> "Tree | str | None":
    """Find ``0=name`` by its number."""
    return next((tree[name] for name in tree if name.partition("=")[0] == part and "=" in name), None)
