"""Flags of nova-scheduler."""

from oslo_config import cfg

FLAGS = (
    cfg.StrOpt(
        "scheduler_manager",
        default="nova_lite.scheduler.manager.FilterScheduler",
        help="Class that chooses hosts.",
    ),
    cfg.ListOpt(
        "scheduler_default_filters",
        default=[
            "ComputeFilter",
            "AvailabilityZoneFilter",
            "RamFilter",
            "CoreFilter",
            "DiskFilter",
            "IsolatedHostsFilter",
            "SameHostFilter",
            "DifferentHostFilter",
            "SimpleCIDRAffinityFilter",
            "JsonFilter",
            "ServerGroupAffinityFilter",
            "ServerGroupAntiAffinityFilter",
        ],
        help="Filters that a host must pass: names of ours or classes, in order.",
    ),
    cfg.ListOpt(
        "scheduler_weights",
        default=[
            "FreeMemoryWeigher",
            "ServerGroupSoftAffinityWeigher",
            "ServerGroupSoftAntiAffinityWeigher",
        ],
        help="Weighers whose sum ranks the hosts: names of ours or classes.",
    ),
    cfg.BoolOpt(
        "allow_resize_to_same_host",
        default=True,
        help="Whether a server may be resized on the host that it is on.",
    ),
    cfg.ListOpt("isolated_hosts", default=[], help="Hosts that only take instances of isolated_images."),
    cfg.ListOpt(
        "isolated_images", default=[], help="Ids of images whose instances only go to isolated_hosts."
    ),
    cfg.FloatOpt(
        "cpu_allocation_ratio",
        default=16.0,
        min=0.1,
        help="Virtual processors that are given away per real one.",
    ),
    cfg.FloatOpt("ram_allocation_ratio", default=1.5, min=0.1, help="Memory given away per memory there is."),
    cfg.FloatOpt("disk_allocation_ratio", default=1.0, min=0.1, help="Disk given away per disk there is."),
    cfg.IntOpt(
        "scheduler_max_attempts",
        default=3,
        min=1,
        help="Hosts that are tried for one instance before it fails.",
    ),
    cfg.IntOpt(
        "scheduler_host_refresh_interval",
        default=2,
        min=1,
        help="Seconds for which the scheduler trusts its view of the hosts.",
    ),
    cfg.StrOpt(
        "default_schedule_zone",
        default="",
        help="Availability zone of instances that ask for none; empty is any.",
    ),
)
