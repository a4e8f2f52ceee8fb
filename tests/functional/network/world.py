"""A network host and its database, without the rest of the cloud."""

import collections
import dataclasses
import queue
import threading
from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa

from nova_lite.core import clock, ids
from nova_lite.core.actions import new_action
from nova_lite.core.console import ConsoleAddress, ConsoleType
from nova_lite.core.context import RequestContext, system_context
from nova_lite.core.diagnostics import Diagnostics
from nova_lite.core.errors import DriverError
from nova_lite.core.instance import Flavor, Instance
from nova_lite.core.instance_states import PowerState, TaskState, Verb, VmState
from nova_lite.core.network import Network, VirtualInterface
from nova_lite.core.quota import Limits
from nova_lite.core.server_migration import Traveller
from nova_lite.db import actions, group_members, instances, security_groups, virtual_interfaces
from nova_lite.db.engine import Database
from nova_lite.drivers.net.base import Difference, NetworkPlan, NotServed
from nova_lite.drivers.net.fake import FakeNetworkDriver
from nova_lite.network.flatdhcp import FlatDHCPManager
from nova_lite.network.manager import NetworkManager
from nova_lite.network.settings import NetworkSettings
from nova_lite.operations.floating_ips import FloatingIps
from nova_lite.operations.networks import Networks, NewNetwork
from nova_lite.operations.provider_rules import ProviderRules
from nova_lite.operations.security_groups import SecurityGroups
from nova_lite.operations.subnets import NewSubnet
from nova_lite.rpc.compute import ComputeContract
from nova_lite.rpc.local import LocalTransport

ADMIN = system_context()
HOST = "here"
LIMITS = Limits({"security_groups": 4, "security_group_rules": 5, "floating_ips": 3})


class Host(FakeNetworkDriver):
    """A simulated network host that counts, and can be slow or broken."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: collections.Counter[str] = collections.Counter()
        self.broken = False
        self.refused: set[int] = set()
        self.entered = threading.Event()
        self.gate = threading.Event()
        self.gate.set()

    def apply(self, plans: tuple[NetworkPlan, ...]) -> None:
        self.writes["apply"] += 1
        refused = {
            plan.network_id: DriverError("cannot find the network interface nowhere0.")
            for plan in plans
            if plan.bridge_interface == "nowhere0"
        }
        self.refused = set(refused)
        super().apply(tuple(plan for plan in plans if plan.network_id not in refused))
        if refused:
            raise NotServed(refused)

    def differences(self, plans: tuple[NetworkPlan, ...]) -> tuple[Difference, ...]:
        # Rules are made for networks that cannot be served otherwise, too.
        left = sorted(self.refused - {plan.network_id for plan in plans})
        return (*super().differences(plans), *(Difference("rule", str(one), "no network wants it") for one in left))

    def set_hosts(self, plan: NetworkPlan) -> None:
        self.writes["set_hosts"] += 1
        self.entered.set()
        assert self.gate.wait(20)
        if self.broken:
            raise DriverError("The host's disk is full.")
        super().set_hosts(plan)

    def set_floating(self, plan: NetworkPlan) -> None:
        self.writes["set_floating"] += 1
        if any(one.interface == "nowhere0" for one in plan.floating):
            raise DriverError("cannot find the network interface nowhere0.")
        super().set_floating(plan)

    def served(self) -> dict[str, str]:
        """The addresses that DHCP would give, by MAC."""
        return {host.mac: host.address for plan in self._plans.values() for host in plan.hosts}

    def leading(self) -> dict[str, str]:
        """The fixed addresses to which floating ones lead."""
        return {one.address: one.fixed_address for plan in self._plans.values() for one in plan.floating}

    def gateways(self) -> dict[str, str]:
        """The address that each bridge carries."""
        return {plan.bridge: plan.gateway for plan in self._plans.values()}

    def bridges(self) -> list[str]:
        return sorted(plan.bridge for plan in self._plans.values())


class Computes(ComputeContract):
    """A compute host that only hears which groups it has to renew."""

    def __init__(self) -> None:
        self.heard: queue.Queue[list[str]] = queue.Queue()

    def perform(self, context: RequestContext, action_ids: list[str]) -> None:
        raise AssertionError("nobody boots here")

    def console_output(self, context: RequestContext, instance_uuid: str, length: int | None) -> str:
        raise AssertionError("nobody asks for a console here")

    def console(self, context: RequestContext, instance_uuid: str, kind: ConsoleType) -> ConsoleAddress:
        raise AssertionError("nobody asks for a console here")

    def diagnostics(self, context: RequestContext, instance_uuid: str) -> Diagnostics:
        raise AssertionError("nobody asks for diagnostics here")

    def traveller(self, context: RequestContext, instance_uuid: str) -> Traveller:
        raise AssertionError("nobody travels from here")

    def host_uptime(self, context: RequestContext) -> str:
        return ""

    def refresh_instance_security(self, context: RequestContext, instance_uuid: str) -> None:
        pass

    def refresh_security_groups(self, context: RequestContext, group_ids: list[str]) -> None:
        self.heard.put(group_ids)

    def cache_images(self, context: RequestContext, image_ids: list[str]) -> None:
        raise AssertionError("nobody needs images here")


@dataclasses.dataclass
class World:
    """What the tests act on."""

    database: Database
    driver: Host
    manager: NetworkManager
    networks: Networks
    security_groups: SecurityGroups
    computes: Computes
    floating_ips: FloatingIps
    provider_rules: ProviderRules
    transport: LocalTransport

    def network(self, cidr: str = "10.0.0.0/24", label: str = "private", **values: Any) -> Network:
        request = NewNetwork(label, NewSubnet(cidr), **values)
        return self.networks.create(ADMIN, request)

    def boot(
        self,
        count: int = 1,
        *,
        project: str = "demo",
        networks: Any = None,
        power: PowerState = PowerState.RUNNING,
        host: str = HOST,
    ) -> list[str]:
        """Add instances on a host with their boot actions and default group, still without addresses."""
        rows = [dataclasses.replace(_instance(project, index, power), host=host) for index in range(count)]
        context = RequestContext(project_id=project)
        parameters = {} if networks is None else {"networks": networks}

        def work(session: Any) -> None:
            instances.insert(session, rows)
            actions.insert(
                session, [new_action(context, row, Verb.BOOT, ids.new_uuid(), parameters) for row in rows]
            )
            group = security_groups.ensure_default(session, project)
            group_members.add_members(session, [(row.uuid, group) for row in rows])

        self.database.run("test.boot", work)
        return [row.uuid for row in rows]

    def allocate(self, uuids: Sequence[str]) -> dict[str, list[VirtualInterface]]:
        self.manager.allocate(ADMIN, list(uuids))
        return self.interfaces(uuids)

    def interfaces(self, uuids: Sequence[str]) -> dict[str, list[VirtualInterface]]:
        return self.database.read("test.interfaces", lambda s: virtual_interfaces.of_instances(s, uuids))

    def delete_row(self, uuid: str) -> None:
        def work(session: Any) -> None:
            instance = instances.get(session, uuid)
            assert instance is not None
            assert instances.delete(session, instance)

        self.database.run("test.delete", work)

    def another_manager(self, driver: Host, **settings: Any) -> FlatDHCPManager:
        return FlatDHCPManager(self.database, driver, NetworkSettings(host=HOST, **settings))

    def statements(self, act: Callable[[], object]) -> list[str]:
        """Return the SQL that ``act`` sends, the beginning of transactions left out."""
        sent: list[str] = []

        def listen(*arguments: Any) -> None:
            sent.append(arguments[2])

        sa.event.listen(self.database.engine, "before_cursor_execute", listen)
        try:
            act()
        finally:
            sa.event.remove(self.database.engine, "before_cursor_execute", listen)
        return [statement for statement in sent if not statement.startswith("BEGIN")]


def _instance(project: str, index: int, power: PowerState) -> Instance:
    now = clock.now()
    return Instance(
        id=0,
        uuid=ids.new_uuid(),
        project_id=project,
        user_id="somebody",
        display_name=f"vm-{index}",
        hostname=f"vm-{index}",
        flavor=Flavor("1", "tiny", 64, 1, 1),
        image_id=ids.new_uuid(),
        vm_state=VmState.BUILDING,
        task_state=TaskState.NETWORKING,
        power_state=power,
        host=HOST,
        created_at=now,
        updated_at=now,
    )
