"""DHCP by dnsmasq: one process a bridge, told of new addresses by its hosts file and SIGHUP."""

import dataclasses
import ipaddress
import os
import shlex
import shutil
from pathlib import Path

from nova_lite.core.errors import DriverError
from nova_lite.drivers.net.base import NetworkPlan
from nova_lite.drivers.runner import Runner


@dataclasses.dataclass(frozen=True, slots=True)
class DnsmasqSettings:
    """Where files are, and what every DHCP server is told. ``script`` is called when a lease changes."""

    folder: Path
    script: str
    script_environment: tuple[tuple[str, str], ...] = ()
    config_file: str = ""
    forwarders: tuple[str, ...] = ()


class Dnsmasq:
    """The DHCP servers of this host."""

    def __init__(self, runner: Runner, settings: DnsmasqSettings) -> None:
        self._runner = runner
        self._settings = settings

    def serve(self, plan: NetworkPlan) -> bool:
        """Let a server run that knows ``plan.hosts``; True if anything had to change."""
        written = self._write_hosts(plan)
        pid = self.pid(plan.bridge)
        if pid is None:
            self._start(plan)
            return True
        if written:
            self._runner.privileged(["kill", "-HUP", str(pid)])
        return written

    def pid(self, bridge: str) -> int | None:
        """Return the process that serves a bridge, None when there is none."""
        try:
            pid = int(self._file(bridge, "pid").read_text())
            command = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
        except (OSError, ValueError):
            return None
        # A pid may have gone to another program; ours names its own pid file.
        return pid if f"--pid-file={self._file(bridge, 'pid')}" in command else None

    def stop(self, bridge: str) -> None:
        """End the server of a bridge and remove its files."""
        pid = self.pid(bridge)
        if pid is not None:
            self._runner.privileged(["kill", "-TERM", str(pid)], allowed=(0, 1))
        for suffix in ("pid", "hosts"):
            self._file(bridge, suffix).unlink(missing_ok=True)

    def bridges(self) -> set[str]:
        """Return the bridges for which there are files of ours."""
        return {
            file.name[len("nova-") : -len(".hosts")] for file in self._settings.folder.glob("nova-*.hosts")
        }

    def hosts_differ(self, plan: NetworkPlan) -> bool:
        """Tell whether the hosts file is not as the plan says."""
        try:
            return self._file(plan.bridge, "hosts").read_text() != _hosts(plan)
        except FileNotFoundError:
            return True

    def _write_hosts(self, plan: NetworkPlan) -> bool:
        if not self.hosts_differ(plan):
            return False
        file = self._file(plan.bridge, "hosts")
        temporary = file.with_suffix(".new")
        temporary.write_text(_hosts(plan))
        temporary.chmod(0o644)
        temporary.rename(file)
        return True

    def _start(self, plan: NetworkPlan) -> None:
        environment = dict(self._settings.script_environment) | {"NETWORK_ID": str(plan.network_id)}
        self._runner.privileged(self._command(plan), environment=environment)
        if self.pid(plan.bridge) is None:
            raise DriverError(f"cannot start dnsmasq on {plan.bridge}: it ended at once.")

    def _command(self, plan: NetworkPlan) -> list[str]:
        settings = self._settings
        command = [
            "dnsmasq",
            "--strict-order",
            "--bind-interfaces",
            f"--conf-file={settings.config_file}",
            f"--domain={plan.domain}",
            f"--pid-file={self._file(plan.bridge, 'pid')}",
            f"--interface={plan.bridge}",
            f"--listen-address={plan.gateway}",
            "--except-interface=lo",
            f"--dhcp-range=set:{plan.bridge},{plan.dhcp_start},static,{_mask(plan.cidr)},{plan.lease_seconds}s",
            f"--dhcp-lease-max={ipaddress.ip_network(plan.cidr).num_addresses}",
            f"--dhcp-hostsfile={self._file(plan.bridge, 'hosts')}",
            f"--dhcp-script={self._lease_script()}",
            "--leasefile-ro",
            f"--dhcp-option=option:mtu,{plan.mtu}",
            "--user=root",
            "--group=root",
        ]
        if plan.dns:
            command.append(f"--dhcp-option=option:dns-server,{','.join(plan.dns)}")
        if settings.forwarders:
            command += [
                "--no-hosts",
                "--no-resolv",
                *(f"--server={server}" for server in settings.forwarders),
            ]
        return command

    def _lease_script(self) -> Path:
        """Write what dnsmasq calls: at each SIGHUP that is once for every lease, of which nothing is new."""
        file = self._settings.folder / "nova-leases.sh"
        temporary = file.with_suffix(".new")
        called = shlex.quote(_absolute(self._settings.script))
        temporary.write_text(f'#!/bin/sh\n[ "$1" = old ] && exit 0\nexec {called} "$@"\n')
        temporary.chmod(0o755)
        temporary.rename(file)
        return file

    def _file(self, bridge: str, suffix: str) -> Path:
        return self._settings.folder / f"nova-{bridge}.{suffix}"


def _hosts(plan: NetworkPlan) -> str:
    return "".join(
        f"{host.mac},{host.hostname}.{plan.domain},{host.address}\n"
        for host in sorted(plan.hosts, key=lambda host: host.address)
    )


def _mask(cidr: str) -> str:
    return str(ipaddress.ip_network(cidr).netmask)


def _absolute(program: str) -> str:
    """Return the path of the lease script; dnsmasq does not search for it."""
    if os.path.isabs(program):
        return program
    return shutil.which(program) or program
