"""The packet filter of a compute host with nftables: stateful rules by address, anti-spoofing by interface.

Two tables, changed together in one transaction; a change costs the change, however many guests there are.
"""

import logging
import threading
from collections.abc import Collection, Set
from pathlib import Path
from typing import Any

from nova_lite.core.errors import ConfigurationError, DriverError
from nova_lite.drivers.net import filter_script as script
from nova_lite.drivers.net.base import Difference, FilterGroup, FilterPort, FirewallDriver
from nova_lite.drivers.net.conntrack import Connections, End, Flow
from nova_lite.drivers.net.filter_state import FilterState
from nova_lite.drivers.net.ruleset import Ruleset
from nova_lite.drivers.runner import Runner, require_programs

LOG = logging.getLogger(__name__)

_SETTINGS = {
    Path("/proc/sys/net/bridge/bridge-nf-call-iptables"): "1",
    Path("/proc/sys/net/bridge/bridge-nf-call-ip6tables"): "1",
    # A connection that was cut must not be taken up again in the middle.
    Path("/proc/sys/net/netfilter/nf_conntrack_tcp_loose"): "0",
}

_DISPATCH = ("ports", "ports6")


class NftablesFirewall(FirewallDriver):
    """Keeps what it put in force in memory; what another process made of the tables is found out and made anew."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._ruleset = Ruleset(runner, script.TABLES)
        self._connections = Connections(runner)
        self._state = FilterState.of((), ())
        self._begun = False
        # Addresses of guests whose connections are still to be judged: cutting them failed.
        self._owed: set[str] = set()
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
        after = FilterState.of(ports, groups)
        with self._lock:
            before = self._ruleset.keys("inet", "nova_compute", _DISPATCH)
            gone = before - after.by_address.keys()
            if gone:
                self._cut_off(gone)
            self._make_anew(after)

    def protect(self, ports: tuple[FilterPort, ...], groups: tuple[FilterGroup, ...]) -> None:
        """Add or renew ports and groups; what only a group that a port left let in is cut."""
        with self._lock:
            self._become(self._state.with_ports(ports, groups))

    def groups(self) -> Set[str]:
        """Return the ids of the groups in force."""
        return self._state.groups.keys()

    def join(self, ports: tuple[FilterPort, ...]) -> bool:
        """Add or renew ports, and their addresses as members of groups that are there; False where one is not."""
        with self._lock:
            groups = self._state.groups_with(ports)
            if groups is None:
                return False
            self._become(self._state.with_ports(ports, groups))
            return True

    def unprotect(self, instance_uuid: str, tap: str = "") -> None:
        """Remove an instance's ports, and the groups that nothing uses any more."""
        with self._lock:
            gone = [key for key in self._state.ports if key[0] == instance_uuid and tap in ("", key[1])]
            if gone:
                self._become(self._state.without_ports(gone))

    def refresh(self, groups: tuple[FilterGroup, ...]) -> None:
        """Renew groups in use, and cut the connections that only a removed rule or member allowed."""
        with self._lock:
            self._become(self._state.with_groups(groups))

    def differences(
        self, ports: tuple[FilterPort, ...], groups: tuple[FilterGroup, ...]
    ) -> tuple[Difference, ...]:
        """Compare the tables in force with what they should hold."""
        found = self._unlike(FilterState.of(ports, groups), "the packet filter is not as the database says")
        if self._owed:
            found.append(Difference("filter", "connections", "those that no rule allows any more are not cut yet"))
        return tuple(found)

    def restore(self) -> tuple[Difference, ...]:
        """Put the state that is kept in force again where the tables are not as it makes them."""
        with self._lock:
            if not self._begun:
                return ()
            found = self._unlike(self._state, "somebody has changed the packet filter")
            if found:
                self._make_anew(self._state)
            return tuple(found)

    def remove(self) -> None:
        """Remove both tables."""
        with self._lock:
            self._ruleset.remove()
            self._state = FilterState.of((), ())
            self._begun = False
            self._owed = set()

    def _unlike(self, state: FilterState, sentence: str) -> list[Difference]:
        """Return where the tables in force are not those of a state."""
        return [Difference("filter", name, sentence) for name in self._ruleset.differences(script.whole(state))]

    def _make_anew(self, after: FilterState) -> None:
        """Replace the whole filter, and cut what it does not allow."""
        self._ruleset.replace(script.whole(after))
        self._state, self._begun = after, True
        # Somebody may have ended between a change and the cut that belongs to it, or let others in.
        self._owed = set(after.by_address)
        self._cut_owed()

    def _become(self, after: FilterState) -> None:
        """Put a state in the place of the one in force, and cut what it does not allow."""
        before = self._state
        wanted = script.change(before, after)
        if wanted:
            self._change(before, after, wanted)
        self._cut_owed()

    def _change(self, before: FilterState, after: FilterState, wanted: str) -> None:
        gone = after.gone_since(before)
        if gone:
            # First, for what is in the tables is how a later start knows which addresses were here.
            self._cut_off(gone)
        try:
            self._ruleset.apply(wanted)
        except DriverError as error:
            LOG.warning("making the packet filter anew: %s", error)
            self._ruleset.replace(script.whole(after))
        self._state = after
        self._owed |= after.narrowed_since(before)

    def _cut_owed(self) -> None:
        """Cut what the state in force does not allow; what fails is owed to the next change, or the next look."""
        if self._owed:
            state, owed = self._state, frozenset(self._owed)

            def condemned(flow: Flow) -> bool:
                return flow.reply_source in owed and not state.admits(flow)

            self._connections.cut(condemned, owed, (End.REPLY_SOURCE,))
            self._owed = set()

    def _cut_off(self, addresses: Collection[str]) -> None:
        """Cut the connections to and from addresses."""

        def condemned(flow: Flow) -> bool:
            return flow.reply_source in addresses or flow.source in addresses

        self._connections.cut(condemned, addresses, (End.SOURCE, End.REPLY_SOURCE))
