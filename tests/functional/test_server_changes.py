"""Lists by the time of the last change, of servers and of what was done to them."""

from typing import Any

import pytest

from tests.cloud import Cloud


def names(cloud: Cloud, query: dict[str, str], version: str = "2.96") -> list[str]:
    found = cloud.ask("GET", "/v2.1/servers", params=query, version=version).json()["servers"]
    return sorted(server["name"] for server in found)


def test_servers_are_found_by_when_they_changed(cloud: Cloud) -> None:
    cloud.boot("early")
    late = cloud.boot("late")
    actions = cloud.ask("GET", f"/v2.1/servers/{late}/os-instance-actions").json()["instanceActions"]
    between = actions[-1]["start_time"]
    assert names(cloud, {"changes-since": between}) == ["late"]
    assert names(cloud, {"changes-before": between}) == ["early"]
    assert names(cloud, {"changes-since": between, "changes-before": "2999-01-01T00:00:00Z"}) == ["late"]
    assert names(cloud, {"changes-before": between}, version="2.65") == ["early", "late"]


@pytest.mark.parametrize(
    "query",
    [
        {"changes-since": "yesterday"},
        {"changes-before": "tomorrow"},
        {"changes-since": "2020-01-02T00:00:00Z", "changes-before": "2020-01-01T00:00:00Z"},
    ],
)
def test_times_that_are_none_are_refused(cloud: Cloud, query: dict[str, str]) -> None:
    for path in ("/v2.1/servers", f"/v2.1/servers/{cloud.boot()}/os-instance-actions"):
        assert cloud.ask("GET", path, params=query).status_code == 400


def test_what_was_done_to_a_server_comes_in_pages(cloud: Cloud) -> None:
    server_id = cloud.boot()
    for verb in ("os-stop", "os-start", "pause", "unpause"):
        cloud.act(server_id, {verb: None})
    path = f"/v2.1/servers/{server_id}/os-instance-actions"

    def ask(query: dict[str, Any], version: str = "2.96") -> Any:
        return cloud.ask("GET", path, params=query, version=version).json()

    seen: list[str] = []
    page = ask({"limit": 2})
    while page.get("links"):
        seen += [action["action"] for action in page["instanceActions"]]
        page = ask({"limit": 2, "marker": page["instanceActions"][-1]["request_id"]})
    seen += [action["action"] for action in page["instanceActions"]]
    assert seen == ["unpause", "pause", "start", "stop", "create"]
    assert len(ask({"limit": 2}, version="2.57")["instanceActions"]) == 5
    first = ask({})["instanceActions"][-1]
    assert [
        action["action"] for action in ask({"changes-before": first["updated_at"]})["instanceActions"]
    ] == ["create"]
    assert cloud.ask("GET", path, params={"marker": "req-unheard-of"}).status_code == 400
