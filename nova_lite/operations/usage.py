"""What projects used in a period."""

import datetime
from collections.abc import Mapping, Sequence

from nova_lite.core.context import RequestContext
from nova_lite.core.errors import Forbidden, InvalidInput
from nova_lite.core.usage import ServerUsage
from nova_lite.db import usage
from nova_lite.db.engine import Database


class Usage:
    """The operations on usage."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def by_project(
        self, context: RequestContext, begin: datetime.datetime, end: datetime.datetime
    ) -> Mapping[str, Sequence[ServerUsage]]:
        """Return what servers were there in a period, by project; raises InvalidInput for a bad period."""
        _check(begin, end)
        found = self._database.read(
            "usage.list", lambda session: usage.between(session, begin, end, context.scope())
        )
        projects: dict[str, list[ServerUsage]] = {}
        for server in found:
            projects.setdefault(server.project_id, []).append(server)
        return projects

    def of_project(
        self, context: RequestContext, project_id: str, begin: datetime.datetime, end: datetime.datetime
    ) -> Sequence[ServerUsage]:
        """Return what servers a project had in a period; raises InvalidInput, Forbidden for a foreign project."""
        _check(begin, end)
        if context.scope() not in (None, project_id):
            raise Forbidden("Policy doesn't allow os_compute_api:os-simple-tenant-usage:show to be performed.")
        return self._database.read(
            "usage.show", lambda session: usage.between(session, begin, end, project_id)
        )


def _check(begin: datetime.datetime, end: datetime.datetime) -> None:
    if begin >= end:
        raise InvalidInput("Invalid start time. The start time cannot occur after the end time.")
