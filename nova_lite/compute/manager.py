"""nova-compute: takes up the actions of its host and runs each as a flow.

An action is claimed in the database before it is begun, and everything that is known of it is in its row:
a daemon that was killed finds its work again when it starts, and a lost message only delays it to the next
sweep.
"""

import logging
import threading
from collections.abc import Sequence
from contextlib import AbstractContextManager

from sqlalchemy.orm import Session

from nova_lite import concurrency
from nova_lite.compute import protection
from nova_lite.compute.follower import Follower
from nova_lite.compute.host import ComputeHost
from nova_lite.compute.live_migration import able_to_move
from nova_lite.compute.reconcile import Reconciler
from nova_lite.compute.resources import ResourceReport
from nova_lite.compute.work import Work
from nova_lite.core.actions import Action
from nova_lite.core.console import ConsoleAddress, ConsoleType
from nova_lite.core.context import RequestContext, system_context
from nova_lite.core.diagnostics import Diagnostics
from nova_lite.core.errors import NotFound, NovaError, Unavailable
from nova_lite.core.instance import Instance
from nova_lite.core.server_migration import Traveller
from nova_lite.db import actions, instance_work, instances
from nova_lite.drivers.virt.abilities import CachesImages, KeepsConsoles
from nova_lite.rpc.compute import ComputeContract

LOG = logging.getLogger(__name__)

_FOLLOWERS = 4
"""How many guests that changed by themselves are looked at at once."""


class ComputeManager(ComputeContract):
    """Runs the actions of one host. ``workers`` bounds how many run at the same time."""

    def __init__(
        self,
        host: ComputeHost,
        resources: ResourceReport,
        reconciler: Reconciler,
        work: Work,
        *,
        workers: int,
    ) -> None:
        self._host = host
        self._resources = resources
        self._reconciler = reconciler
        self._work = work
        self._pool = concurrency.Pool(workers)
        self._running: dict[str, str] = {}
        self._guard = threading.Lock()
        self._gate = threading.Lock()
        self._claimant = f"nova-compute@{host.name}"
        self._follower = Follower(reconciler.follow, workers=_FOLLOWERS)
        self._work.wrote = self._follower.wrote

    def start(self) -> None:
        """Check the drivers, make the host as the database says, and take up what was left in the middle."""
        self._host.driver.start()
        self._host.firewall.start()
        self._host.images.start()
        self._resources.send()
        self._host.firewall.apply(*protection.wanted_on(self._host.database, self._host.name))
        self._host.database.run(
            "compute.recover", lambda session: actions.release_claims(session, self._claimant)
        )
        self._reconciler.revival.begin()
        self._reconciler.repair()
        self._host.driver.watch(self._follower.told)
        self.sweep()

    def stop(self, drain_seconds: float) -> None:
        """Let what runs come to its end; new work stays in the database."""
        self._follower.stop()
        if not self._pool.shutdown(drain_seconds):
            LOG.warning("some actions are left in the middle; they are taken up at the next start")

    def repair(self) -> None:
        """Mend what differs from the database: all of it, or on a busy host what the actions that run are not about.

        Others wait meanwhile.
        """
        with self._gate:
            with self._guard:
                running = {resource_id for resource_id in self._running.values() if resource_id}
            self._reconciler.repair(running)

    def sync_power_states(self) -> None:
        """Follow guests that changed by themselves."""
        self._reconciler.sync_power_states()

    def clean_cache(self) -> None:
        """Remove cached images that no guest has used for a while."""
        if isinstance(self._host.driver, CachesImages):
            gone = self._host.driver.clean_cache()
            if gone:
                LOG.info("removed %d cached images that no guest uses", len(gone))

    def bound_consoles(self) -> None:
        """Keep what guests print from filling the host."""
        if isinstance(self._host.driver, KeepsConsoles):
            self._host.driver.bound_consoles()

    def perform(self, context: RequestContext, action_ids: list[str]) -> None:
        """Take up these actions; those that somebody else has, or that are over, are passed over."""
        for action, instance in self._claim(action_ids):
            self._pool.submit(self._perform, context, action, instance)

    def console_output(self, context: RequestContext, instance_uuid: str, length: int | None) -> str:
        """Return the last lines of a guest's console; raises NotFound."""
        instance = self._host.database.read(
            "compute.instance", lambda session: instances.get(session, instance_uuid)
        )
        if instance is None:
            raise NotFound(f"Instance {instance_uuid} could not be found.")
        return self._host.driver.console_output(instance.uuid, instance.name, length)

    def console(self, context: RequestContext, instance_uuid: str, kind: ConsoleType) -> ConsoleAddress:
        """Return where a guest's console is; raises NotFound, NotSupported, DriverError."""
        if kind is ConsoleType.SERIAL:
            return self._host.serial.address(instance_uuid)
        return self._host.driver.console(instance_uuid, kind)

    def diagnostics(self, context: RequestContext, instance_uuid: str) -> Diagnostics:
        """Return how a guest does; raises NotFound, DriverError."""
        return self._host.driver.diagnostics(instance_uuid)

    def traveller(self, context: RequestContext, instance_uuid: str) -> Traveller:
        """Return what another host has to know of a guest; raises NotFound, NotSupported, DriverError."""
        instance = self._host.database.read(
            "compute.instance", lambda session: instances.get(session, instance_uuid)
        )
        if instance is None:
            raise NotFound(f"Instance {instance_uuid} could not be found.")
        return able_to_move(self._host.driver).traveller(instance.uuid, instance.name)

    def host_uptime(self, context: RequestContext) -> str:
        """Return since when this host runs and how busy it is."""
        return self._host.driver.host_uptime()

    def refresh_instance_security(self, context: RequestContext, instance_uuid: str) -> None:
        """Renew the filter of an instance whose groups changed."""
        with concurrency.named_lock(f"instance-{instance_uuid}"):
            self._host.groups.protect(instance_uuid)

    def refresh_security_groups(self, context: RequestContext, group_ids: list[str]) -> None:
        """Renew the filter of groups whose rules or members changed."""
        self._host.groups.renew(group_ids)

    def cache_images(self, context: RequestContext, image_ids: list[str]) -> None:
        """Bring images here, one after the other, while whoever rang goes on."""
        if isinstance(self._host.driver, CachesImages):
            self._pool.submit(self._cache, self._host.driver, image_ids)

    def _cache(self, driver: CachesImages, image_ids: list[str]) -> None:
        """Bring what can be brought; the wall between drivers and the daemon."""
        for image_id in image_ids:
            try:
                driver.cache_image(self._host.cached_image(image_id))
                LOG.info("image %s is in the cache", image_id)
            except NovaError as error:
                LOG.warning("image %s cannot be cached: %s", image_id, error)
            except Exception:
                LOG.exception("image %s cannot be cached", image_id)

    def sweep(self) -> None:
        """Take up what waits for this host although its message is lost, and beat the heart of what runs."""
        self._follower.look_again()
        waiting = self._host.database.run("compute.sweep", self._look)
        if waiting:
            LOG.info("sweep found %d actions for this host", len(waiting))
            self.perform(system_context(), waiting)
        self._reconciler.revival.go_on()

    def _look(self, session: Session) -> list[str]:
        """Return what waits, claims of ours included that nothing runs: the database was away meanwhile."""
        claimed = actions.running(session, [self._claimant])
        # Looked at after the claims: what is claimed has been noted as running before.
        with self._guard:
            busy = set(self._running)
        if busy:
            actions.beat(session, list(busy), self._claimant)
        for action in claimed:
            if action.id not in busy:
                actions.requeue(session, action)
        return actions.queued(session, self._host.name)

    def _claim(self, action_ids: Sequence[str]) -> list[instance_work.Work]:
        with self._guard:
            free = [action_id for action_id in action_ids if action_id not in self._running]
            self._running |= dict.fromkeys(free, "")
        claimed: list[instance_work.Work] = []
        try:
            if free:
                claimed = self._host.database.run(
                    "compute.claim", lambda session: instance_work.claim(session, free, self._claimant)
                )
        finally:
            with self._guard:
                self._running |= {action.id: action.resource_id for action, _ in claimed}
                for action_id in set(free) - {action.id for action, _ in claimed}:
                    self._running.pop(action_id)
        return claimed

    @staticmethod
    def _alone(action: Action) -> AbstractContextManager[None]:
        """Exclude other actions on the same instance."""
        return concurrency.named_lock(f"instance-{action.resource_id}")

    def _perform(self, context: RequestContext, action: Action, instance: Instance | None) -> None:
        """Run one action; the wall between a flow and the daemon."""
        with self._gate:
            # A repair that is under way has looked at the host without this action.
            pass
        onward = None
        try:
            with self._follower.working(action.resource_id), self._alone(action):
                onward = self._work.perform(context, action, instance)
        except Unavailable as error:
            LOG.warning("action %s waits for the next sweep: %s", action.id, error)
        except Exception:
            LOG.exception("action %s stopped unexpectedly; the next sweep takes it up", action.id)
        finally:
            self._host.links.settled(action.resource_id)
            with self._guard:
                self._running.pop(action.id, None)
            if onward is not None:
                # Only now: the next host may be this one, which passes over what it still runs.
                self._host.compute.on(onward.host).perform(context, [onward.action_id])
