"""Flags of consoles: where their proxies are, and how long a URL to one works."""

from oslo_config import cfg

FLAGS = (
    cfg.StrOpt(
        "novncproxy_base_url",
        default="http://127.0.0.1:6080/vnc_auto.html",
        help="Where browsers find the noVNC page; empty offers none.",
    ),
    cfg.StrOpt(
        "xvpvncproxy_base_url",
        default="",
        help="Where the Java viewer of VNC finds its proxy; empty offers none.",
    ),
    cfg.StrOpt(
        "html5spiceproxy_base_url", default="", help="Where browsers find the SPICE page; empty offers none."
    ),
    cfg.StrOpt(
        "serialproxy_base_url",
        default="",
        help="Where clients find the WebSocket of serial consoles (ws://…); empty offers none.",
    ),
    cfg.StrOpt(
        "vncserver_proxyclient_address",
        default="$my_ip",
        help="Address of this host at which the proxy reaches its guests' screens.",
    ),
    cfg.IntOpt(
        "console_token_ttl",
        default=600,
        min=1,
        help="Seconds for which the URL of a console lets its bearer in.",
    ),
)
