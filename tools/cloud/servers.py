"""The processes of the cloud: private servers where none were given, and the daemons."""

import os
from pathlib import Path

from tools.cloud.settings import Settings, program
from tools.services import Broker, Libvirtd, MariaDB
from tools.services.process import Service

_SYSTEM_LIBVIRT = Path("/run/libvirt/libvirt-sock")


class Daemon(Service):
    """One of the daemons, with the cloud's flag file."""

    start_seconds = 90.0

    def __init__(self, settings: Settings, name: str) -> None:
        super().__init__(settings.folder / "run" / name)
        self.name = name
        self._settings = settings
        self.folder.mkdir(parents=True, exist_ok=True)

    def start(self) -> None:
        """Start the daemon and wait until it says that it is ready."""
        log = self.folder / "output"
        log.unlink(missing_ok=True)
        self._launch(
            [program(self.name), f"--flagfile={self._settings.flag_file}"],
            lambda: log.exists() and b" is ready after " in log.read_bytes(),
        )


class Machinery:
    """Everything that runs for the cloud."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        folder = settings.folder / "run"
        self._broker = Broker(folder / "rabbitmq") if _kept(folder / "rabbitmq", settings) else None
        self._database = MariaDB(folder / "mariadb") if _kept(folder / "mariadb", settings) else None
        self._libvirtd = Libvirtd(folder / "libvirt")
        self.daemons = [Daemon(settings, name) for name in settings.programs]

    def runs(self) -> bool:
        """Tell whether all daemons run."""
        return all(daemon.pid is not None for daemon in self.daemons)

    def start_database(self) -> str:
        """Return the URL of the database, of a private server if need be."""
        if self._settings.sql_connection:
            return self._settings.sql_connection
        if self._database is None:
            return f"sqlite:///{self._settings.folder / 'nova.sqlite'}"
        if self._database.pid is None:
            self._database.start()
        return self._database.create_database("nova")

    def start_bus(self) -> str:
        """Return the URL of the bus, of a private broker if need be."""
        if self._settings.transport_url:
            return self._settings.transport_url
        if self._broker is None:
            return "local://"
        if self._broker.pid is None:
            self._broker.start()
        return self._broker.url

    def start_hypervisor(self) -> str:
        """Return the URI of libvirt: of the system's where it answers, else of a private one."""
        if self._settings.driver == "fake":
            return ""
        containers = self._settings.libvirt_type == "lxc"
        if _SYSTEM_LIBVIRT.exists() and Path("/run/systemd/system").is_dir():
            return "lxc:///system" if containers else "qemu:///system"
        if self._libvirtd.pid is None:
            self._libvirtd.start()
        return self._libvirtd.containers_url if containers else self._libvirtd.url

    def start_daemons(self) -> None:
        """Start the daemons that do not run yet."""
        for daemon in self.daemons:
            if daemon.pid is None:
                daemon.start()

    def stop(self) -> None:
        """Stop everything, the daemons first."""
        for daemon in reversed(self.daemons):
            daemon.stop()
        for service in (self._broker, self._database, self._libvirtd):
            if service is not None:
                service.stop()

    def hypervisor_runs(self) -> bool:
        """Tell whether there are guests to end and flags to find them by."""
        if self._settings.driver == "fake" or not self._settings.flag_file.exists():
            return False
        return (
            self._libvirtd.pid is not None
            or ":///system\n" in self._settings.flag_file.read_text()
        )


def _kept(folder: Path, settings: Settings) -> bool:
    """Tell whether a private server belongs to the cloud: it is distributed, or it was at its last run."""
    return settings.distributed or os.path.exists(folder / "pid")
