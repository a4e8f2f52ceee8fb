"""Flags of the metadata service, and of config drives, which tell guests the same."""

import ipaddress
from typing import Any

from oslo_config import cfg, types


class _Range(types.ConfigType):
    """An address, or a range of them in CIDR notation."""

    def __init__(self) -> None:
        super().__init__(type_name="range of addresses")

    def __call__(self, value: Any) -> str:
        return str(ipaddress.ip_network(str(value)))

    def __repr__(self) -> str:
        return "Range"

    def _formatter(self, value: Any) -> str:
        return str(value)


FLAGS = (
    cfg.StrOpt("metadata_host", default="$my_ip", help="Address to which guests' metadata requests go."),
    cfg.PortOpt("metadata_port", default=8775, help="Port to which guests' metadata requests go."),
    cfg.BoolOpt(
        "use_forwarded_for",
        default=False,
        help="Believe X-Forwarded-For about a client's address: only behind a proxy that sets it.",
    ),
    cfg.ListOpt(
        "trusted_proxies",
        default=["127.0.0.1"],
        item_type=_Range(),
        help="Addresses, or ranges of them, of proxies whose X-Forwarded-For is believed where "
        "--use_forwarded_for is on.",
    ),
    cfg.IntOpt(
        "metadata_cache_seconds",
        default=15,
        min=0,
        help="Seconds for which what an instance was told may be told again though its groups changed; who holds "
        "an address, and what leads to it, is looked up at each request.",
    ),
    cfg.StrOpt(
        "metadata_tokens",
        default="optional",
        choices=["optional", "required"],
        help="Whether guests need to show a token (IMDSv2) to read the EC2 tree; the /openstack tree knows none.",
    ),
    cfg.IntOpt(
        "metadata_hop_limit",
        default=0,
        min=0,
        max=255,
        help="Routers that an answer of the metadata service may pass before it is dropped; 0 leaves it to the "
        "host. With 1 nobody behind a guest that forwards gets one, if --metadata_host is the network host.",
    ),
    cfg.StrOpt(
        "vendordata_jsonfile_path",
        default="",
        help="File with a JSON object that guests find as vendor_data.json; empty for none.",
    ),
)
