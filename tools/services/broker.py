"""A private RabbitMQ."""

import os
import secrets
import signal
import subprocess
from pathlib import Path

from tools.services.process import Service, ServiceError, free_port, listens

_PROGRAMS = Path("/usr/lib/rabbitmq/bin")
"""The programs themselves; Debian's wrappers would change to another user."""


class Broker(Service):
    """A RabbitMQ node on ports of its own, with the user guest; it listens at ``address``."""

    name = "RabbitMQ"

    def __init__(self, folder: Path, address: str = "127.0.0.1") -> None:
        super().__init__(folder)
        self._address = address
        folder.mkdir(parents=True, exist_ok=True)
        self.port, self._dist_port, self._epmd_port = self._ports()

    @property
    def url(self) -> str:
        """The transport URL of the broker."""
        return f"rabbit://guest:guest@{self._address}:{self.port}/"

    def start(self) -> None:
        """Start the node and wait until it takes connections."""
        (self.folder / "home").mkdir(exist_ok=True)
        for name in ("env", "advanced.config"):
            (self.folder / name).touch()
        (self.folder / "advanced.config").write_text("[].\n")
        (self.folder / "plugins").write_text("[].\n")
        (self.folder / "rabbitmq.conf").write_text(
            f"listeners.tcp.1 = {self._address}:{self.port}\n"
            "loopback_users = none\n"
            "vm_memory_high_watermark.absolute = 512MiB\n"
            "disk_free_limit.absolute = 50MB\n"
            "log.console = false\n"
        )
        self._launch([str(_PROGRAMS / "rabbitmq-server")], self._ready, self._environment())

    def stop(self) -> None:
        """Stop the node and the port mapper that came with it."""
        super().stop()
        self._end_port_mapper()

    def control(self, *words: str) -> str:
        """Run rabbitmqctl; returns what it printed."""
        argv = [str(_PROGRAMS / "rabbitmqctl"), "-n", self._node(), *words]
        environment = {**os.environ, **self._environment()}
        done = subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=60, check=False)
        if done.returncode != 0:
            raise ServiceError(f"rabbitmqctl {' '.join(words)}: {done.stderr.strip()}")
        return done.stdout

    def _ready(self) -> bool:
        return listens(self.port, self._address)

    def _ports(self) -> tuple[int, int, int]:
        """Return the three ports of the node, the same at every start."""
        file = self.folder / "ports"
        if not file.exists():
            file.write_text(" ".join(str(free_port()) for _ in range(3)))
        port, dist, epmd = (int(word) for word in file.read_text().split())
        return port, dist, epmd

    def _node(self) -> str:
        return f"nova{self.port}@localhost"

    def _environment(self) -> dict[str, str]:
        folder = self.folder
        cookie = folder / "cookie"
        if not cookie.exists():
            cookie.write_text(secrets.token_hex(16))
        erlang = f"-setcookie {cookie.read_text()}"
        return {
            "HOME": str(folder / "home"),
            "RABBITMQ_NODENAME": self._node(),
            "RABBITMQ_NODE_IP_ADDRESS": self._address,
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(self._dist_port),
            "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_PID_FILE": str(folder / "node.pid"),
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(folder / "advanced"),
            "RABBITMQ_CONF_ENV_FILE": str(folder / "env"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
            "ERL_EPMD_PORT": str(self._epmd_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": f"+S 2:2 +sbwt none +sbwtdcpu none +sbwtdio none {erlang}",
            "RABBITMQ_CTL_ERL_ARGS": erlang,
        }

    def _end_port_mapper(self) -> None:
        """End the epmd on our port; the node started it as a process of its own."""
        wanted = f"ERL_EPMD_PORT={self._epmd_port}".encode()
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if (process / "comm").read_text().strip() != "epmd":
                    continue
                if wanted in (process / "environ").read_bytes().split(b"\0"):
                    os.kill(int(process.name), signal.SIGTERM)
            except OSError:
                continue
