"""The unmodified openstack client, command by command."""

from pathlib import Path

import pytest

from tests.cloud import Cloud

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""The client does not see which database there is, and each of its commands takes a second."""


CHANGES = (
    ("rescue", "RESCUE"),
    ("unrescue", "ACTIVE"),
    ("pause", "PAUSED"),
    ("unpause", "ACTIVE"),
    ("suspend", "SUSPENDED"),
    ("resume", "ACTIVE"),
)


def test_a_users_first_hour(cloud: Cloud, tmp_path: Path) -> None:
    cloud.image()
    assert "m1.nano" in [flavor["Name"] for flavor in cloud.openstack("flavor", "list", "-f", "json")]
    cloud.openstack("keypair", "create", "--private-key", str(tmp_path / "key"), "mine")
    options = ["--flavor", "m1.nano", "--image", "tiny", "--key-name", "mine", "--wait"]
    made = cloud.openstack("server", "create", *options, "first", "-f", "json")
    assert made["status"] == "ACTIVE"
    (listed,) = cloud.openstack("server", "list", "-f", "json")
    assert (listed["Name"], listed["Status"], listed["Image"]) == ("first", "ACTIVE", "tiny")
    for verb in (["stop"], ["start"], ["reboot"], ["reboot", "--hard"]):
        cloud.openstack("server", *verb, "first")
        cloud.settle()
    for verb, status in CHANGES:
        cloud.openstack("server", verb, "first")
        cloud.settle()
        assert cloud.show(made["id"])["status"] == status
    cloud.openstack("server", "rebuild", "--wait", "first")
    for end, ram in (("revert", 128), ("confirm", 512)):
        cloud.openstack("server", "resize", "--flavor", "m1.tiny", "--wait", "first")
        cloud.openstack("server", "resize", end, "first")
        cloud.settle()
        assert cloud.show(made["id"])["flavor"]["ram"] == ram
    # With --offload the client may ask for what the cloud does by itself and only admins may ask for.
    cloud.openstack("server", "shelve", "--wait", "first")
    cloud.settle()
    assert cloud.show(made["id"])["status"] == "SHELVED_OFFLOADED"
    cloud.openstack("server", "unshelve", "--wait", "first")
    listed = cloud.openstack("server", "migration", "list", "-f", "json", user="admin")
    assert [row["Status"] for row in listed] == ["confirmed", "reverted"]
    cloud.openstack("security", "group", "create", "web")
    cloud.openstack("server", "add", "security", "group", "first", "web")
    assert len(cloud.show(made["id"])["security_groups"]) == 2
    cloud.openstack("server", "remove", "security", "group", "first", "web")
    cloud.openstack("security", "group", "delete", "web")
    copy = cloud.openstack("server", "image", "create", "--name", "copy", "--wait", "first", "-f", "json")
    assert (copy["name"], copy["status"]) == ("copy", "active")
    cloud.openstack(
        "server", "backup", "create", "--name", "safe", "--type", "daily", "--rotate", "1", "first"
    )
    cloud.settle()
    cloud.openstack("image", "delete", "copy", "safe")
    cloud.openstack("server", "lock", "--reason", "not today", "first")
    shown = cloud.openstack("server", "show", "first", "-f", "json")
    assert (shown["status"], shown["locked"], shown["locked_reason"]) == ("ACTIVE", True, "not today")
    cloud.openstack("server", "unlock", "first")
    cloud.openstack("server", "set", "--tag", "blue", "--tag", "web", "first")
    cloud.openstack("server", "unset", "--tag", "blue", "first")
    assert cloud.openstack("server", "list", "--tags", "web", "-f", "json")[0]["Name"] == "first"
    assert cloud.openstack("server", "list", "--tags", "blue", "-f", "json") == []
    assert "simulated guest started" in cloud.openstack("console", "log", "show", "first")
    assert len(cloud.openstack("server", "event", "list", "first", "-f", "json")) == 21
    cloud.openstack("server", "set", "--property", "colour=red", "--name", "renamed", "first")
    assert cloud.openstack("server", "show", "renamed", "-f", "json")["properties"] == {"colour": "red"}
    assert cloud.openstack("port", "list", "--server", "renamed", "-f", "json")[0]["Status"] == "ACTIVE"
    cloud.openstack("server", "delete", "--wait", "renamed")
    assert cloud.openstack("server", "list", "-f", "json") == []
    cloud.openstack("keypair", "delete", "mine")


def test_what_an_operator_looks_at(cloud: Cloud) -> None:
    (hypervisor,) = cloud.openstack("hypervisor", "list", "-f", "json", user="admin")
    assert (hypervisor["Hypervisor Type"], hypervisor["State"]) == ("fake", "up")
    services = cloud.openstack("compute", "service", "list", "-f", "json", user="admin")
    assert {service["State"] for service in services} == {"up"}
    assert (
        cloud.openstack("availability", "zone", "list", "--compute", "-f", "json")[0]["Zone Name"] == "nova"
    )
    assert cloud.openstack("limits", "show", "--absolute", "-f", "json")
    cloud.openstack("usage", "list", user="admin")
    assert cloud.openstack("network", "list", "-f", "json")[0]["Name"] == "private"
    assert cloud.openstack("subnet", "list", "-f", "json")[0]["Subnet"] == "10.0.0.0/22"
    assert cloud.openstack("hypervisor", "show", "host1", "-f", "json", user="admin")["state"] == "up"
    assert cloud.openstack("host", "list", "-f", "json", user="admin")[0]["Zone"]
    assert cloud.openstack("host", "show", "host1", "-f", "json", user="admin")[0]["Project"] == "(total)"
    cloud.openstack("aggregate", "create", "--zone", "nova", "--property", "ssd=true", "fast", user="admin")
    cloud.openstack("aggregate", "add", "host", "fast", "host1", user="admin")
    assert cloud.openstack("aggregate", "show", "fast", "-f", "json", user="admin")["hosts"] == ["host1"]
    cloud.openstack("aggregate", "remove", "host", "fast", "host1", user="admin")
    cloud.openstack("aggregate", "delete", "fast", user="admin")
    cloud.openstack("compute", "service", "set", "--disable", "host1", "nova-compute", user="admin")
    cloud.openstack("compute", "service", "set", "--enable", "host1", "nova-compute", user="admin")
    cloud.openstack("quota", "set", "--instances", "12", "demo", user="admin")
    shown = {row["Resource"]: row["Limit"] for row in cloud.openstack("quota", "show", "-f", "json")}
    assert shown["instances"] == 12
    cloud.openstack("quota", "set", "--instances", "10", "demo", user="admin")
