"""The /openstack tree of files, for guests that know it."""

import base64
import json
import secrets
from collections.abc import Callable, Mapping

from nova_lite.core import injected_network, metadata_network
from nova_lite.core.devices import DeviceKind, GuestDevice
from nova_lite.core.metadata import InstanceMetadata

VERSIONS = (
    "2012-08-10", "2013-04-04", "2013-10-17", "2015-10-15", "2016-06-30", "2016-10-06", "2017-02-22",
    "2018-08-27",
)  # fmt: skip
"""The dated versions of the tree; ``latest`` stands for the last."""

LATEST = "latest"

CONTENT = "content"
"""The folder beside the versions where the content of injected files is, by number."""

PASSWORD = "password"
"""The file that only the metadata service has, for a guest may write it."""

_SEED_BYTES = 512


def has_version(name: str) -> bool:
    """Tell whether there is a version of this name."""
    return name == LATEST or name in VERSIONS


def names(data: InstanceMetadata, version: str) -> list[str]:
    """Return the names of the files that a version has for an instance."""
    return [name for name in sorted(_FILES) if file(data, version, name) is not None]


def file(data: InstanceMetadata, version: str, name: str) -> bytes | None:
    """Return a file's content, or None where the version has no such file, or the instance none of it."""
    since, content = _FILES.get(name, (None, None))
    if since is None or content is None or (version != LATEST and version < since):
        return None
    return content(data)


def contents(data: InstanceMetadata) -> dict[str, bytes]:
    """Return the content of each injected file by its number, and after them that of the network's."""
    found = [base64.b64decode(file.contents) for file in data.files]
    network = injected_network.content(data.interfaces)
    if network:
        found.append(network.encode())
    return {f"{number:04}": content for number, content in enumerate(found)}


def _meta_data(data: InstanceMetadata) -> bytes:
    instance = data.instance
    document: dict[str, object] = {
        "uuid": instance.uuid,
        "name": instance.display_name,
        "hostname": data.fqdn,
        "launch_index": instance.launch_index,
        "availability_zone": instance.availability_zone,
        "project_id": instance.project_id,
        "meta": dict(instance.metadata),
        "devices": _devices(data),
        "random_seed": base64.b64encode(secrets.token_bytes(_SEED_BYTES)).decode(),
    }
    if instance.key_name and instance.public_key:
        document["public_keys"] = {instance.key_name: instance.public_key}
        document["keys"] = [{"name": instance.key_name, "type": "ssh", "data": instance.public_key}]
    if data.files:
        document["files"] = [
            {"content_path": f"/{CONTENT}/{number:04}", "path": file.path}
            for number, file in enumerate(data.files)
        ]
    if injected_network.content(data.interfaces):
        document["network_config"] = {
            "name": "network_config",
            "content_path": f"/{CONTENT}/{len(data.files):04}",
        }
    return _json(document)


def _devices(data: InstanceMetadata) -> list[dict[str, object]]:
    """Return the devices that have a tag; of a guest that is not there yet it is not known where they are."""
    places = {(device.kind, device.name): device for device in data.instance.devices}
    nics = {one.mac: one.tag for one in data.interfaces if one.tag}
    disks = data.instance.local_disks.tags
    found: list[dict[str, object]] = []
    for kind, tags in ((DeviceKind.NIC, nics), (DeviceKind.DISK, disks)):
        for name, tag in tags.items():
            place = places.get((kind, name), GuestDevice(kind, name))
            told: dict[str, object] = {"type": kind, "bus": place.bus, "address": place.address, "tags": [tag]}
            if kind is DeviceKind.NIC:
                told["mac"] = name
            elif place.path:
                told["path"] = place.path
            found.append(told)
    return found


def _network_data(data: InstanceMetadata) -> bytes:
    return _json(metadata_network.document(data))


def _vendor_data(data: InstanceMetadata) -> bytes:
    return _json(dict(data.settings.vendor_data))


def _vendor_data2(data: InstanceMetadata) -> bytes:
    return _json({"static": dict(data.settings.vendor_data)})


def _user_data(data: InstanceMetadata) -> bytes | None:
    return base64.b64decode(data.instance.user_data) if data.instance.user_data else None


def _password(data: InstanceMetadata) -> bytes:
    return data.password.encode()


_FILES: Mapping[str, tuple[str, Callable[[InstanceMetadata], bytes | None]]] = {
    "meta_data.json": ("2012-08-10", _meta_data),
    "user_data": ("2012-08-10", _user_data),
    PASSWORD: ("2013-04-04", _password),
    "vendor_data.json": ("2013-10-17", _vendor_data),
    "network_data.json": ("2015-10-15", _network_data),
    "vendor_data2.json": ("2016-10-06", _vendor_data2),
}
"""The files by name: the first version that has it, and what is in it."""


def _json(document: object) -> bytes:
    return json.dumps(document).encode()
