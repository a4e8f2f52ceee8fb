"""Hosts: daemons, hypervisors and availability zones."""

import dataclasses
from typing import Any

from sqlalchemy.orm import Session

from nova_lite.core.context import RequestContext
from nova_lite.core.errors import Conflict, InvalidInput, NotFound
from nova_lite.core.hosts import ComputeNode, Service
from nova_lite.core.instance import Instance
from nova_lite.db import aggregates, compute_nodes, instances, server_migrations, services
from nova_lite.db.engine import Database
from nova_lite.rpc.compute import ComputeProxy

INTERNAL_ZONE = "internal"
"""The zone that daemons other than nova-compute are shown in."""


@dataclasses.dataclass(frozen=True, slots=True)
class Zone:
    """An availability zone and its daemons; it is available while one of its hosts can take instances."""

    name: str
    available: bool
    services: tuple[Service, ...]


class Hosts:
    """The operations on hosts. ``down_after`` is in seconds."""

    def __init__(self, database: Database, compute: ComputeProxy, *, down_after: float) -> None:
        self._database = database
        self._compute = compute
        self._down_after = down_after

    def services(self, context: RequestContext, *, binary: str = "", host: str = "") -> list[Service]:
        """Return daemons."""
        return self._database.read(
            "service.list",
            lambda session: services.listing(session, self._down_after, binary=binary, host=host),
        )

    def service(self, context: RequestContext, uuid: str) -> Service:
        """Return one daemon; raises NotFound."""
        found = self._database.read(
            "service.get", lambda session: services.get(session, uuid, self._down_after)
        )
        if found is None:
            raise NotFound(f"Service {uuid} could not be found.")
        return found

    def find_service(self, context: RequestContext, host: str, binary: str) -> Service:
        """Return a daemon by its host and name; raises NotFound."""
        for service in self.services(context, binary=binary, host=host):
            return service
        raise NotFound(f"Could not find binary {binary} on host {host}.")

    def update_service(self, context: RequestContext, uuid: str, **changes: Any) -> Service:
        """Change ``disabled``, ``disabled_reason`` or ``forced_down``; raises NotFound."""
        self.service(context, uuid)
        self._database.run("service.update", lambda session: services.update(session, uuid, **changes))
        return self.service(context, uuid)

    def delete_service(self, context: RequestContext, uuid: str) -> None:
        """Forget a daemon, and with nova-compute its hypervisor and place in aggregates; one that runs comes back.

        Raises NotFound, and Conflict while there are instances on its host, or moving to it or from it.
        """

        def work(session: Session) -> bool:
            found = services.get(session, uuid, self._down_after)
            if found is None:
                raise NotFound(f"Service {uuid} could not be found.")
            if found.binary == "nova-compute":
                if instances.on_host(session, found.host):
                    raise Conflict(
                        "Unable to delete compute service that is hosting instances. Migrate or delete the instances"
                        " first."
                    )
                if any(found.host in (one.source_host, one.dest_host) for one in server_migrations.every_open(session)):
                    raise Conflict(
                        "Unable to delete compute service that has in-progress migrations. Complete the migrations or"
                        " delete the instances first."
                    )
                aggregates.forget_host(session, found.host)
                compute_nodes.delete(session, found.host)
            services.delete(session, uuid)
            return True

        def landed(session: Session) -> bool | None:
            return True if services.get(session, uuid, self._down_after) is None else None

        self._database.run("service.delete", work, landed=landed)

    def hypervisors(self, context: RequestContext) -> "list[ComputeNode]":
        """Return the hypervisors with their daemons."""
        return self._database.read(
            "hypervisor.list", lambda session: compute_nodes.listing(session, self._down_after)
        )

    def hypervisor(self, context: RequestContext, id_or_uuid: str) -> ComputeNode:
        """Return one hypervisor; raises NotFound."""
        for node in self.hypervisors(context):
            if id_or_uuid in (str(node.id), node.uuid):
                return node
        raise NotFound(f"Hypervisor {id_or_uuid} could not be found.")

    def instances_on(self, context: RequestContext, host: str) -> "list[Instance]":
        """Return the instances on a host."""
        return self._database.read("host.instances", lambda session: instances.on_host(session, host))

    def uptime(self, context: RequestContext, node: ComputeNode) -> str:
        """Ask a hypervisor's host since when it runs; raises InvalidInput when its nova-compute is down."""
        if not node.service.up:
            raise InvalidInput(f"Compute service of {node.host} is unavailable at this time.")
        return self._compute.on(node.host).host_uptime(context)

    def zones(self, context: RequestContext) -> "list[Zone]":
        """Return the availability zones, the internal one first."""
        by_zone: dict[str, list[Service]] = {}
        for service in self.services(context):
            name = service.availability_zone if service.binary == "nova-compute" else INTERNAL_ZONE
            by_zone.setdefault(name, []).append(service)
        return [
            Zone(
                name,
                name == INTERNAL_ZONE or any(not service.disabled for service in found),
                tuple(found),
            )
            for name, found in sorted(by_zone.items(), key=lambda item: (item[0] != INTERNAL_ZONE, item[0]))
        ]
