"""Comparing the database with the hypervisor and the filter of one host, and mending what differs.

An instance or guest that an open action is about is left alone: its flow is bringing it where it should be.
"""

import dataclasses
import functools
import logging
import time
from collections.abc import Callable, Collection

from sqlalchemy.orm import Session

from nova_lite.compute import protection
from nova_lite.compute.host import ComputeHost
from nova_lite.compute.policy import Orphans, Policy
from nova_lite.compute.revival import Revival
from nova_lite.core.errors import DriverError
from nova_lite.core.instance import Instance
from nova_lite.core.instance_states import PowerState, VmState
from nova_lite.db import actions, instances, server_migrations
from nova_lite.drivers.virt.abilities import OpensDisks
from nova_lite.drivers.virt.base import EVERY_GUEST
from nova_lite.drivers.virt.guest import Guest, aside

LOG = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as the database says, and what mends it."""

    kind: str
    name: str
    sentence: str
    mend: Callable[[], None]


@dataclasses.dataclass(frozen=True, slots=True)
class _View:
    """The instances of the host, the resources that open actions are about, and the disks that are kept here.

    ``kept`` are the names of instances that may come back to this host, ``shared`` those of instances on hosts
    that have their disks in the same folder, ``moving`` those of ``busy`` ones wherever they are. ``changes`` tells
    that an open action is about this host.
    """

    instances: dict[str, Instance]
    busy: frozenset[str]
    kept: frozenset[str] = frozenset()
    shared: frozenset[str] = frozenset()
    moving: frozenset[str] = frozenset()
    changes: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class _Change:
    """A guest with another power state than its instance, which becomes ``state``, unless that is None."""

    instance: Instance
    power: PowerState
    state: VmState | None

    @property
    def sentence(self) -> str:
        """What differs."""
        return f"the database says power state {self.instance.power_state.name}, the hypervisor {self.power.name}"


_STANDING = (VmState.STOPPED, VmState.PAUSED, VmState.SUSPENDED)
"""What becomes ACTIVE when the guest is found running."""
_STOPPED = (PowerState.SHUTDOWN, PowerState.CRASHED, PowerState.NOSTATE)


class Reconciler:
    """Finds and mends differences between the database and one compute host."""

    def __init__(self, host: ComputeHost, policy: Policy | None = None) -> None:
        self._host = host
        self._policy = policy or Policy()
        self._orphans_seen: dict[str, float] = {}
        self.revival = Revival(host, self._policy)

    def findings(self) -> list[Finding]:
        """Return what differs; nothing is changed."""
        return self._look(frozenset())[1]

    def _look(self, busy: frozenset[str]) -> tuple[_View, list[Finding]]:
        """Return what is to be on the host, and what differs but for ``busy`` resources."""
        # The host is looked at first: what is there now has a row before it, or is being removed.
        guests = {guest.uuid: guest for guest in self._host.driver.guests()}
        files = self._host.driver.leftovers()
        view = self._wanted(busy)
        return view, [
            *self._orphans(view, guests),
            *self._leftovers(view, guests, files),
            *(self._power_finding(change) for change in self._power(view, guests)),
            *self._open_disks(),
            *self._links(view),
            *self._filter(view),
        ]

    def repair(self, running: Collection[str] | None = None) -> list[Finding]:
        """Mend what differs and return it.

        ``running`` are the resources that actions of this process are about, where others cannot begin meanwhile:
        then, what these are not about is mended however busy the host is.
        """
        view, found = self._look(frozenset(running or ()))
        for finding in found:
            LOG.warning("mending %s %s: %s", finding.kind, finding.name, finding.sentence)
            finding.mend()
        if running is not None and view.changes:
            self._keep(view)
        return found

    def _keep(self, view: _View) -> None:
        """Mend the bridges and filters of instances that no action is about, which cannot be looked at as wholes."""
        quiet = sorted(view.instances.keys() - view.busy)
        for keep in (self._host.links.keep, self._host.groups.keep):
            try:
                for broken in keep(quiet):
                    LOG.warning("mended %s %s: %s", broken.kind, broken.name, broken.sentence)
            except DriverError as error:
                LOG.warning("this host is not as it should be until the next look: %s", error)

    def sync_power_states(self) -> frozenset[str]:
        """Write the power state of guests that changed by themselves, and stop what was found off.

        Returns whom actions are about, or were meanwhile: after these the guests have to be looked at again.
        """
        guests = {guest.uuid: guest for guest in self._host.driver.guests()}
        view = self._wanted()
        return self._follow_in(view, guests)

    def follow(self, uuid: str, written: PowerState | None = None) -> frozenset[str]:
        """Write the power state of one guest that changed by itself; of all with EVERY_GUEST.

        What the database has is not asked of a guest that is as an action has just ``written``. Returns what
        ``sync_power_states`` does.
        """
        if uuid == EVERY_GUEST:
            return self.sync_power_states()
        guest = self._host.driver.guest(uuid)
        if written is not None and written == _power_of(guest):
            return frozenset()
        view = self._host.database.read("compute.view", lambda session: self._view_of(session, uuid))
        return self._follow_in(view, {} if guest is None else {uuid: guest})

    def _follow_in(self, view: _View, guests: dict[str, Guest]) -> frozenset[str]:
        late = {instance.uuid for instance in view.instances.values() if _is_busy(instance, view)}
        for change in self._power(view, guests):
            LOG.info("%s: %s", change.instance.name, change.sentence)
            if not self._note(change):
                late.add(change.instance.uuid)
        return frozenset(late)

    def _view_of(self, session: Session, uuid: str) -> _View:
        """Return the part of the view that one instance is; nothing of one of another host."""
        row = instances.get(session, uuid)
        mine = {} if row is None or row.host != self._host.name else {uuid: row}
        busy = frozenset({uuid} if actions.is_busy(session, uuid) else ())
        return _View(mine, busy)

    def _wanted(self, running: frozenset[str] = frozenset()) -> _View:
        """Return what is to be on this host, but for what is ``running``."""
        sharers = self._host.driver.sharers() | {self._host.name}
        return self._host.database.read("compute.view", lambda session: self._view(session, running, sharers))

    def _view(self, session: Session, running: frozenset[str], sharers: frozenset[str]) -> _View:
        rows = instances.on_host(session, self._host.name)
        others = [row for host in sorted(sharers - {self._host.name}) for row in instances.on_host(session, host)]
        mine = {row.uuid: row for row in rows}
        under_way = actions.open_actions(session)
        migrations = server_migrations.every_open(session)
        busy = {action.resource_id for action in under_way} | running
        kept = {migration.instance_uuid for migration in migrations if migration.source_host in sharers}
        passing = {one.instance_uuid for one in migrations if self._host.name in (one.source_host, one.dest_host)}
        found = instances.by_uuids(session, sorted(kept | busy)).values()
        return _View(
            mine,
            frozenset(busy),
            kept=frozenset(one.name for one in found if one.uuid in kept),
            shared=frozenset(row.name for row in others),
            moving=frozenset(one.name for one in found if one.uuid in busy),
            changes=bool(busy & (mine.keys() | passing)) or any(one.host == self._host.name for one in under_way),
        )

    def _orphans(self, view: _View, guests: dict[str, Guest]) -> list[Finding]:
        """Guests that no instance of this host stands for."""
        if self._policy.orphans is Orphans.NOOP:
            return []
        lost = {
            uuid: guest for uuid, guest in guests.items() if uuid not in view.instances and uuid not in view.busy
        }
        now = time.monotonic()
        self._orphans_seen = {uuid: self._orphans_seen.get(uuid, now) for uuid in lost}
        due = [lost[uuid] for uuid, since in self._orphans_seen.items() if now - since >= self._policy.orphans_after]
        return [self._orphan(guest, view) for guest in due]

    def _orphan(self, guest: Guest, view: _View) -> Finding:
        sentence = "the hypervisor runs a guest that is no instance of this host"
        if self._policy.orphans is Orphans.LOG:
            return Finding("guest", guest.name, f"{sentence}, and it is left alone", lambda: None)
        return Finding("guest", guest.name, sentence, lambda: self._remove(guest, view))

    def _leftovers(self, view: _View, guests: dict[str, Guest], files: tuple[str, ...]) -> list[Finding]:
        """Files of instances that are no longer here."""
        expected = _expected(view) | {guest.name for guest in guests.values()}
        lost = {aside(one.name): one for one in view.instances.values() if one.uuid not in guests}
        return [self._leftover(name, lost.get(name)) for name in files if name not in expected]

    def _leftover(self, name: str, owner: Instance | None) -> Finding:
        """Return what becomes of files: those that their instance lost are given back to it."""

        def mend() -> None:
            view = self._wanted()
            if name in _expected(view):
                # Its instance has come here since it was looked at, or is about to.
                return
            if owner is None:
                self._host.driver.delete_disks("", name)
            elif self._host.driver.guest(owner.uuid) is None:
                self._host.driver.put_back(owner.uuid, owner.name)

        whose = "that is not on this host" if owner is None else "that was moved and is here"
        return Finding("files", name, f"there are files of an instance {whose}", mend)

    def _open_disks(self) -> list[Finding]:
        """Disks that a nova-compute which was killed was writing into."""
        driver = self._host.driver
        if not isinstance(driver, OpensDisks):
            return []
        sentence = "a disk is open on this host, and nobody writes into it"
        return [
            Finding("disk", name, sentence, functools.partial(driver.close_disk, name)) for name in driver.open_disks()
        ]

    def _power(self, view: _View, guests: dict[str, Guest]) -> list[_Change]:
        """Return the instances whose guest is not in the power state that the database has."""
        found = []
        for instance in view.instances.values():
            if _is_busy(instance, view):
                continue
            power = _power_of(guests.get(instance.uuid))
            stopped = instance.vm_state in (VmState.ACTIVE, VmState.PAUSED) and power in _STOPPED
            runs = instance.vm_state in _STANDING and power is PowerState.RUNNING
            if power == instance.power_state and not stopped and not runs:
                continue
            state = VmState.STOPPED if stopped else VmState.ACTIVE if runs else None
            found.append(_Change(instance, power, state))
        return found

    def _power_finding(self, change: _Change) -> Finding:
        def mend() -> None:
            self._note(change)

        return Finding("power", change.instance.name, change.sentence, mend)

    def _note(self, change: _Change) -> bool:
        """Write down that a guest has changed; False when an action has come in between."""
        # The guest was looked at before the row was read: an action may have begun and ended in between.
        if change.power != _power_of(self._host.driver.guest(change.instance.uuid)):
            return False
        if change.state is VmState.STOPPED and self.revival.takes(change.instance):
            return True
        return self._host.database.run(
            "compute.sync_power",
            lambda session: instances.sync_power(session, change.instance, change.power, change.state),
        )

    def _links(self, view: _View) -> list[Finding]:
        """Bridges of guests that are missing, or that no guest needs."""
        if view.changes:
            return []
        return [
            Finding(found.kind, found.name, found.sentence, self._host.links.mend)
            for found in self._host.links.differences()
        ]

    def _filter(self, view: _View) -> list[Finding]:
        """Rules of the packet filter that are not as they should be."""
        if view.changes:
            # A flow that runs now changes the filter between our two looks.
            return []
        wanted = protection.whole(self._host.database, list(view.instances))
        return [
            Finding(difference.kind, difference.name, difference.sentence, self._host.groups.make_anew)
            for difference in self._host.firewall.differences(*wanted)
        ]

    def _remove(self, guest: Guest, view: _View) -> None:
        now = self._host.database.read("compute.view", lambda session: self._view_of(session, guest.uuid))
        if now.instances or now.busy:
            # It has come here since it was looked at, or is about to.
            return
        self._host.driver.destroy(guest.uuid)
        if guest.name not in view.shared:
            self._host.driver.delete_disks(guest.uuid, guest.name)


def _expected(view: _View) -> frozenset[str]:
    """Return the names of files that belong here, whichever guests there are."""
    mine = frozenset(instance.name for instance in view.instances.values())
    # An action elsewhere may be about to move something here; the next look decides.
    away = view.kept | view.moving
    return mine | view.shared | view.moving | {aside(name) for name in away}


def _power_of(guest: Guest | None) -> PowerState:
    return PowerState.NOSTATE if guest is None else guest.power_state


def _is_busy(instance: Instance, view: _View) -> bool:
    return instance.uuid in view.busy or instance.task_state is not None
