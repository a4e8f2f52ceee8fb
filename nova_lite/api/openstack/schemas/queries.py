"""JSON Schemas of the compute API's query strings, which are objects of lists of texts.

From 2.75 on a name that is not listed is refused; before, it is let pass.
"""

from nova_lite.api.call import Json

_NUMBER = {"type": "array", "items": {"type": "string", "pattern": "^[0-9]{1,18}$"}}
_TEXT = {"type": "array", "items": {"type": "string", "maxLength": 4096}}
_PATTERNS = {"limit": _NUMBER, "offset": _NUMBER}


def _names(*allowed: str) -> Json:
    properties = {name: _PATTERNS.get(name, _TEXT) for name in allowed}
    return {"type": "object", "properties": properties, "additionalProperties": False}


_PAGE = ("limit", "marker")

PAGE = _names("limit", "offset")
ASSISTED_SNAPSHOT = _names("delete_info")
SERVERS = _names(
    "access_ip_v4", "access_ip_v6", "all_tenants", "auto_disk_config", "availability_zone", "changes-before",
    "changes-since", "config_drive", "created_at", "deleted", "description", "display_description",
    "display_name", "flavor", "host", "hostname", "image", "image_ref", "instance_type_id", "ip", "ip6",
    "kernel_id", "key_name", "launch_index", "launched_at", "locked", "locked_by", "name", "node", "not-tags",
    "not-tags-any", "power_state", "progress", "project_id", "ramdisk_id", "reservation_id", "root_device_name",
    "soft_deleted", "sort_dir", "sort_key", "status", "tags", "tags-any", "task_state", "tenant_id",
    "terminated_at", "user_id", "uuid", "vm_state", *_PAGE,
)  # fmt: skip
FLAVORS = _names("is_public", "minDisk", "minRam", "sort_dir", "sort_key", *_PAGE)
KEY_PAIRS = _names("user_id", *_PAGE)
KEY_PAIR = _names("user_id")
INSTANCE_ACTIONS = _names("changes-before", "changes-since", *_PAGE)
USAGES = _names("detailed", "end", "start", *_PAGE)
LIMITS = _names("reserved", "tenant_id")
QUOTA_SET = _names("user_id")
SERVICES = _names("binary", "host")
HYPERVISORS = _names("hypervisor_hostname_pattern", "with_servers", *_PAGE)
HYPERVISOR = _names("with_servers")
MIGRATIONS = _names(
    "changes-before", "changes-since", "hidden", "host", "instance_uuid", "migration_type", "project_id",
    "source_compute", "status", "user_id", *_PAGE,
)  # fmt: skip
AGENTS = _names("hypervisor")
SERVER_GROUPS = _names("all_projects", "limit", "offset")
