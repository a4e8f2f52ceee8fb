"""What hosts give away, what they cannot make, and what happens on them behind the cloud's back."""

import os
from pathlib import Path

import pytest

from nova_lite.core.instance_states import PowerState, VmState
from nova_lite.drivers.virt.libvirt.xml import NAMESPACE
from tests.contracts.hostile_images import qemu_img
from tests.system.two_hosts.server import ROOM, Order, Server, on
from tools.client import ClientError
from tools.cloud.settings import TOP
from tools.guest_image.build import build
from tools.site import ComputeHost, Site, eventually

_NO_HOST = "No valid host was found. There are not enough hosts available."
_UPLOAD = ("image", "create", "--disk-format", "qcow2", "--container-format", "bare")
_OURS, _FOREIGN, _LEFT = "instance-0000ffff", "instance-0000fffe", "instance-0000fffd"
_STRANGER = """
<domain type="qemu">
  <name>%s</name>
  <memory unit="MiB">16</memory>
  <os><type>hvm</type></os>
  %s
</domain>
"""
_BLANK = "source_type=blank,destination_type=local,volume_size=1,guest_format=ext4,boot_index=-1"


def flavor(site: Site, name: str, vcpus: int, ram: int, disk: int) -> None:
    """Make a flavor that has all processors in one socket, and all but one GiB of its disk as ephemeral ones."""
    words = ("--vcpus", str(vcpus), "--ram", str(ram), "--disk", "1", "--ephemeral", str(disk - 1))
    site.client("flavor", "create", *words, "--property", "hw:cpu_sockets=1", name, user="admin")


def test_a_host_gives_away_what_is_left_of_it_and_no_more(site: Site, server: Server) -> None:
    there = server.other
    orders = {}
    # A machine may be given more memory at any time, but not that much.
    more = {"RamFilter": ("ram", ROOM["ram"] * 20), "CoreFilter": ("vcpus", ROOM["vcpus"] + 1)}
    for name, (part, size) in {**more, "DiskFilter": ("disk", ROOM["disk"] + 1)}.items():
        flavor(site, f"more-{part}", **ROOM | {part: size})
        orders[name] = Order(site, "--flavor", f"more-{part}", "--image", "small")
    for name, order in orders.items():
        fault = order.fault()
        assert (fault["message"], "details" in fault) == (_NO_HOST, False)
        details = order.fault("admin")["details"]
        assert details.startswith("No valid host was found: 2 hosts, 2 after ComputeFilter,"), details
        assert details.endswith(f", 0 after {name}."), details
        order.cancel()

    # There is more than what the reserves leave: as much as the ratios make of that.
    memory = ROOM["ram"] * 5 // 6
    flavor(site, "all", **ROOM | {"ram": memory})
    disks = [word for tag in ("fast", "safe") for word in ("--block-device", f"{_BLANK},tag={tag}")]
    nic = ("--nic", "net-id=private,tag=front", "--property", "role=whole")
    whole = Server(site, "whole", "all", *disks, *nic)
    assert whole.host is there
    assert f"Max memory:     {memory * 1024} KiB" in there.virsh("dominfo", whole.guest)
    assert whole.ssh("grep 'cpu cores' /proc/cpuinfo | cut -d: -f2; cat /sys/block/vd[bc]/size").split() == [
        *[str(ROOM["vcpus"])] * ROOM["vcpus"], str(2**21), str(2**21)
    ]  # fmt: skip
    assert whole.ssh("cat /meta.js") == '{"role": "whole"}', "the host has written it into the disk"
    devices = {device["tags"][0]: device for device in whole.told("meta_data.json")["devices"]}
    for tag, name in (("fast", "vdb"), ("safe", "vdc")):
        place = whole.ssh(f"readlink -f /sys/block/{name}/device").split("/")[-2]
        assert (devices[tag]["type"], devices[tag]["address"], devices[tag]["path"]) == ("disk", place, f"/dev/{name}")
    (link,) = whole.told("network_data.json")["links"]
    assert whole.ssh("cat /sys/class/net/eth0/address") == link["ethernet_mac_address"] == devices["front"]["mac"]
    assert whole.ssh("readlink -f /sys/class/net/eth0/device").split("/")[-2] == devices["front"]["address"]

    # Nothing fits in beside it.
    order = Order(site, "--flavor", "m1.nano", "--image", "small", *on(there), user="admin")
    assert order.fault("admin")["details"].endswith(f"1 after choosing {there.name}, 1 after ComputeFilter,"
                                                    " 1 after AvailabilityZoneFilter, 1 after RamFilter,"
                                                    " 0 after CoreFilter.")  # fmt: skip
    order.cancel()
    whole.do("server", "delete", "--wait")
    assert server.is_alone_on(server.host)


def test_a_server_that_cannot_be_made_says_why_and_leaves_nothing(
    site: Site, server: Server, tmp_path: Path
) -> None:
    # images that are not what they say, too large, not whole, or not what was uploaded
    (tmp_path / "corrupt").write_bytes(os.urandom(4096))
    qemu_img("create", "-q", "-f", "qcow2", "-F", "raw", "-b", "/etc/passwd", tmp_path / "lying", "1M")
    for name, complaint in (("corrupt", "not in the declared format"), ("lying", "not safe")):
        with pytest.raises(ClientError, match=complaint):
            site.client(*_UPLOAD, "--file", str(tmp_path / name), name)
    qemu_img("create", "-q", "-f", "qcow2", tmp_path / "large", "2G")
    upload(site, tmp_path / "large")
    with pytest.raises(ClientError, match="too small"):
        Order(site, "--flavor", "m1.nano", "--image", "large")
    whole = build(TOP / "var" / "cache").read_bytes()
    (tmp_path / "part").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "rotten").write_bytes(whole[: 2 * 1024**2])
    upload(site, tmp_path / "part")
    stored = site.folder / "images" / upload(site, tmp_path / "rotten")
    stored.write_bytes(stored.read_bytes()[:-1] + b"\0")
    orders = {name: Order(site, "--flavor", "m1.nano", "--image", name) for name in ("part", "rotten")}
    said = {name: order.fault()["message"] for name, order in orders.items()}
    assert said["part"].startswith("cannot use image"), said
    assert said["rotten"].endswith("is damaged: its checksum does not match."), said

    # a host whose disk is full
    full = server.other
    full.kill_compute()
    orders["much"] = Order(site, "--flavor", "m1.nano", "--image", "small", *on(full), user="admin")
    assert eventually(lambda: orders["much"].look("OS-EXT-SRV-ATTR:host") == full.name)
    full.run("mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(site.instances))
    full.start_compute()

    fault = orders["much"].fault()["message"]
    assert fault.endswith("No space left on device."), fault
    left = full.run("find", str(site.instances), "-type", "f").split()
    assert [file for file in left if not file.endswith((".lock", "/boot_id"))] == []
    full.run("umount", "--lazy", str(site.instances))
    assert server.is_alone_on(server.host)
    assert [host.taps() for host in site.hosts if host is not server.host] == [[]]
    assert len(server.host.taps()) == 1
    for order in orders.values():
        order.cancel()


def upload(site: Site, file: Path) -> str:
    """Upload a file as an image; returns its id."""
    return str(site.client(*_UPLOAD, "--file", str(file), "-f", "json", file.name)["id"])


def test_what_happens_behind_the_clouds_back_is_found(site: Site, server: Server) -> None:
    here, name = server.host, server.guest
    # While nobody listens a guest is switched off, and others appear: one of ours without a server, and a foreign one.
    here.kill_compute()
    here.virsh("destroy", name)
    strange(here, _OURS, f'<metadata><nova:instance xmlns:nova="{NAMESPACE}"/></metadata>')
    strange(here, _FOREIGN)
    (here.instances / _LEFT).mkdir()
    here.start_compute(running_deleted_instance_action="noop")
    assert server.becomes("SHUTOFF")
    assert here.files() == sorted([name, _OURS])
    assert sorted(here.guests()) == sorted([name, _OURS, _FOREIGN])
    assert _OURS not in here.log()

    # libvirt tells that it is on again, and nobody that the database is not what it was.
    here.virsh("start", name)
    assert server.becomes("ACTIVE")
    site.sql(f"UPDATE instances SET vm_state = '{VmState.STOPPED}', power_state = {PowerState.SHUTDOWN:d}"
             f" WHERE uuid = '{server.id}'")  # fmt: skip
    assert server.becomes("ACTIVE")

    here.kill_compute()
    here.start_compute(running_deleted_instance_action="log")
    left = f"mending guest {_OURS}: the hypervisor runs a guest that is no instance of this host, and it is left alone"
    assert eventually(lambda: left in here.log())
    assert "and it is left alone" in here.doctor()
    assert sorted(here.guests()) == sorted([name, _OURS, _FOREIGN])

    here.kill_compute()
    here.start_compute()
    assert eventually(lambda: sorted(here.guests()) == sorted([name, _FOREIGN]))
    assert eventually(lambda: here.files() == [name])
    for word in ("destroy", "undefine"):
        here.virsh(word, _FOREIGN)
    assert server.is_whole()


def strange(host: ComputeHost, name: str, more: str = "") -> None:
    """Start a guest by the name that one of ours would have, with a disk in a folder of that name if it is one."""
    file = host.instances.parent / f"{name}.xml"
    file.write_text(_STRANGER % (name, more))
    host.virsh("define", str(file))
    host.virsh("start", name)
    if more:
        (host.instances / name).mkdir()
        (host.instances / name / "disk").write_bytes(b"")
