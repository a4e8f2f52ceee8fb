"""How the XML of the compute API 1.1 names things where a rule does not: the tables of ``xml_bodies``."""

NAMESPACE = "http://docs.openstack.org/compute/api/v1.1"
ATOM = "http://www.w3.org/2005/Atom"

EXTENSIONS = {
    "OS-DCF": "http://docs.openstack.org/compute/ext/disk_config/api/v1.1",
    "OS-EXT-STS": "http://docs.openstack.org/compute/ext/extended_status/api/v1.1",
    "OS-EXT-SRV-ATTR": "http://docs.openstack.org/compute/ext/extended_status/api/v1.1/attributes",
    "OS-EXT-AZ": "http://docs.openstack.org/compute/ext/extended_availability_zone/api/v2",
    "OS-EXT-IPS": "http://docs.openstack.org/compute/ext/extended_ips/api/v1.1",
    "OS-EXT-IPS-MAC": "http://docs.openstack.org/compute/ext/extended_ips_mac/api/v1.1",
    "OS-EXT-IMG-SIZE": "http://docs.openstack.org/compute/ext/image_size/api/v1.1",
    "OS-FLV-EXT-DATA": "http://docs.openstack.org/compute/ext/flavor_extra_data/api/v1.1",
    "OS-FLV-DISABLED": "http://docs.openstack.org/compute/ext/flavor_disabled/api/v1.1",
    "OS-SRV-USG": "http://docs.openstack.org/compute/ext/server_usage/api/v1.1",
    "os-extended-volumes": "http://docs.openstack.org/compute/ext/extended_volumes/api/v1.1",
    "os-flavor-access": "http://docs.openstack.org/compute/ext/flavor_access/api/v2",
    "os": "http://docs.openstack.org/compute/ext/scheduler-hints/api/v2",
}
"""Prefix of an attribute's name, and the namespace that it stands for."""

ATTRIBUTED = frozenset(
    {
        "server", "flavor", "image", "ip", "fault", "extension", "version", "security_group", "console", "host",
        "media-type", "rate",
    }
)  # fmt: skip
"""Elements that carry their scalars as attributes; others have an element for each."""

CHILDREN = {"fault": {"message", "details"}, "extension": {"description"}, "security_group": {"description"}}
"""Scalars of such an element that are elements all the same."""

RENAMED = {
    "server": {"tenant_id": "tenantId", "user_id": "userId"},
}
"""Members whose attribute has another name than in JSON."""

PAIRS = {"metadata": "meta"}
"""Maps whose entries are elements of this name, the entry's name their attribute ``key``."""

MAPS = frozenset({"metadata", "extra_specs"})
"""Elements that are maps from names to texts."""

ITEMS = {
    "addresses": "network", "personality": "file", "values": "value", "media-types": "media-type",
    "block_device_mapping": "mapping", "policies": "policy", "properties": "property",
}  # fmt: skip
"""What an entry of a list is called where it is not the list's name without its last letter."""

LISTS = frozenset(
    {
        "networks",
        "personality",
        "security_groups",
        "block_device_mapping",
        "block_device_mapping_v2",
        "policies",
    }
)
"""Elements of requests that are lists."""

TEXTS = {"file": "contents"}
"""Elements with attributes whose text is a member of this name."""

NUMBERS = frozenset(
    {
        "length", "rotation", "ram", "vcpus", "disk", "swap", "ephemeral", "from_port", "to_port", "min_count",
        "max_count", "ephemeral_gb", "instances", "cores",
    }
)  # fmt: skip
BOOLEANS = frozenset({"auto_disk_config", "config_drive", "is_public", "onSharedStorage", "disk_over_commit"})
"""Members of requests that are numbers and truth values in JSON."""
