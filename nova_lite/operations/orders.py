"""Ordering a verb: one transaction that begins it on an instance and writes its action, then one ring."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy.orm import Session

from nova_lite.core import ids
from nova_lite.core.actions import Action, new_action
from nova_lite.core.context import RequestContext
from nova_lite.core.errors import NotFound
from nova_lite.core.instance import Instance
from nova_lite.core.instance_states import OPTIONAL, PLACED, Verb
from nova_lite.db import actions, compute_nodes, instances
from nova_lite.db.engine import Database
from nova_lite.rpc.compute import ComputeProxy
from nova_lite.rpc.scheduler import SchedulerProxy

Parameters = Mapping[str, Any]


def nothing_more(_session: Session, _instance: Instance) -> Parameters:
    """What most verbs need besides their begin."""
    return {}


@dataclasses.dataclass(frozen=True, slots=True)
class Order:
    """A verb that is wanted, chosen by what the instance is.

    ``prepare`` runs in the same transaction after the begin, and returns the action's parameters.
    """

    choose: Callable[[Instance], Verb]
    prepare: Callable[[Session, Instance], Parameters] = nothing_more
    despite_lock: bool = False


class Orders:
    """Places orders with the compute hosts, or with the scheduler where a host has to be found."""

    def __init__(self, database: Database, scheduler: SchedulerProxy, compute: ComputeProxy) -> None:
        self._database = database
        self._scheduler = scheduler
        self._compute = compute

    def place(self, context: RequestContext, uuid: str, order: Order) -> None:
        """Begin a verb on an instance and ring its host.

        Raises NotFound, WrongState, Locked, Conflict where the host's hypervisor cannot do that.
        """
        action_id = ids.new_uuid()

        def work(session: Session) -> Action:
            instance = find(session, context, uuid)
            verb = order.choose(instance)
            instances.begin(session, instance, verb, despite_lock=order.despite_lock or context.is_admin)
            if verb in OPTIONAL:
                compute_nodes.check_able(session, instance, verb)
            parameters = order.prepare(session, instance)
            action = new_action(context, instance, verb, action_id, parameters)
            if verb in PLACED:
                action = dataclasses.replace(action, host="")
            actions.insert(session, [action])
            return action

        def landed(session: Session) -> Action | None:
            return actions.get(session, action_id)

        action = self._database.run("server.order", work, landed=landed)
        if action.host:
            self._compute.on(action.host).perform(context, [action.id])
        else:
            self._scheduler.place(context, [action.id])


def find(session: Session, context: RequestContext, uuid: str) -> Instance:
    """Return an instance that the caller may use; raises NotFound."""
    found = instances.get(session, uuid, context.scope())
    if found is None:
        raise NotFound(f"Instance {uuid} could not be found.")
    return found
