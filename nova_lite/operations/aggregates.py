"""Host aggregates: groups of hosts that the operator makes, and availability zones by them."""

from collections.abc import Callable, Mapping, Sequence

from sqlalchemy.orm import Session

from nova_lite.core.aggregate import ZONE_KEY, Aggregate
from nova_lite.core.context import RequestContext
from nova_lite.core.errors import Conflict, InvalidInput, NotFound
from nova_lite.db import aggregates, instances, services
from nova_lite.db.engine import Database
from nova_lite.operations import server_images
from nova_lite.operations.images import Images
from nova_lite.rpc.compute import ComputeProxy


class Aggregates:
    """The operations on host aggregates. ``down_after`` is in seconds."""

    def __init__(
        self, database: Database, images: Images, compute: ComputeProxy, *, down_after: float
    ) -> None:
        self._database = database
        self._images = images
        self._compute = compute
        self._down_after = down_after

    def listing(self, context: RequestContext) -> Sequence[Aggregate]:
        """Return all aggregates."""
        return self._database.read("aggregate.list", aggregates.listing)

    def get(self, context: RequestContext, aggregate_id: str) -> Aggregate:
        """Return an aggregate by its number; raises NotFound."""
        return self._database.read("aggregate.get", lambda session: _find(session, aggregate_id))

    def create(self, context: RequestContext, name: str, zone: str | None) -> Aggregate:
        """Make an aggregate; raises Conflict for a name in use."""

        def named(session: Session) -> Aggregate | None:
            return next((found for found in aggregates.listing(session) if found.name == name), None)

        def work(session: Session) -> Aggregate | None:
            aggregates.insert(session, name, zone)
            return named(session)

        made = self._database.run("aggregate.create", work, landed=named)
        if made is None:
            raise Conflict(f"Aggregate {name} was removed while it was made.")
        return made

    def update(
        self, context: RequestContext, aggregate_id: str, changes: Mapping[str, str | None]
    ) -> Aggregate:
        """Change ``name`` or ``availability_zone``.

        Raises NotFound, Conflict for a name in use and where hosts may not come into the zone.
        """
        return self._change(
            aggregate_id, lambda session, found: aggregates.update(session, found.id, **changes)
        )

    def set_metadata(
        self, context: RequestContext, aggregate_id: str, items: Mapping[str, str | None]
    ) -> Aggregate:
        """Set metadata items, remove those whose value is None; raises as ``update`` does."""

        def work(session: Session, found: Aggregate) -> None:
            merged = {**found.shown_metadata, **items}
            zone = merged.pop(ZONE_KEY, None)
            kept = {key: value for key, value in merged.items() if value is not None}
            aggregates.update(session, found.id, availability_zone=zone, metadata=kept)

        return self._change(aggregate_id, work)

    def add_host(self, context: RequestContext, aggregate_id: str, host: str) -> Aggregate:
        """Put a compute host into an aggregate.

        Raises NotFound, Conflict for one that is in it already and where it may not come into its zone.
        """

        def work(session: Session, found: Aggregate) -> None:
            if not services.listing(session, 0, binary="nova-compute", host=host):
                raise NotFound(f"Compute host {host} could not be found.")
            if host in found.hosts:
                raise Conflict(f"Host {host} is already in aggregate {found.id}.")
            aggregates.add_host(session, found.id, host)

        return self._change(aggregate_id, work)

    def remove_host(self, context: RequestContext, aggregate_id: str, host: str) -> Aggregate:
        """Take a host out of an aggregate; raises NotFound, Conflict where it may not leave its zone."""

        def work(session: Session, found: Aggregate) -> None:
            if not aggregates.remove_host(session, found.id, host):
                raise NotFound(f"Host {host} could not be found in aggregate {found.id}.")

        return self._change(aggregate_id, work)

    def delete(self, context: RequestContext, aggregate_id: str) -> None:
        """Remove an aggregate; raises NotFound, InvalidInput while there are hosts in it."""

        def work(session: Session) -> None:
            found = _find(session, aggregate_id)
            if found.hosts:
                raise InvalidInput(f"Cannot remove aggregate {found.id}: there are hosts in it.")
            aggregates.delete(session, found.id)

        self._database.run("aggregate.delete", work)

    def cache_images(self, context: RequestContext, aggregate_id: str, image_ids: Sequence[str]) -> None:
        """Have the hosts of an aggregate that are up bring images ahead of the servers that start from them.

        Raises NotFound, InvalidInput for an image that servers could not be made from.
        """
        found = self.get(context, aggregate_id)
        for image_id in image_ids:
            server_images.usable(self._images, context, image_id)
        running = self._database.read(
            "aggregate.services",
            lambda session: services.listing(session, self._down_after, binary="nova-compute"),
        )
        for service in running:
            if service.up and service.host in found.hosts:
                self._compute.on(service.host).cache_images(context, list(image_ids))

    def _change(self, aggregate_id: str, change: Callable[[Session, Aggregate], None]) -> Aggregate:
        """Change an aggregate, unless its hosts then were in several zones or left one with servers on them."""

        def work(session: Session) -> Aggregate:
            aggregates.lock(session)
            before = _zones(session)
            change(session, _find(session, aggregate_id))
            _check_single(aggregates.listing(session))
            for host, zone in _zones(session).items():
                if zone != before[host] and instances.on_host(session, host):
                    raise Conflict(
                        f"Host {host} has servers: it cannot leave availability zone {before[host]}."
                    )
            return _find(session, aggregate_id)

        return self._database.run("aggregate.change", work)


def _find(session: Session, aggregate_id: str) -> Aggregate:
    for found in aggregates.listing(session):
        if str(found.id) == aggregate_id:
            return found
    raise NotFound(f"Aggregate {aggregate_id} could not be found.")


def _zones(session: Session) -> dict[str, str]:
    """Return the availability zone of each compute host."""
    found = services.listing(session, 0, binary="nova-compute")
    return {service.host: service.availability_zone for service in found}


def _check_single(found: Sequence[Aggregate]) -> None:
    """Raise Conflict when a host is in two availability zones."""
    zones: dict[str, str] = {}
    for aggregate in found:
        for host in aggregate.hosts if aggregate.availability_zone else ():
            zone = aggregate.availability_zone or ""
            if zones.setdefault(host, zone) != zone:
                raise Conflict(f"Host {host} cannot be in availability zone {zone}: it is in {zones[host]}.")
