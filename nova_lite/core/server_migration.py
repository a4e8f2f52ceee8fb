"""Migrations of servers: a change of host or of size, from the request to its confirmation."""

import dataclasses
import datetime
import enum

from nova_lite.core.instance import Flavor
from nova_lite.core.quota import Usage


class MigrationKind(enum.StrEnum):
    """Why a server moves."""

    RESIZE = "resize"
    MIGRATION = "migration"
    EVACUATION = "evacuation"


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
    ERROR = "error"


class Phase(enum.StrEnum):
    """A part of a migration's work that one host does; see ``nova_lite.compute.resize``."""

    LEAVE = "leave"
    ARRIVE = "arrive"
    RETREAT = "retreat"
    RETURN = "return"

    def next(self, *, failed: bool) -> "Phase | None":
        """Return the phase that another host does after this one, None where the work ends with it."""
        if self is Phase.LEAVE:
            return None if failed else Phase.ARRIVE
        if self is Phase.ARRIVE:
            return Phase.RETURN if failed else None
        return Phase.RETURN if self is Phase.RETREAT and not failed else None


ARRIVED = frozenset(
    {
        MigrationStatus.POST_MIGRATING,
        MigrationStatus.FINISHED,
        MigrationStatus.CONFIRMING,
        MigrationStatus.REVERTING,
    }
)
"""The server is on its new host and has its new size; the old host keeps room for it."""

OPEN = ARRIVED | {MigrationStatus.PRE_MIGRATING, MigrationStatus.MIGRATING}
"""The project's quota is taken for the larger of both sizes."""


@dataclasses.dataclass(frozen=True, slots=True)
class ServerMigration:
    """One migration; ``image_id`` is the image that carries the disk from host to host."""

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
        if self.arrived:
            return self.source_host, self.old_flavor
        if self.status is MigrationStatus.MIGRATING:
            return self.dest_host, self.new_flavor
        return None
