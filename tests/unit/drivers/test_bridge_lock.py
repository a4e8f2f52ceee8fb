"""Daemons of one host take turns at its bridges, and none stands still meanwhile."""

import subprocess
import sys
from pathlib import Path

import pytest

from nova_lite import concurrency

_PROGRAM = """
import sys
from pathlib import Path
from nova_lite import concurrency
concurrency.choose(concurrency.Mode(sys.argv[1]))
import threading
from nova_lite.drivers.net import bridges

inside, seen = [], []
arrived, everybody = [], threading.Event()

def work(number):
    arrived.append(number)
    if len(arrived) == 3:
        everybody.set()
    with bridges.locked(Path(sys.argv[2])):
        inside.append(number)
        seen.append(len(inside))
        assert everybody.wait(10), arrived
        inside.remove(number)

pool = concurrency.Pool(3)
for turn in [pool.submit(work, number) for number in range(3)]:
    turn.result(10)
assert seen == [1, 1, 1], seen
"""


@pytest.mark.parametrize("mode", list(concurrency.Mode))
def test_who_waits_for_the_bridges_lets_the_others_of_its_process_go_on(mode: concurrency.Mode, tmp_path: Path) -> None:
    argv = [sys.executable, "-W", "ignore", "-c", _PROGRAM, mode.value, str(tmp_path)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
