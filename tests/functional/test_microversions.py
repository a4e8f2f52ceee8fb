"""What single microversions change of requests, each just before and from its version on."""

from typing import Any

import pytest

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
