"""Every contract between daemons: proxies and managers fill it, types fit on the wire, kinds agree."""

import inspect

import pytest

from nova_lite.core.certificate import IssuedCertificate
from nova_lite.core.console import ConsoleAddress, ConsoleType
from nova_lite.core.context import RequestContext
from nova_lite.core.diagnostics import Cpu, Diagnostics
from nova_lite.core.instance_states import PowerState
from nova_lite.core.server_migration import CarriedDisk, Traveller
from nova_lite.rpc import wire
from nova_lite.rpc.cert import CertContract, CertProxy
from nova_lite.rpc.compute import ComputeContract, ComputeProxy
from nova_lite.rpc.contract import Kind, methods
from nova_lite.rpc.network import NetworkContract, NetworkProxy
from nova_lite.rpc.scheduler import SchedulerContract, SchedulerProxy
from nova_lite.rpc.transport import Transport

PAIRS = [
    (SchedulerContract, SchedulerProxy),
    (ComputeContract, ComputeProxy),
    (NetworkContract, NetworkProxy),
    (CertContract, CertProxy),
]
METHODS = [(proxy, method) for contract, proxy in PAIRS for method in methods(contract).values()]
VALUES = {
    str: "text",
    list[str]: ["a", "b"],
    list[str] | None: ["a", "b"],
    list[int]: [1, 2],
    int | None: 3,
    ConsoleType: ConsoleType.NOVNC,
}
DIAGNOSTICS = Diagnostics(PowerState.RUNNING, "fake", "fake", 60, (Cpu(0, 5),), (), (), 512, 100)
ANSWERS = {
    "console": ConsoleAddress("127.0.0.1", 5900),
    "console_output": "text",
    "host_uptime": "text",
    "allocate": {},
    "diagnostics": DIAGNOSTICS,
    "traveller": Traveller("fake", 1, "/instances", disks=(CarriedDisk("disk", "qcow2", 5, 3),)),
    "generate_x509_cert": IssuedCertificate("certificate", "key"),
    "fetch_ca": "text",
    "fetch_crl": "text",
    "revoke_certs_by_user": 1,
    "revoke_certs_by_project": 1,
    "revoke_certs_by_user_and_project": 1,
    "decrypt_text": "text",
    "verify_signature": True,
}


class Recorder(Transport):
    """Notes what is sent."""

    def __init__(self):
        self.sent = []

    @classmethod
    def from_flags(cls, conf):
        return cls()

    def call(self, address, message, timeout=None):
        self.sent.append((Kind.CALL, address, wire.decode_request(message)))
        return wire.encode_answer(ANSWERS.get(self.sent[-1][2].method))

    def cast(self, address, message):
        self.sent.append((Kind.CAST, address, wire.decode_request(message)))

    def serve(self, contract, implementation, host):
        raise AssertionError("nothing is served here")

    def close(self):
        pass


@pytest.mark.parametrize(("proxy", "method"), METHODS, ids=lambda value: getattr(value, "name", ""))
def test_a_proxy_sends_what_the_contract_declares(proxy, method):
    transport = Recorder()
    arguments = {name: VALUES[kind] for name, kind in method.arguments.items()}

    getattr(proxy(transport), method.name)(RequestContext(), **arguments)

    kind, address, request = transport.sent[0]
    assert kind is method.kind
    assert address.topic == proxy.topic
    assert request.method == method.name
    assert {
        name: wire.decode(v, method.arguments[name]) for name, v in request.arguments.items()
    } == arguments


@pytest.mark.parametrize(("contract", "proxy"), PAIRS, ids=lambda value: value.__name__)
def test_every_abstract_method_of_a_contract_is_declared_as_call_or_cast(contract, proxy):
    abstract = {
        name for name, found in inspect.getmembers(contract) if hasattr(found, "__isabstractmethod__")
    }

    assert methods(contract).keys() == abstract


@pytest.mark.parametrize(("proxy", "method"), METHODS, ids=lambda value: getattr(value, "name", ""))
def test_nobody_waits_for_the_answer_of_a_doorbell(proxy, method):
    if method.kind is Kind.CAST:
        assert method.answer in (None, type(None))
