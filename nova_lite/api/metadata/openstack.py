"""The /openstack tree of the metadata service, for guests that know it."""

import base64
import json

from nova_lite.operations.metadata import InstanceMetadata

VERSIONS = ("2012-08-10", "2013-04-04", "2013-10-17")
"""The dated versions of the tree; ``latest`` stands for the last."""

FILES = ("meta_data.json", "password", "user_data")


def file(data: InstanceMetadata, name: str) -> bytes | None:
    """Return a file's content, or None where there is no such file."""
    if name == "meta_data.json":
        return json.dumps(_meta_data(data)).encode()
    if name == "password":
        return data.password.encode()
    if name == "user_data" and data.instance.user_data:
        return base64.b64decode(data.instance.user_data)
    return None


def _meta_data(data: InstanceMetadata) -> dict[str, object]:
    instance = data.instance
    document: dict[str, object] = {
        "uuid": instance.uuid,
        "name": instance.display_name,
        "hostname": data.fqdn,
        "launch_index": instance.launch_index,
        "availability_zone": instance.availability_zone,
        "project_id": instance.project_id,
        "meta": dict(instance.metadata),
    }
    if instance.key_name and instance.public_key:
        document["public_keys"] = {instance.key_name: instance.public_key}
        document["keys"] = [{"name": instance.key_name, "type": "ssh", "data": instance.public_key}]
    return document
