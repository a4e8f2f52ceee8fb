"""Guests on one of two hosts: seen, typed at, plugged, copied, and told what they have."""

import base64
from pathlib import Path

import pytest

from tests.system.browser import browser
from tests.system.two_hosts.server import MICROVERSION, Server
from tests.tls import Certificate
from tests.viewer import Viewer
from tools.site import Site, eventually

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

    server.do("server", "set", "--password", "a new word")
    assert eventually(lambda: server.root("head -1 /etc/shadow").split(":")[1:2] not in ([], ["*"]), 30)
    assert server.becomes("ACTIVE")

    server.do("server", "dump", "create", user="admin")
    assert eventually(lambda: "NMI received" in server.do("console", "log", "show"), 30)
    server.do("server", "reboot", "--soft", "--wait")
    assert eventually(lambda: server.boot_id() not in ("", server.booted))
    assert server.is_whole()


def test_a_guest_has_what_its_flavor_and_its_image_say_and_is_backed_up(site: Site, server: Server) -> None:
    # a watchdog, a source of randomness, the agent's port, and a config drive with a FAT file system
    assert "0x25ab" in server.ssh("cat /sys/bus/pci/devices/*/device").split()
    assert server.ssh("cat /sys/class/misc/hw_random/rng_current") == "virtio_rng.0"
    assert "org.qemu.guest_agent.0" in server.ssh("cat /sys/class/virtio-ports/*/name")
    assert server.drive("meta_data.json")["name"] == "vm"

    for name in ("monday", "tuesday"):
        server.do("server", "backup", "create", "--name", name, "--type", "daily", "--rotate", "1", "--wait")
    (kept,) = {one["Name"] for one in site.client("image", "list", "-f", "json")} & {"monday", "tuesday"}
    assert kept == "tuesday"
    assert site.client("image", "show", "-f", "json", kept)["size"] > 10 * 1024**2
    site.client("image", "delete", kept)
    assert server.boot_id() == server.booted
