"""The bus over a real RabbitMQ, between processes, in both modes of concurrency."""

import json
import os
import queue
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tools.services import Broker, free_port

ROOT = Path(__file__).parents[2]
PROGRAM = Path(__file__).with_name("rpc_program.py")


class End:
    """A process at one end of the bus."""

    def __init__(self, url, *flags):
        self.process = subprocess.Popen(
            [sys.executable, "-W", "ignore", str(PROGRAM), f"--transport_url={url}", *flags],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self._lines = queue.Queue()
        threading.Thread(target=self._collect, daemon=True).start()
        self.mode = self.next()["ready"]

    def _collect(self):
        for line in self.process.stdout:
            self._lines.put(json.loads(line))

    def say(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def next(self, timeout=60):
        return self._lines.get(timeout=timeout)

    def ask(self, line):
        """Say a line and return what comes."""
        self.say(line)
        return self.next()

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    with Broker(tmp_path_factory.mktemp("broker")) as broker:
        yield broker


@pytest.fixture(params=["eventlet", "threading"])
def mode(request):
    return request.param


@pytest.fixture
def end(mode):
    ends = []

    def end(url, *flags):
        ends.append(End(url, f"--concurrency={mode}", *flags))
        return ends[-1]

    yield end
    for made in ends:
        made.close()


@pytest.fixture
def pair(end, broker):
    """A nova-compute on a host of its own name, and a caller."""
    host = f"host-{free_port()}"
    server, client = end(broker.url), end(broker.url, "--rpc_response_timeout=30")
    assert server.ask(f"serve {host}") == {"serving": host}
    return server, client, host


def test_a_call_is_answered_by_the_daemon_of_the_host(pair, mode):
    server, client, host = pair

    answer = client.ask(f"call {host} uuid-1")

    assert server.mode == client.mode == mode
    assert answer["answer"] == f"{host}: uuid-1 5 req-7"


def test_an_error_crosses_the_bus_as_itself(pair):
    _, client, host = pair

    answer = client.ask(f"call {host} missing")

    assert (answer["error"], answer["sentence"]) == ("NotFound", "Instance missing could not be found.")


def test_a_doorbell_is_heard_and_nobody_waits(pair):
    server, client, host = pair

    rang = client.ask(f"cast {host} a,b")

    assert rang["seconds"] < 10
    assert server.next() == {"heard": ["a", "b"], "by": host}


def test_a_shared_topic_reaches_some_daemon(pair):
    _, client, _ = pair

    assert client.ask("call any uuid-1")["answer"].endswith("uuid-1 5 req-7")


def test_many_calls_at_once_get_each_its_own_answer(pair):
    _, client, host = pair

    for number in range(50):
        client.say(f"call {host} uuid-{number}")

    answers = {client.next()["answer"] for _ in range(50)}
    assert answers == {f"{host}: uuid-{number} 5 req-7" for number in range(50)}


def test_a_call_to_a_host_that_is_not_there_ends_by_its_deadline(end, broker):
    client = end(broker.url, "--rpc_response_timeout=1")

    answer = client.ask("call nowhere uuid-1")

    assert answer["error"] == "MessagingTimeout"
    assert answer["sentence"] == "nova-compute on nowhere did not answer in 1 seconds."
    assert answer["seconds"] < 30


def test_a_message_that_is_not_of_the_contract_is_refused(pair, broker):
    """Somebody who speaks oslo.messaging but not our wire reaches nothing."""
    _, client, host = pair
    program = (
        "import importlib, sys, oslo_messaging as om\n"
        "from nova_lite.rpc import rabbit\n"
        "from nova_lite.rpc.transport import Address\n"
        "bus = rabbit.RabbitTransport(sys.argv[1], {}, exchange='nova', timeout=30, workers=2)\n"
        "print(bus.call(Address('compute', sys.argv[2]), '{\"method\": \"__init__\"}'))\n"
        "bus.close()\n"
    )

    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program, broker.url, host],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert json.loads(done.stdout)["error"] == "InvalidInput"
    assert "answer" in client.ask(f"call {host} uuid-1")


def until_answered(client, line, times=10):
    """Say a call until an answer comes, a few times at most; returns what came."""
    came = [client.ask(line)]
    while "answer" not in came[-1] and len(came) < times:
        came.append(client.ask(line))
    return came


def test_without_a_broker_a_doorbell_neither_waits_nor_fails(end):
    client = end(f"rabbit://guest:guest@127.0.0.1:{free_port()}/")

    rang = client.ask("cast somewhere a")

    assert "error" not in rang
    assert rang["seconds"] < 10


def test_without_a_broker_a_call_ends_by_its_deadline(end):
    client = end(f"rabbit://guest:guest@127.0.0.1:{free_port()}/", "--rpc_response_timeout=2")

    answer = client.ask("call somewhere uuid-1")

    assert answer["error"] in ("MessagingTimeout", "Unavailable")
    assert answer["seconds"] < 30


def test_a_daemon_started_without_a_broker_serves_when_one_comes(end, tmp_path):
    late = Broker(tmp_path / "late")
    server, client = end(late.url), end(late.url, "--rpc_response_timeout=3")

    assert server.ask("serve late-host") == {"serving": "late-host"}
    with late:
        answers = until_answered(client, "call late-host uuid-1")

        assert answers[-1].get("answer") == "late-host: uuid-1 5 req-7", answers


def test_both_ends_find_a_broker_again_that_was_restarted(end, tmp_path):
    # given two ends that have spoken
    broker = Broker(tmp_path / "restarted")
    broker.start()
    try:
        server, client = end(broker.url), end(broker.url, "--rpc_response_timeout=3")
        server.ask("serve north")
        assert "answer" in until_answered(client, "call north before")[-1]

        # when the broker is away, a call waits a while and a doorbell does not
        broker.stop()
        assert client.ask("cast north lost")["seconds"] < 10
        assert "error" in client.ask("call north during")
        broker.start()

        # then both ends speak again without being restarted
        answers = until_answered(client, "call north after")
        assert answers[-1].get("answer") == "north: after 5 req-7", answers
        client.say("cast north a")
        said = [client.next(), server.next()]
        while {"heard": ["a"], "by": "north"} not in said:
            said.append(server.next())
    finally:
        broker.stop()


def test_a_second_broker_is_used_where_the_first_is_away(end, broker):
    dead = free_port()
    url = f"rabbit://guest:guest@127.0.0.1:{dead},guest:guest@127.0.0.1:{broker.port}/"
    host = f"host-{dead}"
    server, client = end(url), end(url, "--rpc_response_timeout=20")
    server.ask(f"serve {host}")

    answers = [client.ask(f"call {host} uuid-1") for _ in range(2)]

    assert answers[-1].get("answer") == f"{host}: uuid-1 5 req-7", answers


def test_the_broker_may_be_named_by_the_flags_of_essex(end, broker):
    flags = ("--rabbit_host=127.0.0.1", f"--rabbit_port={broker.port}", "--rabbit_password=guest")
    host = f"host-{free_port()}"
    server, client = end("rabbit://", *flags), end("rabbit://", *flags)
    server.ask(f"serve {host}")

    assert "answer" in client.ask(f"call {host} uuid-1")


def test_a_wrong_password_ends_a_call_by_its_deadline(end, broker):
    url = f"rabbit://guest:wrong@127.0.0.1:{broker.port}/"
    client = end(url, "--rpc_response_timeout=2")

    assert client.ask("call somewhere uuid-1")["error"] in ("MessagingTimeout", "Unavailable")


def test_a_server_that_the_broker_refused_is_heard_once_it_is_let_in(end, broker):
    host = f"host-{free_port()}"
    server = end(f"rabbit://newcomer:secret@127.0.0.1:{broker.port}/")
    client = end(broker.url, "--rpc_response_timeout=2")
    assert server.ask(f"serve {host}") == {"serving": host}

    broker.control("add_user", "newcomer", "secret")
    broker.control("set_permissions", "newcomer", ".*", ".*", ".*")
    try:
        answers = until_answered(client, f"call {host} uuid-1")
    finally:
        broker.control("delete_user", "newcomer")

    assert answers[-1].get("answer") == f"{host}: uuid-1 5 req-7", answers
