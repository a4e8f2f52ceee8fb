"""Ports that are made ahead of servers, while the flows that give them to servers fail or are killed at each step."""

from typing import Any

import pytest

from nova_lite.core.instance_states import Verb
from tests.faults.stage import STAGE, Cue, Moment, end_thread, fail
from tests.faults.staged import step_names
from tests.faults.staged_cloud import StagedCloud

GIVES = (Verb.BOOT, Verb.ATTACH_INTERFACE)
POINTS = [(verb, step, moment) for verb in GIVES for step in step_names(verb) for moment in Moment]


class OnePort:
    """A port, and the orders that bring it to a server."""

    def __init__(self, cloud: StagedCloud) -> None:
        self.cloud = cloud
        found = cloud.ask("GET", "/v2.0/networks?name=private", api="network").json()["networks"]
        made = cloud.ask("POST", "/v2.0/ports", {"port": {"network_id": found[0]["id"]}}, api="network")
        assert made.status_code == 201, made.text
        self.made: dict[str, Any] = made.json()["port"]
        self.path = f"/v2.0/ports/{self.made['id']}"

    def show(self) -> dict[str, Any]:
        found: dict[str, Any] = self.cloud.ask("GET", self.path, api="network").json()["port"]
        return found

    def give(self, verb: Verb) -> str:
        """Order it for a server, with the cues that are given by then; returns the server."""
        if verb is Verb.BOOT:
            body = {"name": "vm", "flavorRef": "6", "imageRef": self.cloud.image()}
            answer = self.cloud.ask(
                "POST", "/v2.1/servers", {"server": body | {"networks": [{"port": self.made["id"]}]}}
            )
            assert answer.status_code == 202, answer.text
            return str(answer.json()["server"]["id"])
        (server,) = self.cloud.ask("GET", "/v2.1/servers").json()["servers"]
        wanted = {"interfaceAttachment": {"port_id": self.made["id"]}}
        answer = self.cloud.ask("POST", f"/v2.1/servers/{server['id']}/os-interface", wanted)
        assert answer.status_code == 200, answer.text
        return str(server["id"])

    def end(self) -> None:
        """See that it is as it was made once there are no servers, and remove it."""
        self.cloud.delete_all()
        # Each change counts, those that are taken back too.
        assert self.show() == self.made | {"revision_number": self.show()["revision_number"]}
        assert self.cloud.leaks() == []
        assert self.cloud.ask("DELETE", self.path, api="network").status_code == 204
        assert self.cloud.leaks() == []


@pytest.mark.parametrize(("verb", "step", "moment"), POINTS)
def test_a_port_comes_back_from_a_flow_that_fails(
    cloud: StagedCloud, verb: Verb, step: str, moment: Moment
) -> None:
    cloud.prepare(verb)
    port = OnePort(cloud)
    STAGE.give(Cue(f"do {step}", moment), fail(RuntimeError("something that nobody thought of")))
    port.give(verb)
    cloud.settle()
    cloud.look()

    assert port.show()["device_id"] == ""
    port.end()


@pytest.mark.parametrize(("verb", "step", "moment"), POINTS)
def test_a_port_comes_to_its_server_though_the_flow_is_killed(
    cloud: StagedCloud, verb: Verb, step: str, moment: Moment
) -> None:
    cloud.prepare(verb)
    port = OnePort(cloud)
    STAGE.give(Cue(f"do {step}", moment), end_thread)
    server_id = port.give(verb)
    cloud.settle_with_sweeps()

    assert port.show()["device_id"] == server_id
    assert port.show()["mac_address"] == port.made["mac_address"]
    port.end()
