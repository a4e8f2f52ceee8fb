"""What is told of a server process that another program may have started."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tools.services import process
from tools.services.process import Service, free_port


def test_a_server_that_is_dead_and_not_yet_reaped_does_not_run(tmp_path: Path) -> None:
    server = subprocess.Popen(["/bin/sleep", "600"])
    (tmp_path / "pid").write_text(str(server.pid))
    assert Service(tmp_path).pid == server.pid
    server.kill()
    os.waitid(os.P_PID, server.pid, os.WEXITED | os.WNOWAIT)

    assert Service(tmp_path).pid is None
    server.wait()
    assert Service(tmp_path).pid is None


def test_no_two_processes_are_given_the_same_port(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "_HIGHEST", process._LOWEST + 60)
    mine = {free_port() for _ in range(20)}
    program = (
        "from tools.services import process\n"
        f"process._HIGHEST = {process._HIGHEST}\n"
        "print(*(process.free_port() for _ in range(20)))"
    )
    others = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)

    assert len(mine) == 20
    assert not mine & {int(word) for word in others.stdout.split()}
