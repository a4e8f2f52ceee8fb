"""The inside of a server of a cloud on several hosts."""

import ipaddress
import json
from pathlib import Path

from tests.cloud import wait_for
from tests.system.config_drives import files_of
from tools.services.namespaces import Namespace, busybox

SCRIPT = Path(__file__).with_name("udhcpc.script")


class Guest:
    """The inside of a server: the namespace that its process is in."""

    def __init__(self, server_id: str, name: str, space: Namespace, drive: Path) -> None:
        self.server_id = server_id
        self.name = name
        self.space = space
        self._drive = drive

    def dhcp(self) -> str:
        """Ask for the address of the first interface as a guest does, and return it."""
        patience = ["-t", "10", "-T", str(self.space.answer_seconds)]
        self.space.run(busybox(), "udhcpc", "-i", "eth0", "-n", "-q", *patience, "-s", str(SCRIPT))
        return self.address()

    def configure(self) -> str:
        """Take the address that the config drive tells, and return it."""
        told = json.loads(files_of(self._drive)["openstack/latest/network_data.json"])
        [network] = told["networks"]
        prefix = ipaddress.ip_network(f"0.0.0.0/{network['netmask']}").prefixlen
        self.space.run("ip", "addr", "replace", f"{network['ip_address']}/{prefix}", "dev", "eth0")
        for route in network["routes"]:
            self.space.run("ip", "route", "replace", "default", "via", route["gateway"])
        return self.address()

    def address(self) -> str:
        """Return the first interface's address."""
        printed = self.space.run("ip", "-4", "-o", "addr", "show", "eth0")
        return printed.split()[3].partition("/")[0] if printed else ""

    def serve(self) -> None:
        """Answer who connects to port 80 with the guest's name, and what comes to port 7 with the same."""
        self.space.start(busybox(), "nc", "-ll", "-p", "80", "-e", "/bin/echo", self.name)
        self.space.start(busybox(), "nc", "-ll", "-p", "7", "-e", "/bin/cat")
        assert wait_for(lambda: self._listening() >= {"80", "7"}, 30 * self.space.slowness)

    def _listening(self) -> set[str]:
        """Return the ports on which something listens."""
        printed = self.space.run("ss", "-Hltn")
        return {line.split()[3].rpartition(":")[2] for line in printed.splitlines()}

    def reaches(self, address: str) -> bool:
        """Tell whether the guest gets an answer to one ping."""
        return self.space.succeeds("ping", "-c", "1", "-W", str(self.space.answer_seconds), address)

    def lookup(self, name: str) -> str:
        """Ask the way out of the network, which is the DHCP server, for the address of a name."""
        gateway = self.space.run("ip", "route", "show", "default").split()[2]
        return self.space.run(busybox(), "nslookup", name, gateway, check=False)

    def metadata(self, path: str) -> str:
        """Return what the metadata service tells the guest."""
        limited = [busybox(), "timeout", str(5 * self.space.slowness)]
        fetch = [busybox(), "wget", "-q", "-O", "-", f"http://169.254.169.254/{path}"]
        return self.space.run(*limited, *fetch)
