"""Runs programs in the kernel lab for a test outside of it: ``lab_program ADDRESS PREFIX PORT MAC``.

An emulated machine takes long to import what a daemon needs, so it is imported once: a daemon or a command of ours
is a fork of this process, with flags, a session and a network namespace of its own. An order is a line of JSON over
TCP, and so is its answer.
"""

import contextlib
import ctypes
import gc
import importlib
import io
import json
import os
import signal
import socketserver
import subprocess
import sys
import traceback
from pathlib import Path
from typing import Any

from nova_lite import concurrency

_LIBC = ctypes.CDLL(None, use_errno=True)
_CLONE_NEWNS, _CLONE_NEWNET, _MS_SLAVE_OF_ALL, _MNT_DETACH = 0x00020000, 0x40000000, 0x00084000, 2
_MODULES = (
    "cheroot.wsgi", "kombu.transport.pyamqp", "nova_lite.cmd.compute", "nova_lite.cmd.logs",
    "nova_lite.cmd.manage.commands", "nova_lite.cmd.metrics", "nova_lite.cmd.network",
    "nova_lite.cmd.wiring.workers", "nova_lite.compute.follower", "nova_lite.compute.manager",
    "nova_lite.db.instance_work", "nova_lite.drivers.image.files", "nova_lite.drivers.net.firewall",
    "nova_lite.drivers.net.linux", "nova_lite.network.vlan", "nova_lite.rpc.dispatch", "nova_lite.rpc.rabbit",
    "oslo_messaging._drivers.impl_rabbit", "oslo_messaging.opts", "pymysql", "sqlalchemy.dialects.mysql.pymysql",
    "tests.system.namespace_driver", "tools.cloud.cleaning",
)  # fmt: skip
"""What daemons and nova-manage need, of what some is only imported when they start to work."""
_KERNEL_MODULES = ("virtio_net", "br_netfilter", "nf_conntrack", "nf_tables", "veth", "8021q")


class Programs(socketserver.ThreadingTCPServer):
    """Runs programs, from a small process: what the large one forks takes longer to begin."""

    allow_reuse_address = True
    daemon_threads = True


class Program(socketserver.StreamRequestHandler):
    """One order to run a program: its ``argv``, ``stdin``, and the handle of a network namespace or nothing."""

    def handle(self) -> None:
        """Run it, and answer with its end."""
        order = json.loads(self.rfile.readline())
        if order["namespace"]:
            # Of this thread only.
            _enter(order["namespace"])
        done = subprocess.run(
            order["argv"], input=order["stdin"], capture_output=True, text=True, check=False
        )
        _answer(self, {"status": done.returncode, "output": done.stdout, "error": done.stderr})


class Calls(socketserver.ForkingTCPServer):
    """Calls functions of ours, each in a process of its own that has all modules in memory."""

    allow_reuse_address = True
    max_children = 1000


class LocalCalls(socketserver.ForkingMixIn, socketserver.UnixStreamServer):
    """Calls functions for programs in the lab, whatever network namespace they are in."""

    max_children = 1000


class Call(socketserver.StreamRequestHandler):
    """One order to call a function: ``main`` says ``module:function``, which gets ``argv`` as its command line.

    ``environment`` may say more of it. With ``output``, the name of a file, it is a daemon: the answer is the
    process, and the end of the connection is its end.
    """

    def handle(self) -> None:
        """Obey, and answer."""
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        order = json.loads(self.rfile.readline())
        _enter(order["namespace"])
        _show_links()
        os.environ.update(order.get("environment", {}))
        sys.argv = list(order["argv"])
        module, _, name = order["main"].partition(":")
        if "output" not in order:
            raised = ""
            with contextlib.redirect_stdout(io.StringIO()) as printed, contextlib.redirect_stderr(printed):
                try:
                    getattr(importlib.import_module(module), name)()
                except Exception:
                    raised = traceback.format_exc()
            _answer(self, {"output": printed.getvalue(), "raised": raised})
            return
        os.setsid()
        _answer(self, {"pid": os.getpid()})
        self.server.socket.close()
        with open(os.devnull) as nothing, open(order["output"], "ab") as log:
            for number, file in enumerate((nothing, log, log)):
                os.dup2(file.fileno(), number)
        getattr(importlib.import_module(module), name)()


def clean() -> None:
    """Remove what the cloud made of the host whose flags are in the file of the first argument."""
    from tools.cloud.cleaning import clean_host

    clean_host(Path(sys.argv[1]))


def _answer(handler: socketserver.StreamRequestHandler, answer: dict[str, Any]) -> None:
    handler.wfile.write(json.dumps(answer).encode() + b"\n")
    handler.wfile.flush()


def _enter(handle: str) -> None:
    """Be in a network namespace."""
    with open(handle) as namespace:
        _must(_LIBC.setns(namespace.fileno(), _CLONE_NEWNET))


def _show_links() -> None:
    """Have a /sys that tells of the links of the network namespace, as ``ip netns exec`` does it."""
    _must(_LIBC.unshare(_CLONE_NEWNS))
    _must(_LIBC.mount(b"", b"/", None, _MS_SLAVE_OF_ALL, None))
    _must(_LIBC.umount2(b"/sys", _MNT_DETACH))
    _must(_LIBC.mount(b"host", b"/sys", b"sysfs", 0, None))


def _must(result: int) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def main() -> None:
    """Prepare the lab, and obey until it is switched off: programs at the port, calls at the next."""
    address, prefix, port, mac = sys.argv[1:]
    subprocess.run(["modprobe", "-a", *_KERNEL_MODULES], check=True)
    link = _link(mac)
    subprocess.run(["ip", "addr", "add", f"{address}/{prefix}", "dev", link], check=True)
    subprocess.run(["ip", "link", "set", link, "up"], check=True)
    if os.fork() == 0:
        with Programs((address, int(port)), Program) as programs:
            programs.serve_forever()
    # Libraries that look for eventlet load it; its own resolver takes long to load and nobody here asks it.
    os.environ["EVENTLET_NO_GREENDNS"] = "yes"
    concurrency.choose(concurrency.Mode.THREADING)
    for module in _MODULES:
        importlib.import_module(module)
    importlib.import_module("sqlalchemy.orm").configure_mappers()
    gc.freeze()
    # Who has ended is asked for by nobody.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    local = LocalCalls("/run/lab-calls", Call)
    if os.fork() == 0:
        local.serve_forever()
    with Calls((address, int(port) + 1), Call) as calls:
        calls.serve_forever()


def _link(mac: str) -> str:
    """Return the name of the link with a hardware address."""
    for line in subprocess.run(
        ["ip", "-br", "link"], capture_output=True, text=True, check=True
    ).stdout.splitlines():
        name, _, found = line.split()[:3]
        if found == mac:
            return name.partition("@")[0]
    raise LookupError(mac)


if __name__ == "__main__":
    main()
