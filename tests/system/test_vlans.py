"""VLANs for real, on the kernel of the lab: the machine's own has none."""

import shlex
import sys
from pathlib import Path

import pytest

from tools.kernel_lab.lab import run

TOP = Path(__file__).resolve().parents[2]


def test_projects_have_vlans_of_their_own_over_a_trunk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(TOP)
    # The lab ends as the command does, so a status of our own tells that all was seen.
    command = f"{shlex.quote(sys.executable)} -m tests.system.vlan_program && exit 7"
    done = run(["sh", "-c", command], folder=TOP / "var" / "cache", timeout=400)
    assert done.status == 7, done.output
