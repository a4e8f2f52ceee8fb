"""Names of instances and of floating addresses, as name servers are told of them."""

import threading
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from nova_lite.cmd import wiring
from nova_lite.core.context import system_context
from nova_lite.core.errors import DriverError
from nova_lite.drivers.dns.fake import FakeDns
from tests.cloud import Cloud, running, wait_for

DOMAIN = "guests.example.org"
PUBLIC = "world.example.org"
DNS = "/v2.1/os-floating-ip-dns"


class Observed(FakeDns):
    """One name server of all drivers of this class, of a third party's package, which can be away."""

    zones: dict[str, dict[str, str]] = {}
    broken = threading.Event()

    @classmethod
    def from_flags(cls, conf: Any) -> "Observed":
        driver = cls()
        driver._zones = cls.zones
        return driver

    def entries(self, domain: str) -> Mapping[str, str] | None:
        if self.broken.is_set():
            raise DriverError("the name server does not answer.")
        return super().entries(domain)

    def change(self, domain: str, wanted: Mapping[str, str], unwanted: frozenset[str]) -> None:
        if self.broken.is_set():
            raise DriverError("the name server does not answer.")
        super().change(domain, wanted, unwanted)


@pytest.fixture(scope="module")
def shared_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    folder = tmp_path_factory.mktemp("names")
    driver = f"{__name__}.Observed"
    flags = [f"--instance_dns_manager={driver}", f"--floating_ip_dns_manager={driver}"]
    url = f"sqlite:///{folder}/nova.sqlite"
    with running(folder, url, *flags, f"--instance_dns_domain={DOMAIN}", "--periodic_interval=1") as cloud:
        with wiring.desk(cloud.conf) as (_, operations):
            operations.floating_ips.create_range(system_context(), "198.51.100.8/30")
        yield cloud


def ask(cloud: Cloud, method: str, path: str = "", body: Any = None, user: str = "demo") -> Any:
    return cloud.ask(method, f"{DNS}{path}", body, user=user, version="2.35")


def names(domain: str = DOMAIN) -> dict[str, str]:
    return dict(Observed.zones.get(domain, {}))


def fixed(cloud: Cloud, server_id: str) -> str:
    return str(cloud.show(server_id)["addresses"]["private"][0]["addr"])


def make_public(cloud: Cloud, **more: Any) -> None:
    wanted = {"domain_entry": {"scope": "public", **more}}
    assert ask(cloud, "PUT", f"/{PUBLIC}", wanted, user="admin").status_code == 200


@pytest.fixture
def floating(cloud: Cloud) -> Iterator[str]:
    made = cloud.ask("POST", "/v2.1/os-floating-ips", {"pool": "nova"}, version="2.35").json()["floating_ip"]
    yield made["ip"]
    cloud.ask("DELETE", f"/v2.1/os-floating-ips/{made['id']}", version="2.35")


def test_names_follow_an_instance_from_boot_to_delete(cloud: Cloud) -> None:
    server_id = cloud.boot("Web One")
    address = fixed(cloud, server_id)
    assert wait_for(lambda: names() == {server_id: address, "web-one": address})

    cloud.ask("PUT", f"/v2.1/servers/{server_id}", {"server": {"name": "mail"}})
    assert wait_for(lambda: names() == {server_id: address, "mail": address})

    other = cloud.boot("mail")
    assert wait_for(lambda: names().get(other) == fixed(cloud, other))
    assert names()["mail"] == address, "the older one has the name"

    cloud.ask("DELETE", f"/v2.1/servers/{server_id}")
    assert wait_for(lambda: names() == {other: fixed(cloud, other), "mail": fixed(cloud, other)})
    cloud.delete_all()
    assert wait_for(lambda: names() == {})


def test_a_name_server_that_is_away_holds_nobody_up_and_is_told_later(cloud: Cloud) -> None:
    Observed.broken.set()
    try:
        server_id = cloud.boot("meanwhile")
        assert cloud.show(server_id)["status"] == "ACTIVE"
        assert names() == {}
    finally:
        Observed.broken.clear()
    assert wait_for(lambda: set(names()) == {server_id, "meanwhile"})


def test_what_somebody_changed_on_the_name_server_is_mended(cloud: Cloud) -> None:
    server_id = cloud.boot("web")
    assert wait_for(lambda: set(names()) == {server_id, "web"})
    Observed.zones[DOMAIN]["intruder"] = "192.0.2.66"
    del Observed.zones[DOMAIN]["web"]
    assert wait_for(lambda: set(names()) == {server_id, "web"})


def test_an_instance_of_another_zone_has_no_name_in_a_zones_domain(cloud: Cloud) -> None:
    wanted = {"domain_entry": {"scope": "private", "availability_zone": "elsewhere"}}
    assert ask(cloud, "PUT", f"/{DOMAIN}", wanted, user="admin").status_code == 200
    try:
        assert cloud.show(cloud.boot("web"))["status"] == "ACTIVE"
        assert wait_for(lambda: names() == {})
    finally:
        assert ask(cloud, "DELETE", f"/{DOMAIN}", user="admin").status_code == 202


def test_a_user_names_a_floating_address(cloud: Cloud, floating: str) -> None:
    make_public(cloud)
    [domain] = ask(cloud, "GET").json()["domain_entries"]
    assert domain == {"domain": PUBLIC, "scope": "public", "project": None, "availability_zone": None}

    body = {"dns_entry": {"ip": floating, "dns_type": "A"}}
    made = ask(cloud, "PUT", f"/{PUBLIC}/entries/www", body)
    view = {"domain": PUBLIC, "name": "www", "ip": floating, "type": "A", "id": None}
    assert (made.status_code, made.json()) == (200, {"dns_entry": view})
    assert wait_for(lambda: names(PUBLIC) == {"www": floating})
    escaped = PUBLIC.replace(".", "%252E")
    for path in (f"/{PUBLIC}/entries/www", f"/{escaped}/entries/www"):
        assert ask(cloud, "GET", path).json() == {"dns_entry": view}
    for path in (f"/{PUBLIC}/entries", f"/{PUBLIC}/entries?ip={floating}", f"/{PUBLIC}/entries/{floating}"):
        assert ask(cloud, "GET", path).json() == {"dns_entries": [view]}

    assert ask(cloud, "DELETE", f"/{PUBLIC}/entries/www").status_code == 202
    assert wait_for(lambda: names(PUBLIC) == {})
    assert ask(cloud, "DELETE", f"/{PUBLIC}/entries/www").status_code == 404
    assert ask(cloud, "GET", f"/{PUBLIC}/entries/www").status_code == 404
    assert ask(cloud, "DELETE", f"/{PUBLIC}", user="admin").status_code == 202
    assert wait_for(lambda: PUBLIC not in Observed.zones)
    make_public(cloud)
    assert wait_for(lambda: names(PUBLIC) == {})
    assert ask(cloud, "DELETE", f"/{PUBLIC}", user="admin").status_code == 202


def test_a_name_goes_with_its_address(cloud: Cloud) -> None:
    make_public(cloud)
    made = cloud.ask("POST", "/v2.1/os-floating-ips", {"pool": "nova"}, version="2.35").json()["floating_ip"]
    body = {"dns_entry": {"ip": made["ip"], "dns_type": "A"}}
    assert ask(cloud, "PUT", f"/{PUBLIC}/entries/www", body).status_code == 200
    assert wait_for(lambda: names(PUBLIC) == {"www": made["ip"]})
    cloud.ask("DELETE", f"/v2.1/os-floating-ips/{made['id']}", version="2.35")
    assert wait_for(lambda: names(PUBLIC) == {})
    assert ask(cloud, "DELETE", f"/{PUBLIC}", user="admin").status_code == 202


def test_another_project_cannot_touch_what_is_not_its_own(cloud: Cloud, floating: str) -> None:
    projects = cloud.ask("GET", "/v3/projects?name=demo", user="admin", api="identity").json()["projects"]
    make_public(cloud)
    body = {"dns_entry": {"ip": floating, "dns_type": "A"}}
    assert ask(cloud, "PUT", f"/{PUBLIC}/entries/www", body).status_code == 200
    assert ask(cloud, "PUT", f"/{PUBLIC}/entries/mine", body, user="other").status_code == 404
    assert ask(cloud, "DELETE", f"/{PUBLIC}/entries/www", user="other").status_code == 403
    assert ask(cloud, "DELETE", f"/{PUBLIC}", user="admin").status_code == 202

    make_public(cloud, project=projects[0]["id"])
    assert ask(cloud, "GET", user="other").json() == {"domain_entries": []}
    assert ask(cloud, "GET", f"/{PUBLIC}/entries", user="other").status_code == 404
    assert ask(cloud, "PUT", f"/{PUBLIC}/entries/www", body).status_code == 200
    assert ask(cloud, "DELETE", f"/{PUBLIC}", user="admin").status_code == 202


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/-bad-.example", {"domain_entry": {"scope": "public"}}, 400),
        ("/x.example", {"domain_entry": {"scope": "sideways"}}, 400),
        ("/x.example", {"domain_entry": {"scope": "private", "project": "p"}}, 400),
        ("/x.example", {"domain_entry": {"scope": "public", "availability_zone": "z"}}, 400),
        ("/nowhere.example/entries/www", {"dns_entry": {"ip": "198.51.100.8", "dns_type": "A"}}, 404),
        (f"/{DOMAIN}/entries/www", {"dns_entry": {"ip": "198.51.100.8", "dns_type": "A"}}, 400),
        (f"/{PUBLIC}/entries/-x-", {"dns_entry": {"ip": "198.51.100.8", "dns_type": "A"}}, 400),
        (f"/{PUBLIC}/entries/www", {"dns_entry": {"ip": "fe80::1", "dns_type": "A"}}, 400),
        (f"/{PUBLIC}/entries/www", {"dns_entry": {"ip": "198.51.100.8", "dns_type": "MX"}}, 400),
    ],
)
def test_bad_names_are_refused(cloud: Cloud, path: str, body: Any, status: int) -> None:
    answer = ask(cloud, "PUT", path, body, user="admin")
    assert answer.status_code == status, answer.text


def test_a_domain_is_made_once(cloud: Cloud) -> None:
    make_public(cloud)
    assert ask(cloud, "PUT", f"/{PUBLIC}", {"domain_entry": {"scope": "public"}}, user="admin").status_code == 409
    assert ask(cloud, "DELETE", f"/{PUBLIC}", user="admin").status_code == 202
    assert ask(cloud, "DELETE", f"/{PUBLIC}", user="admin").status_code == 404
