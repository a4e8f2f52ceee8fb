"""Every daemon has a unit of systemd's that fits to how it starts and ends."""

import configparser
import tomllib
from pathlib import Path

import pytest

from nova_lite.conf import flags

ROOT = Path(__file__).parents[2]
UNITS = {file.stem: file for file in (ROOT / "etc" / "nova_lite" / "systemd").glob("*.service")}
NO_DAEMONS = {"nova-manage", "nova-dhcpbridge"}
OUTLIVED = {"nova-all", "nova-compute", "nova-network"}
"""Daemons that start what goes on without them, and that work on the host itself."""


def section(name: str) -> configparser.SectionProxy:
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read_string(UNITS[name].read_text())
    return parser["Service"]


def test_every_daemon_has_a_unit() -> None:
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    assert set(UNITS) == set(scripts) - NO_DAEMONS


@pytest.mark.parametrize("name", UNITS)
def test_a_unit_starts_its_daemon_and_lets_it_drain(name: str) -> None:
    unit = section(name)

    assert unit["Type"] == "notify"
    assert unit["ExecStart"] == f"/usr/bin/env {name} --flagfile=/etc/nova_lite/nova.conf"
    # Workers get five seconds more than what they work on.
    assert int(unit["TimeoutStopSec"]) > flags.defaults().graceful_shutdown_timeout + 5
    assert unit["Restart"] == "on-failure"


@pytest.mark.parametrize("name", UNITS)
def test_a_unit_ends_what_its_daemon_started_unless_guests_need_it(name: str) -> None:
    unit = section(name)

    assert unit["KillMode"] == ("process" if name in OUTLIVED else "mixed")
    assert ("OOMPolicy" in unit) == (name in OUTLIVED)
    assert ("CapabilityBoundingSet" in unit) == (name not in OUTLIVED)
