"""Flags of the database."""

from oslo_config import cfg

FLAGS = (
    cfg.StrOpt("sqlite_db", default="nova.sqlite", help="File name of the embedded database in state_path."),
    cfg.StrOpt(
        "sql_connection",
        default="sqlite:///$state_path/$sqlite_db",
        secret=True,
        help="URL of the database: sqlite:///…, mysql+pymysql://… or postgresql+psycopg2://….",
    ),
    cfg.IntOpt(
        "sql_retry_seconds",
        default=30,
        min=0,
        help="Seconds for which a transaction is tried again while the database is away or contended.",
    ),
    cfg.IntOpt("sql_pool_size", default=20, min=1, help="Connections that a process keeps open at most."),
)
