"""A private PowerDNS authoritative server over SQLite."""

import shutil
import sqlite3
from pathlib import Path

from tools.services.process import SYSTEM_PATH, Service, free_port, listens

_SCHEMA = Path("/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql")


class PowerDnsServer(Service):
    """PowerDNS with its HTTP API, whose key is "secret", on ports of its own."""

    name = "PowerDNS"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        folder.mkdir(parents=True, exist_ok=True)
        self.port, self._api_port = free_port(), free_port()

    @property
    def url(self) -> str:
        """Where the HTTP API is."""
        return f"http://127.0.0.1:{self._api_port}"

    def start(self) -> None:
        """Make the database and start the server."""
        database = self.folder / "pdns.sqlite"
        if not database.exists():
            with sqlite3.connect(database) as connection:
                connection.executescript(_SCHEMA.read_text())
        settings = {
            "launch": "gsqlite3", "gsqlite3-database": database, "local-address": "127.0.0.1",
            "local-port": self.port, "api": "yes", "api-key": "secret", "webserver": "yes",
            "webserver-address": "127.0.0.1", "webserver-port": self._api_port, "socket-dir": self.folder,
            "daemon": "no", "guardian": "no", "cache-ttl": 0, "query-cache-ttl": 0, "negquery-cache-ttl": 0,
            "zone-cache-refresh-interval": 0,
        }  # fmt: skip
        (self.folder / "pdns.conf").write_text(
            "".join(f"{name}={value}\n" for name, value in settings.items())
        )
        program = shutil.which("pdns_server", path=SYSTEM_PATH) or "/usr/sbin/pdns_server"
        self._launch([program, f"--config-dir={self.folder}"], lambda: listens(self._api_port))
