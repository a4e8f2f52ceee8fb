"""How long real guests take over two hosts, and how much of that is ours.

The same guest is started by virsh alone, too: what that takes is QEMU's and the guest's share.
"""

import itertools
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import prettytable
import requests

from tools.site import ComputeHost, Site, eventually

AIMS = {"our share of a create, warm": "1 s", "live migration, longest silence": "virsh's"}
MANY = 10
_PATIENCE = 600.0
_FLAGS = "VIR_MIGRATE_LIVE,VIR_MIGRATE_PEER2PEER,VIR_MIGRATE_UNDEFINE_SOURCE,VIR_MIGRATE_PERSIST_DEST"


class Cloud:
    """The compute API as a client that keeps its connection sees it."""

    def __init__(self, site: Site, user: str = "demo") -> None:
        self._site = site
        rc = site.environment(user)
        user = {"name": rc["OS_USERNAME"], "domain": {"id": "default"}, "password": rc["OS_PASSWORD"]}
        scope = {"project": {"name": rc["OS_PROJECT_NAME"], "domain": {"id": "default"}}}
        body = {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": scope}}
        self._session = requests.Session()
        with site.head.entered():
            answer = self._session.post(f"{rc['OS_AUTH_URL']}/auth/tokens", json=body)
        self._session.headers["X-Auth-Token"] = answer.headers["X-Subject-Token"]
        self._session.headers["OpenStack-API-Version"] = "compute 2.79"

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Ask, and return what the answer says; raises for a bad status."""
        with self._site.head.entered():
            answer = self._session.request(method, f"http://127.0.0.1:8774/v2.1{path}", json=body)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def order(self, image: str, count: int = 1) -> str:
        """Order servers; returns the first one's id."""
        server = {
            "name": "bench", "flavorRef": "6", "imageRef": image, "networks": "auto", "key_name": "key",
            "min_count": count, "max_count": count,
        }  # fmt: skip
        return str(self.ask("POST", "/servers", {"server": server})["server"]["id"])

    def show(self, server_id: str) -> dict[str, Any]:
        """Return a server."""
        found: dict[str, Any] = self.ask("GET", f"/servers/{server_id}")["server"]
        return found

    def until(self, server_id: str, status: str) -> None:
        """Wait until a server has a status."""
        deadline = time.monotonic() + _PATIENCE
        while (found := self.show(server_id)["status"]) != status:
            if found == "ERROR" or time.monotonic() > deadline:
                raise SystemExit(f"a server is {found} and was to be {status}")
            time.sleep(0.02)


def measure(folder: Path) -> dict[str, str]:
    """Return every figure as text."""
    figures: dict[str, str] = {}
    shared = folder / "shared"
    shared.mkdir()
    flags = {
        "instances_path": shared, "live_migration_flag": f"{_FLAGS},VIR_MIGRATE_UNSAFE", "quota_instances": -1,
        "quota_cores": -1, "quota_ram": -1, "cpu_allocation_ratio": 100, "ram_allocation_ratio": 10,
    }  # fmt: skip
    with Site(folder / "site", flags) as site:
        site.upload_image()
        cloud = Cloud(site)
        image = site.client("image", "list", "-f", "json")[0]["ID"]
        figures |= _boots(site, cloud, image, shared)
        figures |= _migrations(site, cloud, image)
        figures |= _many(site, cloud, image)
    return figures


def table(figures: dict[str, str]) -> prettytable.PrettyTable:
    """Return the figures as a table."""
    made = prettytable.PrettyTable(["figure", "real guests", "aim"])
    made.align = "l"
    for figure, value in figures.items():
        made.add_row([figure, value, AIMS.get(figure, "")])
    return made


def _boots(site: Site, cloud: Cloud, image: str, shared: Path) -> dict[str, str]:
    figures = {}
    for cache in ("cold", "warm"):
        began = time.perf_counter()
        server_id = cloud.order(image)
        cloud.until(server_id, "ACTIVE")
        active = time.perf_counter() - began
        address = _address(cloud, server_id)
        console = _seconds(began, lambda server_id=server_id: _printed(cloud, server_id))
        ssh = _seconds(began, lambda address=address: site.ssh(address, "true; echo up"))
        figures[f"create to ACTIVE, {cache}"] = f"{active:.2f} s"
        figures[f"create to console, {cache}"] = f"{console:.2f} s"
        figures[f"create to ssh, {cache}"] = f"{ssh:.2f} s"
        if cache == "warm":
            qemu, guest = _by_virsh(site, cloud, server_id, address)
            figures["virsh start alone"] = f"{qemu:.2f} s"
            figures["virsh start to ssh"] = f"{guest:.2f} s"
            figures["our share of a create, warm"] = f"{active - qemu:.2f} s"
        cloud.ask("DELETE", f"/servers/{server_id}")
        eventually(lambda: not list(shared.glob("instance-*")))
    return figures


def _by_virsh(site: Site, cloud: Cloud, server_id: str, address: str) -> tuple[float, float]:
    """Switch a guest off, and start it by virsh: the seconds until it runs, and until ssh answers."""
    name, host = _place(site, cloud, server_id)
    host.virsh("destroy", name)
    began = time.perf_counter()
    host.virsh("start", name)
    started = time.perf_counter() - began
    return started, _seconds(began, lambda: site.ssh(address, "true; echo up"))


def _migrations(site: Site, cloud: Cloud, image: str) -> dict[str, str]:
    server_id = cloud.order(image)
    cloud.until(server_id, "ACTIVE")
    address = _address(cloud, server_id)
    eventually(lambda: site.ssh(address, "true; echo up"))
    ours, plain = [], []
    for _ in range(2):
        with _pinging(site, address) as silence:
            began = time.perf_counter()
            body = {"os-migrateLive": {"host": None, "block_migration": "auto"}}
            Cloud(site, "admin").ask("POST", f"/servers/{server_id}/action", body)
            cloud.until(server_id, "ACTIVE")
            took = time.perf_counter() - began
        ours.append((took, silence[0]))
    name, host = _place(site, cloud, server_id)
    for _ in range(2):
        there = next(one for one in site.hosts if one is not host)
        with _pinging(site, address) as silence:
            began = time.perf_counter()
            options = ["--live", "--p2p", "--undefinesource", "--persistent", "--unsafe"]
            host.virsh("migrate", *options, name, f"qemu+tcp://{there.address}/system", "--migrateuri",
                       f"tcp://{there.address}")  # fmt: skip
            took = time.perf_counter() - began
        plain.append((took, silence[0]))
        host = there
    cloud.ask("DELETE", f"/servers/{server_id}")
    return {
        "live migration": f"{min(ours)[0]:.2f} s",
        "live migration by virsh": f"{min(plain)[0]:.2f} s",
        "live migration, longest silence": f"{min(gap for _, gap in ours) * 1000:.0f} ms",
        "by virsh, longest silence": f"{min(gap for _, gap in plain) * 1000:.0f} ms",
    }


def _many(site: Site, cloud: Cloud, image: str) -> dict[str, str]:
    began = time.perf_counter()
    cloud.order(image, MANY)

    def servers() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = cloud.ask("GET", "/servers/detail?status=ACTIVE")["servers"]
        return [server for server in found if server["name"].startswith("bench-")]

    active = _seconds(began, lambda: len(servers()) == MANY)
    addresses = [_first_address(server) for server in servers()]
    up: set[str] = set()

    def all_up() -> bool:
        up.update(one for one in addresses if one not in up and site.ssh(one, "true; echo up"))
        return len(up) == MANY

    return {
        f"{MANY} at once to ACTIVE": f"{active:.1f} s",
        f"{MANY} at once to ssh": f"{_seconds(began, all_up):.1f} s",
    }


@contextmanager
def _pinging(site: Site, address: str) -> Iterator[list[float]]:
    """Ping a guest meanwhile; the list gets the longest time between two answers in seconds."""
    ping = shutil.which("ping") or "/bin/ping"
    process = subprocess.Popen(
        [*site.inside(), ping, "-D", "-n", "-i", "0.02", address], stdout=subprocess.PIPE, text=True
    )
    silence: list[float] = []
    time.sleep(0.5)
    yield silence
    time.sleep(0.5)
    process.terminate()
    times = [float(found) for found in re.findall(r"^\[([\d.]+)\] .*time=", process.communicate()[0], re.M)]
    silence.append(max(later - earlier for earlier, later in itertools.pairwise(times)))


def _seconds(began: float, done: Callable[[], object]) -> float:
    """Return the seconds from ``began`` until it is done."""
    if not eventually(done, _PATIENCE):
        raise SystemExit("a guest does not come up")
    return time.perf_counter() - began


def _printed(cloud: Cloud, server_id: str) -> bool:
    output = cloud.ask("POST", f"/servers/{server_id}/action", {"os-getConsoleOutput": {}})["output"]
    return "guest: " in output


def _address(cloud: Cloud, server_id: str) -> str:
    return _first_address(cloud.show(server_id))


def _first_address(server: dict[str, Any]) -> str:
    return str(next(iter(server["addresses"].values()))[0]["addr"])


def _place(site: Site, cloud: Cloud, server_id: str) -> tuple[str, ComputeHost]:
    """Return the hypervisor's name of a server's guest, and its host."""
    found = site.server(server_id)
    name, host = found["OS-EXT-SRV-ATTR:instance_name"], found["OS-EXT-SRV-ATTR:host"]
    return name, next(one for one in site.hosts if one.name == host)
