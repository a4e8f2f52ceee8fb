"""Revisions of what the network keeps: counted up by changes, to which who changes what it saw can be bound."""

import threading
from typing import Any

import pytest
import sqlalchemy as sa

from nova_lite.api.openstack.network.routes import ROUTES
from nova_lite.db import routers
from tests.cloud import Cloud
from tests.functional.network.test_tags import API, resource_of

CHANGES: dict[str, Any] = {
    "networks": {"network": {"mtu": 1400}},
    "subnets": {"subnet": {"dns_nameservers": ["192.0.2.53"]}},
    "ports": {"port": {"description": "changed"}},
    "floatingips": {"floatingip": {"port_id": None}},
    "routers": {"router": {"name": "changed"}},
    "security-groups": {"security_group": {"description": "changed"}},
}


class Seen:
    """A resource as its user sees and changes it."""

    def __init__(self, cloud: Cloud, collection: str) -> None:
        self.cloud, self.collection = cloud, collection
        self.id, self.user = resource_of(cloud, collection)

    def ask(self, method: str, path: str = "", body: Any = None, match: str = "") -> Any:
        headers = {"If-Match": match} if match else {}
        url = f"/v2.0/{self.collection}/{self.id}{path}"
        return self.cloud.ask(method, url, body, api=API, user=self.user, headers=headers)

    def revision(self) -> int:
        (shown,) = self.ask("GET").json().values()
        return int(shown["revision_number"])

    def change(self, match: str = "") -> Any:
        return self.ask("PUT", "", CHANGES[self.collection], match)


@pytest.mark.parametrize("collection", list(CHANGES))
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_changes_count_revisions_up_and_can_be_bound_to_one(cloud: Cloud, collection: str) -> None:
    seen = Seen(cloud, collection)
    first = seen.revision()
    assert seen.revision() == first

    (changed,) = seen.change().json().values()

    second = seen.revision()
    assert second == changed["revision_number"] > first
    stale = seen.change(f"revision_number={first}")
    assert (stale.status_code, stale.json()["NeutronError"]["type"]) == (412, "RevisionMismatch")
    assert f"current revision is {second}" in stale.json()["NeutronError"]["message"]
    assert seen.revision() == second
    assert seen.change("x").status_code == 400
    assert seen.change(f"revision_number={second}").status_code == 200
    if collection != "subnets":
        third = seen.revision()
        assert seen.ask("PUT", "/tags/blue").status_code == 201
        assert seen.revision() > third
    assert seen.ask("DELETE", match="revision_number=1").status_code == 412
    if collection in ("routers", "security-groups", "floatingips"):
        assert seen.ask("DELETE", match=f"revision_number={seen.revision()}").status_code == 204


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_every_change_of_a_resource_can_be_bound_to_a_revision(cloud: Cloud) -> None:
    subnet, _ = resource_of(cloud, "subnets")
    bodies: dict[str, Any] = {
        "tags": {"tags": ["blue"]},
        "add_router_interface": {"subnet_id": subnet},
        "remove_router_interface": {"subnet_id": subnet},
        "add_extraroutes": {"router": {"routes": []}},
        "remove_extraroutes": {"router": {"routes": []}},
    }
    routes = [route for route in ROUTES if route.method in ("PUT", "DELETE")]
    for collection in CHANGES:
        seen = Seen(cloud, collection)
        before = seen.ask("GET").json()
        paths = [route for route in routes if route.path.startswith(f"/v2.0/{collection}/{{")]
        assert len(paths) >= 6
        for route in paths:
            _, _, path = route.path.partition("}")
            body = bodies.get(path.rpartition("/")[2], CHANGES[collection]) if route.method == "PUT" else None
            answer = seen.ask(route.method, path.replace("{tag}", "blue"), body, "revision_number=999")
            assert answer.status_code == 412, (route.method, route.path, answer.text)
        assert seen.ask("GET").json() == before


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_change_that_is_refused_counts_nothing(cloud: Cloud) -> None:
    port, router, (subnet, _) = Seen(cloud, "ports"), Seen(cloud, "routers"), resource_of(cloud, "subnets")
    assert router.ask("PUT", "/add_router_interface", {"subnet_id": subnet}).status_code == 200
    first, match = router.revision(), f"revision_number={router.revision()}"

    assert router.ask("DELETE", match=match).status_code == 409
    assert router.ask("PUT", "/add_router_interface", {"subnet_id": subnet}, match).status_code == 400
    assert router.revision() == first
    assert router.change(match).json()["router"]["revision_number"] == first + 1

    # What is good of a change is not made where something else of it is bad.
    match = f"revision_number={port.revision()}"
    bad = [{"opt_name": "unknown", "opt_value": "1"}]
    body = {"port": {"name": "changed", "security_groups": [], "extra_dhcp_opts": bad}}
    for condition in (match, ""):
        assert port.ask("PUT", "", body, condition).status_code == 400
        shown = port.ask("GET").json()["port"]
        assert (shown["name"], len(shown["security_groups"])) == ("", 1)
        assert match == f"revision_number={shown['revision_number']}"

    assert router.ask("PUT", "/remove_router_interface", {"subnet_id": subnet}).status_code == 200
    assert router.ask("DELETE").status_code == 204


def test_nobody_changes_a_resource_between_the_look_at_its_revision_and_the_change(cloud: Cloud) -> None:
    seen = Seen(cloud, "routers")
    committed: list[str] = []

    def note(connection: sa.Connection) -> None:
        name = connection.info.get("transaction", "")
        if name.startswith(("router.", "revisions.")):
            committed.append(name)

    def come_between(_connection: object, _record: object) -> None:
        # The first commit of the bound change is in force: nothing of it may follow what others do from now on.
        if len(committed) == 1:
            committed.append("another's")
            cloud.database.run("another", lambda session: routers.update(session, seen.id, {"name": "another's"}))

    sa.event.listen(sa.Engine, "commit", note)
    sa.event.listen(sa.Pool, "checkin", come_between)
    try:
        assert seen.change(f"revision_number={seen.revision()}").status_code == 200
    finally:
        sa.event.remove(sa.Engine, "commit", note)
        sa.event.remove(sa.Pool, "checkin", come_between)

    assert committed[1:] == ["another's"] and seen.ask("GET").json()["router"]["name"] == "another's"
    assert seen.ask("DELETE").status_code == 204


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_belongs_to_a_resource_counts_for_it(cloud: Cloud) -> None:
    group, router, port = (Seen(cloud, name) for name in ("security-groups", "routers", "ports"))
    subnet, _ = resource_of(cloud, "subnets")

    def counts(seen: Seen, method: str, url: str, body: Any = None) -> Any:
        before = seen.revision()
        answer = cloud.ask(method, url, body, api=API)
        assert answer.ok and seen.revision() > before, answer.text
        return answer.json() if answer.content else None

    rule = {"security_group_id": group.id, "direction": "ingress", "protocol": "tcp"}
    made = counts(group, "POST", "/v2.0/security-group-rules", {"security_group_rule": rule})
    counts(port, "PUT", f"/v2.0/ports/{port.id}", {"port": {"security_groups": [group.id]}})
    counts(group, "DELETE", f"/v2.0/security-group-rules/{made['security_group_rule']['id']}")
    for verb in ("add", "remove"):
        url = f"/v2.0/routers/{router.id}/{verb}_router_interface"
        counts(router, "PUT", url, {"subnet_id": subnet})
    assert router.ask("DELETE").status_code == 204


def test_one_of_many_who_saw_a_revision_changes_it(cloud: Cloud) -> None:
    seen = Seen(cloud, "routers")
    match, statuses = f"revision_number={seen.revision()}", []
    threads = [
        threading.Thread(target=lambda: statuses.append(seen.change(match).status_code)) for _ in range(4)
    ]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(statuses) == [200, 412, 412, 412]
    assert seen.ask("DELETE").status_code == 204
