"""Flags of every daemon: who and where it is, how it runs, logs and is watched."""

import contextlib
import socket

from oslo_config import cfg


def local_address() -> str:
    """Return the address that this host's traffic to the world leaves with, 127.0.0.1 when there is none."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        # Connecting a datagram socket sends nothing; it only asks for the route.
        probe.connect(("8.8.8.8", 80))
        return str(probe.getsockname()[0])
    return "127.0.0.1"


FLAGS = (
    cfg.StrOpt(
        "host",
        default=socket.gethostname(),
        regex=r"^[^\s/]+$",
        sample_default="<this host's name>",
        help="Name by which the other daemons know this host; must be unique and must not change.",
    ),
    cfg.StrOpt(
        "my_ip",
        default=local_address(),
        sample_default="<this host's address>",
        help="Address of this host on the management network.",
    ),
    cfg.StrOpt(
        "state_path",
        default="/var/lib/nova_lite",
        help="Folder below which everything is kept that must survive a restart.",
    ),
    cfg.ListOpt(
        "flagfile", default=[], sample_default="", help="Files of flags to read; in a file: where it is read."
    ),
    cfg.StrOpt(
        "root_helper",
        default="sudo -n",
        help="What is put before a command that needs root where the daemon is not root.",
    ),
    cfg.StrOpt("lock_path", default="$state_path/locks", help="Folder for locks between processes."),
    cfg.StrOpt(
        "concurrency",
        default="eventlet",
        choices=["eventlet", "threading"],
        help="How a daemon does many things at once: with green threads or with native ones.",
    ),
    cfg.StrOpt(
        "node_availability_zone",
        default="nova",
        deprecated_name="default_availability_zone",
        help="Availability zone of the daemons on this host.",
    ),
    cfg.IntOpt(
        "report_interval",
        default=10,
        min=1,
        help="Seconds between two heartbeats of a daemon's services row.",
    ),
    cfg.IntOpt(
        "periodic_interval", default=60, min=1, help="Seconds between two rounds of a daemon's periodic work."
    ),
    cfg.IntOpt(
        "service_down_time",
        default=60,
        min=1,
        help="Seconds without a heartbeat after which a daemon counts as down.",
    ),
    cfg.BoolOpt("enable_new_services", default=True, help="Let a daemon take part as soon as it registers."),
    cfg.IntOpt(
        "graceful_shutdown_timeout",
        default=60,
        min=0,
        help="Seconds that a stopping daemon gives to the work under way.",
    ),
    cfg.PortOpt(
        "metrics_port", default=0, help="Port of /metrics and /healthcheck of this daemon; 0 serves neither."
    ),
    cfg.StrOpt(
        "metrics_listen", default="127.0.0.1", help="Address on which /metrics and /healthcheck listen."
    ),
    cfg.BoolOpt("verbose", default=True, mutable=True, help="Log what happens, not only what goes wrong."),
    cfg.IntOpt(
        "action_sweep_interval",
        default=5,
        min=1,
        help="Seconds between two looks for actions that nobody works on.",
    ),
    cfg.IntOpt(
        "action_max_attempts",
        default=3,
        min=1,
        help="How often an action is tried before it is given up and undone.",
    ),
    cfg.IntOpt(
        "action_heartbeat_timeout",
        default=60,
        min=1,
        help="Seconds without a sign of life after which another daemon may take an action over.",
    ),
)
