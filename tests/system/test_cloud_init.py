"""cloud-init, as Debian ships it, in a guest: over the network from a nova-api of its own, and from a config drive."""

import base64
import dataclasses
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nova_lite.core.ec2_ids import ec2_id
from tests.cloud import Cloud, running, wait_for
from tests.system.cloud_init import Guest, unpack
from tests.system.config_drives import files_of
from tools.services.namespaces import Namespace, busybox, namespaces

USER_DATA = b"#!/bin/sh\necho of the user >> /run/proof\n"
_MASQUERADE = """table ip guest {
  chain postrouting {
    type nat hook postrouting priority srcnat;
    oifname "eth0" masquerade
  }
}
"""
VENDOR_DATA = {"cloud-init": "#!/bin/sh\necho of the vendor >> /run/proof\n"}


@dataclasses.dataclass
class Site:
    """A server of a cloud, and a namespace that is its guest, with the metadata service in reach."""

    cloud: Cloud
    server: dict[str, Any]
    public_key: str
    guest: Namespace
    tree: Path

    @property
    def ec2_id(self) -> str:
        return ec2_id("i", self.server["id"])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("cloud")
    (folder / "vendor.json").write_text(json.dumps(VENDOR_DATA))
    url = f"sqlite:///{folder}/nova.sqlite"
    flags = [f"--vendordata_jsonfile_path={folder}/vendor.json", "--rpc_backend=local"]
    with running(folder, url, *flags) as cloud, namespaces(["host", "guest"]) as (host, guest):
        made = cloud.ask("POST", "/v2.1/os-keypairs", {"keypair": {"name": "mine"}}, version="2.1")
        wanted = {"user_data": base64.b64encode(USER_DATA).decode(), "metadata": {"role": "front"}}
        server_id = cloud.boot("web", key_name="mine", config_drive=True, **wanted)
        server = cloud.show(server_id)
        (address,) = server["addresses"]["private"]
        host.link_to(guest, "tap0", "eth0")
        host.run("ip", "addr", "add", "10.0.0.1/22", "dev", "tap0")
        host.run("ip", "addr", "add", "169.254.169.254/32", "dev", "lo")
        guest.run("ip", "link", "set", "eth0", "address", address["OS-EXT-IPS-MAC:mac_addr"])
        guest.run("ip", "addr", "add", f"{address['addr']}/22", "dev", "eth0")
        guest.run("ip", "route", "add", "default", "via", "10.0.0.1")
        door = ["--enabled_apis=metadata", "--metadata_listen=169.254.169.254", "--metadata_listen_port=80"]
        log = folder / "nova-api.log"
        own = [flag for flag in cloud.flags if "_listen" not in flag]
        tree = unpack(tmp_path_factory.mktemp("package"))
        daemon = subprocess.Popen(
            ["ip", "netns", "exec", host.name, str(Path(sys.executable).parent / "nova-api"), *own, *door,
             "--metadata_hop_limit=1", f"--log_file={log}"], env=dict(os.environ),
        )  # fmt: skip
        assert wait_for(lambda: log.exists() and "nova-api is ready" in log.read_text())
        yield Site(cloud, server, made.json()["keypair"]["public_key"].strip(), guest, tree)
        daemon.terminate()
        assert daemon.wait(30) == 0
        cloud.delete_all()
        assert cloud.leaks() == []


def assert_prepared(guest: Guest, site: Site) -> None:
    """The guest is as its user and the vendor wanted it."""
    assert guest.read("hostname").strip() == "web", guest.log()
    assert site.public_key in guest.read("authorized_keys"), guest.log()
    assert "of the user" in guest.read("proof"), guest.log()


def test_the_openstack_source_finds_everything(site: Site, tmp_path: Path) -> None:
    guest = Guest(site.guest, site.tree, tmp_path)
    guest.start(["OpenStack"], {}, ["init", "modules --mode=final"])

    assert_prepared(guest, site)
    assert "of the vendor" in guest.read("proof")
    found = guest.found()
    assert found["v1"]["instance_id"] == site.server["id"]
    assert found["v1"]["cloud_name"] == "openstack"
    told = found["ds"]["meta_data"]
    assert told["meta"] == {"role": "front"}
    assert found["ds"]["ec2_metadata"]["instance-id"] == site.ec2_id
    assert "2018-08-27/network_data.json" in guest.log()


def test_the_ec2_source_finds_everything(site: Site, tmp_path: Path) -> None:
    guest = Guest(site.guest, site.tree, tmp_path)
    guest.start(["Ec2"], {"Ec2": {"strict_id": False}}, ["init", "modules --mode=final"])

    assert_prepared(guest, site)
    found = guest.found()
    assert found["v1"]["instance_id"] == site.ec2_id
    assert "2021-03-23/meta-data/" in guest.log()
    told = found["ds"]["meta-data"]
    assert told["network"]["interfaces"]["macs"].keys() == {told["mac"]}


def test_a_config_drive_has_the_same_before_there_is_a_network(site: Site, tmp_path: Path) -> None:
    name = site.cloud.show(site.server["id"], user="admin")["OS-EXT-SRV-ATTR:instance_name"]
    # The files are copied: this machine's kernel does not know the drive's file system.
    for path, content in files_of(Path(site.cloud.conf.instances_path, name, "disk.config")).items():
        file = tmp_path / "seed" / "config_drive" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    guest = Guest(site.guest, site.tree, tmp_path)
    guest.start(["ConfigDrive"], {}, ["init --local", "init", "modules --mode=final"])

    assert_prepared(guest, site)
    assert "of the vendor" in guest.read("proof")
    assert guest.found()["v1"]["instance_id"] == site.server["id"]
    interfaces = "".join(file.read_text() for file in (tmp_path / "interfaces.d").iterdir())
    assert "iface eth0 inet dhcp" in interfaces, guest.log()


def test_nobody_behind_a_guest_that_forwards_is_told_anything(site: Site) -> None:
    url = "http://169.254.169.254/latest/meta-data/instance-id"

    def told(space: Namespace) -> str:
        return space.run("timeout", "2", busybox(), "wget", "-q", "-O", "-", url, check=False)

    with namespaces(["behind"]) as (behind,):
        behind.link_to(site.guest, "eth0", "inner")
        behind.run("ip", "addr", "add", "172.16.0.2/24", "dev", "eth0")
        behind.run("ip", "route", "add", "default", "via", "172.16.0.1")
        site.guest.run("ip", "addr", "add", "172.16.0.1/24", "dev", "inner")
        site.guest.run("sysctl", "-qw", "net.ipv4.ip_forward=1")
        site.guest.run("nft", "-f", "-", stdin=_MASQUERADE)
        assert behind.succeeds("ping", "-c", "1", "-W", "2", "10.0.0.1")
        assert told(behind) == ""
        site.guest.run("nft", "delete", "table", "ip", "guest")
    assert told(site.guest) == site.ec2_id
