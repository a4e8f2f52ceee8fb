"""The cloud over two hosts, and the server that its tests share."""

import concurrent.futures
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.two_hosts.server import CLEAN, ROOM, Server
from tests.tls import Certificate, self_signed
from tools.site import ComputeHost, Site

_LIVE = "VIR_MIGRATE_LIVE,VIR_MIGRATE_PEER2PEER,VIR_MIGRATE_UNDEFINE_SOURCE,VIR_MIGRATE_PERSIST_DEST"
_FLAVORS = {
    "m1.disks": ("--ephemeral", "1", "--swap", "0", "--property", "hw:watchdog_action=pause"),
    "m1.more": ("--ephemeral", "2", "--swap", "16", "--property", "hw:watchdog_action=pause"),
}


@pytest.fixture(scope="package")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """What the proxies of the consoles prove themselves by."""
    return self_signed(tmp_path_factory.mktemp("tls") / "certificate.pem", "127.0.0.1")


@pytest.fixture(scope="package")
def site(tmp_path_factory: pytest.TempPathFactory, certificate: Certificate) -> Iterator[Site]:
    """The cloud, with an image and flavors; nothing is amiss on its hosts at the end."""
    flags = {
        "sync_power_state_interval": 2, "periodic_interval": 5, "console_ssl_cert_file": certificate.file,
        "novncproxy_base_url": "https://127.0.0.1:6080/vnc_auto.html",
        "serialproxy_base_url": "wss://127.0.0.1:6083/",
        "config_drive_format": "vfat", "libvirt_inject_partition": 1,
        # libvirt does not take a folder that two hosts have of one disk for storage that is shared.
        "live_migration_flag": f"{_LIVE},VIR_MIGRATE_UNSAFE",
    }  # fmt: skip
    folder = tmp_path_factory.mktemp("site")
    with Site(folder, flags | left_of_the_machine(folder)) as found:
        found.upload_image("hw_qemu_guest_agent=yes")
        found.manage(
            "network", "create", "--label", "second", "--fixed_range_v4", "10.1.0.0/24", "--bridge", "br101"
        )
        for host in found.hosts:
            host.namespace.run("ip", "link", "add", "br101", "type", "bridge")
            host.namespace.run("ip", "link", "set", "br101", "up")
        for name, words in _FLAVORS.items():
            found.client("flavor", "create", "--ram", "128", "--disk", "1", *words, name, user="admin")
        yield found
        with concurrent.futures.ThreadPoolExecutor() as pool:
            assert list(pool.map(ComputeHost.doctor, found.hosts)) == [CLEAN, CLEAN]


def left_of_the_machine(folder: Path) -> dict[str, object]:
    """Return flags by which each host, whose files are below ``folder``, gives ROOM away, whatever this machine has."""
    disk = shutil.disk_usage(folder).total // 1024**3
    nodes = list(Path("/sys/devices/system/node").glob("node[0-9]*"))
    every = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 1024
    memory = (sum(map(_memory, nodes)) if nodes else every) // 1024
    # Half of what is given away is there, or all that a small disk has.
    there = min(disk, ROOM["disk"] // 2)
    return {
        "reserved_host_cpus": (os.cpu_count() or 1) - 1, "cpu_allocation_ratio": ROOM["vcpus"],
        "reserved_host_memory_mb": memory - ROOM["ram"] * 2 // 3, "ram_allocation_ratio": 1.5,
        "reserved_host_disk_mb": (disk - there) * 1024, "disk_allocation_ratio": (ROOM["disk"] + 0.1) / there,
    }  # fmt: skip


def _memory(node: Path) -> int:
    """Return how many KiB of memory the kernel, and with it libvirt, counts at a node; the machine may have more."""
    return int((node / "meminfo").read_text().partition("MemTotal:")[2].split()[0])


@pytest.fixture(scope="package")
def servers(site: Site) -> Iterator[list[Server]]:
    """What the tests have used of servers, the last one last."""
    used: list[Server] = []
    yield used
    if not used:
        return
    # Nothing was repaired on either host when it is gone, although it was on its way.
    used[-1].begin_to_move()
    used[-1].do("server", "delete", "--wait")
    assert [host.guests() + host.files() for host in site.hosts] == [[], []]


@pytest.fixture
def server(site: Site, servers: list[Server]) -> Server:
    """The server that the test before this one has used, unless it was left in a bad state."""
    if servers and servers[-1].status == "ACTIVE":
        servers[-1].mark()
    else:
        if servers:
            servers[-1].do("server", "delete", "--wait")
        servers.append(Server(site, "vm", "m1.disks", "--network", "private", "--use-config-drive"))
    return servers[-1]
