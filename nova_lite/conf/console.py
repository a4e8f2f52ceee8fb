"""Flags of consoles: where their proxies are, how long a URL to one works, and of the proxies themselves."""

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
    cfg.BoolOpt("serial_console_enabled", default=False, help="Let people at the serial ports of guests."),
    cfg.StrOpt(
        "serial_console_listen",
        default="127.0.0.1",
        help="Address on which a compute host lets the proxy at its guests' serial ports.",
    ),
    cfg.PortOpt("serial_console_port", default=6084, help="Port for that."),
    cfg.StrOpt(
        "serial_console_proxyclient_address",
        default="$my_ip",
        help="Address of this host at which the proxy reaches that port.",
    ),
    cfg.IntOpt(
        "console_token_ttl",
        default=600,
        min=1,
        help="Seconds for which the URL of a console lets its bearer in.",
    ),
    cfg.BoolOpt(
        "console_token_single_use", default=False, help="Whether the URL of a console lets in only once."
    ),
    cfg.ListOpt(
        "console_allowed_origins",
        default=[],
        help="Host names of other sites whose pages may show consoles.",
    ),
    cfg.ListOpt(
        "console_proxies",
        default=[],
        help="Proxies that nova-all runs: novnc, xvpvnc, serial.",
    ),
    cfg.StrOpt("novncproxy_host", default="0.0.0.0", help="Address on which nova-novncproxy listens."),
    cfg.PortOpt("novncproxy_port", default=6080, help="Port on which nova-novncproxy listens."),
    cfg.StrOpt(
        "novncproxy_web", default="/usr/share/novnc", help="Folder of noVNC's pages; empty serves none."
    ),
    cfg.StrOpt("xvpvncproxy_host", default="0.0.0.0", help="Address on which nova-xvpvncproxy listens."),
    cfg.PortOpt("xvpvncproxy_port", default=6081, help="Port on which nova-xvpvncproxy listens."),
    cfg.StrOpt("serialproxy_host", default="0.0.0.0", help="Address on which nova-serialproxy listens."),
    cfg.PortOpt("serialproxy_port", default=6083, help="Port on which nova-serialproxy listens."),
    cfg.StrOpt(
        "console_ssl_cert_file", default="", help="Certificate of the proxies; empty: they speak without TLS."
    ),
    cfg.StrOpt(
        "console_ssl_key_file", default="", help="Key of that certificate, where it is in another file."
    ),
)
