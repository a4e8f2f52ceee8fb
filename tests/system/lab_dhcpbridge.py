"""nova-dhcpbridge in the kernel lab: has the program there call it, which has imported already what it needs."""

import json
import os
import socket
import sys

with socket.socket(socket.AF_UNIX) as connection:
    connection.connect("/run/lab-calls")
    order = {
        "main": "nova_lite.cmd.dhcpbridge:main", "argv": sys.argv, "environment": dict(os.environ),
        "namespace": f"/proc/{os.getpid()}/ns/net",
    }  # fmt: skip
    connection.sendall(json.dumps(order).encode() + b"\n")
    print(json.loads(connection.makefile().readline())["output"], end="")
