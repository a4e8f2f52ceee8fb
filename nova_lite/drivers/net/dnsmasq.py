"""DHCP by dnsmasq: one process a bridge, told of guests by files.

At SIGHUP it reads its files again, and runs the lease script for every lease that it has given. So it is told of
guests that only came by a file more in a folder that it watches, and reads the whole again when one has gone.
"""

import dataclasses
import ipaddress
import os
import shlex
import shutil
import time
from collections.abc import Mapping
from pathlib import Path

from nova_lite.core.errors import DriverError
from nova_lite.drivers.net import dhcp_release
from nova_lite.drivers.net.base import DhcpHost, NetworkPlan
from nova_lite.drivers.runner import Runner

_PATIENCE = 5.0
"""Seconds for which a server may take to end."""


@dataclasses.dataclass(frozen=True, slots=True)
class DnsmasqSettings:
    """Where files are, and what every DHCP server is told. ``script`` is called when a lease changes.

    Names in files in ``names`` are answered, too, if there is such a folder.
    With ``force_release`` the leases of guests that are gone end at once.
    """

    folder: Path
    script: str
    script_environment: tuple[tuple[str, str], ...] = ()
    config_file: str = ""
    forwarders: tuple[str, ...] = ()
    names: Path | None = None
    force_release: bool = True


class Dnsmasq:
    """The DHCP servers of this host."""

    def __init__(self, runner: Runner, settings: DnsmasqSettings) -> None:
        self._runner = runner
        self._settings = settings

    def serve(self, plan: NetworkPlan) -> bool:
        """Let a server run as planned that knows ``plan.hosts``; True if anything had to change."""
        gone = self._known(plan.bridge) - {(host.mac, host.address) for host in plan.hosts}
        changed = self._changed(plan)
        came = self._only_came(plan, changed)
        if came:
            self._add(plan.bridge, came)
        self._write(plan.bridge, changed)
        pid, command = self._running(plan.bridge)
        if pid is not None and command != self._command(plan):
            self._end(plan.bridge, pid)
            pid = None
        if pid is None:
            self._start(plan)
            return True
        if changed and not came:
            self._forget_added(plan.bridge)
            self._runner.privileged(["kill", "-HUP", str(pid)])
        if self._settings.force_release:
            for mac, address in sorted(gone):
                dhcp_release.send(plan.bridge, plan.gateway, address, mac)
        return bool(changed)

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
        shutil.rmtree(self._file(bridge, "added"), ignore_errors=True)

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
        while _holds_sockets(pid):
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

    def _known(self, bridge: str) -> set[tuple[str, str]]:
        """Return the (MAC, address) of the guests that a server was told of, by this daemon or one before it."""
        lines = (self._read(bridge, "hosts") or "").splitlines()
        return {(words[0], words[-1]) for words in (line.split(",") for line in lines)}

    def _write(self, bridge: str, changed: Mapping[str, str]) -> None:
        for suffix, text in changed.items():
            _replace(self._file(bridge, suffix), text)

    def _only_came(self, plan: NetworkPlan, changed: Mapping[str, str]) -> str:
        """Return the lines of guests that came, empty if anything else is new, too."""
        if list(changed) != ["hosts"]:
            return ""
        text = self._read(plan.bridge, "hosts")
        before, now = set((text or "").splitlines()), set(changed["hosts"].splitlines())
        if text is None or before - now:
            return ""
        return "".join(f"{line}\n" for line in sorted(now - before))

    def _add(self, bridge: str, lines: str) -> None:
        """Let a server know of more guests."""
        folder = self._file(bridge, "added")
        folder.mkdir(exist_ok=True)
        _replace(folder / str(time.time_ns()), lines)

    def _forget_added(self, bridge: str) -> None:
        """Empty the folder of guests that came: the file of all has them, and twice is an error."""
        folder = self._file(bridge, "added")
        folder.mkdir(exist_ok=True)
        for file in folder.iterdir():
            file.unlink()

    def _start(self, plan: NetworkPlan) -> None:
        self._forget_added(plan.bridge)
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
            f"--dhcp-hostsdir={self._file(plan.bridge, 'added')}",
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
        called = shlex.quote(_absolute(self._settings.script))
        _replace(file, f'#!/bin/sh\n[ "$1" = old ] && exit 0\nexec {called} "$@"\n', mode=0o755)
        return file

    def _file(self, bridge: str, suffix: str) -> Path:
        return self._settings.folder / f"nova-{bridge}.{suffix}"


def _replace(file: Path, text: str, mode: int = 0o644) -> None:
    """Write a file, which is there with all of its text or not at all; a hidden name is not read meanwhile."""
    temporary = file.with_name(f".{file.name}.new")
    temporary.write_text(text)
    temporary.chmod(mode)
    temporary.rename(file)


def _holds_sockets(pid: int) -> bool:
    """Tell whether a process still has its files open; it has lost its memory, and its command line, before."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in ("Z", "X")


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
