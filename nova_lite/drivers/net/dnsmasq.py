"""DHCP by dnsmasq: one process a bridge, told of new addresses by its hosts file and SIGHUP."""

import dataclasses
import ipaddress
import os
import shlex
import shutil
import time
from pathlib import Path

from nova_lite.core.errors import DriverError
from nova_lite.drivers.net.base import DhcpHost, NetworkPlan
from nova_lite.drivers.runner import Runner

_PATIENCE = 5.0
"""Seconds for which a server may take to end."""


@dataclasses.dataclass(frozen=True, slots=True)
class DnsmasqSettings:
    """Where files are, and what every DHCP server is told. ``script`` is called when a lease changes.

    Names in files in ``names`` are answered, too, if there is such a folder.
    """

    folder: Path
    script: str
    script_environment: tuple[tuple[str, str], ...] = ()
    config_file: str = ""
    forwarders: tuple[str, ...] = ()
    names: Path | None = None


class Dnsmasq:
    """The DHCP servers of this host."""

    def __init__(self, runner: Runner, settings: DnsmasqSettings) -> None:
        self._runner = runner
        self._settings = settings

    def serve(self, plan: NetworkPlan) -> bool:
        """Let a server run as planned that knows ``plan.hosts``; True if anything had to change."""
        written = self._write_files(plan)
        pid, command = self._running(plan.bridge)
        if pid is not None and command != self._command(plan):
            self._end(plan.bridge, pid)
            pid = None
        if pid is None:
            self._start(plan)
            return True
        if written:
            self._runner.privileged(["kill", "-HUP", str(pid)])
        return written

    def pid(self, bridge: str) -> int | None:
        """Return the process that serves a bridge, None when there is none."""
        return self._running(bridge)[0]

    def problem(self, plan: NetworkPlan) -> str | None:
        """Return what is not as planned, None for nothing."""
        pid, command = self._running(plan.bridge)
        if pid is None:
            return "the DHCP server does not run"
        if command != self._command(plan):
            return "the DHCP server was not started as the network is now"
        if self._changed(plan):
            return "the DHCP server's hosts are not those of the database"
        return None

    def stop(self, bridge: str) -> None:
        """End the server of a bridge and remove its files."""
        pid = self.pid(bridge)
        if pid is not None:
            self._end(bridge, pid)
        for suffix in ("pid", *_FILES):
            self._file(bridge, suffix).unlink(missing_ok=True)

    def _running(self, bridge: str) -> tuple[int | None, list[str]]:
        """Return the process that serves a bridge, with what it was started as."""
        try:
            pid = int(self._file(bridge, "pid").read_text())
            command = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")[:-1]
        except (OSError, ValueError):
            return None, []
        # A pid may have gone to another program; ours names its own pid file.
        return (pid, command) if f"--pid-file={self._file(bridge, 'pid')}" in command else (None, [])

    def _end(self, bridge: str, pid: int) -> None:
        """End a server and wait until its sockets are free for the next."""
        self._runner.privileged(["kill", "-TERM", str(pid)], allowed=(0, 1))
        deadline = time.monotonic() + _PATIENCE
        while self.pid(bridge) == pid:
            if time.monotonic() > deadline:
                raise DriverError(f"cannot end the DHCP server of {bridge}: it does not hear.")
            time.sleep(0.01)

    def bridges(self) -> set[str]:
        """Return the bridges for which there are files of ours."""
        return {
            file.name[len("nova-") : -len(".hosts")] for file in self._settings.folder.glob("nova-*.hosts")
        }

    def _changed(self, plan: NetworkPlan) -> dict[str, str]:
        """Return the content that files should have and have not, by their suffix."""
        wanted = {suffix: content(plan) for suffix, content in _FILES.items()}
        return {suffix: text for suffix, text in wanted.items() if self._read(plan.bridge, suffix) != text}

    def _read(self, bridge: str, suffix: str) -> str | None:
        try:
            return self._file(bridge, suffix).read_text()
        except FileNotFoundError:
            return None

    def _write_files(self, plan: NetworkPlan) -> bool:
        changed = self._changed(plan)
        for suffix, text in changed.items():
            file = self._file(plan.bridge, suffix)
            temporary = file.with_suffix(".new")
            temporary.write_text(text)
            temporary.chmod(0o644)
            temporary.rename(file)
        return bool(changed)

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
            f"--dhcp-optsfile={self._file(plan.bridge, 'opts')}",
            f"--dhcp-script={self._lease_script()}",
            "--leasefile-ro",
            f"--dhcp-option=option:mtu,{plan.mtu}",
            "--user=root",
            "--group=root",
        ]
        if plan.dns:
            command.append(f"--dhcp-option=option:dns-server,{','.join(plan.dns)}")
        if plan.cidr_v6:
            prefix = ipaddress.ip_network(plan.cidr_v6)
            command += ["--enable-ra", f"--dhcp-range={prefix.network_address},ra-only,{prefix.prefixlen}"]
        if settings.names is not None and settings.names.is_dir():
            command.append(f"--hostsdir={settings.names}")
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
    """Return the file of the guests; those that are told more have a tag."""
    lines = []
    for host in sorted(plan.hosts, key=lambda host: host.address):
        tag = "" if host.routed and not host.options else f"set:{_tag(host)},"
        lines.append(f"{host.mac},{tag}{host.hostname}.{plan.domain},{host.address}\n")
    return "".join(lines)


def _options(plan: NetworkPlan) -> str:
    """Return the file of what only some guests are told."""
    lines = []
    for host in sorted(plan.hosts, key=lambda host: host.address):
        if not host.routed:
            lines.append(f"tag:{_tag(host)},option:router\n")
        for name, value in host.options:
            option = name if name.isdigit() else f"option:{name}"
            lines.append(f"tag:{_tag(host)},{option},{value}\n")
    return "".join(lines)


def _tag(host: DhcpHost) -> str:
    return f"vif-{host.mac.replace(':', '')}"


_FILES = {"hosts": _hosts, "opts": _options}
"""The files that a server reads again at SIGHUP, by suffix."""


def _mask(cidr: str) -> str:
    return str(ipaddress.ip_network(cidr).netmask)


def _absolute(program: str) -> str:
    """Return the path of the lease script; dnsmasq does not search for it."""
    if os.path.isabs(program):
        return program
    return shutil.which(program) or program
