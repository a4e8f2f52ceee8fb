"""What projects used."""

from typing import Any

import pytest

from tests.cloud import Cloud

PATH = "/v2.1/os-simple-tenant-usage"


def test_a_project_sees_its_servers_deleted_ones_too(cloud: Cloud) -> None:
    kept, gone = cloud.boot("kept"), cloud.boot("gone")
    cloud.ask("DELETE", f"/v2.1/servers/{gone}")
    cloud.settle()
    project = cloud.show(kept)["tenant_id"]

    usage = cloud.ask("GET", f"{PATH}/{project}").json()["tenant_usage"]

    servers = {server["instance_id"]: server for server in usage["server_usages"]}
    assert (servers[kept]["state"], servers[kept]["ended_at"]) == ("active", None)
    assert (servers[gone]["state"], servers[gone]["name"]) == ("terminated", "gone")
    assert servers[gone]["ended_at"] is not None
    assert set(servers[kept]) == {
        "instance_id", "name", "tenant_id", "flavor", "state", "hours", "uptime", "vcpus", "memory_mb",
        "local_gb", "started_at", "ended_at",
    }  # fmt: skip
    used = [one["hours"] * one["vcpus"] for one in usage["server_usages"]]
    assert usage["total_vcpus_usage"] == pytest.approx(sum(used))
    assert cloud.ask("GET", f"{PATH}/{project}", user="other").status_code == 403
    past = f"{PATH}/{project}?start=2001-01-01T00:00:00&end=2001-02-01T00:00:00"
    assert cloud.ask("GET", past).json() == {"tenant_usage": {}}


def test_an_admin_sees_every_project_in_pages(cloud: Cloud) -> None:
    project = cloud.show(cloud.boot("pages", min_count=3, max_count=3))["tenant_id"]

    def ask(path: str, version: str = "2.40") -> Any:
        return cloud.ask("GET", path, user="admin", version=version).json()

    whole = ask(f"{PATH}?detailed=1", version="2.39")
    (mine,) = [usage for usage in whole["tenant_usages"] if usage["tenant_id"] == project]
    assert "tenant_usages_links" not in whole
    assert "server_usages" not in ask(PATH)["tenant_usages"][0]
    seen = [
        server["instance_id"]
        for page in cloud.pages(f"{PATH}?detailed=1&limit=2", "tenant_usages", user="admin", version="2.96")
        for usage in page["tenant_usages"]
        if usage["tenant_id"] == project
        for server in usage["server_usages"]
    ]
    assert seen == [server["instance_id"] for server in mine["server_usages"]]


@pytest.mark.parametrize("query", ["start=never", "end=soon", "start=2020-01-02&end=2020-01-01", "marker=x"])
def test_a_bad_period_or_marker_is_400(cloud: Cloud, query: str) -> None:
    assert cloud.ask("GET", f"{PATH}?{query}", user="admin").status_code == 400
