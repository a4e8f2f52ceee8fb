"""Every response of the compute API as strict clients want it, at every version that changes it."""

from collections.abc import Iterator

import pytest

from tests.cloud import Cloud
from tests.functional.compute_calls import CALLS, Asking
from tests.functional.shapes import calls, minors, shape

with_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""What is shown does not depend on the database."""

ELSEWHERE = {
    "create_server", "rebuild_server", "rescue_server",  # test_kept_passwords.py
    "evacuate_server", "evacuate_server_with_admin_pass",  # test_shelving.py
    "list_live_migrations",  # test_live_migration.py
    "attach_volume", "detach_volume", "show_volume_attachment", "update_attached_volume",  # there are no volumes
    "console_auth_tokens",  # has its shape since 2.99
}  # fmt: skip
"""Calls whose responses are looked at where what they need is at hand, or that have none."""

LOOKS = (
    "get_server", "list_servers", "list_servers_detail", "list_addresses", "list_addresses_by_network",
    "list_instance_actions", "show_instance_action", "list_server_metadata", "list_interfaces", "list_flavors",
    "list_flavors_details", "list_services", "list_aggregates", "list_server_groups", "list_migrations", "get_limit",
    "get_quota_set", "get_quota_set_details", "get_quota_class_set", "list_search_hypervisors",
    "list_hypervisors_detail", "get_hypervisor", "get_hypervisor_statistics", "show_server_diagnostics",
)  # fmt: skip
"""Calls that change nothing, and so can be made at every version there is."""

POINTS = [(call, minor) for call, (_, last) in CALLS.items() for minor in minors(call) if minor <= last]


@pytest.fixture(scope="module")
def server_id(shared_cloud: Cloud) -> Iterator[str]:
    yield shared_cloud.boot("shape", metadata={"a": "1"}, tags=["a"])
    shared_cloud.delete_all()


@with_sqlite
@pytest.mark.parametrize("user", ["demo", "admin"])
@pytest.mark.parametrize(("call", "minor"), POINTS)
def test_a_response_has_the_shape_of_its_version(
    shared_cloud: Cloud, server_id: str, user: str, call: str, minor: int
) -> None:
    answer = CALLS[call][0](Asking(shared_cloud, server_id, user, minor))

    wanted = shape(call, minor)
    assert answer.status_code in wanted.statuses, answer.text
    if answer.content:
        assert wanted.problems(answer.json()) == []


def test_every_call_has_its_row() -> None:
    assert CALLS.keys() | ELSEWHERE == calls()


@with_sqlite
@pytest.mark.parametrize("call", LOOKS)
def test_a_look_has_the_shape_of_each_version(shared_cloud: Cloud, server_id: str, call: str) -> None:
    ask, last = CALLS[call]
    problems = {}
    for minor in range(1, last + 1):
        answer = ask(Asking(shared_cloud, server_id, "admin", minor))
        wanted = shape(call, minor)
        assert answer.status_code in wanted.statuses, (minor, answer.text)
        if found := wanted.problems(answer.json()):
            problems[minor] = found

    assert problems == {}
