"""The EC2 metadata tree: nested folders of text."""

import base64
from collections.abc import Mapping

from nova_lite.core.metadata import InstanceMetadata

Tree = Mapping[str, "Tree | str"]

VERSIONS = (
    "1.0", "2007-01-19", "2007-03-01", "2007-08-29", "2007-10-10", "2007-12-15", "2008-02-01", "2008-09-01",
    "2009-04-04",
)  # fmt: skip
"""The dated versions of the tree; ``latest`` stands for the last."""


def ec2_tree(data: InstanceMetadata) -> Tree:
    """Return everything that is below a version."""
    tree: dict[str, Tree | str] = {"meta-data": _meta_data(data)}
    if data.instance.user_data:
        tree["user-data"] = base64.b64decode(data.instance.user_data).decode("utf-8", "surrogateescape")
    return tree


def _meta_data(data: InstanceMetadata) -> Tree:
    instance = data.instance
    tree: dict[str, Tree | str] = {
        "ami-id": f"ami-{instance.image_id[:8]}",
        "ami-launch-index": str(instance.launch_index),
        "block-device-mapping": {
            "ami": instance.root_device_name.removeprefix("/dev/"),
            "root": instance.root_device_name,
        },
        "hostname": data.fqdn,
        "instance-action": "none",
        "instance-id": f"i-{instance.id:08x}",
        "instance-type": instance.flavor.name,
        "local-hostname": data.fqdn,
        "local-ipv4": data.address,
        "placement": {"availability-zone": instance.availability_zone or ""},
        "public-hostname": data.fqdn,
        "public-ipv4": data.floating,
        "reservation-id": instance.reservation_id,
        "security-groups": "\n".join(data.security_groups),
    }
    if instance.key_name and instance.public_key:
        tree["public-keys"] = {f"0={instance.key_name}": {"openssh-key": instance.public_key}}
    if instance.kernel_id:
        tree["kernel-id"] = f"aki-{instance.kernel_id[:8]}"
    if instance.ramdisk_id:
        tree["ramdisk-id"] = f"ari-{instance.ramdisk_id[:8]}"
    return tree


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
