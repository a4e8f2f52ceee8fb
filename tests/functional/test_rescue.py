"""Rescuing servers."""

from tests.cloud import Cloud


def test_a_server_is_rescued_from_an_image_and_brought_back(cloud: Cloud) -> None:
    server_id = cloud.boot()
    body = {"rescue": {"rescue_image_ref": cloud.image(), "adminPass": "secret"}}
    answer = cloud.act(server_id, body)
    assert (answer.status_code, answer.json()) == (200, {"adminPass": "secret"})
    assert cloud.show(server_id)["status"] == "RESCUE"
    assert cloud.show(server_id)["OS-EXT-STS:vm_state"] == "rescued"
    assert cloud.act(server_id, body).status_code == 409
    assert cloud.act(server_id, {"os-stop": None}).status_code == 409
    assert cloud.leaks() == []

    assert cloud.act(server_id, {"unrescue": None}).status_code == 202
    assert cloud.show(server_id)["status"] == "ACTIVE"


def test_a_password_is_made_where_none_is_given(cloud: Cloud) -> None:
    assert len(cloud.act(cloud.boot(), {"rescue": None}).json()["adminPass"]) >= 12


def test_a_rescue_from_an_image_that_is_not_there_changes_nothing(cloud: Cloud) -> None:
    server_id = cloud.boot()
    before = cloud.show(server_id)
    for image in ("00000000-0000-0000-0000-000000000000", "nonsense"):
        assert cloud.act(server_id, {"rescue": {"rescue_image_ref": image}}).status_code == 400
    assert cloud.show(server_id) == before


def test_a_rescued_server_may_be_deleted(cloud: Cloud) -> None:
    server_id = cloud.boot()
    cloud.act(server_id, {"rescue": {}})
    assert cloud.ask("DELETE", f"/v2.1/servers/{server_id}").status_code == 204
    cloud.settle()
    assert cloud.leaks() == []
