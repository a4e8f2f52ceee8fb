"""What an instance holds, given back once: its row, its share of the quota, its room, its memberships."""

import sqlalchemy as sa
from sqlalchemy.orm import Session

from nova_lite.core.instance import Instance
from nova_lite.core.quota import Usage
from nova_lite.core.server_migration import MigrationStatus
from nova_lite.db import (
    compute_nodes,
    group_members,
    images,
    instances,
    moves,
    quotas,
    server_groups,
    server_migrations,
)


def room_of(instance: Instance) -> compute_nodes.Room:
    """Return the room that an instance takes on its host."""
    return moves.room_of(instance.flavor)


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
    group_members.remove_members(session, [instance.uuid])
    _leave(session, instance.uuid)
    if instance.shelved_image_id:
        images.mark_deleted(session, instance.shelved_image_id)
    # Rows that other transactions want come last, so that they are held for the shortest time.
    quotas.release(session, instance.project_id, usage_of(instance))
    if instance.host:
        compute_nodes.release(session, instance.host, room_of(instance))
    return True


def _leave(session: Session, uuid: str) -> None:
    """Have an instance leave its server group and end its migration: few have one, so both are asked at once."""
    query = sa.union_all(server_groups.has_member(uuid), server_migrations.has_open(uuid))
    if session.execute(query).first() is not None:
        server_groups.remove_members(session, [uuid])
        moves.close_of(session, uuid, MigrationStatus.CANCELLED)


def leave_host(session: Session, instance: Instance) -> None:
    """Give back the room of an instance that left nothing on its host, and forget the host."""
    if instance.host and instances.unplace(session, instance.uuid, instance.host):
        compute_nodes.release(session, instance.host, room_of(instance))
