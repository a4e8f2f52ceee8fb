"""A cloud on three hosts with real daemons, bridges, DHCP, filters and address translation: what users see of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.three_hosts import Mode, Servers, ThreeHosts, servers, three_hosts
from tests.system.three_hosts_seen import go_through

DOMAIN = "guests.example.org"
MODES = {
    "flatdhcp": Mode("FlatDHCPManager", {"instance_dns_manager": "file", "instance_dns_domain": DOMAIN}),
    "multi_host": Mode("FlatDHCPManager", {"multi_host": True}, network_hosts=(1, 2, 3), multi_host=True),
    "flat": Mode("FlatManager", {"flat_injected": True, "force_config_drive": True}, by_hand=True),
}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    with servers(tmp_path_factory.mktemp("servers")) as running:
        yield running


@pytest.fixture(params=MODES)
def site(request: pytest.FixtureRequest, tmp_path: Path, running: Servers) -> Iterator[ThreeHosts]:
    with three_hosts(tmp_path, MODES[request.param], running) as site:
        yield site


def test_a_cloud_on_three_hosts(site: ThreeHosts) -> None:
    go_through(site)
