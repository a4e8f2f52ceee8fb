"""Migrations of servers: a change of host or of size, from the request to its confirmation."""

import dataclasses
import datetime
import enum

from nova_lite.core import clock, ids
from nova_lite.core.instance import Flavor, Instance
from nova_lite.core.quota import Usage


class MigrationKind(enum.StrEnum):
    """Why a server moves."""

    RESIZE = "resize"
    MIGRATION = "migration"
    EVACUATION = "evacuation"
    LIVE = "live-migration"


class MigrationStatus(enum.StrEnum):
    """Where a migration stands; the words are the compute API's."""

    PRE_MIGRATING = "pre-migrating"
    """No host has been chosen yet."""
    MIGRATING = "migrating"
    """The server is on its old host, and has room on the new one."""
    POST_MIGRATING = "post-migrating"
    """The server is on its new host, and keeps its room on the old one."""
    FINISHED = "finished"
    """As before, and its user may confirm or revert."""
    CONFIRMING = "confirming"
    REVERTING = "reverting"
    CONFIRMED = "confirmed"
    REVERTED = "reverted"
    CANCELLED = "cancelled"
    ACCEPTED = "accepted"
    """An evacuation that is under way; it holds nothing but the instance itself does."""
    DONE = "done"
    QUEUED = "queued"
    """A live migration for which no host has been chosen yet."""
    PREPARING = "preparing"
    """A live migration whose server has room on the new host, which makes ready for it."""
    RUNNING = "running"
    """A live migration whose guest is on its way."""
    COMPLETED = "completed"
    ERROR = "error"


class Phase(enum.StrEnum):
    """A part of a migration's work that one host does; see ``compute.resize`` and ``compute.live_migration``."""

    LEAVE = "leave"
    ARRIVE = "arrive"
    RETREAT = "retreat"
    RETURN = "return"
    EXPECT = "expect"
    MOVE = "move"
    LAND = "land"

    def next(self, *, failed: bool) -> "Phase | None":
        """Return the phase that another host does after this one, None where the work ends with it."""
        if self is Phase.LEAVE:
            return None if failed else Phase.ARRIVE
        if self is Phase.ARRIVE:
            return Phase.RETURN if failed else None
        if self is Phase.EXPECT:
            return None if failed else Phase.MOVE
        if self is Phase.MOVE:
            # Where the guest is then, the host that it was to go to sees for itself.
            return Phase.LAND
        return Phase.RETURN if self is Phase.RETREAT and not failed else None


class Wish(enum.StrEnum):
    """What its admin wants of a live migration that goes on."""

    COMPLETE = "force_complete"
    """The guest may stand still, so that it comes to an end."""
    ABORT = "abort"


@dataclasses.dataclass(frozen=True, slots=True)
class Progress:
    """How far a live migration is, in bytes."""

    memory_total: int = 0
    memory_processed: int = 0
    memory_remaining: int = 0
    disk_total: int = 0
    disk_processed: int = 0
    disk_remaining: int = 0


@dataclasses.dataclass(frozen=True, slots=True)
class CarriedDisk:
    """A disk that a guest takes along: its file, format, size and what is used of it, in bytes.

    ``base`` is the name of the cached image that it is a difference to, empty where it stands for itself.
    """

    file: str
    disk_format: str
    size: int
    used: int
    base: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Traveller:
    """What the host that a running guest is to go to has to know of it, and of the host that it leaves.

    ``folder`` is that of the guests' disks; ``cpu`` describes the processor in the hypervisor's own words.
    """

    hypervisor: str
    version: int
    folder: str
    cpu: str = ""
    disks: tuple[CarriedDisk, ...] = ()


ARRIVED = frozenset(
    {
        MigrationStatus.POST_MIGRATING,
        MigrationStatus.FINISHED,
        MigrationStatus.CONFIRMING,
        MigrationStatus.REVERTING,
    }
)
"""The server is on its new host and has its new size; the old host keeps room for it."""

UNDER_WAY = (MigrationStatus.QUEUED, MigrationStatus.PREPARING, MigrationStatus.RUNNING)
"""A live migration whose server is on its old host still."""

OPEN = ARRIVED | {MigrationStatus.PRE_MIGRATING, MigrationStatus.MIGRATING, *UNDER_WAY}
"""The project's quota is taken for the larger of both sizes."""


@dataclasses.dataclass(frozen=True, slots=True)
class ServerMigration:
    """One migration; ``image_id`` is the image that carries the disk from host to host.

    Of live ones, ``uri`` is where the new host takes the guest in, ``shared`` tells that the disks are there
    already, and ``wish`` is what an admin wants of it meanwhile.
    """

    id: int
    uuid: str
    instance_uuid: str
    kind: MigrationKind
    status: MigrationStatus
    source_host: str
    source_node: str
    dest_host: str
    dest_node: str
    old_flavor: Flavor
    new_flavor: Flavor
    image_id: str
    project_id: str
    user_id: str
    created_at: datetime.datetime
    updated_at: datetime.datetime
    uri: str = ""
    shared: bool = False
    wish: Wish | None = None
    progress: Progress = Progress()

    @classmethod
    def begun(
        cls, instance: Instance, user_id: str, kind: MigrationKind, status: MigrationStatus
    ) -> "ServerMigration":
        """Return a new migration of an instance that keeps its size; the database gives it its ``id``."""
        now = clock.now()
        return cls(
            id=0,
            uuid=ids.new_uuid(),
            instance_uuid=instance.uuid,
            kind=kind,
            status=status,
            source_host=instance.host or "",
            source_node=instance.node or "",
            dest_host="",
            dest_node="",
            old_flavor=instance.flavor,
            new_flavor=instance.flavor,
            image_id="",
            project_id=instance.project_id,
            user_id=user_id,
            created_at=now,
            updated_at=now,
        )

    @property
    def arrived(self) -> bool:
        """Whether the server has its new size and host."""
        return self.status in ARRIVED

    def surplus(self) -> Usage:
        """Return what the project's quota counts beyond the size that the server has now."""
        now = self.new_flavor if self.arrived else self.old_flavor
        return Usage(
            cores=max(self.old_flavor.vcpus, self.new_flavor.vcpus) - now.vcpus,
            ram=max(self.old_flavor.memory_mb, self.new_flavor.memory_mb) - now.memory_mb,
        )

    def held(self) -> tuple[str, Flavor] | None:
        """Return the host other than the server's own that keeps room, and for what size; None for none."""
        if self.kind is MigrationKind.LIVE:
            waits = self.status in (MigrationStatus.PREPARING, MigrationStatus.RUNNING)
            return (self.dest_host, self.new_flavor) if waits else None
        if self.arrived:
            return self.source_host, self.old_flavor
        if self.status is MigrationStatus.MIGRATING:
            return self.dest_host, self.new_flavor
        return None
