"""The /openstack tree of files, for guests that know it."""

import base64
import json

from nova_lite.core.metadata import InstanceMetadata

VERSIONS = ("2012-08-10", "2013-04-04", "2013-10-17")
"""The dated versions of the tree; ``latest`` stands for the last."""

CONTENT = "content"
"""The folder beside the versions where the content of injected files is, by number."""

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


def contents(data: InstanceMetadata) -> dict[str, bytes]:
    """Return the content of each injected file by its number."""
    return {f"{number:04}": base64.b64decode(file.contents) for number, file in enumerate(data.files)}


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
    if data.files:
        document["files"] = [
            {"content_path": f"/{CONTENT}/{number:04}", "path": file.path}
            for number, file in enumerate(data.files)
        ]
    return document
