"""The list of builds of guest agents."""

from typing import Any

import requests

from tests.cloud import Cloud

BUILD = {
    "hypervisor": "kvm", "os": "linux", "architecture": "x86_64", "version": "8.0",
    "url": "http://host.example/agent", "md5hash": "add6bb58e139be103324d04d82d8f545",
}  # fmt: skip


def ask(cloud: Cloud, method: str, path: str = "", body: Any = None, user: str = "admin") -> requests.Response:
    return cloud.ask(method, f"/v2.1/os-agents{path}", body, user=user)


def test_a_build_is_added_changed_and_removed(cloud: Cloud) -> None:
    made = ask(cloud, "POST", body={"agent": BUILD}).json()["agent"]
    number = made.pop("agent_id")
    assert made == BUILD
    assert ask(cloud, "POST", body={"agent": BUILD}).status_code == 409

    change = {"version": "9.0", "url": "http://host.example/new", "md5hash": "0" * 32}
    for _ in range(2):
        answer = ask(cloud, "PUT", f"/{number}", {"para": change})
        assert answer.json() == {"agent": {"agent_id": number, **change}}

    listed = ask(cloud, "GET", "?hypervisor=kvm").json()["agents"]
    assert listed == [{"agent_id": number, **BUILD, **change}]
    assert ask(cloud, "GET", "?hypervisor=xen").json() == {"agents": []}
    assert ask(cloud, "DELETE", f"/{number}").status_code == 200
    assert ask(cloud, "DELETE", f"/{number}").status_code == 404
    assert ask(cloud, "PUT", f"/{number}", {"para": change}).status_code == 404


def test_what_is_wrong_is_refused(cloud: Cloud) -> None:
    for wrong in ({"md5hash": "x"}, {"url": "nowhere"}, {"version": ""}, {"more": "x"}):
        assert ask(cloud, "POST", body={"agent": BUILD | wrong}).status_code == 400
    for number in ("x", "-1", "9" * 20):
        assert ask(cloud, "DELETE", f"/{number}").status_code == 400
    assert ask(cloud, "GET", user="demo").status_code == 403
