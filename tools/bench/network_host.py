"""A host's network measured: what a change costs beside ten guests and beside five hundred.

Run as a program (``unshare --net python -m tools.bench.network_host COUNT FOLDER``) it is such a host: the real
network, DHCP server, NAT and packet filter of a cloud whose guests are simulated, but for one of flesh: a network
namespace at the guest's tap. What is in force is told by packets from another namespace. Prints its figures.
"""

import dataclasses
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import prettytable
import psutil
import sqlalchemy as sa

from nova_lite import concurrency
from nova_lite.cmd import wiring
from nova_lite.cmd.wiring import workers
from nova_lite.cmd.wiring.cloud import make_cloud
from nova_lite.compute.group_filters import GroupFilters
from nova_lite.conf import load
from nova_lite.core import clock, ids
from nova_lite.core.boot import BootRequest
from nova_lite.core.context import RequestContext
from nova_lite.core.image import Image, ImageStatus, Visibility
from nova_lite.core.instance_states import VmState
from nova_lite.core.network import VirtualInterface
from nova_lite.db import migration, virtual_interfaces
from nova_lite.operations.networks import NewNetwork
from nova_lite.operations.security_groups import NewRule
from nova_lite.operations.subnets import NewSubnet
from tools.bench.counting import Counter, Figure, figure, timed
from tools.bench.packets import Namespace, Packets, run

SIZES = (10, 500)
AIMS = {
    "associate a floating address": "ratio 2",
    "a rule for all": "ratio 2, in force in 50 ms",
    "one more guest": "ratio 2",
    "restart": "3000 ms",
}
_ROUNDS = 9
_PATIENCE = 300.0
_POOL = "198.51.100.0/22"


def main() -> None:
    """Be a host with so many guests, and print what was measured as JSON."""
    concurrency.choose(concurrency.Mode.THREADING)
    count, folder = int(sys.argv[1]), Path(sys.argv[2])
    host = Host(folder)
    try:
        host.start()
        host.fill(count)
        figures = {
            "associate a floating address": host.associate(),
            "move it to another guest": host.move(),
            "a rule for all": host.add_rule(),
            "revoke it": host.revoke_rule(),
            "one more guest": host.one_more(),
            "restart": host.restart(),
        }
        print(json.dumps({name: dataclasses.asdict(figure) for name, figure in figures.items()}))
    finally:
        host.stop()


def measure(count: int, folder: Path) -> dict[str, Figure]:
    """Return the figures of a host with so many guests."""
    argv = ["unshare", "--net", sys.executable, "-m", "tools.bench.network_host", str(count), str(folder)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=2 * _PATIENCE, check=False)
    if done.returncode != 0:
        raise SystemExit(f"cannot measure the network with {count} guests: {done.stderr[-2000:]}")
    found = json.loads(done.stdout.splitlines()[-1])
    return {name: Figure(**values) for name, values in found.items()}


def table(figures: dict[int, dict[str, Figure]]) -> prettytable.PrettyTable:
    """Return the figures of hosts by the number of their guests as a table."""
    few, many = min(figures), max(figures)
    columns = ["with so many guests", *(f"{count}: ms (in force), operations" for count in figures), "ratio", "aim"]
    shown = prettytable.PrettyTable(columns)
    shown.align = "l"
    for name, of_many in figures[many].items():
        cells = []
        for count in figures:
            figure = figures[count][name]
            force = f" ({figure.in_force:.0f})" if figure.in_force is not None else ""
            cells.append(f"{figure.milliseconds:.0f}{force}, {figure.operations}")
        ratio = of_many.milliseconds / figures[few][name].milliseconds
        shown.add_row([name, *cells, f"{ratio:.1f}", AIMS.get(name, "")])
    return shown


class Host:
    """A network and compute host, with an outside to which it is a gateway."""

    def __init__(self, folder: Path) -> None:
        flags = {
            "state_path": folder, "sql_connection": f"sqlite:///{folder}/nova.sqlite", "my_ip": "127.0.0.1",
            "host": "bench", "compute_driver": "fake", "network_driver": "linux", "firewall_driver": "nftables",
            "quota_instances": -1, "quota_cores": -1, "quota_ram": -1, "quota_floating_ips": -1,
            "quota_security_group_rules": -1, "fake_memory_mb": 4 * 1024**2, "fake_vcpus": 10000,
            "public_interface": "ext0", "flat_interface": "", "periodic_interval": 3600,
        }  # fmt: skip
        flag_file = folder / "nova.conf"
        flag_file.write_text("".join(f"--{name}={value}\n" for name, value in flags.items()))
        self._conf = load([f"--flagfile={flag_file}"], prog="nova-all")
        self._context = RequestContext(user_id="bench", project_id="bench", roles=("admin",), is_admin=True)
        self._counter = Counter()
        self._outside, self._guest = Namespace(), Namespace()
        self._components: list[Any] = []
        self._cleanup: list[Callable[[], object]] = [self._outside.close, self._guest.close]

    def start(self) -> None:
        """Make the database and the links, and start the daemons."""
        run("ip", "link", "set", "lo", "up")
        self._outside.join("ext0", "eth0")
        run("ip", "addr", "add", "203.0.113.1/24", "dev", "ext0")
        self._outside.run("ip", "addr", "add", "203.0.113.2/24", "dev", "eth0")
        self._outside.run("ip", "route", "add", "default", "via", "203.0.113.1")
        with wiring.desk(self._conf) as (database, cloud):
            migration.upgrade(database)
            cloud.flavors.bootstrap()
            cloud.networks.create(self._context, NewNetwork("private", NewSubnet("10.0.0.0/20")))
            cloud.floating_ips.create_range(self._context, _POOL)
            now = clock.now()
            image = Image(
                ids.new_uuid(), "bench", ImageStatus.QUEUED, Visibility.PRIVATE, "bench", now, now,
                disk_format="raw", container_format="bare",
            )  # fmt: skip
            self._image = cloud.images.create(self._context, image).id
            cloud.images.start()
            cloud.images.upload(self._context, self._image, [b"bench" * 200])
        self._start_daemons()

    def _start_daemons(self) -> None:
        base = wiring.make_base(self._conf)
        self._base, self._cloud = base, make_cloud(base)
        self._components = [
            *base.parts(), *workers.network_parts(base), *workers.compute_parts(base),
            *workers.scheduler_parts(base),
        ]  # fmt: skip
        for component in self._components:
            component.start()

    def _stop_daemons(self) -> None:
        for component in reversed(self._components):
            component.stop(5.0)

    def stop(self) -> None:
        """End everything."""
        self._stop_daemons()
        for server in psutil.process_iter(["name", "cmdline"]):
            if server.info["name"] == "dnsmasq" and any(
                str(self._conf.networks_path) in word for word in server.info["cmdline"] or ()
            ):
                server.kill()
        for close in self._cleanup:
            close()

    def fill(self, count: int) -> None:
        """Boot guests, each with a floating address and a lease, and one of flesh among them."""
        self._uuids: list[str] = []
        while len(self._uuids) < count:
            self._uuids += self._boot(min(100, count - len(self._uuids)))
        self._group = self._cloud.security_groups.find(self._context, "default").id
        self._cloud.security_groups.add_rule(self._context, NewRule(self._group, "udp", 4000, 4000))
        for uuid in self._uuids[2:]:
            self._lead(self._cloud.floating_ips.allocate(self._context).address, uuid)
        self._base.database.run("bench.lease", lambda session: session.execute(_LEASED))
        interface = self._interface(self._uuids[0])
        self._guest.join(ids.tap_name(interface.id), "eth0", interface.mac)
        run("ip", "link", "set", ids.tap_name(interface.id), "master", interface.bridge)
        self._guest.run("ip", "addr", "add", f"{interface.address}/20", "dev", "eth0")
        self._guest.run("ip", "route", "add", "default", "via", interface.gateway)
        self._address = interface.address
        self._packets = Packets(self._outside, self._guest)
        self._packets.listen(4000)
        self._packets.until_heard(self._address, 4000, lambda: None)

    def associate(self) -> Figure:
        """Measure the association of floating addresses with the guest of flesh."""
        times, heard, counts = [], [], []
        for _ in range(_ROUNDS):
            address = self._cloud.floating_ips.allocate(self._context).address

            def act(address: str = address) -> None:
                self._lead(address, self._uuids[0])

            with self._counter.of(counts):
                took, until = self._packets.until_heard(address, 4000, act)
            times.append(took)
            heard.append(until)
            self._cloud.floating_ips.disassociate(self._context, address)
        return figure(times, counts, heard)

    def move(self) -> Figure:
        """Measure the move of an address from a simulated guest to the one of flesh."""
        times, heard, counts = [], [], []
        address = self._cloud.floating_ips.allocate(self._context).address
        for _ in range(_ROUNDS):
            self._lead(address, self._uuids[1])
            with self._counter.of(counts):
                took, until = self._packets.until_heard(
                    address, 4000, lambda: self._lead(address, self._uuids[0]), anew=True
                )
            times.append(took)
            heard.append(until)
        return figure(times, counts, heard)

    def add_rule(self) -> Figure:
        """Measure a new rule in the group that all guests are in."""
        times, heard, counts = [], [], []
        self._rules: list[str] = []
        for number in range(5000, 5000 + _ROUNDS):

            def act(number: int = number) -> None:
                rule = NewRule(self._group, "udp", number, number, cidr="203.0.113.0/24")
                self._rules.append(self._cloud.security_groups.add_rule(self._context, rule).id)

            self._packets.listen(number)
            with self._counter.of(counts):
                took, until = self._packets.until_heard(self._address, number, act)
            times.append(took)
            heard.append(until)
        return figure(times, counts, heard)

    def revoke_rule(self) -> Figure:
        """Measure how long packets of an open connection still come through after the rule is gone."""
        times, heard, counts = [], [], []
        for number, rule in zip(range(5000, 5000 + _ROUNDS), self._rules, strict=True):

            def act(rule: str = rule) -> None:
                self._cloud.security_groups.delete_rule(self._context, rule)

            self._packets.listen(number)
            with self._counter.of(counts):
                took, until = self._packets.until_silent(self._address, number, act)
            times.append(took)
            heard.append(until)
        return figure(times, counts, heard)

    def one_more(self) -> Figure:
        """Measure the network's part of booting one more guest: its address, DHCP, its groups and its filter."""
        times, counts = [], []
        spent: list[float] = []
        # The daemons share these with us, so the watch is on what a boot calls.
        with timed(wiring.workers.NetworkManager, "allocate", spent), timed(GroupFilters, "protect", spent):
            for _ in range(_ROUNDS):
                spent.clear()
                with self._counter.of(counts):
                    self._boot(1)
                times.append(sum(spent))
        return figure(times, counts)

    def restart(self) -> Figure:
        """Measure the daemons' way from nothing to everything as it should be, an open connection going on."""
        self._packets.listen(4000)
        self._packets.send(self._address, 4000)
        times, counts = [], []
        for _ in range(3):
            self._stop_daemons()
            with self._counter.of(counts):
                began = time.perf_counter()
                self._start_daemons()
                times.append((time.perf_counter() - began) * 1000)
            self._packets.until_heard(self._address, 4000, lambda: None)
        return figure(times, counts)

    def _boot(self, count: int) -> list[str]:
        request = BootRequest("bench", self._image, "6", min_count=count, max_count=count)
        uuids = list(self._cloud.servers.boot(self._context, request).uuids)
        deadline = time.monotonic() + _PATIENCE
        for uuid in uuids:
            while (state := self._cloud.servers.get(self._context, uuid).instance.vm_state) != VmState.ACTIVE:
                if state == VmState.ERROR or time.monotonic() > deadline:
                    raise SystemExit(f"guest {uuid} is {state}")
                time.sleep(0.002)
        return uuids

    def _lead(self, address: str, uuid: str) -> None:
        self._cloud.floating_ips.associate(self._context, address, uuid)

    def _interface(self, uuid: str) -> VirtualInterface:
        return self._base.database.read(
            "bench.interface", lambda session: virtual_interfaces.of_instances(session, [uuid])[uuid][0]
        )

_LEASED = sa.text("update fixed_ips set leased = 1 where instance_uuid is not null")


if __name__ == "__main__":
    main()
