"""Flags of quotas: what a project may have unless it was given a quota of its own; -1 is no limit."""

from oslo_config import cfg

_LIMITS = (
    ("instances", 10, "Instances"),
    ("cores", 20, "Virtual processors"),
    ("ram", 51200, "Memory in MiB"),
    ("metadata_items", 128, "Metadata items of an instance"),
    ("key_pairs", 100, "Key pairs of a user"),
    ("server_groups", 10, "Server groups"),
    ("server_group_members", 10, "Instances in a server group"),
    ("fixed_ips", -1, "Fixed addresses"),
    ("floating_ips", 10, "Floating addresses"),
    ("networks", 10, "Networks"),
    ("security_groups", 10, "Security groups"),
    ("security_group_rules", 20, "Rules in a security group"),
    ("volumes", 10, "Volumes"),
    ("gigabytes", 1000, "GiB in volumes"),
    ("max_injected_files", 5, "Files injected into an instance"),
    ("max_injected_file_content_bytes", 10240, "Bytes in an injected file"),
    ("max_injected_file_path_bytes", 255, "Bytes in the path of an injected file"),
)

FLAGS = tuple(
    cfg.IntOpt(f"quota_{name}", default=limit, min=-1, help=f"{what} that a project may have.")
    for name, limit, what in _LIMITS
)
