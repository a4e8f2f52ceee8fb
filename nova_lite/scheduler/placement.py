"""What it means for each verb that a host was chosen: who gets the room, what is written, who is rung."""

from collections.abc import Iterable, Sequence

from sqlalchemy.orm import Session

from nova_lite.core.actions import Action
from nova_lite.core.instance import Fault, Flavor, Instance
from nova_lite.core.instance_states import TRANSITIONS, TaskState, Verb
from nova_lite.core.server_migration import MigrationStatus
from nova_lite.db import actions, compute_nodes, instances, moves, server_migrations

Waiting = tuple[Action, Instance]
"""An action that waits for a host, and its instance."""


def room(action: Action, instance: Instance) -> compute_nodes.Room:
    """Return the room that is wanted on the host."""
    wanted = action.parameters.get("flavor")
    return moves.room_of(Flavor(**wanted) if wanted else instance.flavor)


def workers(group: Iterable[Waiting], host: str) -> dict[str, list[Waiting]]:
    """Return who goes on with each action now that ``host`` was chosen: itself, or where the instance is."""
    found: dict[str, list[Waiting]] = {}
    for action, instance in group:
        worker = instance.host if action.verb == Verb.RESIZE else host
        found.setdefault(worker or host, []).append((action, instance))
    return found


def place(session: Session, group: Sequence[Waiting], chosen: instances.Place) -> bool:
    """Write the host that was chosen for all of a group; False when one of them waits no more."""
    booted = [instance.uuid for action, instance in group if action.verb == Verb.BOOT]
    if booted and instances.place(session, booted, chosen) != len(booted):
        return False
    if not all(_moved(session, member, chosen) for member in group):
        return False
    return all(
        actions.assign(session, [action.id for action, _ in members], worker) == len(members)
        for worker, members in workers(group, chosen.host).items()
    )


def refuse(session: Session, action: Action, instance: Instance, fault: Fault) -> None:
    """Record that no host can take an instance; raises Superseded when its action was taken over."""
    verb = Verb(action.verb)
    # A server that stays where it is does not get worse by it.
    kept = {} if verb is Verb.BOOT else {"vm_state": instance.vm_state}
    instances.fail(session, instance.uuid, verb, (TRANSITIONS[verb].task,), fault, **kept)
    if "migration" in action.parameters:
        moves.settle(session, action, failed=True)


def _moved(session: Session, member: Waiting, chosen: instances.Place) -> bool:
    """Write what the verb of an instance that was there before wants to be written."""
    action, instance = member
    parameters = action.parameters
    match action.verb:
        case Verb.RESIZE:
            return server_migrations.move(
                session,
                parameters["migration"],
                {MigrationStatus.PRE_MIGRATING},
                MigrationStatus.MIGRATING,
                dest_host=chosen.host,
                dest_node=chosen.node,
            )
        case Verb.LIVE_MIGRATE:
            return server_migrations.move(
                session,
                parameters["migration"],
                {MigrationStatus.QUEUED},
                MigrationStatus.PREPARING,
                dest_host=chosen.host,
                dest_node=chosen.node,
            )
        case Verb.UNSHELVE:
            return instances.seat(session, instance.uuid, None, TaskState.UNSHELVING, chosen)
        case Verb.EVACUATE:
            old_host = parameters["old_host"]
            if not instances.seat(session, instance.uuid, old_host, TaskState.EVACUATING, chosen):
                return False
            server_migrations.move(
                session,
                parameters["migration"],
                {MigrationStatus.ACCEPTED},
                MigrationStatus.ACCEPTED,
                dest_host=chosen.host,
                dest_node=chosen.node,
            )
            compute_nodes.release(session, old_host, moves.room_of(instance.flavor))
            return True
        case _:
            return True
