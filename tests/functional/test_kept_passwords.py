"""A cloud whose operator keeps the passwords of servers back."""

from collections.abc import Iterator

import pytest

from tests.cloud import Cloud, running
from tests.functional.shapes import minors, shape


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    folder = tmp_path_factory.mktemp("kept")
    with running(folder, f"sqlite:///{folder}/nova.sqlite", "--noenable_instance_password") as cloud:
        yield cloud


@pytest.mark.parametrize("minor", sorted({*minors("create_server"), *minors("rebuild_server")}))
def test_no_answer_has_a_password(cloud: Cloud, minor: int) -> None:
    version = f"2.{minor}"
    body = {"name": "shy", "flavorRef": "6", "imageRef": cloud.image()}
    body |= {"networks": "auto"} if minor >= 37 else {}
    made = cloud.ask("POST", "/v2.1/servers", {"server": body}, version=version)
    cloud.settle()
    server_id = made.json()["server"]["id"]
    rebuilt = cloud.act(server_id, {"rebuild": {"imageRef": cloud.image()}}, version=version)
    rescued = cloud.act(server_id, {"rescue": {}}, version=version)
    cloud.delete_all()

    for call, answer in (("create_server", made), ("rebuild_server", rebuilt)):
        assert answer.status_code in shape(call, minor).statuses
        assert shape(call, minor).problems(answer.json()) == []
    assert rescued.status_code in shape("rescue_server", minor).statuses
    assert rescued.content == b""
