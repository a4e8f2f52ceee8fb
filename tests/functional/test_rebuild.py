"""Rebuilding servers."""

from typing import Any

import pytest

from tests.cloud import Cloud


def rebuild(cloud: Cloud, server_id: str, **fields: Any) -> Any:
    return cloud.act(server_id, {"rebuild": {"imageRef": cloud.image()} | fields})


def test_a_rebuilt_server_keeps_its_addresses_and_changes_what_was_asked(cloud: Cloud) -> None:
    server_id = cloud.boot("old", metadata={"a": "1"}, tags=["kept"])
    before = cloud.show(server_id)

    answer = rebuild(
        cloud,
        server_id,
        name="new",
        metadata={"b": "2"},
        description="again",
        adminPass="secret",
        hostname="host",
    )

    assert answer.status_code == 202
    assert answer.headers["Location"].endswith(f"/servers/{server_id}")
    assert answer.json()["server"]["adminPass"] == "secret"
    assert answer.json()["server"]["status"] == "REBUILD"
    server = cloud.show(server_id)
    assert (server["status"], server["name"], server["description"]) == ("ACTIVE", "new", "again")
    assert server["metadata"] == {"b": "2"}
    assert server["tags"] == ["kept"]
    assert server["addresses"] == before["addresses"]
    assert server["OS-SRV-USG:launched_at"] > before["OS-SRV-USG:launched_at"]
    console = cloud.act(server_id, {"os-getConsoleOutput": {}}).json()["output"]
    assert console.count("simulated guest started") == 1


def test_a_stopped_server_stays_off(cloud: Cloud) -> None:
    server_id = cloud.boot()
    cloud.act(server_id, {"os-stop": None})
    assert rebuild(cloud, server_id).status_code == 202
    assert cloud.show(server_id)["status"] == "SHUTOFF"
    assert cloud.show(server_id)["OS-EXT-STS:power_state"] == 4


def test_a_server_in_error_is_active_again(cloud: Cloud) -> None:
    server_id = cloud.boot()
    cloud.act(server_id, {"os-resetState": {"state": "error"}}, user="admin")
    assert rebuild(cloud, server_id).status_code == 202
    assert cloud.show(server_id)["status"] == "ACTIVE"


def test_a_key_pair_and_user_data_are_changed_and_taken_away(cloud: Cloud) -> None:
    key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHd2mN0Ce9Gf0a1tBNBY0rz8n7FLbZ8bYb1kJmoA5t7C demo"
    cloud.ask("POST", "/v2.1/os-keypairs", {"keypair": {"name": "mine", "public_key": key, "type": "ssh"}})
    server_id = cloud.boot(user_data="b25l")

    shown = rebuild(cloud, server_id, key_name="mine", user_data="dHdv").json()["server"]
    assert (shown["key_name"], shown["user_data"]) == ("mine", "dHdv")
    shown = rebuild(cloud, server_id, key_name=None, user_data=None).json()["server"]
    assert (shown["key_name"], shown["user_data"]) == (None, None)
    assert rebuild(cloud, server_id, key_name="nobody's").status_code == 400
    assert cloud.ask("DELETE", "/v2.1/os-keypairs/mine").ok


def test_certificates_to_trust_are_kept_changed_and_taken_away(cloud: Cloud) -> None:
    server_id = cloud.boot(trusted_image_certificates=["one", "two"])

    def trusted() -> Any:
        return cloud.show(server_id)["trusted_image_certificates"]

    assert trusted() == ["one", "two"]
    assert rebuild(cloud, server_id).json()["server"]["trusted_image_certificates"] == ["one", "two"]
    changed = rebuild(cloud, server_id, trusted_image_certificates=["three"])
    assert changed.json()["server"]["trusted_image_certificates"] == ["three"] == trusted()
    assert rebuild(cloud, server_id, trusted_image_certificates=None).status_code == 202
    assert trusted() is None
    for wrong in ([], ["a", "a"], [""], [str(number) for number in range(51)], "one", [1]):
        assert rebuild(cloud, server_id, trusted_image_certificates=wrong).status_code == 400
    body = {"rebuild": {"imageRef": cloud.image(), "trusted_image_certificates": ["one"]}}
    assert cloud.act(server_id, body, version="2.62").status_code == 400


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"imageRef": "00000000-0000-0000-0000-000000000000"}, 400),
        ({"user_data": "not base 64"}, 400),
        ({"metadata": {f"k{number}": "v" for number in range(200)}}, 403),
        ({"preserve_ephemeral": True}, 400),
    ],
)
def test_a_bad_rebuild_is_refused_and_changes_nothing(
    cloud: Cloud, fields: dict[str, Any], status: int
) -> None:
    server_id = cloud.boot("kept")
    before = cloud.show(server_id)
    assert rebuild(cloud, server_id, name="changed", **fields).status_code == status
    assert cloud.show(server_id) == before


def test_a_paused_or_foreign_server_is_not_rebuilt(cloud: Cloud) -> None:
    server_id = cloud.boot()
    body = {"rebuild": {"imageRef": cloud.image()}}
    assert cloud.act(server_id, body, user="other").status_code == 404
    cloud.act(server_id, {"pause": None})
    assert cloud.act(server_id, body).status_code == 409


@pytest.mark.parametrize("minor", [1, 8, 19, 46, 54, 57, 75, 96])
def test_the_answer_has_the_keys_of_its_version(cloud: Cloud, minor: int) -> None:
    server_id = cloud.boot()
    version = f"2.{minor}"
    body = {"rebuild": {"imageRef": cloud.image()}}
    shown = cloud.act(server_id, body, version=version).json()["server"]
    updated = cloud.ask(
        "PUT", f"/v2.1/servers/{server_id}", {"server": {"name": "x"}}, version=version
    ).json()
    added = (
        {"adminPass"} | ({"key_name"} if minor >= 54 else set()) | ({"user_data"} if minor >= 57 else set())
    )
    assert set(shown) == set(updated["server"]) | added
