"""Flags of the bus between the daemons."""

from oslo_config import cfg

FLAGS = (
    cfg.StrOpt(
        "transport_url",
        default="local://",
        secret=True,
        help="Where the bus is: local:// within one process, rabbit:// to take it from the rabbit flags, "
        "or rabbit://user:password@host:port,user:password@host:port/vhost.",
    ),
    cfg.StrOpt(
        "rpc_backend",
        default="",
        help="Class of another bus than ours; empty takes the one that transport_url names.",
    ),
    cfg.StrOpt("control_exchange", default="nova", help="Exchange to which the daemons' queues belong."),
    cfg.StrOpt("rabbit_host", default="localhost", help="RabbitMQ broker, unless transport_url names it."),
    cfg.PortOpt("rabbit_port", default=5672, help="Port of the RabbitMQ broker."),
    cfg.ListOpt(
        "rabbit_hosts",
        default=[],
        help="Several brokers as host:port, tried in turn, instead of rabbit_host.",
    ),
    cfg.StrOpt("rabbit_userid", default="guest", help="User at the broker."),
    cfg.StrOpt("rabbit_password", default="guest", secret=True, help="Password at the broker."),
    cfg.StrOpt("rabbit_virtual_host", default="/", help="Virtual host at the broker."),
    cfg.BoolOpt("rabbit_use_ssl", default=False, help="Speak TLS with the broker."),
    cfg.StrOpt("kombu_ssl_ca_certs", default="", help="File of the certificates that sign the broker's."),
    cfg.StrOpt("kombu_ssl_certfile", default="", help="File of this daemon's certificate for the broker."),
    cfg.StrOpt("kombu_ssl_keyfile", default="", help="File of the key of this daemon's certificate."),
    cfg.BoolOpt(
        "rabbit_durable_queues",
        default=False,
        help="Keep queues over a broker's restart; not needed, as no work exists in a message alone.",
    ),
    cfg.BoolOpt(
        "rabbit_quorum_queue",
        default=False,
        help="Use replicated queues on a cluster of brokers; implies durable.",
    ),
    cfg.IntOpt(
        "rabbit_heartbeat_seconds",
        default=60,
        min=0,
        help="Seconds of silence after which a connection to the broker counts as lost; 0 never.",
    ),
    cfg.IntOpt(
        "rpc_response_timeout",
        default=60,
        min=1,
        help="Seconds that a caller waits for another daemon's answer.",
    ),
    cfg.IntOpt("rpc_thread_pool_size", default=64, min=1, help="Messages that a daemon works on at once."),
    cfg.IntOpt(
        "rpc_conn_pool_size", default=30, min=2, help="Connections to the broker that a process keeps."
    ),
)
