"""nova-scheduler: finds a host for each instance that waits for one, and decides about hosts that died.

Choosing is pure (``choose``); taking is a conditional UPDATE in the database, so several schedulers may work
at the same time: who loses a race chooses again.
"""

import logging
from collections.abc import Collection, Mapping, Sequence

from sqlalchemy.orm import Session

from nova_lite import concurrency
from nova_lite.core import clock
from nova_lite.core.actions import Action, ActionState
from nova_lite.core.context import RequestContext, system_context
from nova_lite.core.errors import Superseded
from nova_lite.core.hints import Hints
from nova_lite.core.instance import Fault, Instance
from nova_lite.core.server_group import fits
from nova_lite.db import actions, compute_nodes, instance_work, instances, server_groups
from nova_lite.db.engine import Database
from nova_lite.rpc.compute import ComputeProxy
from nova_lite.rpc.scheduler import SchedulerContract
from nova_lite.scheduler import placement
from nova_lite.scheduler.choose import Plan, plan
from nova_lite.scheduler.filters.base import HostFilter
from nova_lite.scheduler.hosts import Companions, Demand, HostState, Ratios, Surroundings, states
from nova_lite.scheduler.placement import Waiting
from nova_lite.scheduler.weights import Weigher

LOG = logging.getLogger(__name__)

_ROUNDS = 5
"""How often instances that lost a race for room are planned anew before they wait for the next sweep."""

_NO_HOST = "No valid host was found. There are not enough hosts available."


class FilterScheduler(SchedulerContract):
    """Places instances by filters and weights."""

    def __init__(
        self,
        database: Database,
        compute: ComputeProxy,
        filters: Sequence[HostFilter],
        weighers: Sequence[Weigher],
        *,
        ratios: Ratios,
        down_after: float,
    ) -> None:
        self._database = database
        self._compute = compute
        self._filters = filters
        self._weighers = weighers
        self._ratios = ratios
        self._down_after = down_after
        self._turns = concurrency.Turns(self._place)

    def place(self, context: RequestContext, action_ids: list[str]) -> None:
        """Find hosts for the instances of these boot actions, and ring the hosts."""
        self._turns.join([(context, action_id) for action_id in action_ids])

    def _place(self, asked: Sequence[tuple[RequestContext, str]]) -> None:
        """Do one turn: place all who came during the last one with as many statements as a single one."""
        contexts = {context.request_id: context for context, _ in asked}
        context = next(iter(contexts.values())) if len(contexts) == 1 else system_context()
        waiting = self._waiting([action_id for _, action_id in asked])
        for _ in range(_ROUNDS):
            if not waiting:
                return
            waiting = self._round(context, waiting)
        LOG.warning("%d instances wait for the next sweep: their hosts were taken by others", len(waiting))

    def sweep(self) -> None:
        """Place what waits for a host although its message is lost."""
        waiting = self._database.read("scheduler.sweep", lambda session: actions.queued(session, ""))
        if waiting:
            LOG.info("sweep found %d actions that wait for a host", len(waiting))
            self.place(system_context(), waiting)

    def _waiting(self, action_ids: Sequence[str]) -> dict[str, Waiting]:
        """Return the actions that still wait, with their instances, by instance."""
        found = self._database.read(
            "scheduler.waiting", lambda session: instance_work.waiting(session, action_ids)
        )
        return {instance.uuid: (action, instance) for action, instance in found}

    def _round(self, context: RequestContext, waiting: Mapping[str, Waiting]) -> dict[str, Waiting]:
        """Plan all that wait and carry the plan out; returns those who lost a race."""
        hosts = self._hosts()
        around = self._surroundings(waiting)
        made = plan(
            [
                Demand.of(instance, action.parameters, around.get(instance.uuid, Surroundings()))
                for action, instance in waiting.values()
            ],
            list(hosts.values()),
            self._filters,
            self._weighers,
        )
        self._refuse(made, waiting)
        lost: dict[str, Waiting] = {}
        for name, demands in made.placed.items():
            group = [waiting[demand.instance_uuid] for demand in demands]
            lost |= self._settle(context, hosts[name], group)
        return lost

    def _hosts(self) -> dict[str, HostState]:
        nodes = self._database.read(
            "scheduler.hosts", lambda session: compute_nodes.listing(session, self._down_after)
        )
        return {state.host: state for state in states(nodes, self._ratios)}

    def _surroundings(self, waiting: Mapping[str, Waiting]) -> dict[str, Surroundings]:
        """Look up what the hints mean of those who gave some, by instance."""
        hints = {
            uuid: Hints.of(action.parameters) for uuid, (action, _) in waiting.items() if _hinted(action)
        }
        if not hints:
            return {}
        return self._database.read("scheduler.hints", lambda session: _look_around(session, hints))

    def _settle(self, context: RequestContext, host: HostState, group: list[Waiting]) -> dict[str, Waiting]:
        """Claim a host for a group of instances and ring it; returns those for whom there was no room."""
        if self._claim(host, group):
            LOG.info("placed %d instances on %s", len(group), host.host)
            for worker, members in placement.workers(group, host.host).items():
                self._compute.on(worker).perform(context, [action.id for action, _ in members])
            return {}
        if len(group) == 1:
            return self._waiting([group[0][0].id])
        lost: dict[str, Waiting] = {}
        for member in group:
            lost |= self._settle(context, host, [member])
        return lost

    def _claim(self, host: HostState, group: list[Waiting]) -> bool:
        """Take the room and write the host, for all of a group or none."""
        room = compute_nodes.total([placement.room(*member) for member in group])
        ceiling = compute_nodes.Ceiling(host.vcpus, host.memory_mb, host.local_gb)
        if all(action.parameters.get("is_forced") for action, _ in group):
            ceiling = compute_nodes.NO_CEILING
        place = instances.Place(host.host, host.node, host.availability_zone)
        expected = {
            action.id: worker
            for worker, members in placement.workers(group, host.host).items()
            for action, _ in members
        }
        together = {Hints.of(action.parameters).group for action, _ in group if _hinted(action)} - {""}

        def work(session: Session) -> bool:
            server_groups.lock(session, sorted(together))
            # The row that all others want comes last, so that it is held for the shortest time.
            taken = (
                placement.place(session, group, place)
                and _fit_their_groups(session, together)
                and compute_nodes.claim(session, host.host, room, ceiling)
            )
            if not taken:
                session.rollback()
            return taken

        def landed(session: Session) -> bool | None:
            found = actions.by_ids(session, [action.id for action, _ in group])
            return True if all(action.host == expected[action.id] for action in found) else None

        return self._database.run("scheduler.claim", work, landed=landed)

    def _refuse(self, made: Plan, waiting: Mapping[str, Waiting]) -> None:
        for uuid, reason in made.refused.items():
            action, instance = waiting[uuid]
            LOG.warning("instance %s cannot be placed: %s", uuid, reason)
            self._fail(action, instance, reason)

    def _fail(self, action: Action, instance: Instance, reason: str) -> None:
        """End the action of an instance that no host can take; what the filters said is for admins only."""
        fault = Fault(500, _NO_HOST, clock.now(), details=f"No valid host was found: {reason}.")

        def work(session: Session) -> None:
            held = actions.claim(session, [action.id], "nova-scheduler")
            if not held:
                return
            try:
                placement.refuse(session, action, instance, fault)
            except Superseded:
                reason_taken = "The instance was deleted before a host was chosen."
                actions.finish(session, held[0], ActionState.UNDONE, error=reason_taken)
                return
            actions.finish(session, held[0], ActionState.FAILED, error=_NO_HOST)

        self._database.run("scheduler.refuse", work)


def _hinted(action: Action) -> bool:
    return "hints" in action.parameters


def _look_around(session: Session, hints: Mapping[str, Hints]) -> dict[str, Surroundings]:
    """Find out what hints mean now, by instance."""
    named = {uuid for hint in hints.values() for uuid in (*hint.same_host, *hint.different_host)}
    hosts = (
        {uuid: found.host for uuid, found in instances.by_uuids(session, sorted(named)).items()}
        if named
        else {}
    )
    groups = {uuid: _companions(session, uuid) for uuid in {hint.group for hint in hints.values()} - {""}}

    def hosts_of(uuids: Sequence[str]) -> frozenset[str]:
        return frozenset(host for uuid in uuids if (host := hosts.get(uuid)))

    return {
        uuid: Surroundings(
            groups.get(hint.group),
            hosts_of(hint.same_host) if hint.same_host else None,
            hosts_of(hint.different_host),
        )
        for uuid, hint in hints.items()
    }


def _companions(session: Session, uuid: str) -> Companions | None:
    group = server_groups.get(session, uuid)
    if group is None:
        return None
    return Companions(uuid, group.policy, group.max_per_host, server_groups.placed(session, [uuid])[uuid])


def _fit_their_groups(session: Session, uuids: Collection[str]) -> bool:
    """Tell whether the members of groups stand as their policies want, whoever else placed some meanwhile."""
    for uuid in uuids:
        found = _companions(session, uuid)
        if found is None:
            continue
        everywhere = sum(found.placed.values())
        for here in found.placed.values():
            if not fits(found.policy, found.max_per_host, here, everywhere - here):
                return False
    return True
