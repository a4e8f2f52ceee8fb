"""A network and compute host that is killed: what it serves goes on, and what it had begun the next start does."""

import contextlib
import dataclasses
import os
import re
import shutil
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nova_lite.cmd import wiring
from nova_lite.conf import load
from nova_lite.core import ids
from nova_lite.core.context import system_context
from tests.cloud import wait_for
from tests.system.one_host import Stream, connects, listener
from tools.deployment import Client, Deployment, flags_for
from tools.services.namespaces import Namespace, namespaces

BIN = Path(sys.executable).parent
GATEWAY = "203.0.113.1"
WEB = "203.0.113.100"


@dataclasses.dataclass
class Site:
    """A host with nova-all, two guests whose hypervisor is simulated, and the world outside."""

    host: Namespace
    outside: Namespace
    guests: list[Namespace]
    deployment: Deployment
    folder: Path
    client: Client = dataclasses.field(init=False)
    ports: list[str] = dataclasses.field(default_factory=list)

    def log_in(self) -> None:
        with self.host.entered():
            self.client = self.deployment.client()

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Send a request to the network API."""
        with self.host.entered():
            answer = self.client.session.request(method, self.client.url("network", path), json=body, timeout=60)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def boot(self, image: str, guest: Namespace) -> None:
        """Boot a guest, and put the namespace in the place of its tap."""
        server = {"name": "vm", "flavorRef": "6", "imageRef": image, "networks": "auto"}
        with self.host.entered():
            made = self.client.compute("POST", "/servers", {"server": server}).json()["server"]["id"]

            def active() -> bool:
                return bool(self.client.compute("GET", f"/servers/{made}").json()["server"]["status"] == "ACTIVE")

            assert wait_for(active)
            [found] = self.client.compute("GET", f"/servers/{made}/os-interface").json()["interfaceAttachments"]
        tap = ids.tap_name(found["port_id"])
        self.host.link_to(guest, tap, "eth0")
        self.host.run("ip", "link", "set", tap, "master", "br100")
        guest.run("ip", "link", "set", "eth0", "address", found["mac_addr"])
        guest.run("ip", "addr", "add", f"{found['fixed_ips'][0]['ip_address']}/19", "dev", "eth0")
        guest.run("ip", "route", "add", "default", "via", "10.0.0.1")
        self.ports.append(found["port_id"])

    def kill(self) -> None:
        """Kill nova-all, without a moment to tidy up."""
        self.deployment.daemons[0].kill()

    def start(self) -> None:
        self.deployment.daemons[0].start()
        self.log_in()

    def doctor(self, *words: str) -> str:
        manage = [str(BIN / "nova-manage"), f"--flagfile={self.deployment.flag_file}", "doctor", *words]
        return self.host.run(*manage, check=False, timeout=60)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("host")
    (folder / "bin").mkdir()
    with namespaces(["host", "outside", "a", "b"]) as (host, outside, a, b):
        host.link_to(outside, "ext0", "eth0")
        host.run("ip", "addr", "add", f"{GATEWAY}/24", "dev", "ext0")
        outside.run("ip", "addr", "add", "203.0.113.2/24", "dev", "eth0")
        flags = flags_for(folder, f"sqlite:///{folder}/nova.sqlite", "local://") | {
            "network_driver": "linux", "firewall_driver": "nftables", "public_interface": "ext0",
            "my_ip": GATEWAY, "periodic_interval": 3600,
        }  # fmt: skip

        def inside(name: str) -> list[str]:
            path = f"PATH={folder / 'bin'}:{os.environ['PATH']}"
            return [shutil.which("ip") or "ip", "netns", "exec", host.name, "env", path, str(BIN / name)]

        deployment = Deployment(folder, flags, ("nova-all",), inside)
        with wiring.desk(load([f"--flagfile={deployment.flag_file}"], prog="nova-manage")) as (_, cloud):
            cloud.floating_ips.create_range(system_context(), f"{WEB}/31")
        site = Site(host, outside, [a, b], deployment, folder)
        try:
            site.start()
            with host.entered():
                image = site.client.make_image()
            for guest in site.guests:
                site.boot(image, guest)
            [group] = site.ask("GET", "/v2.0/security-groups?name=default")["security_groups"]
            rule = {
                "security_group_id": group["id"], "direction": "ingress", "protocol": "tcp",
                "port_range_min": 80, "port_range_max": 89,
            }  # fmt: skip
            site.ask("POST", "/v2.0/security-group-rules", {"security_group_rule": rule})
            yield site
        finally:
            deployment.stop()


@pytest.fixture(scope="module")
def leading(site: Site) -> Iterator[dict[str, Any]]:
    """An address of the world that leads to the first guest."""
    [pool] = site.ask("GET", "/v2.0/networks?router:external=true")["networks"]
    body = {"floating_network_id": pool["id"], "port_id": site.ports[0], "floating_ip_address": WEB}
    yield site.ask("POST", "/v2.0/floatingips", {"floatingip": body})["floatingip"]


@pytest.fixture
def stream(site: Site, leading: dict[str, Any]) -> Iterator[Stream]:
    """An open connection from the world to the first guest."""
    site.ask("PUT", f"/v2.0/floatingips/{leading['id']}", {"floatingip": {"port_id": site.ports[0]}})
    stream = Stream(site.outside, WEB, site.guests[0], 80)
    assert stream.flows()
    yield stream
    stream.close()


@contextlib.contextmanager
def held(site: Site, when: str) -> Iterator[Path]:
    """Have nft wait, before it does its work or after, for as long as there is a file; yields what tells of it."""
    hold, reached = site.folder / "hold", site.folder / "reached"
    wait = f'[ -e {hold} ] && touch {reached} && while [ -e {hold} ]; do sleep 0.01; done'
    real = "/usr/sbin/nft \"$@\""
    lines = [wait, real] if when == "before" else [real, wait]
    program = site.folder / "bin" / "nft"
    program.write_text("#!/bin/sh\n" + "\n".join(lines) + "\nexit 0\n")
    program.chmod(0o755)
    hold.touch()
    try:
        yield reached
    finally:
        hold.unlink()
        program.unlink()
        reached.unlink(missing_ok=True)


def test_an_open_connection_lives_through_a_kill_and_the_next_start(site: Site, stream: Stream) -> None:
    site.kill()
    assert stream.flows()
    site.start()
    assert stream.flows()
    assert site.doctor().strip() == "Nothing is amiss."
    assert stream.flows()


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_move_that_was_begun_is_done_by_the_next_start(
    site: Site, leading: dict[str, Any], stream: Stream, when: str
) -> None:
    path = f"/v2.0/floatingips/{leading['id']}"

    def move() -> None:
        with contextlib.suppress(Exception):
            site.ask("PUT", path, {"floatingip": {"port_id": site.ports[1]}})

    other = Stream(site.outside, GATEWAY, site.host, 90)
    with held(site, when) as reached:
        moving = threading.Thread(target=move, daemon=True)
        moving.start()
        assert wait_for(reached.exists)
        site.kill()
    moving.join(30)
    site.start()
    listener(site.guests[1], 82)
    assert connects(site.outside, WEB, 82)
    assert not stream.flows(), "what went the old way is cut"
    assert other.flows()
    assert site.doctor().strip() == "Nothing is amiss."
    other.close()


def all_mended(printed: str) -> bool:
    """Tell whether nova-manage mended all that it found, by its last line."""
    found = re.search(r"(\d+) found, (\d+) mended", printed)
    return found is not None and found[1] == found[2]


def test_doctor_shows_what_was_removed_by_hand_and_mends_it(site: Site, stream: Stream) -> None:
    damage = {
        "filter": ["nft", "delete", "table", "bridge", "nova_compute"],
        "rule": ["nft", "flush", "map", "ip", "nova_network", "floating"],
        "dnsmasq": ["sh", "-c", f"kill -9 $(cat {site.folder}/networks/nova-br100.pid)"],
        "floating": ["ip", "addr", "del", f"{WEB}/32", "dev", "ext0"],
        "address": ["ip", "addr", "del", "10.0.0.1/19", "dev", "br100"],
    }
    for act in damage.values():
        site.host.run(*act)
    assert wait_for(lambda: set(damage) <= set(site.doctor("--dry_run").split()))
    assert all_mended(site.doctor())
    assert stream.flows()
    listener(site.guests[0], 83)
    assert connects(site.outside, WEB, 83)


def test_doctor_mends_a_bridge_that_is_gone(site: Site) -> None:
    site.host.run("ip", "link", "del", "br100")
    mended = site.doctor()
    assert "bridge" in mended
    assert all_mended(mended)
