"""Counters and rows that have to agree: what is given away, compared with what is counted."""

import dataclasses
from collections.abc import Callable

from sqlalchemy.orm import Session

from nova_lite.core.quota import Usage
from nova_lite.db import addresses, compute_nodes, instances, quotas
from nova_lite.db.engine import Database


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
        counted = instances.used_by_project(session)
        found = []
        for project_id, usage in quotas.usages(session).items():
            right = Usage(*counted.pop(project_id, (0, 0, 0)))
            if usage != right:
                found.append(self._quota(project_id, usage, right))
        found += [self._quota(project_id, Usage(), Usage(*sums)) for project_id, sums in counted.items()]
        return found

    def _quota(self, project_id: str, usage: Usage, right: Usage) -> Discrepancy:
        def mend() -> None:
            self._database.run("audit.quota", lambda session: quotas.set_usage(session, project_id, right))

        return Discrepancy("quota", project_id, f"{usage} is recorded, {right} is counted", mend)

    def _rooms(self, session: Session) -> list[Discrepancy]:
        counted = instances.used_by_host(session)
        found = []
        for node in compute_nodes.listing(session, 0):
            count, vcpus, memory, disk = counted.get(node.host, (0, 0, 0, 0))
            right = compute_nodes.Room(vcpus, memory, disk, count)
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
