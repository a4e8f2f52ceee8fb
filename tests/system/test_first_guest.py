"""``make run``'s cloud with a real guest, in a network namespace: a user's whole way through it."""

import json
import os
import shlex
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.bundles import Bundle
from tests.ec2 import QUICK
from tools.client import Client
from tools.guest_image.build import build
from tools.services.namespaces import Namespace, namespaces
from tools.services.process import listens

TOP = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent


class Machine:
    """A machine of its own that runs the cloud."""

    def __init__(self, namespace: Namespace, folder: Path) -> None:
        self.namespace = namespace
        self.folder = folder
        self._client: Client | None = None

    def call(
        self, *argv: str, timeout: float = 300, **environment: str
    ) -> "subprocess.CompletedProcess[str]":
        """Run a program on the machine."""
        full = {**os.environ, "NOVA_VAR": str(self.folder), "DRIVER": "libvirt", **environment}
        return subprocess.run(
            ["ip", "netns", "exec", self.namespace.name, *argv], cwd=TOP, env=full, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=timeout, check=False,
        )  # fmt: skip

    def cloud(self, command: str) -> str:
        """Run a command of tools.cloud; returns what it printed."""
        if command == "stop" and self._client is not None:
            self._client.close()
            self._client = None
        done = self.call(sys.executable, "-m", "tools.cloud", command)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def exports(self, name: str) -> dict[str, str]:
        """Return the variables of a file that a shell would read."""
        lines = (self.folder / name).read_text().splitlines()
        return dict(line.removeprefix("export ").split("=", 1) for line in lines)

    def openstack(self, *words: str) -> Any:
        """Run a command of the openstack client as the demo user; returns its JSON, or its text."""
        if self._client is None:
            inside = ["ip", "netns", "exec", self.namespace.name]
            self._client = Client(os.environ | self.exports("openrc"), inside)
        return self._client.run(*words)

    def aws(self, *words: str) -> Any:
        """Run the aws program as the demo user; returns its JSON, or its text."""
        environment = self.exports("ec2rc") | {"AWS_DEFAULT_OUTPUT": "json", "AWS_PAGER": ""}
        done = self.call(str(BIN / "aws"), *words, **environment)
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        try:
            return json.loads(done.stdout)
        except ValueError:
            return done.stdout

    def manage(self, *words: str) -> str:
        """Run nova-manage; returns what it printed."""
        done = self.call(str(BIN / "nova-manage"), f"--flagfile={self.folder / 'nova.conf'}", *words)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def status(self, server: str) -> str:
        """Return a server's status."""
        return str(self.openstack("server", "show", server, "-f", "json")["status"])

    def ssh(self, command: list[str], words: str) -> str:
        """Log in to the guest and run a command there; empty while it does not answer."""
        with self.namespace.entered():
            # To ask whether it listens costs less than to have ssh find out, which guests that boot want the time of.
            if not eventually(lambda: listens(22, command[-1].rpartition("@")[2]), 3):
                return ""
        done = self.call(*command[:1], "-o", "BatchMode=yes", "-o", "ConnectTimeout=3", *command[1:], words)
        return done.stdout.strip()

    def doctor(self) -> str:
        """Let nova-manage look for what is amiss."""
        return self.manage("doctor")


class Ec2User:
    """The demo user with a key, by the EC2 API, and by ssh in the guests that have that key."""

    def __init__(self, machine: Machine, key: Path) -> None:
        self._machine = machine
        self.key = key
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)

    @property
    def public_key(self) -> bytes:
        return self.key.with_suffix(".pub").read_bytes()

    def client(self) -> Any:
        """Return boto3's client; to be used within the machine."""
        rc = self._machine.exports("ec2rc")
        return boto3.session.Session().client(
            "ec2", endpoint_url=rc["AWS_ENDPOINT_URL_EC2"], region_name=rc["AWS_DEFAULT_REGION"],
            aws_access_key_id=rc["AWS_ACCESS_KEY_ID"], aws_secret_access_key=rc["AWS_SECRET_ACCESS_KEY"],
        )  # fmt: skip

    def state(self, instance: str) -> str:
        """Return the state of an instance."""
        found = self._machine.aws("ec2", "describe-instances", "--instance-ids", instance)["Reservations"]
        return str(found[0]["Instances"][0]["State"]["Name"])

    def ssh(self, address: str, words: str) -> str:
        """Run a command in a guest; empty while it does not answer."""
        options = ["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR"]
        return self._machine.ssh(["ssh", "-i", str(self.key), *options, f"guest@{address}"], words)

    def boot_id(self, address: str) -> str:
        """Return what is another at each boot of a guest; empty while it does not answer."""
        return self.ssh(address, "cat /proc/sys/kernel/random/boot_id")

    def told(self, address: str, *names: str) -> list[str]:
        """Return what the metadata service tells a guest, once it answers."""
        asked = "; ".join(f"wget -q -O - http://169.254.169.254/latest/meta-data/{name}; echo" for name in names)
        assert eventually(lambda: self.ssh(address, "hostname") != "")
        return self.ssh(address, asked).splitlines()

    def upload(self) -> None:
        """Bundle the parts of the guest's image for the cloud, and upload them."""
        machine, built = self._machine, build(TOP / "var" / "cache")
        machine.manage("project", "zipfile", "demo", "demo", str(self.key.with_name("demo.zip")))
        with zipfile.ZipFile(self.key.with_name("demo.zip")) as archive:
            authority = archive.read("cacert.pem").decode()
        folder = self.key.with_name("bundles")
        folder.mkdir()
        for part, kind in (("kernel", {"kernel_id": "true"}), ("ramdisk", {"ramdisk_id": "true"}), ("root", {})):
            content = built.with_suffix(f".{part}").read_bytes()
            bundle = Bundle(part, content, authority, part_bytes=4 * 1024**2, **kind)
            for name, piece in {**bundle.parts, f"{part}.manifest.xml": bundle.manifest}.items():
                (folder / name).write_bytes(piece)
        machine.aws("s3", "mb", "s3://bundles")
        machine.aws("s3", "cp", "--recursive", "--quiet", str(folder), "s3://bundles/")

    def register(self, part: str, *needed: str) -> str:
        """Register an uploaded part; returns its id."""
        words = ["--name", f"the-{part}", "--image-location", f"bundles/{part}.manifest.xml", *needed]
        return str(self._machine.aws("ec2", "register-image", *words)["ImageId"])


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """A machine of its own; whatever runs there is ended."""
    folder, shared = tmp_path_factory.mktemp("machine"), TOP / "var" / "cache"
    # The machine has no way out to where packages come from.
    build(shared)
    (folder / "cache").symlink_to(shared)
    with namespaces(["machine"]) as (namespace,):
        found = Machine(namespace, folder)
        yield found
        found.cloud("stop")


@pytest.fixture(scope="module")
def cloud(machine: Machine) -> str:
    """The machine's cloud; what was printed at its start."""
    return machine.cloud("run")


def eventually(check: Callable[[], bool], seconds: float = 120) -> bool:
    deadline = time.monotonic() + seconds
    while not check():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def test_a_guest_stands_still_is_copied_rescued_and_made_anew(machine: Machine, cloud: str) -> None:
    login = shlex.split(next(line for line in cloud.splitlines() if line.startswith("Log in:"))[8:])
    booted = machine.ssh(login, "cat /proc/sys/kernel/random/boot_id; touch marked; sync")
    assert booted

    for verb, status, back in (("pause", "PAUSED", "unpause"), ("suspend", "SUSPENDED", "resume")):
        machine.openstack("server", verb, "first")
        assert eventually(lambda status=status: machine.status("first") == status)
        assert machine.ssh(login, "hostname") == ""
        machine.openstack("server", back, "first")
        # The guest goes on where it was; it was not booted again.
        assert eventually(lambda: machine.ssh(login, "cat /proc/sys/kernel/random/boot_id") == booted)

    machine.openstack("server", "image", "create", "--name", "copy", "--wait", "first")
    machine.openstack("server", "rescue", "first")
    assert eventually(lambda: machine.status("first") == "RESCUE")
    assert eventually(lambda: machine.ssh(login, "ls marked /dev/vdb") == "/dev/vdb")
    machine.openstack("server", "unrescue", "first")
    assert eventually(lambda: machine.ssh(login, "ls marked") == "marked")

    image = machine.openstack("image", "list", "-f", "json")
    original = next(found["Name"] for found in image if found["Name"] != "copy")
    machine.openstack("server", "rebuild", "--wait", "--image", original, "first")
    assert eventually(lambda: machine.ssh(login, "hostname; ls marked") == "first.novalocal")
    machine.openstack("server", "rebuild", "--wait", "--image", "copy", "first")
    assert eventually(lambda: machine.ssh(login, "hostname; ls marked").endswith("marked"))
    assert machine.doctor().strip() == "Nothing is amiss."


def test_a_guest_is_launched_by_boto3(machine: Machine, cloud: str, tmp_path: Path) -> None:
    user = Ec2User(machine, tmp_path / "key")
    with machine.namespace.entered():
        client = user.client()
        (image,) = client.describe_images(Filters=[{"Name": "image-type", "Values": ["machine"]},
                                                   {"Name": "name", "Values": ["guest-*"]}])["Images"]  # fmt: skip
        client.import_key_pair(KeyName="boto3", PublicKeyMaterial=user.public_key)
        group = client.create_security_group(GroupName="boto3", Description="of boto3")["GroupId"]
        client.authorize_security_group_ingress(
            GroupId=group, IpProtocol="tcp", FromPort=22, ToPort=22, CidrIp="0.0.0.0/0"
        )
        started = client.run_instances(
            ImageId=image["ImageId"], MinCount=1, MaxCount=1, InstanceType="m1.nano", KeyName="boto3",
            SecurityGroupIds=[group], UserData="#!/bin/sh\ntouch /home/guest/told",
        )["Instances"][0]  # fmt: skip
        instance = started["InstanceId"]
        for waited in ("instance_exists", "instance_running", "instance_status_ok"):
            client.get_waiter(waited).wait(InstanceIds=[instance], WaiterConfig=QUICK)
        client.create_tags(Resources=[instance], Tags=[{"Key": "Name", "Value": "of boto3"}])
        address = client.allocate_address(Domain="vpc")
        client.associate_address(InstanceId=instance, AllocationId=address["AllocationId"])

    told = user.told(address["PublicIp"], "instance-id", "public-ipv4", "public-keys/", "tags/instance/Name",
                     "ami-id", "ami-manifest-path")  # fmt: skip
    assert told == [instance, address["PublicIp"], "0=boto3", "of boto3", image["ImageId"], "(unknown)"]
    assert user.ssh(address["PublicIp"], "ls /home/guest/told") == "/home/guest/told"

    with machine.namespace.entered():
        client.stop_instances(InstanceIds=[instance])
        client.get_waiter("instance_stopped").wait(InstanceIds=[instance], WaiterConfig=QUICK)
        client.start_instances(InstanceIds=[instance])
        client.get_waiter("instance_running").wait(InstanceIds=[instance], WaiterConfig=QUICK)
        assert "READY after" in client.get_console_output(InstanceId=instance)["Output"]
        client.disassociate_address(PublicIp=address["PublicIp"])
        client.release_address(AllocationId=address["AllocationId"])
        client.terminate_instances(InstanceIds=[instance])
        client.get_waiter("instance_terminated").wait(InstanceIds=[instance], WaiterConfig=QUICK)
        client.delete_security_group(GroupId=group)
        client.delete_key_pair(KeyName="boto3")
    assert machine.doctor().strip() == "Nothing is amiss."


def test_a_guest_of_a_bundle_is_launched_by_the_aws_program(machine: Machine, cloud: str, tmp_path: Path) -> None:
    user = Ec2User(machine, tmp_path / "key")
    user.upload()
    kernel, ramdisk = user.register("kernel"), user.register("ramdisk")
    image = user.register("root", "--kernel-id", kernel, "--ramdisk-id", ramdisk)
    machine.aws("ec2", "wait", "image-available", "--image-ids", kernel, ramdisk, image)
    machine.aws("ec2", "import-key-pair", "--key-name", "aws", "--public-key-material", f"fileb://{user.key}.pub")
    group = machine.aws("ec2", "create-security-group", "--group-name", "aws", "--description", "of aws")["GroupId"]
    machine.aws("ec2", "authorize-security-group-ingress", "--group-id", group, "--protocol", "tcp", "--port", "22",
                "--cidr", "0.0.0.0/0")  # fmt: skip

    started = machine.aws(
        "ec2", "run-instances", "--image-id", image, "--count", "1", "--instance-type", "m1.nano", "--key-name", "aws",
        "--security-group-ids", group,
    )["Instances"][0]  # fmt: skip
    instance = started["InstanceId"]
    machine.aws("ec2", "wait", "instance-running", "--instance-ids", instance)
    machine.aws("ec2", "create-tags", "--resources", instance, "--tags", "Key=Name,Value=of-aws")
    address = machine.aws("ec2", "allocate-address")
    machine.aws("ec2", "associate-address", "--instance-id", instance, "--allocation-id", address["AllocationId"])

    told = user.told(address["PublicIp"], "instance-id", "ami-id", "kernel-id", "ramdisk-id", "ami-manifest-path")
    assert told == [instance, image, kernel, ramdisk, "bundles/root.manifest.xml"]
    assert user.ssh(address["PublicIp"], "cat /proc/cmdline") == "root=/dev/vda console=tty0 console=ttyS0"
    booted = user.boot_id(address["PublicIp"])
    machine.aws("ec2", "stop-instances", "--instance-ids", instance)
    assert eventually(lambda: user.state(instance) == "stopped")
    machine.aws("ec2", "start-instances", "--instance-ids", instance)
    assert eventually(lambda: user.boot_id(address["PublicIp"]) not in ("", booted))
    machine.aws("ec2", "release-address", "--allocation-id", address["AllocationId"])
    machine.aws("ec2", "terminate-instances", "--instance-ids", instance)
    assert eventually(lambda: user.state(instance) == "terminated")
    machine.aws("ec2", "delete-security-group", "--group-id", group)
    machine.aws("ec2", "delete-key-pair", "--key-name", "aws")
    for each in (image, ramdisk, kernel):
        machine.aws("ec2", "deregister-image", "--image-id", each)


def test_a_guest_lives_from_its_boot_to_its_end(machine: Machine, cloud: str) -> None:
    login = shlex.split(next(line for line in cloud.splitlines() if line.startswith("Log in:"))[8:])
    assert machine.ssh(login, "hostname") == "first.novalocal"
    # The client leaves itself to ssh, and is a program of its own here for that.
    words = ["server", "ssh", "--address-type", "private", "first", "--", *login[1:-1], "-l", "guest", "hostname"]
    by_client = machine.call(str(BIN / "openstack"), *words, **machine.exports("openrc"))
    assert (by_client.returncode, by_client.stdout.strip()) == (0, "first.novalocal"), by_client.stderr
    before = machine.ssh(login, "cat /proc/sys/kernel/random/boot_id")
    address = machine.openstack("server", "show", "first", "-f", "json")["addresses"]["private"][0]
    assert machine.ssh(login, "wget -q -O - http://169.254.169.254/latest/meta-data/local-ipv4") == address
    assert machine.ssh(login, "cat /sys/class/dmi/id/product_name") == "OpenStack Nova"
    assert machine.doctor().strip() == "Nothing is amiss."

    floating = machine.openstack("floating", "ip", "create", "nova", "-f", "json")["floating_ip_address"]
    machine.openstack("server", "add", "floating", "ip", "first", floating)
    by_name = [word.replace(address, floating) for word in login]
    assert machine.ssh(by_name, "cat /proc/sys/kernel/random/boot_id") == before
    assert machine.ssh(login, "wget -q -O - http://169.254.169.254/latest/meta-data/public-ipv4") == floating
    assert "SSH" in machine.ssh(login, f"nc -w 2 {floating} 22 < /dev/null | head -c 7"), "a guest reaches itself by it"
    assert machine.doctor().strip() == "Nothing is amiss."

    machine.openstack("server", "stop", "first")
    assert eventually(
        lambda: machine.openstack("server", "show", "first", "-f", "json")["status"] == "SHUTOFF"
    )
    machine.openstack("server", "start", "first")
    assert eventually(lambda: machine.ssh(login, "hostname") == "first.novalocal")
    started = machine.ssh(login, "cat /proc/sys/kernel/random/boot_id")
    assert started != before

    machine.openstack("server", "reboot", "--hard", "first")
    assert eventually(lambda: machine.ssh(login, "cat /proc/sys/kernel/random/boot_id") not in ("", started))
    assert "READY after" in machine.openstack("console", "log", "show", "first")

    machine.openstack("server", "delete", "--wait", "first")
    assert machine.doctor().strip() == "Nothing is amiss."
    assert sorted(path.name for path in (machine.folder / "instances").iterdir()) == ["_base", "_hosts"]
    machine.cloud("stop")
    left = machine.namespace.run("ip", "-br", "link") + machine.namespace.run("nft", "list", "tables")
    assert "br100" not in left
    assert "nova" not in left
    assert machine.namespace.pids() == []
