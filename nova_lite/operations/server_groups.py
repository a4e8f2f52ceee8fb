"""Server groups: instances that are to be together on a host, or apart."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from nova_lite.core import clock, ids
from nova_lite.core.context import RequestContext
from nova_lite.core.errors import NotFound, OverQuota
from nova_lite.core.quota import UNLIMITED, Limits
from nova_lite.core.server_group import GroupPolicy, ServerGroup
from nova_lite.db import quotas, server_groups
from nova_lite.db.engine import Database


class ServerGroups:
    """The operations on server groups; ``limits`` are those of projects without their own."""

    def __init__(self, database: Database, limits: Limits) -> None:
        self._database = database
        self._limits = limits

    def create(
        self, context: RequestContext, name: str, policy: GroupPolicy, max_per_host: int = 1
    ) -> ServerGroup:
        """Make a group; raises OverQuota."""
        group = ServerGroup(
            ids.new_uuid(), context.project_id, context.user_id, name, policy, max_per_host, clock.now()
        )

        def work(session: Session) -> ServerGroup:
            quotas.lock(session, context.project_id)
            limit = quotas.effective(session, context.project_id, self._limits)["server_groups"]
            if limit != UNLIMITED and server_groups.count(session, context.project_id) >= limit:
                raise OverQuota("Quota exceeded, too many server groups.")
            server_groups.insert(session, group)
            return group

        def landed(session: Session) -> ServerGroup | None:
            return server_groups.get(session, group.uuid)

        return self._database.run("server_group.create", work, landed=landed)

    def listing(self, context: RequestContext, *, every_project: bool = False) -> Sequence[ServerGroup]:
        """Return the groups of the caller's project, or of every one."""
        scope = None if every_project else context.project_id
        return self._database.read("server_group.list", lambda session: server_groups.listing(session, scope))

    def get(self, context: RequestContext, uuid: str) -> ServerGroup:
        """Return a group; raises NotFound."""
        return self._database.read("server_group.get", lambda session: _find(session, context, uuid))

    def delete(self, context: RequestContext, uuid: str) -> None:
        """Remove a group, its instances stay; raises NotFound."""

        def work(session: Session) -> None:
            server_groups.delete(session, _find(session, context, uuid).uuid)

        self._database.run("server_group.delete", work)


def _find(session: Session, context: RequestContext, uuid: str) -> ServerGroup:
    found = server_groups.get(session, uuid, context.scope())
    if found is None:
        raise NotFound(f"Instance group {uuid} could not be found.")
    return found
