"""A server of a cloud over two hosts, seen through its guest."""

import json
from collections.abc import Sequence
from typing import Any

from tools.site import ComputeHost, Site, eventually

ANYWHERE = ("--os-compute-api-version", "2.30", "--live-migration")
MICROVERSION = ("--os-compute-api-version", "2.80")
CLEAN = "Nothing is amiss."
_CRAWL = 1
WALK = 16
"""MiB a second of migrations that have to last, and of those that have to last when all was sent once."""
ROOM = {"vcpus": 3, "ram": 1536, "disk": 30}
"""What each host gives away in all: processors, MiB of memory, GiB of disk."""
_METADATA = "http://169.254.169.254/openstack/latest"


def on(host: ComputeHost) -> tuple[str, ...]:
    """Return the words of an operator who wants a server on a host."""
    return ("--os-compute-api-version", "2.74", "--host", host.name)


class Order:
    """A server that was ordered, whatever becomes of it."""

    def __init__(self, site: Site, *words: str, user: str = "demo") -> None:
        self._site = site
        self._user = user
        made = site.client("server", "create", "--network", "private", *words, "-f", "json", "order", user=user)
        self.id: str = made["id"]

    def look(self, column: str, user: str = "admin") -> Any:
        """Return what is shown of it."""
        return self._site.client("server", "show", self.id, "-f", "json", user=user).get(column)

    def fault(self, user: str = "") -> Any:
        """Wait until it has failed, and return what is told of that to its user, or to another."""
        assert eventually(lambda: self.look("status") in ("ERROR", "ACTIVE"))
        return self.look("fault", user or self._user)

    def cancel(self) -> None:
        """Delete it."""
        self._site.client("server", "delete", "--wait", self.id, user=self._user)


class Server:
    """A server with its guest, which has a file whose content is known."""

    def __init__(self, site: Site, name: str, flavor: str, *words: str) -> None:
        self._site = site
        options = ("--flavor", flavor, "--image", "small", "--key-name", "key", *words)
        self.id: str = site.client("server", "create", *options, "--wait", "-f", "json", name)["id"]
        self.address: str = site.server(self.id)["addresses"]["private"][0]
        self.mark()

    def mark(self) -> None:
        """Wait for the guest, write the file, and note when it was booted."""
        assert eventually(lambda: self.ssh("hostname"))
        self._sum = self.ssh("dd if=/dev/urandom of=data bs=64k count=32 2>/dev/null; sync; md5sum < data")
        self.booted = self.boot_id()

    def ssh(self, words: str) -> str:
        """Run a command in the guest; empty while it does not answer."""
        return self._site.ssh(self.address, words)

    def root(self, words: str) -> str:
        """Run a command in the guest as root."""
        return self._site.ssh(self.address, words, user="root")

    def told(self, file: str) -> Any:
        """Return what the metadata service tells the guest."""
        return json.loads(self.ssh(f"wget -q -O - {_METADATA}/{file}"))

    def drive(self, file: str) -> Any:
        """Return what the config drive tells the guest."""
        opened = "mkdir -p /c; mount -t vfat -o ro $(findfs LABEL=config-2) /c"
        return json.loads(self.root(f"{opened}; cat /c/openstack/latest/{file}; umount /c"))

    def boot_id(self) -> str:
        """Return what is another at each boot of the guest."""
        return self.ssh("cat /proc/sys/kernel/random/boot_id")

    def do(self, *words: str, user: str = "demo", more: Sequence[str] = ()) -> Any:
        """Run a command of the client whose last word, but for ``more``, is the server."""
        return self._site.client(*words, self.id, *more, user=user)

    @property
    def status(self) -> str:
        """What its user sees of its state."""
        return str(self._site.server(self.id)["status"])

    @property
    def task(self) -> str:
        """What its user sees being done to it."""
        return str(self._site.server(self.id)["OS-EXT-STS:task_state"])

    @property
    def host(self) -> ComputeHost:
        """The host that the cloud says it is on."""
        name = self._site.server(self.id)["OS-EXT-SRV-ATTR:host"]
        return next(host for host in self._site.hosts if host.name == name)

    @property
    def other(self) -> ComputeHost:
        """The host that it is not on."""
        here = self.host
        return next(host for host in self._site.hosts if host is not here)

    def write_scratch(self) -> None:
        """Mount the ephemeral disk and write into it what is known."""
        self.mount()
        self._scratch = self.root("dd if=/dev/urandom of=/e/data bs=64k count=32 2>/dev/null; sync; md5sum < /e/data")
        assert self._scratch

    def mount(self) -> None:
        """Mount the ephemeral disk."""
        assert eventually(lambda: self.root("mkdir -p /e; mount /dev/vdb /e; df /e | tail -1").startswith("/dev/vdb"))

    def has_scratch(self) -> bool:
        """Tell whether what was written into the ephemeral disk is there, read from the disk."""
        return eventually(lambda: self.root("echo 3 > /proc/sys/vm/drop_caches; md5sum < /e/data") == self._scratch)

    @property
    def guest(self) -> str:
        """The name by which libvirt knows its guest."""
        return str(self._site.server(self.id)["OS-EXT-SRV-ATTR:instance_name"])

    def last_message(self) -> str:
        """Return what its user is told of the last action."""
        found = self.do("server", "event", "list", "--long", "-f", "json")
        return str(max(found, key=lambda one: one["Start Time"])["Message"])

    def last_migration(self) -> dict[str, Any]:
        """Return its last migration as an operator sees it."""
        found = self._site.client(
            "server", "migration", "list", *MICROVERSION, "-f", "json", "--server", self.id, user="admin"
        )
        return dict(max(found, key=lambda one: int(one["Id"])))

    def becomes(self, status: str) -> bool:
        """Wait until it has a status and nothing is being done to it; False for an error."""
        seen: list[tuple[str, str]] = []

        def is_over() -> bool:
            found = self._site.server(self.id)
            seen.append((found["status"], str(found["OS-EXT-STS:task_state"])))
            return seen[-1] in ((status, "None"), ("ERROR", "None"))

        return eventually(is_over) and seen[-1][0] == status

    def is_whole(self) -> bool:
        """Tell whether the guest answers and its file is what it was, read from its disk."""
        return eventually(
            lambda: self.ssh("echo 3 > /proc/sys/vm/drop_caches 2>/dev/null; md5sum < data") == self._sum
        )

    def is_alone_on(self, host: ComputeHost) -> bool:
        """Tell whether the guest and its files are on one host, and nothing of it is on another."""
        return (
            [len(one.guests()) for one in self._site.hosts]
            == [len(one.files()) for one in self._site.hosts]
            == [int(one is host) for one in self._site.hosts]
        )

    def is_as_before_on(self, host: ComputeHost) -> bool:
        """Wait until it is there alone and nothing is being done to it; the guest has not noticed anything."""
        assert self.becomes("ACTIVE"), self.last_message()
        assert eventually(lambda: self.is_alone_on(host), 30)
        assert self.host is host
        return self.boot_id() == self.booted and self.is_whole()

    def begin_to_move(self, speed: int = _CRAWL) -> ComputeHost:
        """Begin a live migration that lasts, and wait until some of it is sent; returns the host that it leaves."""
        was = self.host
        was.virsh("migrate-setspeed", self.guest, str(speed))
        self.do("server", "migrate", *ANYWHERE, user="admin")
        assert eventually(was.sends)
        return was

    def writes_without_end(self) -> None:
        """Have the guest write into its memory faster than a migration that walks sends that."""
        self.root("dd if=/dev/urandom of=/run/a bs=64k count=256 2> /dev/null")
        self.root("(while cat /run/a > /run/b; do :; done) > /dev/null 2>&1 < /dev/null &")

    def writes_no_more(self) -> None:
        """Have the guest stop that."""
        self.root("rm /run/a /run/b")
