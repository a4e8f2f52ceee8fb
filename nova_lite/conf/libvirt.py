"""Flags of the libvirt driver."""

from oslo_config import cfg

FLAGS = (
    cfg.StrOpt(
        "libvirt_type",
        default="auto",
        choices=["auto", "kvm", "qemu"],
        help="How guests run: with KVM, emulated, or as the host can.",
    ),
    cfg.StrOpt("libvirt_uri", default="", help="libvirt's address; empty is the system's own on this host."),
    cfg.StrOpt(
        "libvirt_cpu_mode",
        default="auto",
        choices=["auto", "host-model", "host-passthrough", "none"],
        help="Which processor a guest sees.",
    ),
    cfg.BoolOpt(
        "use_cow_images",
        default=True,
        help="Make a guest's disk as a difference to the cached image, not a copy.",
    ),
    cfg.IntOpt(
        "max_console_bytes", default=102400, min=1024, help="Most bytes of a guest's console that are shown."
    ),
    cfg.BoolOpt("vnc_enabled", default=False, help="Give each guest a VNC screen."),
    cfg.StrOpt("vncserver_listen", default="127.0.0.1", help="Address on which guests' VNC screens listen."),
)
