"""Flags of the EC2 API."""

from oslo_config import cfg, types

FLAGS = (
    cfg.ListOpt(
        "ec2_signature_versions",
        default=["2", "4"],
        item_type=types.String(choices=["0", "1", "2", "4"]),
        help="Versions of signatures that are accepted. Requests with 0 and 1 can be forged from others.",
    ),
    cfg.IntOpt(
        "ec2_timestamp_expiry",
        default=300,
        min=1,
        help="Seconds by which a client's clock may differ, and for which its signature holds.",
    ),
    cfg.IntOpt(
        "lockout_attempts",
        default=5,
        min=0,
        help="Wrong signatures after which an access key is locked out of the EC2 API for the address that they "
        "came from; 0 never locks one out.",
    ),
    cfg.IntOpt(
        "lockout_window", default=15, min=1, help="Minutes within which wrong signatures are counted."
    ),
    cfg.IntOpt("lockout_minutes", default=15, min=1, help="Minutes for which an access key is locked out."),
    cfg.IntOpt(
        "ec2_terminated_seconds",
        default=3600,
        min=0,
        help="Seconds for which the EC2 API still shows instances that are terminated.",
    ),
    cfg.StrOpt(
        "ec2_default_instance_type",
        default="m1.small",
        help="Flavor of instances that the EC2 API is asked for without an instance type.",
    ),
    cfg.ListOpt(
        "region_list",
        default=[],
        help="Regions that the EC2 API tells of, each name=host; without any only --region_name on this host.",
    ),
)
