"""Floating addresses on a host: carried by its interfaces, translated by nftables, and moved at once.

A change costs the change, however many addresses there are: the elements of two maps, and an address of a link.
"""

import logging
from collections.abc import Callable, Collection, Iterable, Mapping

from nova_lite.core.errors import DriverError
from nova_lite.drivers.net import arp, links, nat
from nova_lite.drivers.net.base import FloatingAddress, NetworkPlan
from nova_lite.drivers.net.conntrack import Connections, End, Flow
from nova_lite.drivers.net.filter_state import within
from nova_lite.drivers.net.ruleset import Ruleset

LOG = logging.getLogger(__name__)

Place = tuple[str, str]
"""An interface, and a floating address that it carries."""


class FloatingAddresses:
    """The floating addresses of this host and the table that translates them."""

    def __init__(self, ruleset: Ruleset, connections: Connections) -> None:
        self._ruleset = ruleset
        self._connections = connections
        self._plans: dict[int, NetworkPlan] = {}

    def apply(self, plans: Iterable[NetworkPlan]) -> int:
        """Make all of it as ``plans`` say, whatever it is now; returns how much was changed.

        Connections that would not come about now are cut, those of a time before this process too.
        """
        plans = list(plans)
        wanted = {(one.interface, one.address) for plan in plans for one in plan.floating}
        found = links.host_addresses()
        present = found.floating
        changes, _ = self._carry(present - wanted, set())
        removed, kept = ({address for _, address in those} for those in (present - wanted, present & wanted))
        local = found.local - (removed - kept)
        script = nat.script(plans, local)
        if self._ruleset.differences(script):
            self._ruleset.replace(script)
            changes += 1
        self._plans = {plan.network_id: plan for plan in plans}
        added, missing = self._carry(set(), wanted - present)
        self._connections.cut_any(_stale(plans, local))
        if missing is not None:
            # The other networks of the host are not to suffer from it; it stays a difference.
            LOG.warning("a floating address is not carried: %s", missing)
        return changes + added

    def change(self, plan: NetworkPlan) -> int:
        """Make those of one network as its plan says: all of it or, where nft refuses, nothing.

        Returns how much was changed; raises DriverError for an interface that is not there, too: the other
        addresses are in force then.
        """
        known = self._plans.get(plan.network_id)
        before, after = (known.floating if known is not None else ()), plan.floating
        had, has = ({(one.interface, one.address) for one in floating} for floating in (before, after))
        gone, new = had - has, has - had
        # An address that nothing translates any more would lead to the host itself.
        changes, _ = self._carry(gone, set())
        try:
            changes += self._translate(plan, before)
        except DriverError:
            self._carry(set(), gone)
            raise
        added, missing = self._carry(set(), new)
        moved = {one.address for one in set(before) - set(after)}
        for interface, address in sorted(has - new):
            if address in moved:
                arp.announce(interface, address)
        if moved:
            leads = {one.address: one.fixed_address for one in after}
            ends = (End.DESTINATION, End.REPLY_DESTINATION)
            self._connections.cut(_led_elsewhere(moved, leads), moved, ends)
        if missing is not None:
            raise missing
        return changes + added

    def carry_nothing(self) -> None:
        """Remove all floating addresses from the host's interfaces."""
        self._carry(links.host_addresses().floating, set())
        self._plans = {}

    def _translate(self, plan: NetworkPlan, before: Collection[FloatingAddress]) -> int:
        """Have the table lead where ``plan`` says; one that is not as we left it is made anew."""
        script = nat.moves(before, plan.floating)
        plans = self._plans | {plan.network_id: plan}
        if script:
            try:
                self._ruleset.apply(script)
            except DriverError as error:
                LOG.warning("making the translation of addresses anew: %s", error)
                self._ruleset.replace(nat.script(plans.values(), links.host_addresses().local))
        self._plans = plans
        return bool(script)

    def _carry(self, present: set[Place], wanted: set[Place]) -> tuple[int, DriverError | None]:
        """Have the host's interfaces carry these; returns how many changed, and why one of them cannot."""
        missing = None
        for interface, address in sorted(present - wanted):
            links.remove_floating(interface, address)
        changes = len(present - wanted)
        for interface, address in sorted(wanted - present):
            try:
                changes += links.add_floating(interface, address)
                arp.announce(interface, address)
            except DriverError as error:
                missing = error
        return changes, missing


def _led_elsewhere(moved: Collection[str], leads: Mapping[str, str]) -> Callable[[Flow], bool]:
    """Return what condemns the connections that came or went by addresses that moved, unless to where they lead."""

    def condemned(flow: Flow) -> bool:
        if flow.destination in moved and flow.reply_source != leads.get(flow.destination):
            return True
        return flow.reply_destination in moved and flow.source != leads.get(flow.reply_destination)

    return condemned


def _stale(plans: Iterable[NetworkPlan], local: Collection[str]) -> Callable[[Flow], bool]:
    """Return what condemns connections of guests by addresses that lead elsewhere now, or are no longer here."""
    plans = list(plans)
    leads = {one.address: one.fixed_address for plan in plans for one in plan.floating}
    moved = _led_elsewhere(leads, leads)
    ranges = [plan.cidr for plan in plans if plan.cidr]
    here = {*local, *leads, links.METADATA_ADDRESS}

    def of_guest(address: str) -> bool:
        return any(within(address, one) for one in ranges)

    def condemned(flow: Flow) -> bool:
        if moved(flow):
            return True
        came = flow.destination != flow.reply_source and flow.destination not in here
        went = flow.source != flow.reply_destination and flow.reply_destination not in here
        return (came and of_guest(flow.reply_source)) or (went and of_guest(flow.source))

    return condemned
