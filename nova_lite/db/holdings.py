"""What an instance holds, given back once: its row, its share of the quota, its room, its memberships."""

import dataclasses

from sqlalchemy.orm import Session

from nova_lite.core.instance import Instance
from nova_lite.core.quota import Usage
from nova_lite.db import compute_nodes, instances, quotas, security_groups, server_groups


def room_of(instance: Instance) -> compute_nodes.Room:
    """Return the room that an instance takes on its host."""
    flavor = instance.flavor
    return compute_nodes.Room(flavor.vcpus, flavor.memory_mb, flavor.root_gb + flavor.ephemeral_gb)


def room_of_all(amount: list[Instance]) -> compute_nodes.Room:
    """Return the room that several instances take together."""
    rooms = [room_of(instance) for instance in amount]
    return compute_nodes.Room(
        *(
            sum(getattr(room, field.name) for room in rooms)
            for field in dataclasses.fields(compute_nodes.Room)
        )
    )


def usage_of(instance: Instance, count: int = 1) -> Usage:
    """Return what ``count`` instances such as this take of their project's quota."""
    flavor = instance.flavor
    return Usage(instances=count, cores=count * flavor.vcpus, ram=count * flavor.memory_mb)


def retire(session: Session, instance: Instance) -> bool:
    """Delete an instance's row and give back what it held; False, and nothing given, when it was deleted.

    ``instance`` may have been read long ago: what it left meanwhile is not given back twice.
    """
    while not instances.delete(session, instance):
        now = instances.get(session, instance.uuid)
        if now is None:
            return False
        instance = now
    security_groups.remove_members(session, [instance.uuid])
    server_groups.remove_members(session, [instance.uuid])
    # Rows that other transactions want come last, so that they are held for the shortest time.
    quotas.release(session, instance.project_id, usage_of(instance))
    if instance.host:
        compute_nodes.release(session, instance.host, room_of(instance))
    return True


def leave_host(session: Session, instance: Instance) -> None:
    """Give back the room of an instance that left nothing on its host, and forget the host."""
    if instance.host and instances.unplace(session, instance.uuid, instance.host):
        compute_nodes.release(session, instance.host, room_of(instance))
