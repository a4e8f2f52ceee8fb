"""Which security groups a server is in."""

import dataclasses
from collections.abc import Callable, Sequence

from sqlalchemy.orm import Session

from nova_lite.core.context import RequestContext
from nova_lite.core.errors import InvalidInput, NotFound
from nova_lite.core.instance import Instance
from nova_lite.core.network import SecurityGroup
from nova_lite.db import group_members, revisions, security_groups
from nova_lite.db.engine import Database
from nova_lite.operations.orders import find
from nova_lite.rpc.compute import ComputeProxy

Change = Callable[[Session, Instance, SecurityGroup], None]


@dataclasses.dataclass(frozen=True, slots=True)
class Changed:
    """A server whose groups were changed, which these are, and the hosts whose guests know them."""

    instance: Instance
    hosts: Sequence[str]
    group_ids: Sequence[str]


class Memberships:
    """The operations on servers' memberships; the packet filters follow at once."""

    def __init__(self, database: Database, compute: ComputeProxy) -> None:
        self._database = database
        self._compute = compute

    def list(self, context: RequestContext, uuid: str) -> Sequence[SecurityGroup]:
        """Return the groups that a server is in, with their rules; raises NotFound."""

        def work(session: Session) -> Sequence[SecurityGroup]:
            find(session, context, uuid)
            group_ids = group_members.ids_of_instances(session, [uuid]).get(uuid, [])
            found = (security_groups.get(session, group_id) for group_id in group_ids)
            return [group for group in found if group is not None]

        return self._database.read("memberships.list", work)

    def add(self, context: RequestContext, uuid: str, name_or_id: str) -> None:
        """Put a server into a group; raises NotFound, InvalidInput when it is in it already."""

        def join(session: Session, instance: Instance, group: SecurityGroup) -> None:
            if not group_members.add_member(session, uuid, group.id):
                raise InvalidInput(
                    f"Security group {group.id} is already associated with the instance {uuid}"
                )

        self._change("memberships.add", context, uuid, name_or_id, join)

    def remove(self, context: RequestContext, uuid: str, name_or_id: str) -> None:
        """Take a server out of a group; raises NotFound, also when it is not in it."""

        def leave(session: Session, instance: Instance, group: SecurityGroup) -> None:
            if not group_members.remove_member(session, uuid, group.id):
                raise NotFound(f"Security group {group.id} not associated with the instance {uuid}")

        self._change("memberships.remove", context, uuid, name_or_id, leave)

    def replace(self, context: RequestContext, uuid: str, group_ids: Sequence[str]) -> None:
        """Put a server into these groups and no others; raises NotFound."""
        changed = self._database.run(
            "memberships.replace", lambda session: replace_groups(session, context, uuid, group_ids)
        )
        self.tell(context, changed)

    def _change(self, name: str, context: RequestContext, uuid: str, name_or_id: str, change: Change) -> None:
        def work(session: Session) -> Changed:
            instance = find(session, context, uuid)
            group = security_groups.find(session, instance.project_id, name_or_id)
            if group is None:
                raise NotFound(f"Security group {name_or_id} not found for project {instance.project_id}.")
            change(session, instance, group)
            revisions.count_ports_of(session, uuid)
            return Changed(instance, group_members.hosts_using(session, [group.id]), [group.id])

        self.tell(context, self._database.run(name, work))

    def tell(self, context: RequestContext, changed: Changed) -> None:
        """Have the packet filters follow: the server's own, and those of hosts whose guests know the groups."""
        # A host that does not hear this does it in its periodic repair.
        if changed.instance.host:
            self._compute.on(changed.instance.host).refresh_instance_security(context, changed.instance.uuid)
        for host in changed.hosts:
            self._compute.on(host).refresh_security_groups(context, list(changed.group_ids))


def replace_groups(session: Session, context: RequestContext, uuid: str, group_ids: Sequence[str]) -> Changed:
    """Put a server into these groups and no others, of which the filters have still to be told; raises NotFound."""
    instance = find(session, context, uuid)
    for group_id in group_ids:
        if security_groups.find(session, instance.project_id, group_id) is None:
            raise NotFound(f"Security group {group_id} not found for project {instance.project_id}.")
    before = set(group_members.ids_of_instances(session, [uuid]).get(uuid, ()))
    for group_id in before - set(group_ids):
        group_members.remove_member(session, uuid, group_id)
    for group_id in set(group_ids) - before:
        group_members.add_member(session, uuid, group_id)
    changed = sorted(before ^ set(group_ids))
    if changed:
        revisions.count_ports_of(session, uuid)
    return Changed(instance, group_members.hosts_using(session, changed) if changed else (), changed)
