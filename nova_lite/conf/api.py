"""Flags of the front doors: which APIs nova-api serves, where, and within which bounds."""

from oslo_config import cfg, types

PORTS = {
    "identity": 5000, "ec2": 8773, "osapi_compute": 8774, "metadata": 8775, "image": 9292, "network": 9696,
}  # fmt: skip
"""The APIs by name, with the port on which clients expect each."""


def _doors() -> list[cfg.Opt]:
    doors: list[cfg.Opt] = []
    for api, port in PORTS.items():
        doors += [
            cfg.StrOpt(f"{api}_listen", default="0.0.0.0", help=f"Address on which the {api} API listens."),
            cfg.PortOpt(f"{api}_listen_port", default=port, help=f"Port on which the {api} API listens."),
        ]
    return doors


FLAGS = (
    cfg.ListOpt(
        "enabled_apis",
        default=list(PORTS),
        item_type=types.String(choices=list(PORTS)),
        help="APIs that nova-api serves.",
    ),
    *_doors(),
    cfg.StrOpt(
        "api_paste_config",
        default="api-paste.ini",
        help="File of the WSGI pipelines; a relative name is looked for beside the flag file and in /etc.",
    ),
    cfg.StrOpt(
        "policy_file",
        default="policy.yaml",
        help="File of the rules that replace the default ones; need not exist.",
    ),
    cfg.IntOpt("api_workers", default=1, min=1, help="Processes among which nova-api shares its ports."),
    cfg.IntOpt("api_threads", default=64, min=1, help="Requests that one API serves at once in a process."),
    cfg.IntOpt(
        "api_idle_timeout",
        default=75,
        min=1,
        help="Seconds after which an idle connection of a client is closed.",
    ),
    cfg.IntOpt(
        "api_least_rate",
        default=1024,
        min=0,
        help="Fewest bytes a second, over --api_least_rate_window, at which a client has to send a request that an API "
        "or the object store waits for; 0 is no limit.",
    ),
    cfg.IntOpt(
        "api_least_rate_window",
        default=30,
        min=1,
        help="Seconds of waiting for a client over which --api_least_rate is measured.",
    ),
    cfg.BoolOpt(
        "enable_instance_password",
        default=True,
        help="Tell the user the administrator's password that a server was made with.",
    ),
    cfg.IntOpt("osapi_max_limit", default=1000, min=1, help="Most items in one page of a list."),
    cfg.IntOpt(
        "osapi_max_request_body_size",
        default=114688,
        min=1024,
        deprecated_name="max_request_body_size",
        help="Most bytes in a request's body, images left out.",
    ),
    cfg.StrOpt(
        "osapi_compute_link_prefix",
        default="",
        help="Prefix of links in answers of the compute API; empty takes the request's own.",
    ),
    cfg.StrOpt(
        "osapi_glance_link_prefix",
        default="",
        help="Prefix of links to images in answers; empty takes the request's own.",
    ),
    cfg.StrOpt(
        "public_host",
        default="",
        help="Host name in the service catalog's URLs; empty takes the host of the request.",
    ),
    cfg.StrOpt("region_name", default="RegionOne", help="Name of the region in the service catalog."),
)
