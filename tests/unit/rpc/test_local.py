"""The bus within a process: calls, doorbells, errors, versions and what is out of reach."""

import abc
import threading

import pytest

from nova_lite.core.context import RequestContext
from nova_lite.core.errors import (
    InvalidInput,
    MessagingTimeout,
    NotFound,
    NotSupported,
    NovaError,
)
from nova_lite.rpc.contract import Contract, call, cast
from nova_lite.rpc.local import LocalTransport
from nova_lite.rpc.transport import Address, Caller, caller

CONTEXT = RequestContext(user_id="u", request_id="req-1")


class BakerContract(Contract):
    topic = "baker"
    version = "1.2"

    @call
    @abc.abstractmethod
    def bake(self, context: RequestContext, loaves: list[str], oven: str = "big") -> list[str]:
        """Bake."""

    @cast
    @abc.abstractmethod
    def ring(self, context: RequestContext, visitor: str) -> None:
        """Ring."""

    def secret_recipe(self) -> str:
        """Not for callers."""
        return "butter"


class Baker(BakerContract):
    def __init__(self, name=""):
        self.name = name
        self.rung = []
        self.heard = threading.Event()
        self.may_answer = threading.Event()
        self.may_answer.set()

    def bake(self, context, loaves, oven="big"):
        self.may_answer.wait(30)
        if "stone" in loaves:
            raise NotFound("cannot find stone")
        if "bug" in loaves:
            raise ZeroDivisionError("at line 3")
        loaves.append(f"{self.name}/{oven}/{context.request_id}")
        return loaves

    def ring(self, context, visitor):
        self.rung.append(visitor)
        self.heard.set()


@pytest.fixture
def bus():
    transport = LocalTransport(timeout=30)
    yield transport
    transport.close()


@pytest.fixture
def baker(bus):
    baker = Baker("anna")
    server = bus.serve(BakerContract, baker, "north")
    yield baker
    baker.may_answer.set()
    server.stop(5)


@pytest.fixture
def to_baker(bus, baker):
    return caller(bus, BakerContract).on("north")


def test_a_call_returns_the_answer(to_baker):
    assert to_baker.call("bake", CONTEXT, loaves=["rye"]) == ["rye", "anna/big/req-1"]


def test_nothing_is_shared_between_caller_and_server(to_baker):
    loaves = ["rye"]

    to_baker.call("bake", CONTEXT, loaves=loaves)

    assert loaves == ["rye"]


def test_an_error_of_the_server_reaches_the_caller(to_baker):
    with pytest.raises(NotFound, match="cannot find stone"):
        to_baker.call("bake", CONTEXT, loaves=["stone"])


def test_a_bug_of_the_server_reaches_the_caller_without_its_inside(to_baker):
    with pytest.raises(NovaError, match="ZeroDivisionError") as raised:
        to_baker.call("bake", CONTEXT, loaves=["bug"])

    assert "line 3" not in str(raised.value)


def test_a_doorbell_is_heard(to_baker, baker):
    to_baker.cast("ring", CONTEXT, visitor="paul")

    assert baker.heard.wait(30)
    assert baker.rung == ["paul"]


def test_a_doorbell_that_nobody_hears_is_no_error(bus):
    caller(bus, BakerContract).cast("ring", CONTEXT, visitor="paul")


def test_a_call_that_nobody_answers_ends_with_a_clear_error(bus):
    with pytest.raises(MessagingTimeout, match="nova-baker on south does not run"):
        caller(bus, BakerContract).on("south").call("bake", CONTEXT, loaves=[])


def test_a_call_that_takes_too_long_ends_by_its_deadline(bus, baker, to_baker):
    baker.may_answer.clear()
    message = '{"method":"bake","version":"1.0","context":{},"arguments":{"loaves":[]}}'

    with pytest.raises(MessagingTimeout, match=r"nova-baker on north did not answer in 0\.05 seconds"):
        bus.call(Address("baker", "north"), message, timeout=0.05)


def test_daemons_that_share_a_topic_take_turns(bus):
    servers = [bus.serve(BakerContract, Baker(name), name) for name in ("anna", "ben")]
    anyone = caller(bus, BakerContract)

    answers = {anyone.call("bake", CONTEXT, loaves=[])[0].partition("/")[0] for _ in range(4)}

    assert answers == {"anna", "ben"}
    for server in servers:
        server.stop(5)


def test_a_stopped_server_is_not_asked_any_more(bus):
    server = bus.serve(BakerContract, Baker(), "north")
    server.stop(5)

    with pytest.raises(MessagingTimeout):
        caller(bus, BakerContract).call("bake", CONTEXT, loaves=[])


def raw(to_baker, method, version="1.0", **arguments):
    """Call as a caller of another version would, who has another contract."""

    class Other(BakerContract):
        pass

    Other.version = version
    answers = Caller(to_baker.transport, Other, to_baker.address)
    text = answers.transport.call(answers.address, answers._message(method, CONTEXT, arguments))
    from nova_lite.rpc import wire

    return wire.decode_answer(text, list[str])


@pytest.mark.parametrize("method", ["secret_recipe", "__init__", "rung", "name", "methods", ""])
def test_only_declared_methods_can_be_reached(to_baker, method):
    with pytest.raises(NotSupported, match="has no method"):
        raw(to_baker, method)


@pytest.mark.parametrize("version", ["1.0", "1.1", "1.2"])
def test_an_older_caller_is_understood(to_baker, version):
    assert raw(to_baker, "bake", version, loaves=[]) == ["anna/big/req-1"]


@pytest.mark.parametrize("version", ["1.3", "2.0", "0.9", "", "x", "1.x"])
def test_a_newer_or_strange_caller_is_refused(to_baker, version):
    with pytest.raises(NotSupported, match=r"speaks version 1\.2"):
        raw(to_baker, "bake", version, loaves=[])


@pytest.mark.parametrize(
    "arguments",
    [{}, {"loaves": "rye"}, {"loaves": [1]}, {"loaves": [], "butter": True}, {"loaves": [], "context": {}}],
)
def test_arguments_that_were_not_declared_are_refused(to_baker, arguments):
    with pytest.raises(InvalidInput):
        raw(to_baker, "bake", **arguments)
