"""The whole cloud in this process with a stage below it, and a nova-compute that can be started anew."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nova_lite.cmd import wiring
from nova_lite.cmd.daemon import Component
from nova_lite.cmd.wiring import make_base
from nova_lite.cmd.wiring.apis import api_parts
from nova_lite.cmd.wiring.workers import compute_parts, network_parts, scheduler_parts
from nova_lite.conf import load
from nova_lite.core.context import system_context
from nova_lite.core.instance_states import TRANSITIONS, PowerState, Verb, VmState
from nova_lite.db import actions
from nova_lite.rpc.compute import ComputeProxy
from nova_lite.rpc.network import NetworkProxy
from nova_lite.rpc.scheduler import SchedulerProxy
from tests.cloud import Cloud, wait_for
from tests.faults.stage import STAGE
from tests.faults.staged import FLAGS, StagedTransport

BODIES = {
    Verb.STOP: {"os-stop": None},
    Verb.START: {"os-start": None},
    Verb.REBOOT: {"reboot": {"type": "SOFT"}},
    Verb.REBOOT_HARD: {"reboot": {"type": "HARD"}},
    Verb.PAUSE: {"pause": None},
    Verb.UNPAUSE: {"unpause": None},
    Verb.SUSPEND: {"suspend": None},
    Verb.RESUME: {"resume": None},
    Verb.REBUILD: {"rebuild": {"imageRef": "IMAGE"}},
    Verb.REBUILD_STOPPED: {"rebuild": {"imageRef": "IMAGE"}},
    Verb.SNAPSHOT: {"createImage": {"name": "copy"}},
    Verb.RESCUE: {"rescue": {}},
    Verb.UNRESCUE: {"unrescue": None},
    Verb.RESIZE: {"resize": {"flavorRef": "1"}},
    Verb.CONFIRM_RESIZE: {"confirmResize": None},
    Verb.REVERT_RESIZE: {"revertResize": None},
    Verb.UNSHELVE: {"unshelve": None},
    Verb.UNSHELVE_HERE: {"unshelve": None},
    Verb.SHELVE: {"shelve": None},
    Verb.SHELVE_OFFLOAD: {"shelveOffload": None},
    Verb.RESTORE: {"restore": None},
    Verb.CHANGE_PASSWORD: {"changePassword": {"adminPass": "secret"}},
    Verb.CRASH_DUMP: {"trigger_crash_dump": None},
    Verb.ATTACH_INTERFACE: {"addFixedIp": {"networkId": "private"}},
    Verb.DETACH_INTERFACE: {"removeFixedIp": {"address": "ADDRESS"}},
}
"""How the compute API spells the verbs; IMAGE is the id of the cloud's image, ADDRESS the server's address."""

FLAGGED = {
    Verb.SHELVE: lambda operations, context, uuid: operations.shelving.shelve(context, uuid),
    Verb.SOFT_DELETE: lambda operations, context, uuid: operations.servers.delete(context, uuid),
}
"""Verbs that are ordered under other flags than the cloud's."""

LEADS_TO = {
    VmState.STOPPED: (Verb.STOP,),
    VmState.PAUSED: (Verb.PAUSE,),
    VmState.SUSPENDED: (Verb.SUSPEND,),
    VmState.RESCUED: (Verb.RESCUE,),
    VmState.RESIZED: (Verb.RESIZE,),
    VmState.SHELVED: (Verb.SHELVE,),
    VmState.SHELVED_OFFLOADED: (Verb.SHELVE, Verb.SHELVE_OFFLOAD),
    VmState.SOFT_DELETED: (Verb.SOFT_DELETE,),
}
"""What brings an active server to a state that other verbs start from."""

_PATIENCE = 30.0


def end_of(verb: Verb) -> VmState:
    """Return the state in which a server is when ``verb`` is done, after ``prepare``."""
    return TRANSITIONS[verb].done or VmState.ACTIVE


def end_after_failure(verb: Verb, before: VmState | None, where: str) -> VmState | None:
    """Return the state in which a server is when ``verb`` failed at ``where``, a step or a call of a driver."""
    if verb is Verb.REVERT_RESIZE and where not in BEFORE_RETURN:
        # The host that it went to has let it go, and the one that it came from cannot have it back.
        return VmState.ERROR
    return TRANSITIONS[verb].failed or before


BEFORE_RETURN = ("destroying", "virt.destroy", "virt.delete_disks", "firewall.unprotect")
"""Where a revert may fail and leave the server as it was."""


class Restartable:
    """A daemon as one component, which can be ended and begun again."""

    def __init__(self, build: Callable[[], list[Component]]) -> None:
        self._build = build
        self._parts: list[Component] = []

    def start(self) -> None:
        self._parts = self._build()
        for part in self._parts:
            part.start()

    def stop(self, drain_seconds: float) -> None:
        for part in reversed(self._parts):
            part.stop(drain_seconds)


class StagedCloud(Cloud):
    """A cloud in which things go wrong as the stage says."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, f"sqlite:///{folder}/nova.sqlite", *FLAGS)
        self._compute: Restartable

    def make_components(self) -> list[Any]:
        base = make_base(self.conf)
        bus = StagedTransport.from_flags(self.conf)
        base = dataclasses.replace(
            base,
            transport=bus,
            scheduler=SchedulerProxy(bus),
            compute=ComputeProxy(bus),
            network=NetworkProxy(bus),
        )
        self._compute = Restartable(lambda: compute_parts(base))
        return [
            *base.parts(), *network_parts(base), self._compute, *scheduler_parts(base), *api_parts(base),
        ]  # fmt: skip

    def restart_compute(self) -> None:
        """Start nova-compute again after its death."""
        assert STAGE.died.wait(_PATIENCE), "nova-compute was to die and did not"
        self._compute.stop(_PATIENCE)
        STAGE.died.clear()
        self._compute.start()

    def settle_with_sweeps(self) -> None:
        """Wait until no action is open, with one sweep upon the other."""
        assert wait_for(
            lambda: STAGE.compute.sweep() or not self.database.read("settle", actions.open_actions)
        )
        self.settle()

    def settle_with_alarm(self, words: str) -> None:
        """Wait until no action is open; a daemon has to have logged an error that says ``words``."""
        assert wait_for(lambda: not self.database.read("settle", actions.open_actions))
        assert self._alarms.records
        assert all(words in record for record in self._alarms.records), self._alarms.records
        self._alarms.records.clear()

    def look(self) -> None:
        """Do what is done periodically, now that no action goes on."""
        assert wait_for(STAGE.compute.is_idle)
        STAGE.compute.sync_power_states()
        STAGE.compute.repair()
        STAGE.network.converge()

    def leaks(self) -> list[str]:
        """Return what is left over, in the memory of the simulated drivers too."""
        found = [*STAGE.compute.reconciler.findings(), *STAGE.network.reconciler.differences()]
        return super().leaks() + [f"{one.kind} {one.name}: {one.sentence}" for one in found]

    def prepare(self, verb: Verb) -> str:
        """Make a server that ``verb`` can be asked of, and return its id; empty for a boot."""
        self.image()
        if verb is Verb.BOOT:
            return ""
        server_id = self.boot(**({"networks": "none"} if verb is Verb.ATTACH_INTERFACE else {}))
        sources = TRANSITIONS[verb].sources
        if VmState.ACTIVE not in sources:
            (leads,) = (leads for state, leads in LEADS_TO.items() if state in sources)
            for lead in leads:
                self.order(lead, server_id)
                self.settle()
        STAGE.clear()
        return server_id

    def order(self, verb: Verb, server_id: str) -> str:
        """Ask for ``verb`` without waiting for it, and return the server's id."""
        path = f"/v2.1/servers/{server_id}"
        if verb is Verb.BOOT:
            body = {"name": "vm", "flavorRef": "6", "imageRef": self.image(), "networks": "auto"}
            answer = self.ask("POST", "/v2.1/servers", {"server": body})
            server_id = answer.json()["server"]["id"]
        elif verb is Verb.DELETE:
            answer = self.ask("DELETE", path)
        elif verb in FLAGGED:
            self._order_flagged(verb, server_id)
            return server_id
        else:
            text = json.dumps(BODIES[verb]).replace("IMAGE", self.image())
            if verb is Verb.DETACH_INTERFACE:
                text = text.replace("ADDRESS", self.show(server_id)["addresses"]["private"][0]["addr"])
            body = json.loads(text)
            answer = self.ask("POST", f"{path}/action", body, user="admin")
        assert answer.ok, answer.text
        return server_id

    def _order_flagged(self, verb: Verb, server_id: str) -> None:
        """Order a verb as an operator's other flags would have it; this host is rung, for it is on its bus."""
        flags = [*self.flags, "--shelved_offload_time=-1", "--reclaim_instance_interval=3600"]
        with wiring.desk(load(flags, prog="nova-manage")) as (_, operations):
            FLAGGED[verb](operations, system_context(), server_id)
        if not STAGE.rings_lost:
            STAGE.compute.sweep()

    def reap(self) -> None:
        """Remove the bytes of deleted images, as nova-api does from time to time."""
        with wiring.desk(self.conf) as (_, operations):
            operations.images.reap()

    def every_image(self) -> list[dict[str, Any]]:
        """Return every image that there is."""
        found: list[dict[str, Any]] = self.ask(
            "GET", "/v2/images?limit=1000", user="admin", api="image"
        ).json()["images"]
        return found

    def delete_every_server(self) -> None:
        """Ask for the end of every server without waiting for it."""
        for server in self.ask("GET", "/v2.1/servers").json()["servers"]:
            self.order(Verb.DELETE, server["id"])

    def state(self, server_id: str) -> VmState:
        """Return the state of a server with which nothing goes on."""
        answer = self.ask("GET", f"/v2.1/servers/{server_id}")
        if answer.status_code == 404:
            return VmState.DELETED
        server = answer.json()["server"]
        assert server["OS-EXT-STS:task_state"] is None, server
        return VmState(server["OS-EXT-STS:vm_state"])

    def comes_to(self, server_id: str, state: VmState | None) -> bool:
        """Tell whether a server comes to a state, or on from there to what its guest is: nova-compute follows it."""
        guest = STAGE.hypervisor.guest(server_id)
        power = PowerState.NOSTATE if guest is None else guest.power_state
        if state in (VmState.ACTIVE, VmState.PAUSED) and power in (PowerState.NOSTATE, PowerState.SHUTDOWN):
            state = VmState.STOPPED
        if state in (VmState.STOPPED, VmState.PAUSED, VmState.SUSPENDED) and power is PowerState.RUNNING:
            state = VmState.ACTIVE
        return wait_for(lambda: self.state(server_id) is state)

    def host_of(self, server_id: str) -> str | None:
        """Return the host that a server is on, None where it is on none."""
        host: str | None = self.show(server_id, user="admin")["OS-EXT-SRV-ATTR:host"]
        return host

    def failed(self, server_id: str) -> bool:
        """Tell whether a step of the newest action on a server failed."""
        return any(event["result"] == "Error" for event in self.last_events(server_id))

    def last_events(self, server_id: str) -> list[dict[str, Any]]:
        """Return the steps of the newest action on a server as its owner sees them."""
        path = f"/v2.1/servers/{server_id}/os-instance-actions"
        newest = self.ask("GET", path).json()["instanceActions"][0]
        action = self.ask("GET", f"{path}/{newest['request_id']}").json()["instanceAction"]
        found: list[dict[str, Any]] = action["events"]
        return found
