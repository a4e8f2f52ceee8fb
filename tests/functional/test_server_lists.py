"""Lists of servers: who may look for what, in which order, and what a list costs."""

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from nova_lite.db.engine import STATEMENTS
from nova_lite.db.instance_rows import InstanceRow
from tests.cloud import Cloud

BOTH = ["alpha", "beta"]
MINOR = "2.96"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHd2mN0Ce9Gf0a1tBNBY0rz8n7FLbZ8bYb1kJmoA5t7C demo"


@pytest.fixture(scope="module")
def servers(shared_cloud: Cloud) -> Iterator[dict[str, str]]:
    """Two servers of the demo user: alpha is off and was given much, beta is on and was given nothing."""
    given: dict[str, Any] = {
        "description": "the first", "accessIPv4": "192.0.2.77", "config_drive": True, "OS-DCF:diskConfig": "AUTO",
        "availability_zone": "nova", "hostname": "first",
    }  # fmt: skip
    key = {"keypair": {"name": "listed", "public_key": KEY}}
    shared_cloud.ask("POST", "/v2.1/os-keypairs", key)
    alpha = shared_cloud.boot("alpha", key_name="listed", **given)
    shared_cloud.act(alpha, {"os-stop": None})
    found = {"alpha": alpha, "beta": shared_cloud.boot("beta")}
    shared_cloud.act(found["beta"], {"lock": None})
    yield found
    shared_cloud.delete_all()
    shared_cloud.ask("DELETE", "/v2.1/os-keypairs/listed")


def names(cloud: Cloud, query: str, **options: Any) -> list[str]:
    answer = cloud.ask("GET", f"/v2.1/servers?{query}", **options)
    assert answer.status_code == 200, answer.text
    return sorted(server["name"] for server in answer.json()["servers"])


EVERYBODYS = [
    ("name=al", ["alpha"]), ("name=^.e", ["beta"]), ("name=(", []), ("status=ACTIVE", ["beta"]),
    ("name=(?:.?){200}zz", []), ("name=((l{1,99}){1,99}){1,99}", []), ("name=(l)p.\\1", []),
    ("status=SHUTOFF", ["alpha"]), ("status=active&status=shutoff", BOTH), ("status=REBOOT", []),
    ("flavor=6", BOTH), ("flavor=nowhere", []), ("image=IMAGE", BOTH), ("image=nowhere", []), ("ip=10.0.", BOTH),
    ("ip=ADDRESS", ["alpha"]), ("ip=^11", []), ("ip6=:", []), ("reservation_id=RESERVATION", ["alpha"]),
    ("locked=true", ["beta"]), ("locked=0", ["alpha"]), ("changes-since=2020-01-01&name=^(alpha|beta)$", BOTH),
    ("changes-before=2020-01-01", []), ("uuid=ALPHA", ["alpha"]),
]  # fmt: skip
SINCE_283 = [
    ("availability_zone=no", BOTH), ("availability_zone=elsewhere", []), ("config_drive=true", ["alpha"]),
    ("config_drive=false", ["beta"]), ("key_name=listed", ["alpha"]), ("created_at=2020-01-01T00:00:00Z", []),
    ("launched_at=2020-01-01T00:00:00Z", []), ("terminated_at=2020-01-01T00:00:00Z", []),
    ("power_state=1", ["beta"]), ("power_state=4", ["alpha"]), ("task_state=rebooting", []),
    ("vm_state=stopped", ["alpha"]), ("progress=100", ["beta"]), ("progress=0", ["alpha"]),
    ("progress=50", []), ("user_id=nobody", []),
]  # fmt: skip
ADMINS = [
    ("access_ip_v4=192.0.2.77", ["alpha"]), ("access_ip_v6=::1", []), ("auto_disk_config=true", ["alpha"]),
    ("auto_disk_config=false", ["beta"]), ("description=first", ["alpha"]),
    ("display_description=first", ["alpha"]), ("display_name=bet", ["beta"]), ("host=host1", BOTH),
    ("host=host", []), ("hostname=first", ["alpha"]), ("image_ref=nowhere", []), ("instance_type_id=6", BOTH),
    ("kernel_id=nowhere", []), ("launch_index=0", BOTH), ("launch_index=1", []), ("locked_by=owner", ["beta"]),
    ("node=nowhere", []), ("ramdisk_id=nowhere", []), ("root_device_name=vda", BOTH),
]  # fmt: skip


def filled(cloud: Cloud, servers: dict[str, str], query: str) -> str:
    shown = cloud.show(servers["alpha"], user="admin")
    words = {
        "IMAGE": cloud.image(),
        "ADDRESS": f"^{shown['addresses']['private'][0]['addr']}$",
        "RESERVATION": shown["OS-EXT-SRV-ATTR:reservation_id"],
        "ALPHA": servers["alpha"],
    }
    name, _, value = query.partition("=")
    return f"{name}={words.get(value, value)}"


with_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@with_sqlite
@pytest.mark.parametrize(("query", "found"), [*EVERYBODYS, *SINCE_283])
def test_a_user_looks_for_servers(
    shared_cloud: Cloud, servers: dict[str, str], query: str, found: list[str]
) -> None:
    assert names(shared_cloud, filled(shared_cloud, servers, query), version=MINOR) == found


@pytest.mark.parametrize(("query", "found"), [*EVERYBODYS, *SINCE_283, *ADMINS])
def test_an_admin_looks_for_servers(
    shared_cloud: Cloud, servers: dict[str, str], query: str, found: list[str]
) -> None:
    wanted = "all_tenants=1&" + filled(shared_cloud, servers, query)
    assert names(shared_cloud, wanted, user="admin", version=MINOR) == found


@with_sqlite
@pytest.mark.parametrize(
    ("query", "version"), [*((query, "2.82") for query, _ in SINCE_283), *((query, MINOR) for query, _ in ADMINS)]
)
def test_what_only_admins_may_look_for_is_passed_over(
    shared_cloud: Cloud, servers: dict[str, str], query: str, version: str
) -> None:
    assert names(shared_cloud, query, version=version) == BOTH


def test_a_status_that_does_not_exist_is_refused_since_2_38(shared_cloud: Cloud, servers: dict[str, str]) -> None:
    assert names(shared_cloud, "status=NONSENSE", version="2.37") == []
    assert shared_cloud.ask("GET", "/v2.1/servers?status=NONSENSE", version="2.38").status_code == 400


@with_sqlite
@pytest.mark.parametrize(
    ("query", "user", "status"),
    [
        ("status=DELETED", "demo", 403),
        ("all_tenants=1", "demo", 403),
        ("all_tenants=perhaps", "admin", 400),
        ("config_drive=perhaps", "demo", 400),
        ("power_state=on", "demo", 400),
        ("launched_at=yesterday", "demo", 400),
        ("sort_key=host", "demo", 403),
        ("sort_key=shoe_size", "demo", 400),
        ("sort_key=uuid&sort_dir=up", "demo", 400),
        ("marker=nowhere", "demo", 400),
        ("limit=-1", "demo", 400),
        ("changes-since=2020-01-02&changes-before=2020-01-01", "demo", 400),
        ("shoe_size=44", "demo", 400),
    ],
)
def test_what_cannot_be_listed_is_refused(shared_cloud: Cloud, query: str, user: str, status: int) -> None:
    assert shared_cloud.ask("GET", f"/v2.1/servers?{query}", user=user).status_code == status


@pytest.mark.parametrize(
    ("query", "user", "order"),
    [
        ("", "demo", ["beta", "alpha"]),
        ("sort_key=display_name&sort_dir=asc", "demo", ["alpha", "beta"]),
        ("sort_key=vm_state&sort_dir=desc&sort_key=display_name&sort_dir=asc", "demo", ["alpha", "beta"]),
        ("sort_key=locked&sort_dir=asc", "demo", ["beta", "alpha"]),
        ("sort_key=locked_by&sort_dir=desc", "demo", ["beta", "alpha"]),
        ("sort_key=host&sort_key=instance_type_id&sort_key=display_name&all_tenants=1", "admin", ["beta", "alpha"]),
    ],
)
def test_a_list_is_in_the_order_that_was_asked_for(
    shared_cloud: Cloud, servers: dict[str, str], query: str, user: str, order: list[str]
) -> None:
    found = shared_cloud.ask("GET", f"/v2.1/servers?{query}", user=user).json()["servers"]
    assert [server["name"] for server in found] == order


def test_an_admin_names_a_project_and_sees_deleted_servers(shared_cloud: Cloud, servers: dict[str, str]) -> None:
    project = shared_cloud.show(servers["alpha"])["tenant_id"]
    assert names(shared_cloud, f"tenant_id={project}", user="admin") == BOTH
    assert names(shared_cloud, f"project_id={project}&all_tenants=0", user="admin") == []
    gone = shared_cloud.boot("gone")
    shared_cloud.ask("DELETE", f"/v2.1/servers/{gone}")
    shared_cloud.settle()

    for query in ("deleted=true", "status=DELETED", "deleted=true&soft_deleted=true"):
        assert "gone" in names(shared_cloud, f"all_tenants=1&{query}", user="admin")
        assert "alpha" not in names(shared_cloud, f"all_tenants=1&{query}", user="admin")
    assert names(shared_cloud, "deleted=true") == BOTH
    assert "gone" in names(shared_cloud, "changes-since=2020-01-01")


@with_sqlite
def test_a_list_of_a_thousand_costs_as_many_statements_as_one_of_ten(shared_cloud: Cloud, servers: Any) -> None:
    table: Any = InstanceRow.__table__

    def add(session: Session) -> None:
        row = session.execute(sa.select(table).where(table.c.uuid == servers["beta"])).one()._asdict()
        rows = [row | {"id": 10_000 + n, "uuid": f"many-{n}", "display_name": "many"} for n in range(1000)]
        session.execute(sa.insert(table), rows)

    shared_cloud.database.run("test.add", add)
    try:
        costs = {limit: _statements(shared_cloud, limit) for limit in (10, 1000)}
    finally:
        many = sa.delete(table).where(table.c.display_name == "many")
        shared_cloud.database.run("test.remove", lambda session: session.execute(many))

    assert 1 <= costs[10] == costs[1000] <= 5, costs


def _statements(cloud: Cloud, limit: int) -> float:
    """Return how many statements a list in full takes."""
    counter = STATEMENTS.labels("server.list")._value
    before = counter.get()
    found = cloud.ask("GET", f"/v2.1/servers/detail?name=many&limit={limit}").json()["servers"]
    assert len(found) == limit
    return float(counter.get() - before)
