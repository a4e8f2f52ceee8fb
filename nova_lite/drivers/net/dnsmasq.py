"""DHCP by dnsmasq: one process a bridge, told of guests by files.

At SIGHUP it reads its files again, and runs the lease script for every lease that it has given. So it is told of
guests that only came by a file more in a folder that it watches, and reads the whole again when one has gone.
What it was told is the file of all together with those in the folder.
"""

import dataclasses
import ipaddress
import os
import shlex
import shutil
import time
from pathlib import Path

from nova_lite.core.errors import DriverError
from nova_lite.drivers.net import dhcp_release
from nova_lite.drivers.net.base import DhcpHost, NetworkPlan
from nova_lite.drivers.net.links import METADATA_ADDRESS
from nova_lite.drivers.runner import Runner

_PATIENCE = 5.0
"""Seconds for which a server may take to end."""
_ENTERPRISE = 32473
"""The enterprise's number of who has none (RFC 5612)."""
_MOST_OF_V6 = 65536
"""Guests in a network of IPv6 alone, as many as the largest one of IPv4 has room for."""
_RA_SECONDS = 600
"""How often guests are told of a prefix, as dnsmasq does it by itself."""


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
        self._told: dict[str, _Told] = {}

    def serve(self, plan: NetworkPlan, *, look: bool = True) -> bool:
        """Let a server run as planned that knows ``plan.hosts``; True if anything had to change.

        Without ``look`` the files are taken to be as they were left: then it costs what has changed.
        """
        told = None if look else self._told.get(plan.bridge)
        told = told or self._on_disk(plan.bridge)
        wanted = _Told.of(plan)
        pid, command = self._running(plan.bridge)
        if pid is not None and command != self._command(plan):
            self._end(plan.bridge, pid)
            pid = None
        self._told.pop(plan.bridge, None)
        if pid is None:
            self._tell_all(plan.bridge, wanted)
            self._start(plan)
        elif told.hosts - wanted.hosts or told.options != wanted.options:
            self._tell_all(plan.bridge, wanted)
            self._runner.privileged(["kill", "-HUP", str(pid)])
        elif wanted.hosts - told.hosts:
            self._add(plan.bridge, wanted.hosts - told.hosts)
        self._file(plan.bridge, "telling").unlink(missing_ok=True)
        self._told[plan.bridge] = wanted
        if pid is not None and self._settings.force_release:
            # Who is only told of something else keeps its lease.
            gone, come = ({*map(_lease_of, lines)} for lines in (told.hosts - wanted.hosts, wanted.hosts - told.hosts))
            for mac, address in sorted(gone - come) if plan.cidr else ():
                dhcp_release.send(plan.bridge, plan.gateway, address, mac)
        return pid is None or told != wanted

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
        if self._on_disk(plan.bridge) != _Told.of(plan):
            return "the DHCP server's hosts are not those of the database"
        if not os.access(self._script, os.X_OK):
            return "the script that the DHCP server calls is not there"
        return None

    def stop(self, bridge: str) -> None:
        """End the server of a bridge and remove its files."""
        pid = self.pid(bridge)
        if pid is not None:
            self._end(bridge, pid)
        self._told.pop(bridge, None)
        for suffix in ("pid", "hosts", "opts", "telling"):
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

    def _on_disk(self, bridge: str) -> "_Told":
        """Return what a server was told, by this daemon or one before it; one that died over it told nothing."""
        hosts, folder = self._read(self._file(bridge, "hosts")), self._file(bridge, "added")
        added = [self._read(file) for file in folder.glob("[0-9]*")] if folder.is_dir() else []
        options = self._read(self._file(bridge, "opts"))
        if hosts is None or self._file(bridge, "telling").exists():
            options = None
        lines = frozenset(line for text in (hosts, *added) for line in (text or "").splitlines())
        return _Told(lines, options)

    def _read(self, file: Path) -> str | None:
        try:
            return file.read_text()
        except FileNotFoundError:
            return None

    def _tell_all(self, bridge: str, told: "_Told") -> None:
        """Write the whole for the server to read: the folder of those that came is empty then, twice is an error."""
        self._file(bridge, "telling").touch()
        _replace(self._file(bridge, "hosts"), "".join(f"{line}\n" for line in sorted(told.hosts)))
        _replace(self._file(bridge, "opts"), told.options or "")
        folder = self._file(bridge, "added")
        folder.mkdir(exist_ok=True)
        for file in folder.iterdir():
            file.unlink()

    def _add(self, bridge: str, lines: frozenset[str]) -> None:
        """Let a server know of more guests."""
        folder = self._file(bridge, "added")
        folder.mkdir(exist_ok=True)
        _replace(folder / str(time.time_ns()), "".join(f"{line}\n" for line in sorted(lines)))

    def _start(self, plan: NetworkPlan) -> None:
        self._write_script()
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
            f"--listen-address={plan.gateway if plan.cidr else plan.gateway_v6}",
            "--except-interface=lo",
            f"--dhcp-lease-max={_most_leases(plan)}",
            f"--dhcp-hostsfile={self._file(plan.bridge, 'hosts')}",
            f"--dhcp-hostsdir={self._file(plan.bridge, 'added')}",
            f"--dhcp-optsfile={self._file(plan.bridge, 'opts')}",
            f"--dhcp-script={self._script}",
            "--leasefile-ro",
            "--user=root",
            "--group=root",
            *(_of_v4(plan) if plan.cidr else ()),
            *(_of_v6(plan) if plan.cidr_v6 else ()),
        ]
        if settings.names is not None and settings.names.is_dir():
            command.append(f"--hostsdir={settings.names}")
        if settings.forwarders:
            command += [
                "--no-hosts",
                "--no-resolv",
                *(f"--server={server}" for server in settings.forwarders),
            ]
        return command

    @property
    def _script(self) -> Path:
        return self._settings.folder / "nova-leases.sh"

    def _write_script(self) -> None:
        """Write what dnsmasq calls: at each SIGHUP that is once for every lease, of which nothing is new."""
        called = shlex.quote(_absolute(self._settings.script))
        _replace(self._script, f'#!/bin/sh\n[ "$1" = old ] && exit 0\nexec {called} "$@"\n', mode=0o755)

    def _file(self, bridge: str, suffix: str) -> Path:
        return self._settings.folder / f"nova-{bridge}.{suffix}"


def _of_v4(plan: NetworkPlan) -> list[str]:
    """Return what makes a server tell guests of IPv4."""
    options = [
        f"--dhcp-range=set:{plan.bridge},{plan.dhcp_start},static,{_mask(plan.cidr)},{plan.lease_seconds}s",
        f"--dhcp-option=option:mtu,{plan.mtu}",
    ]
    if plan.dns:
        options.append(f"--dhcp-option=option:dns-server,{','.join(plan.dns)}")
    if not plan.routed:
        # Only the metadata service is told of, which a guest would reach by its router else (RFC 3442).
        metadata = f"{METADATA_ADDRESS}/32,{plan.gateway}"
        options += ["--dhcp-option=option:router", f"--dhcp-option=option:classless-static-route,{metadata}"]
    return options


def _of_v6(plan: NetworkPlan) -> list[str]:
    """Return what makes a server tell guests of IPv6."""
    prefix = ipaddress.ip_network(plan.cidr_v6)
    static = f"static,{prefix.prefixlen},{plan.lease_seconds}s"
    kind = static if plan.tells_v6 else f"ra-only,{prefix.prefixlen}"
    options = ["--enable-ra", f"--dhcp-range={prefix.network_address},{kind}"]
    if plan.tells_v6:
        # Guests hear the next server only if it is called as this one.
        options.append(f"--dhcp-duid={_ENTERPRISE},{plan.uuid.encode().hex(':')}")
    if not plan.routed:
        options.append(f"--ra-param={plan.bridge},{_RA_SECONDS},0")
    return options


def _most_leases(plan: NetworkPlan) -> int:
    if not plan.cidr:
        return _MOST_OF_V6
    return ipaddress.ip_network(plan.cidr).num_addresses * (1 + plan.tells_v6)


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


@dataclasses.dataclass(frozen=True, slots=True)
class _Told:
    """What a server is told of guests: a line for each, and what only some of them hear (None: not known)."""

    hosts: frozenset[str]
    options: str | None

    @classmethod
    def of(cls, plan: NetworkPlan) -> "_Told":
        hosts = [host for host in plan.hosts if host.address or host.address_v6]
        return cls(frozenset(_line(plan, host) for host in hosts), _options(plan))


def _line(plan: NetworkPlan, host: DhcpHost) -> str:
    """Return the line of a guest; one that is told more has a tag."""
    tag = "" if host.routed and not host.options else f"set:{_tag(host)},"
    v6 = f"[{host.address_v6}]," if host.address_v6 else ""
    v4 = f",{host.address}" if host.address else ""
    return f"{host.mac},{tag}{v6}{host.hostname}.{plan.domain}{v4}"


def _lease_of(line: str) -> tuple[str, str]:
    """Return the MAC and the address of a guest's line."""
    words = line.split(",")
    return words[0], words[-1]


def _options(plan: NetworkPlan) -> str:
    """Return the file of what only some guests are told."""
    lines = []
    told_more = [host for host in plan.hosts if host.options or not host.routed]
    for host in sorted(told_more, key=lambda host: host.address):
        if not host.routed:
            lines.append(f"tag:{_tag(host)},option:router\n")
        for name, value in host.options:
            option = name if name.isdigit() else f"option:{name}"
            lines.append(f"tag:{_tag(host)},{option},{value}\n")
    return "".join(lines)


def _tag(host: DhcpHost) -> str:
    return f"vif-{host.mac.replace(':', '')}"


def _mask(cidr: str) -> str:
    return str(ipaddress.ip_network(cidr).netmask)


def _absolute(program: str) -> str:
    """Return the path of the lease script; dnsmasq does not search for it."""
    if os.path.isabs(program):
        return program
    return shutil.which(program) or program
