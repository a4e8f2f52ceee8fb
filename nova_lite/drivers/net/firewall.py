"""The packet filter of a compute host with nftables: stateful rules by address, anti-spoofing by interface.

Two tables, changed together in one transaction. The ``inet`` table dispatches packets to a guest by a verdict
map from its address to its own chain, for what is routed and, thanks to br_netfilter, for what is bridged.
The ``bridge`` table lets a guest speak with its own MAC and address only.
"""

import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from nova_lite.core.errors import ConfigurationError, DriverError
from nova_lite.drivers.net import filter_script as script
from nova_lite.drivers.net.base import Difference, FilterGroup, FilterPort, FilterRule, FirewallDriver
from nova_lite.drivers.net.ruleset import Ruleset
from nova_lite.drivers.runner import Runner, require_programs

_SETTINGS = {
    Path("/proc/sys/net/bridge/bridge-nf-call-iptables"): "1",
    # A connection that was cut must not be taken up again in the middle.
    Path("/proc/sys/net/netfilter/nf_conntrack_tcp_loose"): "0",
}


class NftablesFirewall(FirewallDriver):
    """Keeps what it put in force in memory, so that a change costs the change."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._ruleset = Ruleset(runner, script.TABLES)
        self._ports: dict[tuple[str, str], FilterPort] = {}
        self._groups: dict[str, FilterGroup] = {}
        self._lock = threading.Lock()

    @classmethod
    def from_flags(cls, conf: Any) -> "NftablesFirewall":
        """Build the driver from nova-compute's flags."""
        return cls(Runner.from_flag(conf.root_helper))

    def start(self) -> None:
        """Check programs, and let bridged packets pass the filter; raises ConfigurationError."""
        require_programs("nft", "conntrack", "unshare")
        if not all(path.exists() for path in _SETTINGS):
            self._runner.privileged(["modprobe", "-a", "br_netfilter", "nf_conntrack"], allowed=(0, 1))
        for path, value in _SETTINGS.items():
            try:
                if path.read_text().strip() != value:
                    path.write_text(value)
            except OSError as error:
                raise ConfigurationError(f"cannot set {path} to {value}: {error.strerror}.") from error

    def apply(self, ports: tuple[FilterPort, ...], groups: tuple[FilterGroup, ...]) -> None:
        """Replace the whole filter; connections that it still allows go on."""
        with self._lock:
            self._ruleset.replace(script.whole(ports, groups))
            self._ports = {_key(port): port for port in ports}
            self._groups = {group.id: group for group in groups}

    def protect(self, ports: tuple[FilterPort, ...], groups: tuple[FilterGroup, ...]) -> None:
        """Add or renew ports and groups; what only a group that a port left let in is cut."""
        with self._lock:
            new = [port for port in ports if self._ports.get(_key(port)) != port]
            changed = self._changed(groups)
            gone = [self._ports[_key(port)] for port in new if _key(port) in self._ports]
            left = self._ports | {_key(port): port for port in ports}
            known = self._groups | {group.id: group for group in groups}
            used = _used(left.values(), known)
            unused = [group for key, group in self._groups.items() if key not in used] if gone else []
            if new or changed:
                self._ruleset.apply(
                    script.base()
                    + script.remove_ports(gone)
                    + script.put_groups(changed)
                    + script.put_ports(new)
                    + script.remove_groups(unused)
                )
            before, self._ports = self._groups, left
            self._groups = {key: group for key, group in known.items() if group not in unused}
        for port in gone:
            for group in set(port.groups) - set(left[_key(port)].groups):
                self._cut_lost(port, before[group], FilterGroup(group))

    def unprotect(self, instance_uuid: str, tap: str = "") -> None:
        """Remove an instance's ports, and the groups that nothing uses any more."""
        with self._lock:
            gone = [
                port
                for port in self._ports.values()
                if port.instance_uuid == instance_uuid and tap in ("", port.tap)
            ]
            if not gone:
                return
            left = {key: port for key, port in self._ports.items() if port not in gone}
            used = _used(left.values(), self._groups)
            unused = [group for key, group in self._groups.items() if key not in used]
            self._ruleset.apply(script.remove_ports(gone) + script.remove_groups(unused))
            self._ports = left
            self._groups = {key: group for key, group in self._groups.items() if key in used}
        for port in gone:
            self._cut(["-d", port.address])
            self._cut(["-s", port.address])

    def refresh(self, groups: tuple[FilterGroup, ...]) -> None:
        """Renew groups in use, and cut the connections that only a removed rule or member allowed."""
        with self._lock:
            known = [group for group in groups if group.id in self._groups]
            named = {rule.source_group for group in known for rule in group.rules}
            wanted = [group for group in groups if group.id in self._groups or group.id in named]
            before = {group.id: self._groups[group.id] for group in known}
            changed = self._changed(wanted)
            if changed:
                self._ruleset.apply(script.base() + script.put_groups(changed))
            self._groups |= {group.id: group for group in wanted}
            ports = list(self._ports.values())
        for port in ports:
            for group in set(port.groups) & before.keys():
                self._cut_lost(port, before[group], self._groups[group])
            for group in port.groups:
                self._cut_sources(port, self._groups[group], before)

    def differences(
        self, ports: tuple[FilterPort, ...], groups: tuple[FilterGroup, ...]
    ) -> tuple[Difference, ...]:
        """Compare the tables in force with what they should hold."""
        return tuple(
            Difference("filter", name, "the packet filter is not as the database says")
            for name in self._ruleset.differences(script.whole(ports, groups))
        )

    def remove(self) -> None:
        """Remove both tables."""
        with self._lock:
            self._ruleset.remove()
            self._ports, self._groups = {}, {}

    def _changed(self, groups: Iterable[FilterGroup]) -> list[FilterGroup]:
        return [group for group in groups if self._groups.get(group.id) != group]

    def _cut_lost(self, port: FilterPort, before: FilterGroup, now: FilterGroup) -> None:
        """Cut what rules let through to a port that its group no longer has."""
        for rule in set(before.rules) - set(now.rules):
            self._cut(["-d", port.address, *_selection(rule)])

    def _cut_sources(self, port: FilterPort, group: FilterGroup, before: dict[str, FilterGroup]) -> None:
        """Cut what came to a port from members that a source group of its rules no longer has."""
        for rule in group.rules:
            if rule.source_group in before:
                lost = set(before[rule.source_group].members) - set(self._groups[rule.source_group].members)
                for member in sorted(lost):
                    self._cut(["-d", port.address, "-s", member])

    def _cut(self, selection: list[str]) -> None:
        """Forget the connections to or from an address; what is allowed begins anew."""
        try:
            self._runner.privileged(["conntrack", "-D", *selection], allowed=(0, 1))
        except DriverError as error:
            raise DriverError(f"cannot cut connections: {error}") from error


def _key(port: FilterPort) -> tuple[str, str]:
    return (port.instance_uuid, port.tap)


def _used(ports: Iterable[FilterPort], groups: dict[str, FilterGroup]) -> set[str]:
    """Return the groups of ports, and those that the rules of these name as sources."""
    direct = {group for port in ports for group in port.groups}
    return direct | {rule.source_group for key in direct & groups.keys() for rule in groups[key].rules}


def _selection(rule: FilterRule) -> list[str]:
    """Return how conntrack names the connections that a rule let through; a range of ports by protocol only."""
    selection = ["-p", rule.protocol] if rule.protocol else []
    if rule.protocol in ("tcp", "udp") and rule.from_port == rule.to_port != -1:
        selection += ["--orig-port-dst", str(rule.from_port)]
    if rule.cidr and rule.cidr != "0.0.0.0/0":
        selection += ["-s", rule.cidr]
    return selection
