"""Moving running guests: libvirt of the host that a guest leaves brings it to libvirt of the other one."""

import contextlib
import dataclasses
import logging
import threading
import time
import urllib.parse
from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree import ElementTree as ET

from nova_lite import concurrency
from nova_lite.core.errors import (
    ConfigurationError,
    DriverError,
    HypervisorUnavailable,
    NovaError,
    Superseded,
)
from nova_lite.core.server_migration import Progress, Traveller
from nova_lite.drivers.virt.abilities import Watch
from nova_lite.drivers.virt.guest import GuestImage, GuestSpec
from nova_lite.drivers.virt.libvirt.carried_disks import CarriedDisks
from nova_lite.drivers.virt.libvirt.connection import constant, lookup, text_constant, tolerate
from nova_lite.drivers.virt.libvirt.disks import Disks
from nova_lite.drivers.virt.libvirt.domains import Domains
from nova_lite.drivers.virt.libvirt.patience import Patience

LOG = logging.getLogger(__name__)

_LOOK_AGAIN = 0.2
_TELL_AGAIN = 1.0
_ARRIVAL_SECONDS = 60.0
"""How long a guest whose host went away on the way may be neither here nor gone."""
_CALL_BACK_SECONDS = 60.0
"""How long a guest that is called back may go on moving; then what became of it is seen when libvirt answers again."""
_LEAST_GB = 2
_LITTLE = 64 * 1024**2
_DEFINED_THERE = "VIR_MIGRATE_PERSIST_DEST"
_WHOLE = "whole"
"""What follows the URI where the disks have to be copied as a whole."""


@dataclasses.dataclass(frozen=True, slots=True)
class MigrationSettings:
    """What the operator's flags say: ``bandwidth`` in MiB a second, 0 for no bound.

    ``completion_timeout`` is for each GiB that is moved, ``progress_timeout`` for all; 0 for no end. ``hurries``
    tells that a guest stands still when its time is over, before its migration is called off.
    """

    uri: str
    inbound: str
    shared_flags: Sequence[str]
    block_flags: Sequence[str]
    bandwidth: int = 0
    completion_timeout: int = 0
    progress_timeout: int = 0
    hurries: bool = False

    @classmethod
    def from_flags(cls, conf: Any) -> "MigrationSettings":
        """Read the flags."""
        return cls(
            conf.live_migration_uri,
            conf.live_migration_inbound_addr,
            conf.live_migration_flag,
            conf.block_migration_flag,
            conf.live_migration_bandwidth,
            conf.live_migration_completion_timeout,
            conf.live_migration_progress_timeout,
            conf.live_migration_timeout_action == "force_complete",
        )

    def patience(self, spec: GuestSpec, *, shared: bool) -> Patience:
        """Return how long the migration of a guest may take: what is small counts as two GiB."""
        disks = [] if shared else [spec.root_gb, *(disk.size_gb for disk in spec.ephemerals)]
        size = sum(max(_LEAST_GB, part) for part in (spec.memory_mb / 1024, *disks))
        return Patience(self.completion_timeout * size, self.progress_timeout, hurries=self.hurries)


class Migrations:
    """The live migrations of one host, to it and from it."""

    def __init__(self, domains: Domains, disks: Disks, settings: MigrationSettings) -> None:
        self._domains = domains
        self._disks = disks
        self._carried = CarriedDisks(disks)
        self._settings = settings

    def start(self) -> None:
        """Check the flags; raises ConfigurationError."""
        for flag in ("live_migration_flag", "block_migration_flag"):
            names = self._settings.shared_flags if flag.startswith("live") else self._settings.block_flags
            for name in names:
                try:
                    constant(name)
                except AttributeError as error:
                    raise ConfigurationError(
                        f"The flag --{flag} names {name}, which libvirt has not."
                    ) from error
        if self._settings.uri.count("%s") != 1:
            raise ConfigurationError("The flag --live_migration_uri needs one %s in the place of the host.")

    def traveller(self, uuid: str, name: str, kind: str) -> Traveller:
        """Describe a guest and this host; raises DriverError for one that is off, NotFound."""
        self._domains.require(uuid)
        if not self._domains.runs(uuid):
            raise DriverError(f"the guest {name} is not running.")
        version, capabilities = self._domains.connection.talk(
            lambda connection: (connection.getVersion(), connection.getCapabilities())
        )
        cpu = ET.fromstring(capabilities).find("host/cpu")
        described = "" if cpu is None else ET.tostring(cpu, encoding="unicode")
        return Traveller(kind, version, str(self._disks.folder), described, self._carried.of(name))

    def compare(self, traveller: Traveller, kind: str) -> None:
        """Raise DriverError when a guest could not run here as it runs there."""
        if traveller.hypervisor != kind:
            raise DriverError(f"the guest runs by {traveller.hypervisor}, and guests of this host by {kind}.")
        if traveller.folder != str(self._disks.folder):
            raise DriverError(
                f"the disks are in {traveller.folder}, which is instances_path there; here it is another folder."
            )
        version = self._domains.connection.talk(lambda connection: connection.getVersion())
        if version < traveller.version:
            raise DriverError("the hypervisor of this host is older than the one that the guest runs by.")
        if kind == "kvm" and traveller.cpu:
            answer = self._domains.connection.talk(lambda connection: connection.compareCPU(traveller.cpu, 0))
            if answer <= constant("VIR_CPU_COMPARE_INCOMPATIBLE"):
                raise DriverError("the processor of this host cannot do what that of the guest's host can.")

    def expect(self, spec: GuestSpec, image: GuestImage, traveller: Traveller, *, shared: bool) -> str:
        """Make the disks, unless both hosts share them; returns where the guest is to be sent."""
        uri = self._settings.uri % self._settings.inbound
        whole = not shared and self._carried.expect(spec, image, traveller.disks)
        return f"{uri} {_WHOLE}" if whole else uri

    def move(self, spec: GuestSpec, uri: str, *, shared: bool, watch: Watch) -> None:
        """Send a guest away; raises DriverError and what ``watch`` raises, unless it has gone all the same."""
        uuid = spec.uuid
        uri, _, whole = uri.partition(" ")
        journey = _Journey(self._domains, uuid, self._settings.patience(spec, shared=shared))
        if journey.goes_on():
            # It was begun before a crash, and libvirt went on with it.
            journey.watch(watch)
            if self._domains.guest(uuid) is None:
                return
        flags = self._flags(shared=shared, whole=bool(whole))
        journey.begin(uri, self._parameters(uri), flags)
        journey.watch(watch)
        if not self._domains.runs(uuid):
            # Flags of the operator may leave the definition behind.
            self._domains.destroy(uuid)

    def has_arrived(self, uuid: str) -> bool:
        """Tell whether a guest is here for good; one that is still coming is waited for."""
        deadline = time.monotonic() + _ARRIVAL_SECONDS
        while (here := self._domains.connection.talk(lambda connection: _is_here(connection, uuid))) is None:
            if time.monotonic() > deadline:
                return False
            time.sleep(_LOOK_AGAIN)
        return here

    def _flags(self, *, shared: bool, whole: bool) -> int:
        # Its definition tells who has arrived from who only comes.
        names = {*(self._settings.shared_flags if shared else self._settings.block_flags), _DEFINED_THERE}
        if whole:
            names = names - {"VIR_MIGRATE_NON_SHARED_INC"} | {"VIR_MIGRATE_NON_SHARED_DISK"}
        return sum(constant(name) for name in names)

    def _parameters(self, uri: str) -> dict[str, Any]:
        host = urllib.parse.urlsplit(uri).hostname or ""
        parameters: dict[str, Any] = {text_constant("VIR_MIGRATE_PARAM_URI"): f"tcp://{host}"} if host else {}
        if self._settings.bandwidth:
            parameters[text_constant("VIR_MIGRATE_PARAM_BANDWIDTH")] = self._settings.bandwidth
        return parameters


class _Journey:
    """One guest on its way."""

    def __init__(self, domains: Domains, uuid: str, patience: Patience) -> None:
        self._domains = domains
        self._uuid = uuid
        self._patience = patience
        self._over = threading.Event()
        self._error: BaseException | None = None
        self._stands_still = False
        self._seen = Progress()

    def goes_on(self) -> bool:
        """Tell whether libvirt is moving the guest already; its end is waited for, then."""
        if not self._domains.job_runs(self._uuid):
            return False
        concurrency.spawn(self._await_end)
        return True

    def begin(self, uri: str, parameters: Mapping[str, Any], flags: int) -> None:
        """Begin to move the guest."""
        self._over.clear()
        concurrency.spawn(self._go, uri, dict(parameters), flags)

    def watch(self, watch: Watch) -> None:
        """Say how far it is until it is over.

        Raises DriverError, what ``watch`` raised, and HypervisorUnavailable where libvirt does not let go of it.
        """
        # A guest whose process hangs lets nobody go who asks.
        concurrency.spawn(self._look)
        try:
            while not self._over.wait(_LOOK_AGAIN):
                hurries = self._patience.ends(self._seen)
                if (watch(self._seen) or hurries) and not self._stands_still and _nears_its_end(self._seen):
                    self._stand_still()
        except BaseException as error:
            LOG.info("the guest %s is called back: %s", self._uuid, error)
            if not self._comes_back():
                if isinstance(error, Superseded):
                    raise
                raise HypervisorUnavailable("libvirt does not call the guest back.") from error
            if self._error is None and not self._domains.runs(self._uuid):
                LOG.info("the guest %s had gone before it could be called back", self._uuid)
                return
            self._go_on()
            raise
        if self._error is not None:
            self._go_on()
            raise self._error

    def _look(self) -> None:
        """See how far it is, until it is over."""
        while not self._over.is_set():
            self._seen = self._progress()
            self._over.wait(_LOOK_AGAIN)

    def _comes_back(self) -> bool:
        """Have libvirt give up; False when it does not."""
        concurrency.spawn(self._abort, time.monotonic() + _CALL_BACK_SECONDS)
        return self._over.wait(_CALL_BACK_SECONDS)

    def _abort(self, deadline: float) -> None:
        """Tell libvirt to give up, and again, as it may not have begun when it was told first."""
        while not self._over.is_set() and time.monotonic() < deadline:
            with contextlib.suppress(NovaError):
                self._domains.abort_job(self._uuid)
            self._over.wait(_TELL_AGAIN)

    def _go(self, uri: str, parameters: dict[str, Any], flags: int) -> None:
        def work(connection: Any) -> None:
            found = lookup(connection, self._uuid)
            if found is not None:
                found.migrateToURI3(uri, parameters, flags)

        try:
            self._domains.connection.talk(work, once=True)
        # Whatever it is, it belongs to who watches: a guest that was not sent must not seem to have gone.
        except BaseException as error:
            self._error = error
        finally:
            self._over.set()

    def _await_end(self) -> None:
        try:
            while self._domains.guest(self._uuid) is not None and self._domains.job_runs(self._uuid):
                time.sleep(_LOOK_AGAIN)
        except NovaError as error:
            LOG.info("the guest %s is no longer here: %s", self._uuid, error)
        finally:
            self._over.set()

    def _progress(self) -> Progress:
        """Return how far it is, nothing while libvirt cannot tell."""
        try:
            told = self._domains.run(self._uuid, lambda found: found.jobStats())
        except NovaError:
            return Progress()
        names = [field.name for field in dataclasses.fields(Progress)]
        return Progress(**{name: int(told.get(name, 0)) for name in names})

    def _stand_still(self) -> None:
        self._stands_still = True
        LOG.info("the guest %s stands still so that it comes to an end", self._uuid)
        concurrency.spawn(self._suspend).join(_CALL_BACK_SECONDS)

    def _suspend(self) -> None:
        try:
            self._domains.run(self._uuid, lambda found: found.suspend())
        except NovaError as error:
            LOG.info("the guest %s has gone: %s", self._uuid, error)

    def _go_on(self) -> None:
        """Let a guest that stood still and did not go run on."""
        if self._stands_still and self._domains.runs(self._uuid):
            self._domains.run(self._uuid, lambda found: tolerate(found.resume, "VIR_ERR_OPERATION_INVALID"))


def _nears_its_end(progress: Progress) -> bool:
    """Tell whether standing still helps: not while there is much of the disks to copy, which goes on meanwhile."""
    return progress.memory_total > 0 or (progress.disk_total > 0 and progress.disk_remaining < _LITTLE)


def _is_here(connection: Any, uuid: str) -> bool | None:
    """Tell whether a guest is here; None while it is only coming.

    libvirt defines it when all of it has come. Before that it may be in any state, also in one of a guest that was
    paused: so says a libvirtd that died meanwhile and came back, until it ends what was coming.
    """
    found = lookup(connection, uuid)
    if found is None:
        return False
    if not found.isActive():
        return bool(found.isPersistent())
    if not found.isPersistent():
        return None
    state, reason = found.state()
    if state == constant("VIR_DOMAIN_PAUSED"):
        coming = ("VIR_DOMAIN_PAUSED_MIGRATION", "VIR_DOMAIN_PAUSED_STARTING_UP")
        return None if reason in [constant(name) for name in coming] else True
    # One whose process is only being started, or ended, has an id and counts as off.
    return None if state in (constant("VIR_DOMAIN_NOSTATE"), constant("VIR_DOMAIN_SHUTOFF")) else True
