"""A cloud over two hosts with real guests: what takes two."""

import base64
import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.system.browser import browser
from tests.viewer import Viewer
from tools.client import ClientError
from tools.site import ComputeHost, Site, eventually

ANYWHERE = ("--os-compute-api-version", "2.30", "--live-migration")
MICROVERSION = ("--os-compute-api-version", "2.80")
CLEAN = "Nothing is amiss."

_COMPARE = """(async () => {
  const image = new Image();
  image.src = "data:image/png;base64,%s";
  await image.decode();
  const seen = document.querySelector("#noVNC_container canvas, canvas");
  const wanted = document.createElement("canvas");
  wanted.width = image.width;
  wanted.height = image.height;
  wanted.getContext("2d").drawImage(image, 0, 0);
  const pixels = (canvas) => canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  if (seen.width != wanted.width || seen.height != wanted.height) return {lit: 0, other: -1};
  const [a, b] = [pixels(seen), pixels(wanted)];
  let lit = 0, other = 0;
  for (let i = 0; i < a.length; i += 4) {
    lit += a[i] > 64;
    other += Math.abs(a[i] - b[i]) > 64;
  }
  return {lit, other};
})()"""


class Server:
    """A server with its guest, which has a file whose content is known."""

    def __init__(self, site: Site, name: str, *words: str) -> None:
        self._site = site
        options = ("--flavor", "m1.disks", "--image", "small", "--key-name", "key", "--network", "private", *words)
        self.id: str = site.client("server", "create", *options, "--wait", "-f", "json", name)["id"]
        self.address: str = site.server(self.id)["addresses"]["private"][0]
        assert eventually(lambda: self.ssh("hostname"))
        self._sum = self.ssh("dd if=/dev/urandom of=data bs=64k count=32 2>/dev/null; sync; md5sum < data")
        self.booted = self.boot_id()

    def ssh(self, words: str) -> str:
        return self._site.ssh(self.address, words)

    def root(self, words: str) -> str:
        return self._site.ssh(self.address, words, user="root")

    def boot_id(self) -> str:
        return self.ssh("cat /proc/sys/kernel/random/boot_id")

    def do(self, *words: str, user: str = "demo", more: Sequence[str] = ()) -> Any:
        """Run a command of the client whose last word, but for ``more``, is the server."""
        return self._site.client(*words, self.id, *more, user=user)

    @property
    def status(self) -> str:
        return str(self._site.server(self.id)["status"])

    @property
    def host(self) -> ComputeHost:
        """The host that the cloud says it is on."""
        name = self._site.server(self.id)["OS-EXT-SRV-ATTR:host"]
        return next(host for host in self._site.hosts if host.name == name)

    @property
    def other(self) -> ComputeHost:
        here = self.host
        return next(host for host in self._site.hosts if host is not here)

    def write_scratch(self) -> None:
        """Mount the ephemeral disk and write into it what is known."""
        self.mount()
        self._scratch = self.root("dd if=/dev/urandom of=/e/data bs=64k count=32 2>/dev/null; sync; md5sum < /e/data")
        assert self._scratch

    def mount(self) -> None:
        assert eventually(lambda: self.root("mkdir -p /e; mount /dev/vdb /e; df /e | tail -1").startswith("/dev/vdb"))

    def has_scratch(self) -> bool:
        """Tell whether what was written into the ephemeral disk is there, read from the disk."""
        return eventually(lambda: self.root("echo 3 > /proc/sys/vm/drop_caches; md5sum < /e/data") == self._scratch)

    def becomes(self, status: str) -> bool:
        return eventually(lambda: self.status in (status, "ERROR")) and self.status == status

    def is_whole(self) -> bool:
        """Tell whether the guest answers and its file is what it was, read from its disk."""
        return eventually(
            lambda: self.ssh("echo 3 > /proc/sys/vm/drop_caches 2>/dev/null; md5sum < data") == self._sum
        )

    def is_alone_on(self, host: ComputeHost) -> bool:
        """Tell whether the guest and its files are on one host, and nothing of it is on another."""
        return (
            [len(one.guests()) for one in self._site.hosts]
            == [len(one.files()) for one in self._site.hosts]
            == [int(one is host) for one in self._site.hosts]
        )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with Site(tmp_path_factory.mktemp("site"), {"sync_power_state_interval": 2, "periodic_interval": 5}) as found:
        found.upload_image()
        found.manage(
            "network", "create", "--label", "second", "--fixed_range_v4", "10.1.0.0/24", "--bridge", "br101"
        )
        for host in found.hosts:
            host.namespace.run("ip", "link", "add", "br101", "type", "bridge")
            host.namespace.run("ip", "link", "set", "br101", "up")
        for name, gigabytes, swap in (("m1.disks", "1", "0"), ("m1.more", "2", "16")):
            words = ("--ram", "128", "--disk", "1", "--ephemeral", gigabytes, "--swap", swap, name)
            found.client("flavor", "create", *words, user="admin")
        yield found


@pytest.fixture
def server(site: Site) -> Iterator[Server]:
    found = Server(site, "vm")
    yield found
    with contextlib.suppress(ClientError):
        found.do("server", "delete", "--wait")
    assert [host.guests() + host.files() for host in site.hosts] == [[], []]
    assert [host.doctor() for host in site.hosts] == [CLEAN, CLEAN]


def test_a_guest_goes_from_host_to_host_in_every_way(site: Site, server: Server) -> None:
    # alive, its disks copied with it, one of them in use
    server.write_scratch()
    was, there = server.host, server.other
    server.do("server", "migrate", *ANYWHERE, "--wait", user="admin")
    assert (server.host, server.status, server.boot_id()) == (there, "ACTIVE", server.booted)
    assert server.is_whole() and server.has_scratch() and server.is_alone_on(there)

    # switched off, and back again
    server.do("server", "migrate", "--wait", user="admin")
    assert (server.host, server.status) == (was, "VERIFY_RESIZE")
    assert (len(was.guests()), there.files()) == (1, [f"{was.guests()[0]}_resize"])
    assert server.is_whole()
    server.mount()
    assert server.has_scratch()
    server.do("server", "migration", "revert")
    assert server.becomes("ACTIVE")
    assert server.is_whole() and server.is_alone_on(there)

    # to another size, for good; what was carried as a whole goes on alive
    server.do("server", "resize", "--flavor", "m1.more", "--wait")
    server.do("server", "resize", "confirm")
    assert server.becomes("ACTIVE")
    here = server.host
    assert server.is_whole() and server.is_alone_on(here)
    server.mount()
    assert server.has_scratch()
    assert server.ssh("cat /sys/block/vdb/size /sys/block/vdc/size").split() == [str(2 * 2**21), str(16 * 2**11)]
    there = server.other
    server.do("server", "migrate", *ANYWHERE, "--wait", user="admin")
    assert server.is_whole() and server.has_scratch() and server.is_alone_on(there)

    # onto the shelf and from it, the ephemeral disk made anew
    server.do("server", "shelve")
    assert server.becomes("SHELVED_OFFLOADED")
    assert [host.guests() + host.files() for host in site.hosts] == [[], []]
    server.do("server", "unshelve", "--wait")
    assert server.is_whole() and server.is_alone_on(server.host)
    server.mount()
    assert server.root("ls /e") == "lost+found"

    # away from a host that died
    dead, there = server.host, server.other
    dead.die()
    site.client("compute", "service", "set", "--down", *MICROVERSION, dead.name, "nova-compute", user="admin")
    # The client asks as version 2.95 and later, in which the guest waits to be started.
    site.client("server", "evacuate", server.id, user="admin")
    assert eventually(lambda: (server.host, server.status) == (there, "SHUTOFF"))
    server.do("server", "start")
    assert eventually(lambda: server.ssh("ls data; hostname") == "vm.novalocal")
    assert len(dead.files()) == 1
    site.client("compute", "service", "set", "--up", *MICROVERSION, dead.name, "nova-compute", user="admin")
    dead.revive()
    assert eventually(lambda: server.is_alone_on(there))


def test_a_guest_is_seen_typed_at_and_plugged(site: Site, server: Server, tmp_path: Path) -> None:
    url = server.do("console", "url", "show", "--novnc", "-f", "json")["url"]
    server.host.virsh("screenshot", server.host.guests()[0], str(tmp_path / "wanted.png"))
    wanted = base64.b64encode((tmp_path / "wanted.png").read_bytes()).decode()
    with browser(tmp_path / "profile", site.inside()) as page:
        page.open(url)
        assert eventually(lambda: page.evaluate("document.querySelector('canvas')?.width") == 720, 60)
        seen: dict[str, int] = {}

        def same() -> bool:
            seen.update(page.evaluate(_COMPARE % wanted))
            # The cursor may blink meanwhile.
            return seen["lit"] > 500 and 0 <= seen["other"] < 200

        assert eventually(same, 30), seen
        page.picture(tmp_path / "seen.png")

    with site.head.entered():
        viewer = Viewer(server.do("console", "url", "show", "--serial", "-f", "json")["url"])
        viewer.write(b"\r")
        assert b"vm.novalocal login:" in viewer.read(len("\r\n\r\nvm.novalocal login:"))
        viewer.close()

    site.client("server", "add", "network", *MICROVERSION, "--tag", "back", server.id, "second")
    assert eventually(lambda: "eth1" in server.ssh("ls /sys/class/net").split(), 60)
    place = server.ssh("readlink -f /sys/class/net/eth1/device").split("/")[-2]
    told = "wget -q -O - http://169.254.169.254/openstack/latest/meta_data.json"
    assert eventually(lambda: f'"bus": "pci", "address": "{place}", "tags": ["back"]' in server.ssh(told), 30), place
    site.client("server", "remove", "network", server.id, "second")
    assert eventually(lambda: server.ssh("ls /sys/class/net") == "eth0\nlo", 60)
    assert eventually(lambda: site.server(server.id)["OS-EXT-STS:task_state"] is None, 60)

    diagnostics = site.client(
        "server", "show", *MICROVERSION, "--diagnostics", "-f", "json", server.id, user="admin"
    )
    assert "running" in str(diagnostics)
