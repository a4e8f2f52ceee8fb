"""The door to serial ports: nobody stands in it for long."""

import contextlib
import socket
import threading
import time
from pathlib import Path

from nova_lite.compute.serial import SerialDoor, SerialPorts
from nova_lite.drivers.virt.base import HostResources
from nova_lite.drivers.virt.fake import FakeVirtDriver


def test_who_never_says_where_to_makes_room_for_others(tmp_path: Path) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    driver = FakeVirtDriver(tmp_path, hostname="host1", size=HostResources("host1", 1, 1, 1, 1, 1, "{}"))
    door = SerialDoor(SerialPorts(driver, "127.0.0.1", port), lambda: listener, most=1, hello_seconds=0.3)
    door.start()
    over = threading.Event()

    def trickle(connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while not over.wait(0.05):
                connection.sendall(b"x")

    try:
        with (
            socket.create_connection(("127.0.0.1", port), timeout=30) as slow,
            socket.create_connection(("127.0.0.1", port), timeout=30) as other,
        ):
            threading.Thread(target=trickle, args=(slow,), daemon=True).start()
            begun = time.monotonic()
            other.sendall(b"CONNECT /guess HTTP/1.1\r\n\r\n")
            assert b" 404 " in other.recv(64)
            assert time.monotonic() - begun < 20
    finally:
        over.set()
        door.stop(0)
