"""The first instance, made with the unmodified openstack client."""

import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any

from tools.cloud.settings import RunError, Settings, program
from tools.guest_image.build import BuildError, build

NAME = "first"
_SIMULATED = "simulated"
_BOOT_SECONDS = 240


class Client:
    """The openstack client with the demo user's credentials."""

    def __init__(self, settings: Settings, openrc: str = "openrc") -> None:
        lines = (settings.folder / openrc).read_text().splitlines()
        pairs = dict(line.removeprefix("export ").split("=", 1) for line in lines)
        self._environment = {**os.environ, **pairs}

    def run(self, *words: str) -> Any:
        """Run a command and return its JSON output; raises RunError with what the client said."""
        done = self._call(*words, "-f", "json")
        if done.returncode != 0:
            said = (done.stderr.strip().splitlines() or ["nothing"])[-1]
            raise RunError(f"openstack {' '.join(words[:2])} failed: {said}")
        return json.loads(done.stdout or "null")

    def text(self, *words: str) -> str:
        """Run a command and return what it printed, empty when it failed."""
        done = self._call(*words)
        return done.stdout if done.returncode == 0 else ""

    def _call(self, *words: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [program("openstack"), *words], env=self._environment, capture_output=True, text=True, check=False
        )


def make_image(settings: Settings) -> Path:
    """Return the guest image, built if need be; a stand-in for the simulated hypervisor. Raises RunError."""
    cache = settings.folder / "cache"
    if settings.driver == "fake":
        cache.mkdir(parents=True, exist_ok=True)
        stand_in = cache / f"{_SIMULATED}.raw"
        stand_in.write_bytes(b"a simulated guest needs no disk\n" * 32)
        return stand_in
    try:
        return build(cache)
    except BuildError as error:
        raise RunError(f"{error}.") from error


def boot(settings: Settings, image: Path) -> dict[str, Any]:
    """Make key, image, rules and instance where they are missing; returns the active instance."""
    client = Client(settings)
    servers = client.run("server", "list", "--name", f"^{NAME}$")
    if not servers:
        _prepare(client, settings, image)
        options = ["--flavor", "m1.nano", "--image", image.stem, "--key-name", NAME]
        client.run("server", "create", *options, NAME)
    elif servers[0]["Status"] == "SHUTOFF":
        client.text("server", "start", NAME)
    deadline = time.monotonic() + _BOOT_SECONDS
    while True:
        server: dict[str, Any] = client.run("server", "show", NAME)
        if server["status"] == "ACTIVE":
            return server
        if server["status"] == "ERROR":
            raise RunError(f"The instance could not be booted: {(server.get('fault') or {}).get('message')}")
        if time.monotonic() > deadline:
            raise RunError(f"The instance is {server['status']} after {_BOOT_SECONDS} seconds.")


def address_of(server: dict[str, Any]) -> str:
    """Return the first address of an instance."""
    return str(next(iter(server["addresses"].values()))[0])


def wait_until_up(settings: Settings, server: dict[str, Any]) -> str:
    """Wait until the guest says that it is ready and ssh works; returns its console. Raises RunError."""
    client = Client(settings)
    deadline = time.monotonic() + _BOOT_SECONDS
    console = ""
    while time.monotonic() < deadline:
        console = client.text("console", "log", "show", NAME)
        if settings.driver == "fake" or ("READY after" in console and _answers(settings, server)):
            return console
    last = " / ".join(console.strip().splitlines()[-3:])
    raise RunError(f"The instance runs but does not answer; the end of its console is: {last}")


def ssh_command(settings: Settings, server: dict[str, Any]) -> list[str]:
    """Return the command that logs in to the guest."""
    options = ["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR"]
    return ["ssh", "-i", str(settings.folder / f"{NAME}.pem"), *options, f"guest@{address_of(server)}"]


def _answers(settings: Settings, server: dict[str, Any]) -> bool:
    command = [*ssh_command(settings, server), "true"]
    command[1:1] = ["-o", "BatchMode=yes", "-o", "ConnectTimeout=5"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _prepare(client: Client, settings: Settings, image: Path) -> None:
    if not client.run("image", "list", "--name", image.stem):
        disk_format = image.suffix.removeprefix(".")
        options = ["--disk-format", disk_format, "--container-format", "bare", "--file", str(image)]
        client.run("image", "create", *options, image.stem)
    key = settings.folder / f"{NAME}.pem"
    if not key.exists():
        # Made here, so that nothing but the public half leaves this machine.
        key_type = ["-t", "ed25519", "-N", "", "-C", NAME, "-f", str(key)]
        subprocess.run(["ssh-keygen", "-q", *key_type], check=True)
    if NAME not in [pair["Name"] for pair in client.run("keypair", "list")]:
        client.run("keypair", "create", "--public-key", f"{key}.pub", NAME)
    rules = client.run("security", "group", "rule", "list", "default", "--ingress")
    present = {str(rule.get("IP Protocol")) for rule in rules}
    if "tcp" not in present:
        client.run("security", "group", "rule", "create", "--protocol", "tcp", "--dst-port", "22", "default")
    if "icmp" not in present:
        client.run("security", "group", "rule", "create", "--protocol", "icmp", "default")
