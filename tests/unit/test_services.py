"""What is told of a server process that another program may have started."""

import os
import subprocess
from pathlib import Path

from tools.services.process import Service


def test_a_server_that_is_dead_and_not_yet_reaped_does_not_run(tmp_path: Path) -> None:
    server = subprocess.Popen(["/bin/sleep", "600"])
    (tmp_path / "pid").write_text(str(server.pid))
    assert Service(tmp_path).pid == server.pid
    server.kill()
    os.waitid(os.P_PID, server.pid, os.WEXITED | os.WNOWAIT)

    assert Service(tmp_path).pid is None
    server.wait()
    assert Service(tmp_path).pid is None
