"""Who is a member of a group is known to the filters of all hosts whose guests let members in, as they come and go."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cloud import wait_for
from tests.functional.two_hosts import SECOND, TwoHosts, two_hosts
from tests.functional.watched_firewall import FLAG, WatchedFirewall


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoHosts]:
    folder: Path = tmp_path_factory.mktemp("two")
    WatchedFirewall.of.clear()
    # The doorbells are looked at, not the repair after a minute.
    yield from two_hosts(folder, f"sqlite:///{folder}/nova.sqlite", FLAG, "--periodic_interval=3600")


def boot(cloud: TwoHosts, host: str) -> tuple[str, str]:
    """Boot a server on a host, and return its id and address."""
    body = {
        "server": {
            "name": f"on {host}", "flavorRef": "6", "imageRef": cloud.image(), "networks": "auto",
            "availability_zone": f"nova:{host}",
        }
    }  # fmt: skip
    made = cloud.ask("POST", "/v2.1/servers", body, user="admin")
    assert made.status_code == 202, made.text
    server_id = made.json()["server"]["id"]
    cloud.settle()
    [[address]] = cloud.show(server_id, user="admin")["addresses"].values()
    return server_id, address["addr"]


def test_hosts_learn_of_members_that_come_and_go_elsewhere(cloud: TwoHosts) -> None:
    first, second = WatchedFirewall.of[cloud.conf.host], WatchedFirewall.of[SECOND]
    (here, mine), (there, theirs) = boot(cloud, cloud.conf.host), boot(cloud, SECOND)
    assert second.members() == {mine, theirs}
    assert wait_for(lambda: first.members() == {mine, theirs})

    cloud.ask("DELETE", f"/v2.1/servers/{there}", user="admin")
    cloud.settle()
    assert wait_for(lambda: first.members() == {mine})
    assert second.members() == set()

    (_, third) = boot(cloud, cloud.conf.host)
    assert first.members() == {mine, third}
    cloud.ask("DELETE", f"/v2.1/servers/{here}", user="admin")
    cloud.settle()
    assert first.members() == {third}, "its own host forgets it too"
    cloud.delete_all()
    assert cloud.leaks() == []
