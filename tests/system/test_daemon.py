"""How a daemon starts, serves, hears signals and ends, in both modes of concurrency."""

import contextlib
import os
import queue
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tools.services import free_port

ROOT = Path(__file__).parents[2]
PROGRAM = Path(__file__).with_name("daemon_program.py")


class Daemon:
    """A daemon in a process, with its output as it comes."""

    def __init__(self, *arguments, folder):
        self.port, self.metrics_port = free_port(), free_port()
        self.log = folder / "log"
        environment = {name: value for name, value in os.environ.items() if name != "NOVA_CONCURRENCY"}
        self.process = subprocess.Popen(
            [
                sys.executable,
                str(PROGRAM),
                "--enabled_apis=image",
                "--image_listen=127.0.0.1",
                f"--image_listen_port={self.port}",
                f"--metrics_port={self.metrics_port}",
                f"--log_file={self.log}",
                *arguments,
            ],
            cwd=folder,
            env={**environment, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._lines = queue.Queue()
        self.seen = []
        self._reader = threading.Thread(target=self._collect, daemon=True)
        self._reader.start()

    def _collect(self):
        for line in self.process.stdout:
            self._lines.put(line.strip())

    def wait_for(self, text):
        """Read the output until it says ``text``."""
        while text not in self.seen:
            self.seen.append(self._lines.get(timeout=30))

    def logged(self, text, seconds=30):
        """Wait until the log says ``text``."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            with contextlib.suppress(FileNotFoundError):
                if text in self.log.read_text():
                    return True
            time.sleep(0.02)
        return False

    def get(self, path="/", port=None):
        with urllib.request.urlopen(f"http://127.0.0.1:{port or self.port}{path}", timeout=20) as answer:
            return answer.read().decode()

    def end(self):
        """Return the exit status, standard error, and the rest of the output in ``seen``."""
        status = self.process.wait(30)
        errors = self.process.stderr.read()
        self._reader.join(30)
        with contextlib.suppress(queue.Empty):
            while True:
                self.seen.append(self._lines.get_nowait())
        return status, errors

    def close(self):
        with contextlib.suppress(ProcessLookupError):
            self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stderr.close()


@pytest.fixture(params=["eventlet", "threading"])
def mode(request):
    return f"--concurrency={request.param}"


@pytest.fixture
def start(tmp_path, mode):
    daemons = []

    def start(*arguments):
        daemons.append(Daemon(mode, *arguments, folder=tmp_path))
        return daemons[-1]

    yield start
    for daemon in daemons:
        daemon.close()


def test_a_daemon_serves_until_a_signal_and_stops_the_last_first(start, mode):
    daemon = start()
    daemon.wait_for("start last")

    served_by = daemon.get()
    daemon.process.send_signal(signal.SIGTERM)
    status, errors = daemon.end()

    assert served_by == str(daemon.process.pid)
    assert (status, errors) == (0, "")
    assert f"concurrency {mode.partition('=')[2]}, debug False" in daemon.seen
    order = [line for line in daemon.seen if line.startswith(("start", "stop"))]
    assert order == ["start first", "start last", "stop last", "stop first"]


def test_what_is_under_way_ends_before_the_daemon(start):
    daemon = start()
    daemon.wait_for("start last")
    answers = []
    asking = threading.Thread(target=lambda: answers.append(daemon.get("/slow")))
    asking.start()
    daemon.wait_for("busy")

    daemon.process.send_signal(signal.SIGTERM)
    status, _ = daemon.end()
    asking.join()

    assert status == 0
    assert answers == [str(daemon.process.pid)]


def test_an_interrupt_from_the_terminal_stops_a_daemon(start):
    daemon = start()
    daemon.wait_for("start last")

    daemon.process.send_signal(signal.SIGINT)

    assert daemon.end()[0] == 0


def test_periodic_work_goes_on_after_an_error(start):
    daemon = start()

    daemon.wait_for("run 3")

    assert daemon.logged("work failed; it is tried again")


def test_metrics_and_health_are_shown(start):
    daemon = start()
    daemon.wait_for("start last")
    assert daemon.logged("is ready")

    assert "python_info" in daemon.get("/metrics", daemon.metrics_port)
    assert daemon.get("/healthcheck", daemon.metrics_port) == "OK\n"
    with pytest.raises(urllib.error.HTTPError, match="404"):
        daemon.get("/other", daemon.metrics_port)


@pytest.mark.parametrize(
    ("argument", "sentence"),
    [
        ("--bogus=1", "nova-test: There is no flag --bogus (on the command line).\n"),
        ("--host=broken", "nova-test: cannot find what it needs\n"),
        ("--host=buggy", "nova-test: An unexpected error prevented the operation (ZeroDivisionError).\n"),
        ("--log_file=/no/such/folder/log", "nova-test: cannot write the log:"),
        (
            "--flagfile=/no/where",
            "nova-test: cannot read the flag file /no/where: No such file or directory\n",
        ),
    ],
)
def test_what_stops_a_start_is_one_sentence(start, argument, sentence):
    daemon = start(argument)

    status, errors = daemon.end()

    assert status == 1
    assert errors.startswith(sentence)
    assert errors.count("\n") == 1


def test_a_port_that_is_taken_stops_a_start(start):
    first = start()
    first.wait_for("start last")

    second = start(f"--image_listen_port={first.port}")

    assert second.end() == (
        1,
        f"nova-test: cannot listen on 127.0.0.1:{first.port}: Address already in use\n",
    )
    assert second.seen == []


def test_flags_are_read_again_on_a_hangup_and_a_log_that_was_moved_away_is_begun_anew(start, tmp_path):
    file = tmp_path / "nova.conf"
    file.write_text("--nodebug\n")
    daemon = start(f"--flagfile={file}")
    daemon.wait_for("start last")
    assert daemon.logged("is ready")

    file.write_text("--debug\n--quota_cores=7\n")
    # As logrotate does.
    daemon.log.rename(tmp_path / "log.1")
    daemon.process.send_signal(signal.SIGHUP)

    assert daemon.logged("these flags changed and need a restart: quota_cores")
    assert daemon.get()


def test_a_mistake_in_the_flags_at_a_hangup_changes_nothing(start, tmp_path):
    file = tmp_path / "nova.conf"
    file.write_text("--nodebug\n")
    daemon = start(f"--flagfile={file}")
    daemon.wait_for("start last")
    assert daemon.logged("is ready")

    file.write_text("--bogus\n")
    daemon.process.send_signal(signal.SIGHUP)

    assert daemon.logged("the flags stay as they were: There is no flag --bogus")
    assert daemon.get()


def workers_of(daemon, count):
    """Ask until ``count`` different processes answered."""
    found = set()
    deadline = time.monotonic() + 30
    while len(found) < count and time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            found.add(daemon.get())
    return found


def test_workers_share_a_port_and_a_dead_one_is_replaced(start):
    daemon = start("--api_workers=2")
    before = workers_of(daemon, 2)
    assert len(before) == 2
    assert str(daemon.process.pid) not in before

    with pytest.raises(OSError):
        daemon.get("/die")
    after = workers_of(daemon, 2)

    assert len(after) == 2
    assert len(after - before) == 1
    assert daemon.logged("ended (signal 9)")
    daemon.process.send_signal(signal.SIGTERM)
    assert daemon.end()[0] == 0


@pytest.mark.parametrize("workers", [1, 2])
def test_systemd_hears_from_the_process_that_it_started(start, tmp_path, monkeypatch, workers):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(30)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))

        daemon = start(f"--api_workers={workers}")

        said, [(*_, credentials)], *_ = systemd.recvmsg(4096, socket.CMSG_SPACE(12))
    assert said == b"READY=1"
    assert struct.unpack("3i", credentials)[0] == daemon.process.pid
    assert daemon.get()


def test_workers_add_their_numbers_up(start):
    daemon = start("--api_workers=2")
    assert len(workers_of(daemon, 2)) == 2

    assert daemon.get("/healthcheck", daemon.metrics_port) == "OK\n"
    assert daemon.get("/metrics", daemon.metrics_port) is not None


def test_workers_do_not_outlive_their_parent(start):
    daemon = start("--api_workers=2")
    workers = workers_of(daemon, 2)

    daemon.process.kill()
    daemon.process.wait()

    deadline = time.monotonic() + 30
    while any(Path(f"/proc/{pid}").exists() for pid in workers):
        assert time.monotonic() < deadline, "a worker is still there"
        time.sleep(0.05)


def test_workers_that_cannot_start_end_the_daemon(start):
    daemon = start("--api_workers=2", "--host=broken")

    status, errors = daemon.end()

    assert status == 1
    assert set(errors.splitlines()) == {"nova-test: cannot find what it needs"}


def test_a_mode_that_is_not_known_is_named(tmp_path):
    daemon = Daemon("--concurrency=fibers", folder=tmp_path)

    assert daemon.end() == (1, "nova-test: The flag --concurrency is eventlet or threading, not 'fibers'.\n")
    daemon.close()
