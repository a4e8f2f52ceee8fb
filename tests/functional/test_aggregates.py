"""Host aggregates, and the availability zones that they make."""

import hashlib
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.cloud import Cloud, wait_for

with_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


class Aggregates:
    """Asks for aggregates as the operator."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud

    def ask(self, method: str, path: str = "", body: Any = None) -> requests.Response:
        return self.cloud.ask(method, f"/v2.1/os-aggregates{path}", body, user="admin")

    def make(self, name: str, zone: str | None = None) -> int:
        answer = self.ask("POST", "", {"aggregate": {"name": name, "availability_zone": zone}})
        assert answer.status_code == 200, answer.text
        number: int = answer.json()["aggregate"]["id"]
        return number

    def act(self, number: int, **body: Any) -> requests.Response:
        return self.ask("POST", f"/{number}/action", body)

    def listing(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.ask("GET").json()["aggregates"]
        return found


@pytest.fixture
def aggregates(cloud: Cloud) -> Iterator[Aggregates]:
    found = Aggregates(cloud)
    yield found
    cloud.delete_all()
    for aggregate in found.listing():
        for host in aggregate["hosts"]:
            found.act(aggregate["id"], remove_host={"host": host})
        assert found.ask("DELETE", f"/{aggregate['id']}").status_code == 200


def zone_names(cloud: Cloud) -> set[str]:
    found = cloud.ask("GET", "/v2.1/os-availability-zone").json()["availabilityZoneInfo"]
    return {zone["zoneName"] for zone in found}


def test_a_host_is_in_the_zone_of_its_aggregate(cloud: Cloud, aggregates: Aggregates) -> None:
    number = aggregates.make("fast", "east")
    assert zone_names(cloud) == {"nova"}
    assert aggregates.act(number, add_host={"host": "host1"}).status_code == 200
    assert zone_names(cloud) == {"east"}

    there = cloud.boot("there", availability_zone="east")
    elsewhere = cloud.boot("elsewhere", availability_zone="nova")

    assert cloud.show(there)["OS-EXT-AZ:availability_zone"] == "east"
    assert cloud.show(elsewhere)["status"] == "ERROR"


@with_sqlite
def test_an_aggregate_is_renamed_and_described(aggregates: Aggregates) -> None:
    number = aggregates.make("fast")
    aggregates.act(number, set_metadata={"metadata": {"ssd": "true", "old": "x"}})
    aggregates.act(number, set_metadata={"metadata": {"old": None, "availability_zone": "east"}})
    aggregates.ask("PUT", f"/{number}", {"aggregate": {"name": "faster"}})

    shown = aggregates.ask("GET", f"/{number}").json()["aggregate"]

    assert (shown["name"], shown["availability_zone"]) == ("faster", "east")
    assert shown["metadata"] == {"ssd": "true", "availability_zone": "east"}


def test_a_host_is_in_one_zone_only(aggregates: Aggregates) -> None:
    east, west, any_zone = (
        aggregates.make("e", "east"),
        aggregates.make("w", "west"),
        aggregates.make("any"),
    )
    assert aggregates.act(east, add_host={"host": "host1"}).ok
    assert aggregates.act(any_zone, add_host={"host": "host1"}).ok

    for refused in (
        aggregates.act(west, add_host={"host": "host1"}),
        aggregates.ask("PUT", f"/{any_zone}", {"aggregate": {"availability_zone": "west"}}),
        aggregates.act(any_zone, set_metadata={"metadata": {"availability_zone": "west"}}),
    ):
        assert refused.status_code == 409
        assert "host1" in refused.text
    assert [found["hosts"] for found in aggregates.listing()] == [["host1"], [], ["host1"]]


@with_sqlite
def test_a_host_with_servers_stays_in_its_zone(cloud: Cloud, aggregates: Aggregates) -> None:
    east, plain = aggregates.make("e", "east"), aggregates.make("plain")
    cloud.boot("here")

    assert aggregates.act(east, add_host={"host": "host1"}).status_code == 409
    assert aggregates.act(plain, add_host={"host": "host1"}).status_code == 200
    assert aggregates.ask("PUT", f"/{plain}", {"aggregate": {"availability_zone": "west"}}).status_code == 409
    assert zone_names(cloud) == {"nova"}


@with_sqlite
def test_what_does_not_fit_is_refused(aggregates: Aggregates) -> None:
    number = aggregates.make("one")
    assert aggregates.act(number, add_host={"host": "host1"}).ok

    assert aggregates.ask("POST", "", {"aggregate": {"name": "one"}}).status_code == 409
    assert aggregates.act(number, add_host={"host": "host1"}).status_code == 409
    assert aggregates.act(number, add_host={"host": "nowhere"}).status_code == 404
    assert aggregates.act(number, remove_host={"host": "nowhere"}).status_code == 404
    assert aggregates.ask("DELETE", f"/{number}").status_code == 400
    assert (
        aggregates.ask("POST", "", {"aggregate": {"name": "a", "availability_zone": "a:b"}}).status_code
        == 400
    )


@with_sqlite
def test_the_hosts_of_an_aggregate_bring_images_ahead_of_servers(cloud: Cloud, aggregates: Aggregates) -> None:
    body = {"name": "ahead", "disk_format": "raw", "container_format": "bare", "visibility": "public"}
    image_id = cloud.ask("POST", "/v2/images", body, user="admin", api="image").json()["id"]
    number = aggregates.make("ahead")

    def order(*wanted: str, version: str = "2.81") -> requests.Response:
        cache = {"cache": [{"id": one} for one in wanted]}
        return cloud.ask("POST", f"/v2.1/os-aggregates/{number}/images", cache, user="admin", version=version)

    def cached(one: str) -> bool:
        name = hashlib.sha1(one.encode(), usedforsecurity=False).hexdigest()
        return bool(list(cloud.folder.rglob(f"_base/{name}")))

    usable = cloud.image()
    was = cached(usable)
    assert order(usable).status_code == 202
    assert cached(usable) is was, "a host that is not in the aggregate was asked"
    aggregates.act(number, add_host={"host": "host1"})
    assert [order(image_id).status_code, order("no-uuid").status_code, order().status_code] == [400, 400, 400]
    assert order(usable, usable).status_code == 400
    assert order(usable, version="2.80").status_code == 404

    answer = order(usable)

    assert (answer.status_code, answer.content) == (202, b"")
    assert wait_for(lambda: cached(usable))
    cloud.ask("DELETE", f"/v2/images/{image_id}", user="admin", api="image")
    assert cloud.leaks() == []
