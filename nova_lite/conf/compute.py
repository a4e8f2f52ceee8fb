"""Flags of nova-compute."""

from oslo_config import cfg

FLAGS = (
    cfg.StrOpt(
        "compute_manager",
        default="nova_lite.compute.manager.ComputeManager",
        help="Class that does nova-compute's work.",
    ),
    cfg.StrOpt(
        "compute_driver",
        default="nova_lite.drivers.virt.libvirt.driver.LibvirtDriver",
        help="Class that speaks to the hypervisor; 'libvirt' and 'fake' are short for ours.",
    ),
    cfg.StrOpt(
        "firewall_driver",
        default="nova_lite.drivers.net.firewall.NftablesFirewall",
        help="Class that filters the guests' traffic; 'nftables' and 'fake' are short for ours.",
    ),
    cfg.IntOpt(
        "reclaim_instance_interval",
        default=0,
        min=0,
        help="Seconds for which a deleted server can be restored; 0: it is gone at once.",
    ),
    cfg.IntOpt(
        "shelved_offload_time",
        default=0,
        min=-1,
        help="Seconds after which a shelved server leaves its host; 0: at once, -1: never by itself.",
    ),
    cfg.BoolOpt("force_config_drive", default=False, help="Whether every guest gets a config drive."),
    cfg.StrOpt(
        "config_drive_format",
        default="iso9660",
        choices=["iso9660", "vfat"],
        help="File system of config drives; vfat is for guests that only read disks.",
    ),
    cfg.StrOpt("instances_path", default="$state_path/instances", help="Folder of the guests' disks."),
    cfg.StrOpt("base_dir_name", default="_base", help="Folder of cached images below instances_path."),
    cfg.StrOpt(
        "instance_name_template",
        default="instance-%08x",
        help="How the hypervisor's name of a guest is made of the instance's number.",
    ),
    cfg.IntOpt(
        "reserved_host_memory_mb", default=512, min=0, help="Memory in MiB that is kept for the host itself."
    ),
    cfg.IntOpt(
        "reserved_host_disk_mb", default=0, min=0, help="Disk in MiB that is kept for the host itself."
    ),
    cfg.IntOpt("reserved_host_cpus", default=0, min=0, help="Processors that are kept for the host itself."),
    cfg.IntOpt(
        "max_concurrent_builds", default=10, min=1, help="Actions on guests that a host works on at once."
    ),
    cfg.IntOpt(
        "compute_worker_threads",
        default=32,
        min=1,
        help="Actions on guests of all kinds that a host works on at once.",
    ),
    cfg.IntOpt(
        "soft_reboot_timeout",
        default=120,
        min=0,
        deprecated_name="libvirt_wait_soft_reboot_seconds",
        help="Seconds for a guest to reboot by itself before it is reset.",
    ),
    cfg.IntOpt(
        "shutdown_timeout",
        default=60,
        min=0,
        help="Seconds for a guest to shut down before it is switched off.",
    ),
    cfg.IntOpt(
        "sync_power_state_interval",
        default=60,
        min=1,
        help="Seconds between two comparisons of the guests' power with the database.",
    ),
    cfg.IntOpt(
        "image_cache_manager_interval",
        default=2400,
        min=1,
        help="Seconds between two looks for cached images that no guest uses.",
    ),
    cfg.BoolOpt(
        "resume_guests_state_on_host_boot",
        default=False,
        help="Start guests that should run when nova-compute starts on a rebooted host.",
    ),
    cfg.BoolOpt(
        "start_guests_on_host_boot",
        default=False,
        help="Start every guest, stopped ones too, when nova-compute starts on a rebooted host.",
    ),
    cfg.StrOpt(
        "running_deleted_instance_action",
        default="reap",
        choices=["noop", "log", "reap"],
        help="What becomes of guests of ours that no instance stands for: nothing, a line in the log, their end.",
    ),
    cfg.IntOpt(
        "running_deleted_instance_timeout",
        default=0,
        min=0,
        help="Seconds for which such a guest has been seen before anything becomes of it.",
    ),
    cfg.IntOpt("fake_vcpus", default=1000, min=1, help="Processors that the simulated hypervisor shows."),
    cfg.IntOpt(
        "fake_memory_mb",
        default=1024 * 1024,
        min=1,
        help="Memory in MiB that the simulated hypervisor shows.",
    ),
    cfg.IntOpt(
        "fake_local_gb",
        default=100 * 1024,
        min=1,
        help="Disk in GiB that the simulated hypervisor shows.",
    ),
    cfg.FloatOpt(
        "fake_live_migration_seconds",
        default=0.0,
        min=0.0,
        help="Seconds that a live migration of a simulated guest takes.",
    ),
)
