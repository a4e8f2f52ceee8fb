"""Counters and rows that have to agree: what is given away, compared with what is counted."""

import dataclasses
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.orm import Session

from nova_lite.core.quota import Usage
from nova_lite.db import addresses, compute_nodes, instances, moves, quotas, server_migrations
from nova_lite.db.engine import Database

_NO_ROOM = compute_nodes.Room(0, 0, 0, 0)
Amount = TypeVar("Amount", Usage, compute_nodes.Room)


@dataclasses.dataclass(frozen=True, slots=True)
class Discrepancy:
    """Something in the database that does not agree with the rest of it, and what mends it."""

    kind: str
    name: str
    sentence: str
    mend: Callable[[], None]


class Audit:
    """Compares counters with the rows that they count."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def discrepancies(self) -> list[Discrepancy]:
        """Return what does not agree; nothing is changed."""
        return self._database.read(
            "audit",
            lambda session: [*self._quotas(session), *self._rooms(session), *self._addresses(session)],
        )

    def _quotas(self, session: Session) -> list[Discrepancy]:
        counted = {project: Usage(*sums) for project, sums in instances.used_by_project(session).items()}
        for migration in server_migrations.every_open(session):
            counted[migration.project_id] = _added(
                counted.get(migration.project_id, Usage()), migration.surplus()
            )
        found = []
        for project_id, usage in quotas.usages(session).items():
            right = counted.pop(project_id, Usage())
            if usage != right:
                found.append(self._quota(project_id, usage, right))
        found += [self._quota(project_id, Usage(), right) for project_id, right in counted.items()]
        return found

    def _quota(self, project_id: str, usage: Usage, right: Usage) -> Discrepancy:
        def mend() -> None:
            self._database.run("audit.quota", lambda session: quotas.set_usage(session, project_id, right))

        return Discrepancy("quota", project_id, f"{usage} is recorded, {right} is counted", mend)

    def _rooms(self, session: Session) -> list[Discrepancy]:
        counted = {
            host: compute_nodes.Room(vcpus, memory, disk, count)
            for host, (count, vcpus, memory, disk) in instances.used_by_host(session).items()
        }
        for held in [migration.held() for migration in server_migrations.every_open(session)]:
            if held is not None:
                counted[held[0]] = _added(counted.get(held[0], _NO_ROOM), moves.room_of(held[1]))
        found = []
        for node in compute_nodes.listing(session, 0):
            right = counted.get(node.host, _NO_ROOM)
            used = compute_nodes.Room(
                node.vcpus_used, node.memory_mb_used, node.local_gb_used, node.running_vms
            )
            if used != right:
                found.append(self._room(node.host, used, right))
        return found

    def _room(self, host: str, used: compute_nodes.Room, right: compute_nodes.Room) -> Discrepancy:
        def mend() -> None:
            self._database.run("audit.room", lambda session: compute_nodes.set_used(session, host, right))

        return Discrepancy("room", host, f"{used} is recorded as used, {right} is counted", mend)

    def _addresses(self, session: Session) -> list[Discrepancy]:
        return [self._address(uuid) for uuid in addresses.orphans(session)]

    def _address(self, uuid: str) -> Discrepancy:
        def mend() -> None:
            self._database.run("audit.address", lambda session: addresses.release(session, [uuid]))

        return Discrepancy("address", uuid, "an instance that is gone still holds addresses", mend)


def _added(one: Amount, other: Amount) -> Amount:
    """Return the sum of two amounts, field by field."""
    names = [field.name for field in dataclasses.fields(one)]
    return dataclasses.replace(one, **{name: getattr(one, name) + getattr(other, name) for name in names})
