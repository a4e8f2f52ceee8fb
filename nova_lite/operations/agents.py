"""Builds of guest agents: a list that operators keep."""

from nova_lite.core.agent import AgentBuild
from nova_lite.core.context import RequestContext
from nova_lite.core.errors import NotFound
from nova_lite.db import agents
from nova_lite.db.engine import Database


class Agents:
    """The operations on builds of guest agents."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def listing(self, context: RequestContext, hypervisor: str = "") -> list[AgentBuild]:
        """Return the builds for a hypervisor, all when that is empty."""
        return self._database.read("agent.list", lambda session: agents.listing(session, hypervisor))

    def create(self, context: RequestContext, build: AgentBuild) -> AgentBuild:
        """Add a build; raises Conflict when there is one for the same guests."""
        return self._database.run("agent.create", lambda session: agents.insert(session, build))

    def update(self, context: RequestContext, build_id: int, *, version: str, url: str, md5hash: str) -> None:
        """Say which version there is and where; raises NotFound."""
        values = {"version": version, "url": url, "md5hash": md5hash}
        if not self._database.run("agent.update", lambda session: agents.update(session, build_id, **values)):
            raise NotFound(f"No agent-build associated with id {build_id}.")

    def delete(self, context: RequestContext, build_id: int) -> None:
        """Remove a build; raises NotFound."""
        if not self._database.run("agent.delete", lambda session: agents.delete(session, build_id)):
            raise NotFound(f"No agent-build associated with id {build_id}.")
