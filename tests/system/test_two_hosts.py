"""A cloud over two hosts with real guests: what takes two."""

import base64
import concurrent.futures
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.browser import browser
from tests.system.two_hosts import ANYWHERE, CLEAN, MICROVERSION, Server
from tests.tls import Certificate, self_signed
from tests.viewer import Viewer
from tools.site import ComputeHost, Site, eventually

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


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """What the proxies of the consoles prove themselves by."""
    return self_signed(tmp_path_factory.mktemp("tls") / "certificate.pem", "127.0.0.1")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, certificate: Certificate) -> Iterator[Site]:
    flags = {
        "sync_power_state_interval": 2, "periodic_interval": 5, "console_ssl_cert_file": certificate.file,
        "novncproxy_base_url": "https://127.0.0.1:6080/vnc_auto.html",
        "serialproxy_base_url": "wss://127.0.0.1:6083/",
    }  # fmt: skip
    with Site(tmp_path_factory.mktemp("site"), flags) as found:
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
        with concurrent.futures.ThreadPoolExecutor() as pool:
            assert list(pool.map(ComputeHost.doctor, found.hosts)) == [CLEAN, CLEAN]


@pytest.fixture(scope="module")
def servers(site: Site) -> Iterator[list[Server]]:
    """What the tests have used of servers, the last one last."""
    used: list[Server] = []
    yield used
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
        servers.append(Server(site, "vm"))
    return servers[-1]


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


def test_a_guest_is_seen_typed_at_and_plugged(
    site: Site, server: Server, certificate: Certificate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = server.do("console", "url", "show", "--novnc", "-f", "json")["url"]
    server.host.virsh("screenshot", server.host.guests()[0], str(tmp_path / "wanted.png"))
    wanted = base64.b64encode((tmp_path / "wanted.png").read_bytes()).decode()
    with browser(tmp_path / "profile", site.inside(), certificate.pin) as page:
        page.open(url)
        assert eventually(lambda: page.evaluate("document.querySelector('canvas')?.width") == 720, 60)
        seen: dict[str, int] = {}

        def same() -> bool:
            seen.update(page.evaluate(_COMPARE % wanted))
            # The cursor may blink meanwhile.
            return seen["lit"] > 500 and 0 <= seen["other"] < 200

        assert eventually(same, 30), seen
        page.picture(tmp_path / "seen.png")

    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.file))
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

    server.do("server", "dump", "create", user="admin")
    assert eventually(lambda: "NMI received" in server.do("console", "log", "show"), 30)
    server.do("server", "reboot", "--soft", "--wait")
    assert eventually(lambda: server.boot_id() not in ("", server.booted))
    assert server.is_whole()


def test_a_migration_that_fails_leaves_its_guest_where_it_was(site: Site, server: Server) -> None:
    # called back by an operator
    was = server.begin_to_move()
    number = str(server.last_migration()["Id"])
    site.client("server", "migration", "abort", *MICROVERSION, server.id, number, user="admin")
    assert server.is_as_before_on(was)
    assert (server.last_migration()["Status"], server.last_message()) == ("cancelled", "the migration was aborted.")

    # libvirt dies, that of its own host and that of the other
    for dying in (server.host, server.other):
        server.begin_to_move()
        dying.libvirtd.kill()
        dying.libvirtd.start()
        assert server.is_as_before_on(was)
        assert (server.last_migration()["Status"], server.last_message()[:7]) == ("error", "libvirt")

    # the other host dies
    there = server.other
    server.begin_to_move()
    there.die()
    there.revive()
    assert server.is_as_before_on(was)
    assert (server.last_migration()["Status"], server.last_message()[:7]) == ("error", "libvirt")


def test_a_guest_that_is_killed_on_the_way_is_off_and_starts_with_its_host(site: Site, server: Server) -> None:
    was = server.begin_to_move()
    (pid,) = was.guest_pids()
    os.kill(pid, signal.SIGKILL)
    assert server.becomes("SHUTOFF")
    assert eventually(lambda: server.is_alone_on(was), 30)
    server.do("server", "start")
    assert server.becomes("ACTIVE")
    assert server.is_whole()

    was.die()
    (was.instances / "_hosts" / was.name / "boot_id").write_text("another boot")
    was.revive(resume_guests_state_on_host_boot=True)
    assert server.becomes("ACTIVE")
    assert server.is_whole() and server.is_alone_on(was)


def test_a_cold_migration_outlives_what_dies_on_its_way(site: Site, server: Server) -> None:
    was, there = server.host, server.other
    server.do("server", "migrate", user="admin")
    assert eventually(lambda: server.task == "resize_migrating")
    was.kill_compute()
    was.start_compute()
    there.libvirtd.kill()
    assert eventually(lambda: server.task == "resize_finish")
    there.kill_compute()
    there.libvirtd.start()
    there.start_compute()
    assert server.becomes("VERIFY_RESIZE")
    server.do("server", "migration", "confirm")
    assert server.becomes("ACTIVE")
    assert server.is_whole() and server.is_alone_on(there)
