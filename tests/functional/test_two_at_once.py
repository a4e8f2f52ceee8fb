"""Two requests at once that change the same thing: what one has looked at is still so when it writes."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
import requests
import sqlalchemy as sa

from tests.cloud import Cloud, wait_for
from tests.functional.network.test_tags import API, resource_of

pytestmark = pytest.mark.parametrize("database_url", ["mariadb", "postgresql"], indirect=True)

Request = Callable[[], requests.Response]

LOCKS = ("FOR UPDATE", "SET placements")
"""What statements have by which a transaction has others wait."""


class Race:
    """Has one request come between another's look and its write, or wait until that is over.

    The first transaction of the name ``transaction`` is stopped before it writes, or writes to ``table``. It goes on
    when the other request is answered, or waits for a row that the first has locked.
    """

    def __init__(self, transaction: str, other: Request, table: str = "") -> None:
        self._transaction = transaction
        self._table = table
        self._thread = threading.Thread(target=self._run, args=(other,))
        self._first: Any = None
        self._goes_on = threading.Event()
        self.answer: requests.Response | None = None

    def _run(self, other: Request) -> None:
        self.answer = other()
        self._goes_on.set()

    def _look(self, connection: sa.Connection, _cursor: Any, statement: str, *_: Any) -> None:
        if self._first is None:
            writes = not statement.startswith("SELECT") and self._table in statement
            if writes and connection.info.get("transaction") == self._transaction:
                self._first = connection
                self._thread.start()
                assert self._goes_on.wait(20)
        elif connection is not self._first and any(word in statement for word in LOCKS):
            self._goes_on.set()

    def statuses(self, one: Request) -> list[int]:
        """Return the statuses of both answers, the lower one first."""
        sa.event.listen(sa.Engine, "before_cursor_execute", self._look)
        try:
            first = one()
            assert wait_for(lambda: self.answer is not None)
        finally:
            sa.event.remove(sa.Engine, "before_cursor_execute", self._look)
        self._thread.join()
        assert self.answer is not None
        return sorted([first.status_code, self.answer.status_code])


def asking(cloud: Cloud, method: str, path: str, body: Any = None) -> Request:
    return lambda: cloud.ask(method, f"/v2.0/{path}", body, api=API)


def ordering(cloud: Cloud, path: str, body: Any) -> Request:
    return lambda: cloud.ask("POST", f"/v2.1/{path}", body, version="2.64")


def test_tags_that_two_put_on_a_router_are_both_there(cloud: Cloud) -> None:
    router, _ = resource_of(cloud, "routers")
    one, other = (asking(cloud, "PUT", f"routers/{router}/tags/{tag}") for tag in "ab")

    assert Race("network_tags.change", other).statuses(one) == [201, 201]

    assert asking(cloud, "GET", f"routers/{router}/tags")().json() == {"tags": ["a", "b"]}
    assert asking(cloud, "DELETE", f"routers/{router}")().status_code == 204


def test_tags_that_two_put_on_a_project_are_both_there(cloud: Cloud) -> None:
    project = cloud.ask("GET", "/v3/auth/projects", api="identity").json()["projects"][0]["id"]
    tags = f"/v3/projects/{project}/tags"

    def put(tag: str) -> requests.Response:
        return cloud.ask("PUT", f"{tags}/{tag}", api="identity", user="admin")

    assert Race("identity.retag_project", lambda: put("a")).statuses(lambda: put("b")) == [201, 201]

    assert sorted(cloud.ask("GET", tags, api="identity", user="admin").json()["tags"]) == ["a", "b"]
    assert cloud.ask("DELETE", tags, api="identity", user="admin").status_code == 204


def test_options_that_two_give_a_port_are_both_there(cloud: Cloud) -> None:
    port, _ = resource_of(cloud, "ports")
    one, other = (
        asking(cloud, "PUT", f"ports/{port}", {"port": {"extra_dhcp_opts": [{"opt_name": name, "opt_value": "1"}]}})
        for name in ("mtu", "router")
    )

    assert Race("port.update", other).statuses(one) == [200, 200]

    options = asking(cloud, "GET", f"ports/{port}")().json()["port"]["extra_dhcp_opts"]
    assert sorted(option["opt_name"] for option in options) == ["mtu", "router"]


def test_a_router_leads_to_a_subnet_once(cloud: Cloud) -> None:
    (router, _), (subnet, _) = resource_of(cloud, "routers"), resource_of(cloud, "subnets")
    attach = asking(cloud, "PUT", f"routers/{router}/add_router_interface", {"subnet_id": subnet})

    assert Race("router.attach", attach).statuses(attach) == [200, 400]

    detach = asking(cloud, "PUT", f"routers/{router}/remove_router_interface", {"subnet_id": subnet})
    assert detach().status_code == 200
    delete = asking(cloud, "DELETE", f"routers/{router}")
    assert Race("router.delete", attach).statuses(delete) == [204, 404]


def test_a_rule_is_added_once_and_to_no_group_that_goes(cloud: Cloud) -> None:
    group, _ = resource_of(cloud, "security-groups")
    rule = {"security_group_id": group, "direction": "ingress", "protocol": "tcp", "port_range_min": 1}
    add = asking(cloud, "POST", "security-group-rules", {"security_group_rule": rule})

    assert Race("security_group.add_rule", add).statuses(add) == [201, 409]

    rule["port_range_min"] = 2
    delete = asking(cloud, "DELETE", f"security-groups/{group}")
    assert Race("security_group.delete", add).statuses(delete) == [204, 404]


def test_two_make_no_more_groups_than_the_quota_allows(cloud: Cloud) -> None:
    project = cloud.ask("GET", "/v3/auth/projects", api="identity").json()["projects"][0]["id"]
    quota = f"/v2.0/quotas/{project}"
    most = len(asking(cloud, "GET", "security-groups")().json()["security_groups"]) + 1
    assert cloud.ask("PUT", quota, {"quota": {"security_group": most}}, api=API, user="admin").ok
    one, other = (
        asking(cloud, "POST", "security-groups", {"security_group": {"name": name}}) for name in ("one", "other")
    )

    statuses = Race("security_group.create", other).statuses(one)

    assert cloud.ask("DELETE", quota, api=API, user="admin").status_code == 204
    assert statuses == [201, 409]


KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHd2mN0Ce9Gf0a1tBNBY0rz8n7FLbZ8bYb1kJmoA5t7C demo"


def test_two_get_no_more_of_the_compute_api_than_the_quota_allows(cloud: Cloud) -> None:
    project = cloud.ask("GET", "/v3/auth/projects", api="identity").json()["projects"][0]["id"]
    quotas = f"/v2.1/os-quota-sets/{project}"
    limits = {"server_groups": 1, "server_group_members": 1, "key_pairs": 1}
    assert cloud.ask("PUT", quotas, {"quota_set": limits}, user="admin").ok
    group: dict[str, Any] = {"server_group": {"name": "g", "policy": "affinity"}}
    made = ordering(cloud, "os-server-groups", group)
    pairs = [ordering(cloud, "os-keypairs", {"keypair": {"name": name, "public_key": KEY}}) for name in "ab"]

    groups = Race("server_group.create", made).statuses(made)
    keys = Race("key_pair.create", pairs[1]).statuses(pairs[0])
    found = cloud.ask("GET", "/v2.1/os-server-groups").json()["server_groups"][0]
    server = {"name": "vm", "flavorRef": "6", "imageRef": cloud.image(), "networks": "none"}
    boot = ordering(cloud, "servers", {"server": server, "os:scheduler_hints": {"group": found["id"]}})
    members = Race("server.boot", boot, "server_group_members").statuses(boot)

    cloud.settle()
    assert cloud.ask("DELETE", quotas, user="admin").ok
    for path in (f"os-server-groups/{found['id']}", "os-keypairs/a", "os-keypairs/b"):
        cloud.ask("DELETE", f"/v2.1/{path}")
    assert (groups, keys, members) == ([200, 403], [201, 403], [202, 403])
