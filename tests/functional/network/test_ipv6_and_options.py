"""IPv6 subnets and DHCP options of ports, over the network API."""

from typing import Any

import pytest

from tests.cloud import Cloud

ADMIN: dict[str, Any] = {"user": "admin", "api": "network"}
USER: dict[str, Any] = {"api": "network"}


@pytest.fixture
def network(cloud: Cloud) -> Any:
    """A network with both versions of IP."""
    made = cloud.ask("POST", "/v2.0/networks", {"network": {"name": "both", "shared": True}}, **ADMIN)
    network = made.json()["network"]
    v4 = {"network_id": network["id"], "cidr": "10.31.0.0/28", "ip_version": 4}
    v6 = {"network_id": network["id"], "cidr": "fd00:31::/64", "ip_version": 6, "ipv6_ra_mode": "slaac"}
    for wanted in (v6, v4):
        answer = cloud.ask("POST", "/v2.0/subnets", {"subnet": wanted}, **ADMIN)
        assert answer.status_code == 201, answer.text
    yield cloud.ask("GET", f"/v2.0/networks/{network['id']}", **ADMIN).json()["network"]
    cloud.delete_all()
    assert cloud.ask("DELETE", f"/v2.0/networks/{network['id']}", **ADMIN).status_code == 204
    assert cloud.leaks() == []


def test_a_port_has_an_address_in_each_subnet(cloud: Cloud, network: Any) -> None:
    v4, v6 = network["subnets"]
    cloud.boot(networks=[{"uuid": network["id"]}])

    (port,) = cloud.ask("GET", f"/v2.0/ports?network_id={network['id']}", **USER).json()["ports"]

    held = {one["subnet_id"]: one["ip_address"] for one in port["fixed_ips"]}
    assert held[v4].startswith("10.31.0.")
    assert held[v6].startswith("fd00:31::f816:3eff:fe")
    shown = cloud.ask("GET", f"/v2.0/subnets/{v6}", **USER).json()["subnet"]
    assert (shown["ip_version"], shown["gateway_ip"], shown["ipv6_address_mode"]) == (6, "fd00:31::1", "slaac")
    assert cloud.ask("DELETE", f"/v2.0/subnets/{v6}", **ADMIN).status_code == 409
    cloud.delete_all()
    assert cloud.ask("DELETE", f"/v2.0/subnets/{v6}", **ADMIN).status_code == 204
    assert cloud.ask("GET", f"/v2.0/subnets/{v6}", **USER).status_code == 404


@pytest.mark.parametrize("cidr", ["fd00:31::/64", "fd00::/80", "fe80::/64", "10.0.0.0/24", "nonsense"])
def test_a_prefix_that_cannot_be_is_refused(cloud: Cloud, network: Any, cidr: str) -> None:
    other = cloud.ask("POST", "/v2.0/networks", {"network": {"name": "other"}}, **ADMIN).json()["network"]
    v4 = {"network_id": other["id"], "cidr": "10.32.0.0/28", "ip_version": 4}
    assert cloud.ask("POST", "/v2.0/subnets", {"subnet": v4}, **ADMIN).status_code == 201
    wanted = {"network_id": other["id"], "cidr": cidr, "ip_version": 6}
    try:
        answer = cloud.ask("POST", "/v2.0/subnets", {"subnet": wanted}, **ADMIN)
        assert answer.status_code == (409 if cidr == "fd00:31::/64" else 400), answer.text
    finally:
        cloud.ask("DELETE", f"/v2.0/networks/{other['id']}", **ADMIN)


def test_a_port_is_told_options_and_forgets_them(cloud: Cloud, network: Any) -> None:
    cloud.boot(networks=[{"uuid": network["id"]}])
    (port,) = cloud.ask("GET", f"/v2.0/ports?network_id={network['id']}", **USER).json()["ports"]
    path = f"/v2.0/ports/{port['id']}"

    def put(*options: tuple[str, str | None]) -> Any:
        wanted = [{"opt_name": name, "opt_value": value} for name, value in options]
        return cloud.ask("PUT", path, {"port": {"extra_dhcp_opts": wanted}}, **USER)

    for bad in (("nonsense", "1"), ("255", "1"), ("tftp-server", "a\ntag:x,3,evil"), ("tftp-server", "")):
        assert put(bad).status_code == 400, bad
    assert put(("tftp-server", "10.31.0.9"), ("66", "boot")).status_code == 200
    shown = put(("66", None)).json()["port"]["extra_dhcp_opts"]
    assert shown == [{"opt_name": "tftp-server", "opt_value": "10.31.0.9", "ip_version": 4}]
    assert cloud.ask("PUT", path, {"port": {"extra_dhcp_opts": None}}, **USER).status_code == 200
