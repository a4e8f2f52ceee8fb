"""What single microversions change of requests, each just before and from its version on."""

import json
from typing import Any

import pytest
from sqlalchemy.orm import Session

from nova_lite.core import metadata_openstack
from nova_lite.core.metadata import InstanceMetadata, MetadataSettings
from nova_lite.db import instance_metadata, instances
from tests.cloud import Cloud

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHd2mN0Ce9Gf0a1tBNBY0rz8n7FLbZ8bYb1kJmoA5t7C demo"


def test_keys_are_no_longer_made_since_2_92_and_may_have_more_names(cloud: Cloud) -> None:
    def made(version: str, **fields: str) -> int:
        answer = cloud.ask("POST", "/v2.1/os-keypairs", {"keypair": fields}, version=version)
        cloud.ask("DELETE", f"/v2.1/os-keypairs/{fields['name']}")
        return answer.status_code

    assert made("2.91", name="a") == 201
    assert made("2.92", name="a") == 400
    assert made("2.92", name="a.b@c", public_key=KEY) == 201
    assert made("2.91", name="a.b@c", public_key=KEY) == 400
    assert made("2.92", name="a/b", public_key=KEY) == 400


def test_host_names_are_given_since_2_90_and_may_have_a_domain_since_2_94(cloud: Cloud) -> None:
    def boot(version: str, hostname: str, **more: Any) -> Any:
        server = {"name": "n", "flavorRef": "6", "imageRef": cloud.image(), "networks": "none", "hostname": hostname}
        answer = cloud.ask("POST", "/v2.1/servers", {"server": server | more}, version=version)
        cloud.settle()
        return answer

    def names() -> set[str]:
        listed = cloud.ask("GET", "/v2.1/servers/detail").json()["servers"]
        found = {server["OS-EXT-SRV-ATTR:hostname"] for server in listed}
        cloud.delete_all()
        return found

    assert boot("2.89", "web").status_code == 400
    assert boot("2.93", "web.example.org").status_code == 400
    assert boot("2.90", "Web").status_code == 202
    assert names() == {"Web"}
    assert boot("2.94", "web.example.org", min_count=2, max_count=2).status_code == 202
    assert names() == {"web-1.example.org", "web-2.example.org"}
    server_id = boot("2.94", "web.example.org").json()["server"]["id"]
    for version, status in (("2.93", 400), ("2.94", 200)):
        change = {"server": {"hostname": "mail.example.org"}}
        assert cloud.ask("PUT", f"/v2.1/servers/{server_id}", change, version=version).status_code == status
    order = {"rebuild": {"imageRef": cloud.image(), "hostname": "db.example.org"}}
    assert cloud.act(server_id, order, version="2.93").status_code == 400
    assert cloud.act(server_id, order, version="2.94").status_code == 202
    assert names() == {"db.example.org"}


def test_a_public_flavor_is_given_to_nobody_since_2_7(cloud: Cloud) -> None:
    order = {"addTenantAccess": {"tenant": "x"}}
    assert cloud.ask("POST", "/v2.1/flavors/1/action", order, user="admin", version="2.7").status_code == 409


def test_an_admin_chooses_a_host_since_2_74(cloud: Cloud) -> None:
    def boot(user: str = "admin", version: str = "2.74", **more: str) -> int:
        server = {"name": "n", "flavorRef": "6", "imageRef": cloud.image(), "networks": "none"} | more
        answer = cloud.ask("POST", "/v2.1/servers", {"server": server}, user=user, version=version)
        cloud.settle()
        return answer.status_code

    assert boot(host="host1") == 202
    assert boot(hypervisor_hostname="host1") == 202
    assert boot(hypervisor_hostname="nowhere") == 400
    assert boot(host="nowhere") == 400
    assert boot(host="nowhere", hypervisor_hostname="host1") == 400
    assert boot("demo", host="host1") == 403
    assert boot("demo", hypervisor_hostname="host1") == 403
    assert boot(version="2.73", host="host1") == 400


def devices(cloud: Cloud, server_id: str) -> Any:
    """Return the devices that a server's guest is told of."""

    def read(session: Session) -> InstanceMetadata:
        found = instances.get(session, server_id)
        assert found is not None
        return instance_metadata.of(session, found, MetadataSettings())

    told = metadata_openstack.file(cloud.database.read("devices", read), "latest", "meta_data.json")
    return json.loads(told or b"{}")["devices"]


def test_interfaces_are_tagged_in_2_32_and_again_since_2_42(cloud: Cloud) -> None:
    network = cloud.ask("GET", "/v2.1/os-networks", version="2.1").json()["networks"][0]["id"]

    def boot(version: str) -> Any:
        wanted = [{"uuid": network, "tag": "front"}]
        server = {"name": "n", "flavorRef": "6", "imageRef": cloud.image(), "networks": wanted}
        answer = cloud.ask("POST", "/v2.1/servers", {"server": server}, version=version)
        cloud.settle()
        return answer

    assert [boot(version).status_code for version in ("2.31", "2.37", "2.41")] == [400] * 3
    assert boot("2.32").status_code == 202
    server_id = boot("2.42").json()["server"]["id"]
    path = f"/v2.1/servers/{server_id}/os-interface"
    (shown,) = cloud.ask("GET", path, version="2.70").json()["interfaceAttachments"]
    assert shown["tag"] == "front"
    assert "tag" not in cloud.ask("GET", path, version="2.69").json()["interfaceAttachments"][0]
    assert devices(cloud, server_id) == [
        {"type": "nic", "bus": "pci", "address": "0000:00:03.0", "mac": shown["mac_addr"], "tags": ["front"]}
    ]
    cloud.ask("DELETE", f"{path}/{shown['port_id']}")
    cloud.settle()
    again = {"interfaceAttachment": {"net_id": network, "tag": "back"}}
    assert cloud.ask("POST", path, again, version="2.48").status_code == 400
    assert cloud.ask("POST", path, again, version="2.49").status_code == 200
    cloud.settle()
    (shown,) = cloud.ask("GET", path).json()["interfaceAttachments"]
    assert shown["tag"] == "back"
    assert [(one["mac"], one["bus"]) for one in devices(cloud, server_id)] == [(shown["mac_addr"], "pci")]


def test_disks_are_tagged_in_2_32_alone_and_again_since_2_42(cloud: Cloud) -> None:
    flavor = {"name": "disks", "id": "disks", "ram": 64, "vcpus": 1, "disk": 1, "swap": 16}
    body = {"flavor": flavor | {"OS-FLV-EXT-DATA:ephemeral": 2}}
    assert cloud.ask("POST", "/v2.1/flavors", body, user="admin").status_code == 200
    blank = {"source_type": "blank", "destination_type": "local", "boot_index": -1, "volume_size": 1}
    root = {"source_type": "image", "destination_type": "local", "boot_index": 0, "uuid": cloud.image()}
    swap = blank | {"guest_format": "swap", "volume_size": 16, "tag": "paging"}
    disks = [root | {"tag": "system"}, blank, blank | {"tag": "scratch"}, swap]

    def boot(version: str) -> Any:
        server = {"name": "n", "flavorRef": "disks", "imageRef": cloud.image(), "block_device_mapping_v2": disks}
        more = {"networks": "none"} if int(version.removeprefix("2.")) >= 37 else {}
        answer = cloud.ask("POST", "/v2.1/servers", {"server": server | more}, version=version)
        cloud.settle()
        return answer

    assert [boot(version).status_code for version in ("2.31", "2.33", "2.41")] == [400] * 3
    assert boot("2.32").status_code == 202
    server_id = boot("2.42").json()["server"]["id"]
    assert devices(cloud, server_id) == [
        {"type": "disk", "bus": "pci", "address": f"0000:00:0{slot}.0", "path": f"/dev/{name}", "tags": [tag]}
        for slot, name, tag in ((3, "vda", "system"), (6, "vdd", "paging"), (5, "vdc", "scratch"))
    ]
    cloud.ask("DELETE", "/v2.1/flavors/disks", user="admin")


@pytest.mark.parametrize(
    ("networks", "words"),
    [
        ([{"port": "9a5b4b24-1a2c-4f6e-8a11-0d3f6e1c5a77"}], "could not be found"),
        ([{"fixed_ip": "10.0.0.9"}], "missing 'uuid'"),
        ([{"uuid": "nowhere"}], "could not be found"),
    ],
)
def test_a_network_that_is_none_is_refused(cloud: Cloud, networks: Any, words: str) -> None:
    server = {"name": "n", "flavorRef": "6", "imageRef": cloud.image(), "networks": networks}
    answer = cloud.ask("POST", "/v2.1/servers", {"server": server})
    assert (answer.status_code, words in answer.text) == (400, True)


@pytest.mark.parametrize(
    ("spec", "status"),
    [
        ({"hw:cpu_policy": "dedicated"}, 200),
        ({"hw:cpu_policy": "sometimes"}, 400),
        ({"hw:numa_nodes": "0"}, 400),
        ({"hw:numa_cpus.1": "0-2,4"}, 200),
        ({"hw:unheard-of": "1"}, 400),
        ({"quota:vif_inbound_average": 1024}, 200),
        ({"resources:CUSTOM_GPU": "many"}, 400),
        ({"trait:HW_CPU_X86_AVX": "required"}, 200),
        ({"mine:anything": "1"}, 200),
        ({"anything": "1"}, 200),
    ],
)
def test_extra_specs_are_known_since_2_86(cloud: Cloud, spec: dict[str, Any], status: int) -> None:
    path = "/v2.1/flavors/1/os-extra_specs"
    (name,) = spec
    for version, expected in (("2.85", 200), ("2.86", status)):
        answer = cloud.ask("POST", path, {"extra_specs": spec}, user="admin", version=version)
        changed = cloud.ask("PUT", f"{path}/{name}", spec, user="admin", version=version)
        cloud.ask("DELETE", f"{path}/{name}", user="admin")
        assert (answer.status_code, changed.status_code) == (expected, expected), answer.text
