"""Bringing an instance from host to host: what it holds on both, moved with it in one transaction."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from nova_lite.core.actions import Action, StepEvent
from nova_lite.core.errors import Superseded
from nova_lite.core.instance import Flavor, Instance
from nova_lite.core.instance_states import TaskState, VmState
from nova_lite.core.quota import Usage
from nova_lite.core.server_migration import (
    OPEN,
    MigrationKind,
    MigrationStatus,
    Phase,
    ServerMigration,
    Wish,
)
from nova_lite.db import actions, compute_nodes, images, instances, quotas, server_migrations

_AT_REST = (VmState.ACTIVE, VmState.STOPPED, VmState.PAUSED, VmState.SUSPENDED, VmState.RESCUED)
"""The states in which an instance that nothing is done with has no migration."""


def phase_of(action: Action) -> Phase | None:
    """Return the phase of a migration that an action is in, None for other actions."""
    phase = action.parameters.get("phase")
    return None if phase is None else Phase(phase)


def next_phase(action: Action, *, failed: bool) -> Phase | None:
    """Return the phase that another host does after the action's own, None where the action ends with it."""
    phase = phase_of(action)
    return None if phase is None else phase.next(failed=failed)


def hand_over(
    session: Session, action: Action, phase: Phase, events: Sequence[StepEvent], error: str = ""
) -> str:
    """Give an action to the host that does its next phase; returns the host.

    Raises Superseded when the instance, the migration or the action was taken over.
    """
    migration = server_migrations.get(session, action.parameters["migration"])
    if migration is None:
        raise Superseded()
    if phase is Phase.ARRIVE:
        _depart(session, migration)
        host = migration.dest_host
    elif phase is Phase.MOVE:
        if not server_migrations.move(
            session, migration.uuid, {MigrationStatus.PREPARING}, MigrationStatus.RUNNING
        ):
            raise Superseded()
        host = migration.source_host
    elif phase is Phase.LAND:
        if not error:
            # The guest has gone there: that is so even should the new host die before it can say so.
            land(session, migration)
        host = migration.dest_host
    else:
        _turn_back(session, migration, MigrationStatus.ERROR if error else MigrationStatus.REVERTED)
        host = migration.source_host
    parameters = {**action.parameters, "phase": phase, "kept": len(events), "error": error}
    if not actions.hand_over(session, action, host, parameters, events):
        raise Superseded()
    return host


def land(session: Session, migration: ServerMigration) -> None:
    """Put an instance on the host where its guest has arrived alive, and give up its room on the old one.

    Landing twice is landing once. Raises Superseded when the instance or the migration was taken over.
    """
    running, landed = {MigrationStatus.RUNNING}, MigrationStatus.POST_MIGRATING
    if not server_migrations.move(session, migration.uuid, running, landed):
        now = server_migrations.get(session, migration.uuid)
        if now is None or now.status is not landed:
            raise Superseded()
        return
    seat = instances.Seat(migration.dest_host, migration.dest_node, migration.new_flavor)
    if not instances.relocate(session, migration.instance_uuid, (TaskState.MIGRATING,), seat):
        raise Superseded()
    compute_nodes.release(session, migration.source_host, room_of(migration.old_flavor))


def settle(session: Session, action: Action, *, failed: bool) -> None:
    """Bring the migration of an action that ends here to where it is then."""
    uuid = action.parameters["migration"]
    migration = server_migrations.get(session, uuid)
    if migration is None:
        return
    phase = phase_of(action)
    if migration.kind is MigrationKind.EVACUATION:
        end = MigrationStatus.ERROR if failed else MigrationStatus.DONE
        server_migrations.move(session, uuid, {MigrationStatus.ACCEPTED}, end)
    elif migration.kind is MigrationKind.LIVE:
        _settle_live(session, migration, failed=failed)
    elif phase is Phase.ARRIVE:
        server_migrations.move(session, uuid, {MigrationStatus.POST_MIGRATING}, MigrationStatus.FINISHED)
        _forget_image(session, migration)
    elif phase is Phase.LEAVE:
        close(session, migration, MigrationStatus.ERROR)
    elif phase is None and not failed:
        close(session, migration, MigrationStatus.CONFIRMED)
    else:
        # What could not be confirmed or reverted may be asked for once more.
        waiting = {MigrationStatus.CONFIRMING, MigrationStatus.REVERTING}
        server_migrations.move(session, uuid, waiting, MigrationStatus.FINISHED)


def _settle_live(session: Session, migration: ServerMigration, *, failed: bool) -> None:
    landed = {MigrationStatus.POST_MIGRATING}
    if failed and migration.status not in landed:
        aborted = migration.wish is Wish.ABORT
        close(session, migration, MigrationStatus.CANCELLED if aborted else MigrationStatus.ERROR)
    else:
        # What fails on the new host, once the guest is there, does not bring it back.
        server_migrations.move(session, migration.uuid, landed, MigrationStatus.COMPLETED)


def _depart(session: Session, migration: ServerMigration) -> None:
    """Put an instance on its new host with its new size; its room on the old one stays kept.

    Raises Superseded when the instance or the migration was taken over.
    """
    moved = server_migrations.move(
        session, migration.uuid, {MigrationStatus.MIGRATING}, MigrationStatus.POST_MIGRATING
    )
    if not moved or not instances.relocate(
        session,
        migration.instance_uuid,
        (TaskState.RESIZE_PREP, TaskState.RESIZE_MIGRATING),
        instances.Seat(migration.dest_host, migration.dest_node, migration.new_flavor),
    ):
        raise Superseded()


def _turn_back(session: Session, migration: ServerMigration, status: MigrationStatus) -> None:
    """Put an instance back on its old host with its old size, and give up its room on the new one.

    Raises Superseded when the instance or the migration was taken over.
    """
    if not server_migrations.move(session, migration.uuid, {migration.status}, status):
        raise Superseded()
    if not instances.relocate(
        session,
        migration.instance_uuid,
        (TaskState.RESIZE_MIGRATING, TaskState.RESIZE_FINISH, TaskState.RESIZE_REVERTING),
        instances.Seat(migration.source_host, migration.source_node, migration.old_flavor),
    ):
        raise Superseded()
    _forget_image(session, migration)
    quotas.release(session, migration.project_id, _surplus_after(migration))
    compute_nodes.release(session, migration.dest_host, room_of(migration.new_flavor))


def close(session: Session, migration: ServerMigration, status: MigrationStatus) -> bool:
    """End a migration where the instance is now; False when it was over."""
    if not server_migrations.move(session, migration.uuid, OPEN & {migration.status}, status):
        return False
    _forget_image(session, migration)
    quotas.release(session, migration.project_id, migration.surplus())
    held = migration.held()
    if held is not None:
        compute_nodes.release(session, held[0], room_of(held[1]))
    return True


def close_of(session: Session, instance_uuid: str, status: MigrationStatus) -> None:
    """End the migration of an instance, if there is one, where the instance is now; an evacuation, too."""
    server_migrations.end_evacuations(session, instance_uuid, status)
    while (found := server_migrations.open_of(session, instance_uuid)) is not None:
        close(session, found, status)


def of_deletion(session: Session, instance: Instance) -> dict[str, list[str]]:
    """Return the parameters of an instance's deletion: the hosts besides its own that may have something of it."""
    if instance.task_state is None and instance.vm_state in _AT_REST:
        return {}
    found = server_migrations.open_of(session, instance.uuid)
    both = {found.source_host, found.dest_host} if found is not None else set()
    elsewhere = sorted(both - {"", instance.host})
    return {"elsewhere": elsewhere} if elsewhere else {}


def delete_elsewhere(session: Session, action: Action, events: Sequence[StepEvent]) -> str:
    """Give the deletion of an instance to the next host that may have something of it; empty where it ends here.

    Raises Superseded when the action was taken over.
    """
    host, *others = action.parameters.get("elsewhere") or [""]
    if not host:
        return ""
    parameters = {**action.parameters, "elsewhere": others, "kept": len(events)}
    if not actions.hand_over(session, action, host, parameters, events):
        raise Superseded()
    return str(host)


def room_of(flavor: Flavor) -> compute_nodes.Room:
    """Return the room that an instance of a size takes."""
    return compute_nodes.Room(flavor.vcpus, flavor.memory_mb, flavor.root_gb + flavor.ephemeral_gb)


def _surplus_after(migration: ServerMigration) -> Usage:
    """Return what the quota counts beyond the old size."""
    old, new = migration.old_flavor, migration.new_flavor
    return Usage(cores=max(0, new.vcpus - old.vcpus), ram=max(0, new.memory_mb - old.memory_mb))


def _forget_image(session: Session, migration: ServerMigration) -> None:
    """Let the image that carried the disk be removed."""
    if migration.image_id:
        images.mark_deleted(session, migration.image_id)
