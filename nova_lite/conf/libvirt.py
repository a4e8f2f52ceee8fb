"""Flags of the libvirt driver."""

from oslo_config import cfg

FLAGS = (
    cfg.StrOpt(
        "libvirt_type",
        default="auto",
        choices=["auto", "kvm", "qemu", "lxc"],
        help="How guests run: with KVM, emulated, or as the host can of these two; lxc: as containers.",
    ),
    cfg.StrOpt("libvirt_lxc_init", default="/sbin/init", help="Program that a container begins with."),
    cfg.StrOpt(
        "libvirt_lxc_stop_signal",
        default="SIGRTMIN+3",
        choices=["SIGRTMIN+3", "SIGPWR", "SIGUSR1", "SIGUSR2", "SIGTERM"],
        help="Signal that tells that program to shut down: SIGRTMIN+3 to systemd, SIGUSR2 to busybox.",
    ),
    cfg.StrOpt("libvirt_uri", default="", help="libvirt's address; empty is the system's own on this host."),
    cfg.IntOpt(
        "libvirt_reconnect_seconds",
        default=15,
        min=0,
        help="Seconds for libvirtd to come back before what needs it is put off.",
    ),
    cfg.StrOpt(
        "libvirt_cpu_mode",
        default="auto",
        choices=["auto", "host-model", "host-passthrough", "none"],
        help="Which processor a guest sees.",
    ),
    cfg.IntOpt(
        "libvirt_inject_partition",
        default=-2,
        min=-2,
        max=128,
        help="Partition into which keys, files and network settings are written, 0 for disks without any, -2: none is.",
    ),
    cfg.BoolOpt("libvirt_inject_key", default=True, help="Write the user's public key into guests' disks."),
    cfg.BoolOpt(
        "libvirt_inject_password",
        default=False,
        help="Write the administrator's password into guests' disks; nova-api has to know it too.",
    ),
    cfg.BoolOpt(
        "use_cow_images",
        default=True,
        help="Make a guest's disk as a difference to the cached image, not a copy.",
    ),
    cfg.BoolOpt(
        "force_raw_images", default=True, help="Keep cached images as raw disks, whatever they were sent as."
    ),
    cfg.BoolOpt(
        "remove_unused_base_images",
        default=True,
        help="Remove cached images that no guest has used for some time.",
    ),
    cfg.IntOpt(
        "remove_unused_original_minimum_age_seconds",
        default=86400,
        min=0,
        help="Seconds for which a cached image is kept after its last use.",
    ),
    cfg.IntOpt(
        "remove_unused_resized_minimum_age_seconds",
        default=3600,
        min=0,
        help="Seconds for which an empty disk that was made here is kept in the cache after its last use.",
    ),
    cfg.BoolOpt(
        "checksum_base_images",
        default=False,
        help="Read all cached images at each look at the cache, and compare them with the checksums of the first look: "
        "a damaged one is logged as an error, and removed unless a guest uses it.",
    ),
    cfg.MultiStrOpt(
        "virt_mkfs",
        default=[],
        help="Command that formats an ephemeral disk, by the os_type of the image: os_type=command with %(target)s and "
        "perhaps %(fs_label)s. The os_type default stands for all others; without it they get ext4.",
    ),
    cfg.StrOpt(
        "default_ephemeral_format",
        default="",
        help="File system of ephemeral disks where virt_mkfs has no command for the os_type, such as xfs.",
    ),
    cfg.IntOpt(
        "max_console_bytes", default=102400, min=1024, help="Most bytes of a guest's console that are shown."
    ),
    cfg.IntOpt(
        "libvirt_copy_stall_seconds",
        default=300,
        min=1,
        help="Seconds without progress after which the copying of a running guest's disk is broken off.",
    ),
    cfg.StrOpt(
        "live_migration_uri",
        default="qemu+tcp://%s/system",
        help="libvirt's address on the host that a guest goes to; %s is that host's live_migration_inbound_addr.",
    ),
    cfg.StrOpt(
        "live_migration_inbound_addr",
        default="$my_ip",
        help="Address of this host at which other compute hosts bring guests.",
    ),
    cfg.ListOpt(
        "live_migration_flag",
        default=[
            "VIR_MIGRATE_LIVE",
            "VIR_MIGRATE_PEER2PEER",
            "VIR_MIGRATE_UNDEFINE_SOURCE",
            "VIR_MIGRATE_PERSIST_DEST",
        ],
        help="libvirt's flags for moving a guest whose disks both hosts share.",
    ),
    cfg.ListOpt(
        "block_migration_flag",
        default=[
            "VIR_MIGRATE_LIVE",
            "VIR_MIGRATE_PEER2PEER",
            "VIR_MIGRATE_UNDEFINE_SOURCE",
            "VIR_MIGRATE_PERSIST_DEST",
            "VIR_MIGRATE_NON_SHARED_INC",
        ],
        help="libvirt's flags for moving a guest and copying its disks.",
    ),
    cfg.IntOpt(
        "live_migration_bandwidth",
        default=0,
        min=0,
        help="Most MiB a second of a live migration; 0 is no bound.",
    ),
    cfg.IntOpt(
        "live_migration_completion_timeout",
        default=800,
        min=0,
        help="Seconds that a live migration may take for each GiB of memory and of disks to copy, of each of which "
        "two are counted at least; 0 is no bound.",
    ),
    cfg.StrOpt(
        "live_migration_timeout_action",
        default="abort",
        choices=["abort", "force_complete"],
        help="What becomes of a live migration that takes longer: it is given up, or its guest stands still, and it "
        "is given up when the same time is over again.",
    ),
    cfg.IntOpt(
        "live_migration_progress_timeout",
        default=0,
        min=0,
        help="Seconds in which nothing moves after which a live migration is given up; 0 is no bound.",
    ),
    cfg.BoolOpt("vnc_enabled", default=False, help="Give each guest a VNC screen."),
    cfg.StrOpt("vncserver_listen", default="127.0.0.1", help="Address on which guests' VNC screens listen."),
)
