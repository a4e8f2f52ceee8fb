"""Tags of what the network keeps: put on, looked at, taken off."""

from collections.abc import Callable, Mapping, Sequence

from sqlalchemy.orm import Session

from nova_lite.core.context import RequestContext
from nova_lite.core.errors import InvalidInput, NotFound
from nova_lite.db import network_tags, networks, revisions
from nova_lite.db.engine import Database

MOST = 50


class NetworkTags:
    """The operations on tags; whether the caller may see a resource is asked before."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, context: RequestContext, kind: str, ids: Sequence[str]) -> Mapping[str, list[str]]:
        """Return the tags of resources by their id; those without are left out."""
        if not ids:
            return {}
        return self._database.read("network_tags.of", lambda session: network_tags.of(session, kind, ids))

    def replace(self, context: RequestContext, kind: str, resource_id: str, tags: Sequence[str]) -> list[str]:
        """Have a resource have these tags and no others; raises InvalidInput for too many."""
        return self._change(context, kind, resource_id, lambda old: list(tags))

    def add(self, context: RequestContext, kind: str, resource_id: str, tag: str) -> list[str]:
        """Put a tag on a resource; raises InvalidInput for too many."""
        return self._change(context, kind, resource_id, lambda old: [*old, tag])

    def remove(self, context: RequestContext, kind: str, resource_id: str, tag: str) -> list[str]:
        """Take a tag off a resource; raises NotFound where it has none such."""

        def without(old: Sequence[str]) -> list[str]:
            if tag not in old:
                raise NotFound(f"Tag {tag[:60]} could not be found.")
            return [one for one in old if one != tag]

        return self._change(context, kind, resource_id, without)

    def purge(self) -> int:
        """Forget the tags of what is gone; returns how many there were."""
        return self._database.run("network_tags.purge", network_tags.purge)

    def _change(
        self,
        context: RequestContext,
        kind: str,
        resource_id: str,
        change: Callable[[Sequence[str]], list[str]],
    ) -> list[str]:
        def work(session: Session) -> list[str]:
            counter, counted_id = _counter(session, kind, resource_id)
            revisions.lock(session, counter, counted_id)
            revisions.require(session, counter, counted_id, context.seen_revision)
            new = sorted(set(change(network_tags.of(session, kind, [resource_id]).get(resource_id, []))))
            if len(new) > MOST:
                raise InvalidInput(f"A resource has at most {MOST} tags.")
            network_tags.replace(session, kind, resource_id, new)
            revisions.count(session, counter, counted_id)
            return new

        return self._database.run("network_tags.change", work)


def _counter(session: Session, kind: str, resource_id: str) -> tuple[str, str]:
    """Return the kind and the id of what has a resource's revision: a subnet's is its network's."""
    if kind != "subnets":
        return kind, resource_id
    for network in networks.listing(session):
        if resource_id in (network.subnet_id, network.subnet_v6_id):
            return "networks", network.uuid
    raise NotFound(f"Subnet {resource_id} could not be found.")
