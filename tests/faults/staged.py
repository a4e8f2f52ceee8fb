"""Managers, drivers and a bus as the operator's flags name them, which do as the stage says."""

import dataclasses
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, cast

from nova_lite.compute.host import ComputeHost
from nova_lite.compute.manager import ComputeManager
from nova_lite.compute.reconcile import Reconciler
from nova_lite.compute.resources import ResourceReport
from nova_lite.compute.work import Work
from nova_lite.core.actions import Action
from nova_lite.core.context import RequestContext, system_context
from nova_lite.core.flow import Step
from nova_lite.core.instance import Instance
from nova_lite.core.instance_states import PowerState, Verb
from nova_lite.core.server_migration import Phase
from nova_lite.db.engine import Database
from nova_lite.drivers.net.fake import FakeFirewall, FakeNetworkDriver
from nova_lite.drivers.virt.fake import FakeVirtDriver
from nova_lite.drivers.virt.guest import Guest
from nova_lite.network.flatdhcp import FlatDHCPManager
from nova_lite.rpc.local import LocalTransport
from nova_lite.rpc.transport import Address
from tests.faults.stage import STAGE

ATTEMPTS = 3
VERBS = [verb for verb in Verb if verb not in (Verb.EVACUATE, Verb.LIVE_MIGRATE)]
"""The verbs that one host can be asked for."""

PHASES = {
    Verb.RESIZE: [Phase.LEAVE, Phase.ARRIVE],
    Verb.REVERT_RESIZE: [Phase.RETREAT, Phase.RETURN],
    Verb.LIVE_MIGRATE: [Phase.EXPECT, Phase.MOVE, Phase.LAND],
}
"""The phases of the verbs that are done in several when nothing goes wrong."""


class StagedWork(Work):
    """Runs the flows with cues around each step."""

    def _steps(self, context: RequestContext, instance: Instance, action: Action) -> Sequence[Step]:
        return [STAGE.wrap(step) for step in super()._steps(context, instance, action)]


def step_names(verb: Verb) -> list[str]:
    """Return the names of the steps of a verb's flow, as the flow itself has them."""
    work = StagedWork(cast(ComputeHost, None), max_attempts=ATTEMPTS)
    names = []
    for phase in PHASES.get(verb, [None]):
        action = SimpleNamespace(
            id="", verb=verb, parameters={"image": {}, "image_id": "", "phase": phase, "off": False}
        )
        steps = work._steps(system_context(), cast(Any, None), cast(Any, action))
        names += [step.name for step in steps]
    return names


class StagedDatabase:
    """The database with cues around each transaction that changes something."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def run(self, name: str, work: Any, **options: Any) -> Any:
        return STAGE.make(name, self._database.run, name, work, **options)

    def read(self, name: str, work: Any) -> Any:
        return self._database.read(name, work)


class StagedComputeManager(ComputeManager):
    """A nova-compute that may die: from then on it hears and does nothing."""

    def __init__(
        self,
        host: ComputeHost,
        resources: ResourceReport,
        reconciler: Reconciler,
        work: Work,
        *,
        workers: int,
    ) -> None:
        del work
        staged = dataclasses.replace(host, database=cast(Database, StagedDatabase(host.database)))
        own_work = StagedWork(host, max_attempts=ATTEMPTS)
        super().__init__(staged, resources, reconciler, own_work, workers=workers)
        self.dead = False
        self.reconciler = reconciler
        STAGE.compute = self
        STAGE.hypervisor = host.driver

    def is_idle(self) -> bool:
        """Tell whether no thread is at an action or looks at a guest: that is so a little after an action is over."""
        looking = self._follower._pool
        return not self._running and not looking._waiting and looking._idle == len(looking._workers)

    def perform(self, context: RequestContext, action_ids: list[str]) -> None:
        if not self.dead:
            super().perform(context, action_ids)

    def sweep(self) -> None:
        if not self.dead:
            super().sweep()


class StagedNetworkManager(FlatDHCPManager):
    """A nova-network that tests can ask what differs on its host."""

    def start(self) -> None:
        STAGE.network = self
        super().start()


class StagedVirtDriver(FakeVirtDriver):
    """A simulated hypervisor with cues around what changes it."""

    def change(self, uuid: str, power: PowerState, *, told: bool = True) -> None:
        """Let a guest change by itself, and tell nova-compute of it or not."""
        guest = super().guest(uuid)
        assert guest is not None
        changed = self._guests.changed
        if not told:
            self._guests.changed = lambda uuid, power: None
        self._guests.write(dataclasses.replace(guest, power_state=power))
        self._guests.changed = changed

    def guest(self, uuid: str) -> Guest | None:
        found: Guest | None = STAGE.make("look at a guest", super().guest, uuid)
        return found

    def create_disks(self, *arguments: Any) -> None:
        STAGE.make("virt.create_disks", super().create_disks, *arguments)

    def renew_config_drive(self, *arguments: Any) -> None:
        STAGE.make("virt.renew_config_drive", super().renew_config_drive, *arguments)

    def delete_disks(self, *arguments: Any) -> None:
        STAGE.make("virt.delete_disks", super().delete_disks, *arguments)

    def spawn(self, *arguments: Any) -> None:
        STAGE.make("virt.spawn", super().spawn, *arguments)

    def destroy(self, *arguments: Any) -> None:
        STAGE.make("virt.destroy", super().destroy, *arguments)

    def power_on(self, *arguments: Any) -> None:
        STAGE.make("virt.power_on", super().power_on, *arguments)

    def power_off(self, *arguments: Any) -> None:
        STAGE.make("virt.power_off", super().power_off, *arguments)

    def reboot(self, *arguments: Any) -> None:
        STAGE.make("virt.reboot", super().reboot, *arguments)

    def pause(self, *arguments: Any) -> None:
        STAGE.make("virt.pause", super().pause, *arguments)

    def unpause(self, *arguments: Any) -> None:
        STAGE.make("virt.unpause", super().unpause, *arguments)

    def suspend(self, *arguments: Any) -> None:
        STAGE.make("virt.suspend", super().suspend, *arguments)

    def resume(self, *arguments: Any) -> None:
        STAGE.make("virt.resume", super().resume, *arguments)

    def rescue(self, *arguments: Any) -> None:
        STAGE.make("virt.rescue", super().rescue, *arguments)

    def unrescue(self, *arguments: Any) -> None:
        STAGE.make("virt.unrescue", super().unrescue, *arguments)

    def define(self, *arguments: Any) -> None:
        STAGE.make("virt.define", super().define, *arguments)

    def set_aside(self, *arguments: Any) -> None:
        STAGE.make("virt.set_aside", super().set_aside, *arguments)

    def put_back(self, *arguments: Any) -> None:
        STAGE.make("virt.put_back", super().put_back, *arguments)

    def drop_aside(self, *arguments: Any) -> None:
        STAGE.make("virt.drop_aside", super().drop_aside, *arguments)

    def copy_aside(self, *arguments: Any) -> None:
        STAGE.make("virt.copy_aside", super().copy_aside, *arguments)

    def receive_disks(self, *arguments: Any) -> None:
        STAGE.make("virt.receive_disks", super().receive_disks, *arguments)

    def attach_interface(self, *arguments: Any) -> None:
        STAGE.make("virt.attach_interface", super().attach_interface, *arguments)

    def detach_interface(self, *arguments: Any) -> None:
        STAGE.make("virt.detach_interface", super().detach_interface, *arguments)

    def set_admin_password(self, *arguments: Any) -> None:
        STAGE.make("virt.set_admin_password", super().set_admin_password, *arguments)

    def inject_crash_dump(self, *arguments: Any) -> None:
        STAGE.make("virt.inject_crash_dump", super().inject_crash_dump, *arguments)

    def snapshot(self, *arguments: Any) -> None:
        STAGE.make("virt.snapshot", super().snapshot, *arguments)

    def drop_snapshot(self, *arguments: Any) -> None:
        STAGE.make("virt.drop_snapshot", super().drop_snapshot, *arguments)


class StagedFirewall(FakeFirewall):
    """A simulated packet filter with cues around what changes it."""

    def protect(self, *arguments: Any) -> None:
        STAGE.make("firewall.protect", super().protect, *arguments)

    def join(self, *arguments: Any) -> bool:
        joined: bool = STAGE.make("firewall.join", super().join, *arguments)
        return joined

    def unprotect(self, *arguments: Any) -> None:
        STAGE.make("firewall.unprotect", super().unprotect, *arguments)


class StagedNetworkDriver(FakeNetworkDriver):
    """A simulated host network with cues around what a flow changes in it."""

    def set_hosts(self, *arguments: Any) -> None:
        STAGE.make("network.set_hosts", super().set_hosts, *arguments)

    def add_links(self, *arguments: Any) -> None:
        STAGE.make("network.add_links", super().add_links, *arguments)

    def set_links(self, *arguments: Any) -> None:
        STAGE.make("network.set_links", super().set_links, *arguments)


class StagedTransport(LocalTransport):
    """A bus that may lose every ring, with cues around each question to nova-network."""

    def call(self, address: Address, message: str, timeout: float | None = None) -> str:
        answer: str = STAGE.make(f"ask {address.topic}", super().call, address, message, timeout)
        return answer

    def cast(self, address: Address, message: str) -> None:
        if not STAGE.rings_lost:
            super().cast(address, message)


FLAGS = (
    "--compute_manager=tests.faults.staged.StagedComputeManager",
    "--network_manager=tests.faults.staged.StagedNetworkManager",
    "--compute_driver=tests.faults.staged.StagedVirtDriver",
    "--firewall_driver=tests.faults.staged.StagedFirewall",
    "--network_driver=tests.faults.staged.StagedNetworkDriver",
    "--periodic_interval=600",
)
"""Periodic work other than the sweep of actions happens when a test says so."""
