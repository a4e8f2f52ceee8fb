"""What a config drive holds: the trees of the metadata service as files, for guests that have no network yet.

The layout is OpenStack's: ``openstack/<version>/`` and ``ec2/<version>/`` beside a ``latest`` of each.
"""

import base64
import json
from collections.abc import Mapping

from nova_lite.core import metadata_openstack as openstack
from nova_lite.core.metadata import InstanceMetadata
from nova_lite.core.metadata_tree import Tree, ec2_tree

_EC2_VERSIONS = ("2009-04-04", "latest")


def files(data: InstanceMetadata) -> dict[str, bytes]:
    """Return the content of each file by its path."""
    found = {
        f"openstack/{openstack.CONTENT}/{number}": content
        for number, content in openstack.contents(data).items()
    }
    for version in (*openstack.VERSIONS, openstack.LATEST):
        for name in openstack.names(data, version):
            content = openstack.file(data, version, name)
            if content is not None and name != openstack.PASSWORD:
                found[f"openstack/{version}/{name}"] = content
    found |= {f"ec2/{version}/meta-data.json": _ec2_meta_data(data) for version in _EC2_VERSIONS}
    if data.instance.user_data:
        user_data = base64.b64decode(data.instance.user_data)
        found |= {f"ec2/{version}/user-data": user_data for version in _EC2_VERSIONS}
    return found


def _ec2_meta_data(data: InstanceMetadata) -> bytes:
    tree = ec2_tree(data)["meta-data"]
    assert isinstance(tree, Mapping)
    return json.dumps(_plain(tree)).encode()


def _plain(tree: Tree) -> dict[str, object]:
    """Return a folder as JSON has it, a public key's folder under its number."""
    found: dict[str, object] = {}
    for name, value in tree.items():
        number, equals, _ = name.partition("=")
        inner = value if isinstance(value, str) else _plain(value)
        found[number if equals else name] = {"_name": name, **inner} if equals and isinstance(inner, dict) else inner
    return found
