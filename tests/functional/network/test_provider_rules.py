"""What the operator lets reach no guest: kept, told to every compute host, and part of each host's filter."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from nova_lite.compute import protection
from nova_lite.core.errors import Conflict, InvalidInput, NotFound
from nova_lite.core.network import PROVIDER_GROUP
from nova_lite.db import services
from nova_lite.drivers.net.base import FilterRule
from tests.functional.network.world import ADMIN, HOST, World


@pytest.fixture
def reported(world: World) -> World:
    """The world with its compute host among the daemons."""
    report = services.ServiceReport("nova-compute", HOST, "nova")
    world.database.run("test.report", lambda session: services.report(session, report))
    return world


def in_filter(world: World) -> tuple[FilterRule, ...]:
    """The operator's rules as the filter of the host should hold them."""
    _, groups = protection.wanted_on(world.database, HOST)
    [operators] = [group for group in groups if group.id == PROVIDER_GROUP]
    return operators.rules


def test_a_rule_reaches_every_host_and_is_forgotten_again(reported: World) -> None:
    rules = reported.provider_rules
    web = rules.create(ADMIN, "10.1.0.0/16", "tcp", 80)
    assert reported.computes.heard.get(timeout=30) == [PROVIDER_GROUP]
    rules.create(ADMIN, "2001:db8::/32", "icmp", 128)
    everything = rules.create(ADMIN, "203.0.113.7")
    assert in_filter(reported) == (
        FilterRule("tcp", 80, 80, "10.1.0.0/16"),
        FilterRule("icmp", 128, -1, "2001:db8::/32", ethertype="IPv6"),
        FilterRule("", -1, -1, "203.0.113.7/32"),
    )

    def asked(session: Any) -> Any:
        return protection.groups(session, [PROVIDER_GROUP])

    assert reported.database.read("test.groups", asked)[0].rules == in_filter(reported)
    rules.delete(ADMIN, web.id)
    rules.delete(ADMIN, everything.id)
    assert [rule.cidr for rule in rules.list(ADMIN)] == ["2001:db8::/32"]
    with pytest.raises(NotFound):
        rules.delete(ADMIN, web.id)


@pytest.mark.parametrize(
    "traffic",
    [("nonsense",), ("10.0.0.0/8", "tcp", 80, 79), ("10.0.0.0/8", "", 80), ("10.0.0.0/8", "smoke")],
    ids=["cidr", "reversed", "ports of nothing", "protocol"],
)
def test_bad_rules_are_refused(reported: World, traffic: tuple[Any, ...]) -> None:
    with pytest.raises(InvalidInput):
        reported.provider_rules.create(ADMIN, *traffic)
    assert in_filter(reported) == ()


def test_the_same_rule_is_kept_once(reported: World) -> None:
    reported.provider_rules.create(ADMIN, "10.0.0.0/8", "udp", 53)
    with pytest.raises(Conflict):
        reported.provider_rules.create(ADMIN, "10.0.0.0/8", "udp", 53)
    assert len(in_filter(reported)) == 1


def test_operators_say_it_with_nova_manage(tmp_path: Path) -> None:
    manage = [
        sys.executable, "-c", "import sys; from nova_lite.cmd.manage import main; sys.exit(main())",
        f"--sql_connection=sqlite:///{tmp_path}/nova.sqlite", f"--state_path={tmp_path}",
    ]  # fmt: skip

    def say(*words: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run([*manage, *words], capture_output=True, text=True, timeout=60, check=False)

    assert say("db", "sync").returncode == 0
    ports = ("--protocol", "tcp", "--from_port", "20", "--to_port", "25")
    made = say("firewall", "create", "--cidr", "10.0.0.0/8", *ports)
    assert made.returncode == 0, made.stderr
    rule_id = made.stdout.split()[-1]
    listed = say("firewall", "list").stdout
    assert rule_id in listed and "20 to 25" in listed
