"""The filters of guests and their groups kept as the database says, here and on the hosts that let members in."""

import logging
import threading
from collections.abc import Collection, Iterable, Sequence

from nova_lite import concurrency
from nova_lite.compute import protection
from nova_lite.core.context import system_context
from nova_lite.core.errors import DriverError, Unavailable
from nova_lite.core.network import VirtualInterface
from nova_lite.db import group_members
from nova_lite.db.engine import Database
from nova_lite.drivers.net.base import Difference, FirewallDriver
from nova_lite.rpc.compute import ComputeProxy

LOG = logging.getLogger(__name__)


class GroupFilters:
    """Renews the filters of one host. However many ask at once, the database is read once for all of them."""

    def __init__(self, host: str, database: Database, firewall: FirewallDriver, compute: ComputeProxy) -> None:
        self._host = host
        self._database = database
        self._firewall = firewall
        self._compute = compute
        self._protecting: concurrency.Turns[str] = concurrency.Turns(self._protect)
        self._renewing: concurrency.Turns[str] = concurrency.Turns(self._renew)
        self._telling: concurrency.Turns[tuple[str, str]] = concurrency.Turns(self._tell)
        self._interfaces: dict[str, Sequence[VirtualInterface]] = {}
        # What is read for a change must not have become old when the change is made.
        self._look = threading.Lock()

    def protect(self, instance_uuid: str, interfaces: Sequence[VirtualInterface] = ()) -> None:
        """Have the filter of an instance's interfaces in force, and who lets it in know; raises DriverError.

        All its interfaces are looked up unless they are given. Nothing changes them meanwhile: who asks has the
        instance to himself.
        """
        if interfaces:
            self._interfaces[instance_uuid] = interfaces
        self._protecting.join([instance_uuid])

    def renew(self, group_ids: Iterable[str]) -> None:
        """Have the filter hold groups as they are now; raises DriverError."""
        self._renewing.join(group_ids)

    def make_anew(self) -> None:
        """Replace the whole filter by what the database says; raises DriverError."""
        with self._look:
            self._firewall.apply(*protection.wanted_on(self._database, self._host))

    def keep(self, instance_uuids: Sequence[str]) -> tuple[Difference, ...]:
        """Have the filters of instances that no action is about in force, with all groups; returns what others broke.

        What actions make of other instances' filters meanwhile stays. Raises DriverError.
        """
        with self._look:
            broken = self._firewall.restore()
            self._firewall.protect(*protection.whole(self._database, instance_uuids))
            known = sorted(self._firewall.groups())
            wanted = self._database.read("compute.groups", lambda session: protection.groups(session, known))
            self._firewall.refresh(wanted)
        return broken

    def left(self, instance_uuid: str, *, stays: bool = False) -> None:
        """Let all hosts know, this one too, that an address of an instance is no member of its groups any more.

        An instance that ``stays`` is here without that address.
        """
        hosts = self._database.read(
            "compute.left",
            lambda session: group_members.hosts_knowing_member(session, instance_uuid, alone=stays),
        )
        mine = hosts.pop(self._host, ())
        if mine:
            try:
                self.renew(mine)
            except DriverError as error:
                LOG.warning("the filter lets %s in until the next look: %s", instance_uuid, error)
        for host, group_ids in hosts.items():
            self._ring(host, group_ids)

    def _protect(self, uuids: Collection[str]) -> None:
        known = {uuid: self._interfaces.pop(uuid) for uuid in self._interfaces.keys() & uuids}
        with self._look:
            asked = sorted(set(uuids))
            wanted = protection.wanted(self._database, asked, known, self._firewall.groups())
            if wanted.ports and not wanted.groups and not self._firewall.join(wanted.ports):
                # The last guest in a group has just gone.
                wanted = protection.wanted(self._database, asked, known)
            if wanted.groups:
                self._firewall.protect(wanted.ports, wanted.groups)
        others = [(host, group_id) for host, ids in wanted.knowing.items() if host != self._host for group_id in ids]
        if others:
            self._telling.join(others)

    def _renew(self, group_ids: Collection[str]) -> None:
        with self._look:
            wanted = self._database.read(
                "compute.groups", lambda session: protection.groups(session, sorted(set(group_ids)))
            )
            self._firewall.refresh(wanted)

    def _tell(self, known: Collection[tuple[str, str]]) -> None:
        """Ring hosts that know groups; one that does not hear it finds it out in its periodic repair."""
        for host in sorted({host for host, _ in known}):
            self._ring(host, sorted({group_id for one, group_id in known if one == host}))

    def _ring(self, host: str, group_ids: Sequence[str]) -> None:
        try:
            self._compute.on(host).refresh_security_groups(system_context(), list(group_ids))
        except Unavailable as error:
            LOG.warning("nova-compute on %s learns of members later: %s", host, error)
