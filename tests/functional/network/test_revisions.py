"""Revisions of what the network keeps: counted up by changes, and claimed by who changes what it saw."""

import threading
from typing import Any

import pytest

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
