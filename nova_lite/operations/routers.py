"""Routers: kept for clients that will not go without; every network has its gateway and its way out anyway."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from nova_lite.core import clock, ids
from nova_lite.core.context import RequestContext
from nova_lite.core.errors import Conflict, InvalidInput, NotFound
from nova_lite.core.network import Network, Router
from nova_lite.db import networks, revisions, routers
from nova_lite.db.engine import Database


class Routers:
    """The operations on routers."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, context: RequestContext, name: str, *, up: bool = True, pool: str = "") -> Router:
        """Make a router of the caller's project; ``pool`` is where its gateway's addresses are from."""
        now = clock.now()
        router = Router(ids.new_uuid(), name, context.project_id, up, pool, now, now)

        def landed(session: Session) -> bool | None:
            return True if routers.get(session, router.id, None) is not None else None

        self._database.run("router.create", lambda session: routers.insert(session, router), landed=landed)
        return router

    def get(self, context: RequestContext, router_id: str) -> Router:
        """Return a router; raises NotFound."""
        return self._database.read("router.get", lambda session: _find(session, context, router_id))

    def list(self, context: RequestContext) -> Sequence[Router]:
        """Return the routers that the caller may see."""
        return self._database.read("router.list", lambda session: routers.listing(session, context.scope()))

    def update(self, context: RequestContext, router_id: str, changes: Mapping[str, Any]) -> Router:
        """Change the name, admin_state_up or pool of a router; raises NotFound."""

        def work(session: Session) -> Router:
            routers.update(session, _to_change(session, context, router_id).id, changes)
            return _find(session, context, router_id)

        return self._database.run("router.update", work)

    def keep(self, context: RequestContext, router_id: str) -> Router:
        """Leave a router as it is; raises NotFound, RevisionMismatch."""
        return self._database.run("router.keep", lambda session: _to_change(session, context, router_id))

    def delete(self, context: RequestContext, router_id: str) -> None:
        """Remove a router; raises NotFound, Conflict while it leads to networks."""

        def work(session: Session) -> None:
            if _to_change(session, context, router_id).network_uuids:
                raise Conflict(f"Router {router_id} still has ports")
            routers.delete(session, router_id)

        self._database.run("router.delete", work)

    def attach(self, context: RequestContext, router_id: str, subnet_id: str) -> tuple[Router, Network]:
        """Let a router lead to the network of a subnet; raises NotFound, InvalidInput where it does."""

        def work(session: Session) -> tuple[Router, Network]:
            router, network = _to_change(session, context, router_id), _network(session, context, subnet_id)
            if network.uuid in router.network_uuids:
                raise InvalidInput(f"Router already has a port on subnet {subnet_id}")
            if not network.routed:
                raise InvalidInput("Subnet for router interface must have a gateway IP")
            routers.add_network(session, router_id, network.uuid)
            return router, network

        return self._database.run("router.attach", work)

    def detach(self, context: RequestContext, router_id: str, subnet_id: str) -> tuple[Router, Network]:
        """Let a router lead to the network of a subnet no more; raises NotFound."""

        def work(session: Session) -> tuple[Router, Network]:
            router, network = _to_change(session, context, router_id), _network(session, context, subnet_id)
            if network.uuid not in router.network_uuids:
                raise NotFound(f"Router {router_id} has no interface on subnet {subnet_id}")
            routers.remove_network(session, router_id, network.uuid)
            return router, network

        return self._database.run("router.detach", work)


def _find(session: Session, context: RequestContext, router_id: str) -> Router:
    found = routers.get(session, router_id, context.scope())
    if found is None:
        raise NotFound(f"Router {router_id[:64]} could not be found")
    return found


def _to_change(session: Session, context: RequestContext, router_id: str) -> Router:
    """Return a router that is about to be changed, and by nobody else; raises NotFound, RevisionMismatch."""
    revisions.lock(session, "routers", router_id)
    found = _find(session, context, router_id)
    revisions.require(session, "routers", found.id, context.seen_revision)
    return found


def _network(session: Session, context: RequestContext, subnet_id: str) -> Network:
    for network in networks.listing(session, context.scope()):
        if network.cidr and network.subnet_id == subnet_id:
            return network
    raise NotFound(f"Subnet {subnet_id[:64]} could not be found.")
