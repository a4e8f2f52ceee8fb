"""nova-manage network and fixed, and what the compute API has of them."""

from typing import Any

import pytest

from nova_lite.cmd import manage
from tests.cloud import Cloud

UUID = "0b9d3a36-6f2c-4f0e-8c1d-2f3a4b5c6d7e"
PROXIED: dict[str, Any] = {"version": "2.1", "user": "admin"}


@pytest.fixture
def nova_manage(cloud: Cloud, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Run nova-manage on the cloud's database; returns (status, output, error)."""

    def run(*words: str, flags: tuple[str, ...] = ()) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["nova-manage", *cloud.flags, *flags, *words])
        status = manage.main()
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return run


def test_a_range_is_divided_shown_given_away_and_removed(cloud: Cloud, nova_manage: Any) -> None:
    flags = ("--network_manager=VlanManager", "--vlan_interface=eth1", "--vpn_ip=198.51.100.9")
    status, printed, _ = nova_manage(
        "network", "create", "--label=vlan", "--fixed_range_v4=10.20.0.0/24", "--num_networks=2",
        "--network_size=32", "--vlan=300", "--multi_host=T", "--fixed_range_v6=fd00:20::/48",
        "--dns1=9.9.9.9", "--vpn=2000", flags=flags,
    )  # fmt: skip
    assert status == 0
    first, second = printed.split()

    shown = cloud.ask("GET", f"/v2.1/os-networks/{second}", **PROXIED).json()["network"]
    wanted = {
        "label": "vlan_1", "cidr": "10.20.0.32/27", "vlan": 301, "bridge": "br301", "multi_host": True,
        "cidr_v6": "fd00:20:0:1::/64", "gateway_v6": "fd00:20:0:1::1", "netmask_v6": "64", "dns1": "9.9.9.9",
        "vpn_public_address": "198.51.100.9", "vpn_public_port": 2001, "vpn_private_address": "10.20.0.34",
        "dhcp_start": "10.20.0.35", "bridge_interface": "eth1", "project_id": None,
    }  # fmt: skip
    assert {name: shown[name] for name in wanted} == wanted
    assert "fd00:20::/64" in nova_manage("network", "list")[1]

    assert nova_manage("network", "modify", first, "--project=demo")[0] == 0
    assert nova_manage("network", "delete", "--fixed_range=10.20.0.0/27")[::2] == (
        1, f"nova-manage: Network {first} has to be disassociated from its project first.\n",
    )  # fmt: skip
    assert nova_manage("network", "modify", "--fixed_range", "10.20.0.0/27", "--disassociate-project")[0] == 0
    for uuid in (first, second):
        assert nova_manage("network", "delete", uuid)[0] == 0
    assert cloud.leaks() == []


def test_a_project_gives_its_vlans_and_groups_back(cloud: Cloud, nova_manage: Any) -> None:
    group = {"security_group": {"name": "web", "description": ""}}
    made = cloud.ask("POST", "/v2.1/os-security-groups", group, version="2.1").json()["security_group"]
    cloud.boot(security_groups=[{"name": "web"}])
    flags = ("--network_manager=VlanManager", "--vlan_interface=eth1")
    words = ("network", "create", "own", "10.26.0.0/28", "--vlan=300", f"--project_id={made['tenant_id']}")
    uuid = nova_manage(*words, flags=flags)[1].strip()
    assert "in use" in nova_manage("project", "scrub", "demo")[2]

    cloud.delete_all()
    assert nova_manage("project", "scrub", "demo") == (0, "", "")
    assert cloud.ask("GET", f"/v2.1/os-networks/{uuid}", **PROXIED).json()["network"]["project_id"] is None
    groups = cloud.ask("GET", "/v2.1/os-security-groups", version="2.1").json()["security_groups"]
    assert [one["name"] for one in groups] == ["default"]
    assert nova_manage("network", "delete", uuid) == (0, "", "")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["create", "x", "10.21.0.0/33"], "is not a valid IPv4 CIDR"),
        (["create", "x", "10.21.0.0/24", "--multi_host=maybe"], "neither T nor F"),
        (["create", "x", "10.21.0.0/24", "--vlan=7"], "VlanManager"),
        (["create", "x", "10.0.1.0/24"], "overlaps with 10.0.0.0/22 of network private"),
        (["create", "x", "10.21.0.0/29", "--num_networks=4"], "too small for 4 networks"),
        (["create", "x", "10.21.0.0/24", "--fixed_range_v6=fd00::/80"], "/64 prefixes"),
        (["create", "x", "10.21.0.0/24", "--fixed_cidr=10.22.0.0/28"], "not a part of"),
        (["create", "x"], "needs --fixed_range_v4 or --fixed_range_v6"),
        (["create", "x", "--fixed_range_v6=fd00::/64", "--multi_host=T"], "needs an IPv4 range"),
        (["create", "x", "10.21.0.0/24", "--uuid=nonsense"], "no uuid"),
        (["create", "x", "10.21.0.0/24", f"--uuid={UUID}", "--num_networks=2"], "the same uuid"),
        (["delete", "--fixed_range=10.99.0.0/24"], "no network of the range 10.99.0.0/24"),
        (["delete"], "cannot tell which network"),
        (["modify", "private", "--host=a", "--disassociate-host"], "at the same time"),
    ],
)  # fmt: skip
def test_mistakes_are_told_in_a_sentence(nova_manage: Any, words: list[str], sentence: str) -> None:
    status, _, error = nova_manage("network", *words)
    assert status == 1
    assert sentence in error


def test_guests_get_addresses_of_a_part_of_the_range(cloud: Cloud, nova_manage: Any) -> None:
    words = ("network", "create", "part", "10.22.0.0/24", "--fixed_cidr=10.22.0.128/29", "--project_id=demo")
    uuid = nova_manage(*words, "--gateway=none", f"--uuid={UUID.upper()}")[1].strip()
    assert uuid == UUID
    assert f"There is a network {UUID}" in nova_manage("network", "create", "x", "10.21.0.0/24", f"--uuid={UUID}")[2]
    assert cloud.ask("GET", f"/v2.1/os-networks/{uuid}", **PROXIED).json()["network"]["gateway"] is None
    listed = [line for line in nova_manage("fixed", "list")[1].splitlines() if "10.22.0." in line]
    free = [line.split("|")[2].strip() for line in listed if "False" in line.split("|")[3]]
    assert free == [f"10.22.0.{number}" for number in range(128, 136)]
    assert nova_manage("fixed", "reserve", "10.22.0.130")[0] == 0
    assert nova_manage("fixed", "unreserve", "10.22.0.130")[0] == 0
    assert nova_manage("fixed", "unreserve", "10.22.0.1")[0] == 1
    assert nova_manage("network", "delete", uuid)[0] == 0


def test_networks_of_ipv6_alone_are_made_of_a_prefix(cloud: Cloud, nova_manage: Any) -> None:
    printed = nova_manage("network", "create", "six", "--fixed_range_v6=fd00:25::/48", "--num_networks=2")[1]
    shown = [cloud.ask("GET", f"/v2.1/os-networks/{uuid}", **PROXIED).json()["network"] for uuid in printed.split()]
    assert [(one["cidr"], one["cidr_v6"]) for one in shown] == [(None, "fd00:25::/64"), (None, "fd00:25:0:1::/64")]
    for number in range(2):
        assert nova_manage("network", "delete", f"six_{number}")[0] == 0


def test_a_host_is_given_a_network_over_the_api(cloud: Cloud) -> None:
    body = {"network": {"label": "own", "cidr": "10.23.0.0/28", "cidr_v6": "fd00:23::/64", "multi_host": False}}
    network = cloud.ask("POST", "/v2.1/os-networks", body, **PROXIED).json()["network"]
    path = f"/v2.1/os-networks/{network['id']}"
    try:
        for action, host in (({"associate_host": "net2"}, "net2"), ({"disassociate_host": None}, None)):
            assert cloud.ask("POST", f"{path}/action", action, **PROXIED).status_code == 202
            assert cloud.ask("GET", path, **PROXIED).json()["network"]["host"] == host
    finally:
        assert cloud.ask("DELETE", path, **PROXIED).status_code == 202


def test_a_server_shows_its_ipv6_address(cloud: Cloud) -> None:
    body = {"network": {"label": "both", "cidr": "10.24.0.0/28", "cidr_v6": "fd00:24::/64"}}
    network = cloud.ask("POST", "/v2.1/os-networks", body, **PROXIED).json()["network"]
    try:
        shown = cloud.show(cloud.boot(networks=[{"uuid": network["id"]}]))["addresses"]["both"]
        assert [one["version"] for one in shown] == [4, 6]
        mac = shown[0]["OS-EXT-IPS-MAC:mac_addr"].replace(":", "")
        assert shown[1]["addr"].replace(":", "").endswith(mac[-3:].lstrip("0"))
    finally:
        cloud.delete_all()
        cloud.ask("DELETE", f"/v2.1/os-networks/{network['id']}", **PROXIED)
    assert cloud.leaks() == []
