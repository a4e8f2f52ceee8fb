"""A simulated host network and packet filter: plans and rules are kept in memory.

They exist only in the daemon that made them: another process, such as ``nova-manage doctor``, sees nothing of
them and so finds no differences.
"""

import dataclasses
import threading
from collections.abc import Mapping, Set
from typing import Any

from nova_lite.drivers.net.base import (
    PROVIDER,
    Difference,
    FilterGroup,
    FilterPort,
    FilterRule,
    FirewallDriver,
    LinkPlan,
    NetworkDriver,
    NetworkPlan,
)


class FakeNetworkDriver(NetworkDriver):
    """Networks that only pretend."""

    def __init__(self) -> None:
        self._plans: dict[int, NetworkPlan] = {}
        self._links: dict[str, LinkPlan] = {}
        self._begun = False
        self._linked = False
        self._lock = threading.Lock()

    @classmethod
    def from_flags(cls, conf: Any) -> "FakeNetworkDriver":
        """Build the driver."""
        return cls()

    def start(self) -> None:
        """Nothing is needed."""

    def apply(self, plans: tuple[NetworkPlan, ...]) -> None:
        """Keep exactly ``plans``."""
        with self._lock:
            self._begun = True
            self._plans = {plan.network_id: plan for plan in plans}

    def set_hosts(self, plan: NetworkPlan) -> None:
        """Keep ``plan`` instead of what was kept of its network."""
        with self._lock:
            self._plans[plan.network_id] = plan

    def set_floating(self, plan: NetworkPlan) -> None:
        """Keep ``plan`` instead of what was kept of its network."""
        self.set_hosts(plan)

    def differences(self, plans: tuple[NetworkPlan, ...]) -> tuple[Difference, ...]:
        """Compare what is kept with ``plans``."""
        wanted = {plan.network_id: plan for plan in plans}
        with self._lock:
            kept = dict(self._plans) if self._begun else wanted
        return tuple(
            Difference("network", str(network_id), "the simulated network is not as the database says")
            for network_id in sorted(wanted.keys() | kept.keys())
            if wanted.get(network_id) != kept.get(network_id)
        )

    def add_links(self, links: tuple[LinkPlan, ...]) -> None:
        """Keep these too."""
        with self._lock:
            self._linked = True
            self._links |= {link.bridge: link for link in links}

    def set_links(self, links: tuple[LinkPlan, ...]) -> None:
        """Keep exactly these."""
        with self._lock:
            self._linked = True
            self._links = {link.bridge: link for link in links}

    def link_differences(self, links: tuple[LinkPlan, ...]) -> tuple[Difference, ...]:
        """Compare what is kept with ``links``."""
        wanted = {link.bridge: link for link in links}
        with self._lock:
            kept = dict(self._links) if self._linked else wanted
        return tuple(
            Difference("bridge", bridge, "the simulated bridge is not as the database says")
            for bridge in sorted(wanted.keys() | kept.keys())
            if wanted.get(bridge) != kept.get(bridge)
        )

    def remove(self) -> None:
        """Forget everything."""
        self.apply(())
        self.set_links(())


class FakeFirewall(FirewallDriver):
    """A packet filter that only pretends."""

    def __init__(self) -> None:
        self._ports: dict[tuple[str, str], FilterPort] = {}
        self._groups: dict[str, FilterGroup] = {}
        self._begun = False
        self._lock = threading.Lock()

    @classmethod
    def from_flags(cls, conf: Any) -> "FakeFirewall":
        """Build the driver."""
        return cls()

    def start(self) -> None:
        """Nothing is needed."""

    def apply(self, ports: tuple[FilterPort, ...], groups: tuple[FilterGroup, ...]) -> None:
        """Keep exactly ``ports`` and ``groups``."""
        with self._lock:
            self._begun = True
            self._ports = {_key(port): port for port in ports}
            self._groups = {PROVIDER: FilterGroup(PROVIDER)} | {group.id: group for group in groups}

    def protect(self, ports: tuple[FilterPort, ...], groups: tuple[FilterGroup, ...]) -> None:
        """Keep these too."""
        with self._lock:
            self._ports |= {_key(port): port for port in ports}
            self._groups |= {group.id: group for group in groups}
            self._drop_unused()

    def groups(self) -> Set[str]:
        """Return the ids of the groups."""
        return self._groups.keys()

    def join(self, ports: tuple[FilterPort, ...]) -> bool:
        """Keep these too, if their groups are kept."""
        with self._lock:
            if not {group for port in ports for group in port.groups} <= self._groups.keys():
                return False
            for port in ports:
                for group_id in port.groups:
                    group, new = self._groups[group_id], filter(None, (port.address, port.address6))
                    members = tuple(dict.fromkeys((*group.members, *new)))
                    self._groups[group_id] = dataclasses.replace(group, members=members)
            self._ports |= {_key(port): port for port in ports}
            self._drop_unused()
            return True

    def unprotect(self, instance_uuid: str, tap: str = "") -> None:
        """Forget an instance's ports, and the groups that no port uses any more."""
        with self._lock:
            self._ports = {
                key: port
                for key, port in self._ports.items()
                if port.instance_uuid != instance_uuid or tap not in ("", port.tap)
            }
            self._drop_unused()

    def _drop_unused(self) -> None:
        used = {PROVIDER} | {group for port in self._ports.values() for group in port.groups}
        named = {rule.source_group for key in used & self._groups.keys() for rule in self._groups[key].rules}
        self._groups = {key: group for key, group in self._groups.items() if key in used | named}

    def refresh(self, groups: tuple[FilterGroup, ...]) -> None:
        """Keep the new form of groups that are kept."""
        with self._lock:
            self._groups |= {group.id: group for group in groups if group.id in self._groups}

    def differences(
        self, ports: tuple[FilterPort, ...], groups: tuple[FilterGroup, ...]
    ) -> tuple[Difference, ...]:
        """Compare the kept ports with ``ports``, and the rules of the groups with ``groups``."""
        rules = {group.id: group.rules for group in groups}
        with self._lock:
            if not self._begun:
                return ()
            kept = {_key(port): (port, _rules_of(port, self._groups)) for port in self._ports.values()}
            refused = self._groups.get(PROVIDER, FilterGroup(PROVIDER)).rules
        wanted = {
            _key(port): (port, {group: rules.get(group, ()) for group in port.groups}) for port in ports
        }
        operators = () if refused == rules.get(PROVIDER, ()) else (("", PROVIDER),)
        return tuple(
            Difference("filter", key[1], "the simulated filter is not as the database says")
            for key in (*operators, *sorted(wanted.keys() | kept.keys()))
            if key in operators or wanted.get(key) != kept.get(key)
        )

    def restore(self) -> tuple[Difference, ...]:
        """Nobody else can change what is kept."""
        return ()

    def remove(self) -> None:
        """Forget everything."""
        self.apply((), ())


def _rules_of(port: FilterPort, groups: Mapping[str, FilterGroup]) -> dict[str, tuple[FilterRule, ...]]:
    return {group: groups[group].rules if group in groups else () for group in port.groups}


def _key(port: FilterPort) -> tuple[str, str]:
    return (port.instance_uuid, port.tap)
