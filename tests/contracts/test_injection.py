"""What is written into guests' disks before they start, into real file systems: bare, in partitions, and hostile."""

import contextlib
import dataclasses
import multiprocessing
import os
import signal
import struct
import subprocess
from pathlib import Path

import pytest

from nova_lite.core import ids
from nova_lite.core.errors import DriverError
from nova_lite.drivers import shadow
from nova_lite.drivers.runner import Runner
from nova_lite.drivers.virt.guest import GuestImage, GuestSpec, Injected
from tests.cloud import wait_for
from tests.contracts.hostile_images import MIB, image_of, qemu_img
from tests.contracts.test_disks import a_spec, disks_of

KEY = "ssh-rsa AAAA user@host"
START = 2048 * 512
ALL = Injected(
    files={"/etc/motd": b"Welcome\n", "/srv/new/folder/with space": b"\0\1\2" * 5000},
    key=KEY,
    interfaces="auto eth0\n",
    metadata='{"role": "web"}',
)


def run(*words: str | Path) -> str:
    done = subprocess.run([str(word) for word in words], check=True, capture_output=True, text=True)
    return done.stdout


def ext(folder: Path) -> Path:
    """Make a file system like that of a guest."""
    top = folder / "top"
    for name in ("etc/network", "root/.ssh", "tmp"):
        (top / name).mkdir(parents=True)
    (top / "etc/shadow").write_text("root:*:19000:0:99999:7:::\nguest:*:19000:0:99999:7:::\n")
    (top / "etc/shadow").chmod(0o640)
    (top / "etc/motd").write_text("before")
    (top / "root/.ssh/authorized_keys").write_text("ssh-rsa BBBB another")
    (top / "etc/leads-out").symlink_to("/tmp")
    (top / "etc/passwd-link").symlink_to("../../../../../../etc/passwd")
    run("mke2fs", "-q", "-F", "-t", "ext4", "-E", "root_owner=0:0", "-d", top, folder / "ext", "16M")
    return folder / "ext"


def in_partition(content: Path) -> Path:
    """Put a file system into the first partition of a disk, behind a Master Boot Record."""
    data = content.read_bytes()
    record = bytearray(START)
    record[446:462] = struct.pack("<B3sB3sII", 0, b"\xfe\xff\xff", 0x83, b"\xfe\xff\xff", 2048, len(data) // 512)
    record[510:512] = b"\x55\xaa"
    disk = content.with_name("disk")
    disk.write_bytes(bytes(record) + data)
    return disk


def image(path: Path, disk_format: str = "raw") -> GuestImage:
    if disk_format == "qcow2":
        qemu_img("convert", "-f", "raw", "-O", "qcow2", path, path.with_name("sent"))
        return image_of(path.with_name("sent"), "qcow2")
    return image_of(path, "raw")


def guest_files(folder: Path, start: int) -> Path:
    """Return the file system of the guest as a file."""
    qemu_img("convert", "-O", "raw", folder / "instances" / "instance-00000001" / "disk", folder / "result")
    with (folder / "result").open("rb") as disk:
        disk.seek(start)
        (folder / "found").write_bytes(disk.read(16 * MIB))
    run("e2fsck", "-fn", folder / "found")
    return folder / "found"


def cat(files: Path, path: str) -> str:
    return run("debugfs", "-R", f'cat "{path}"', files)


def spec_with(injected: Injected) -> GuestSpec:
    return a_spec(injected=injected)


@pytest.mark.parametrize(
    ("disk_format", "partition", "flags"),
    [
        ("raw", 0, ()),
        ("raw", 1, ()),
        ("qcow2", 1, ("--noforce_raw_images",)),
        ("raw", 1, ("--nouse_cow_images",)),
    ],
)
def test_a_guest_finds_in_its_disk_what_was_written_there(
    tmp_path: Path, disk_format: str, partition: int, flags: tuple[str, ...]
) -> None:
    disk = ext(tmp_path) if partition == 0 else in_partition(ext(tmp_path))
    disks = disks_of(tmp_path, f"--libvirt_inject_partition={partition}", *flags)
    disks.create(spec_with(ALL), image(disk, disk_format))

    files = guest_files(tmp_path, 0 if partition == 0 else START)
    assert cat(files, "/etc/motd") == "Welcome\n"
    assert cat(files, "/srv/new/folder/with space").encode() == b"\0\1\2" * 5000
    assert cat(files, "/etc/network/interfaces") == "auto eth0\n"
    assert cat(files, "/meta.js") == '{"role": "web"}'
    keys = cat(files, "/root/.ssh/authorized_keys").splitlines()
    assert (keys[0], keys[-1]) == ("ssh-rsa BBBB another", KEY)
    assert "directory    Mode:  0755" in run("debugfs", "-R", "stat /srv/new/folder", files)
    assert "regular    Mode:  0644" in run("debugfs", "-R", "stat /etc/motd", files)


def test_a_name_is_not_taken_for_the_number_of_an_inode(tmp_path: Path) -> None:
    disks = disks_of(tmp_path, "--libvirt_inject_partition=0")
    disks.create(spec_with(Injected(files={"/etc/<2>": b"one", "/etc/<11>": b"two"})), image(ext(tmp_path)))

    files = guest_files(tmp_path, 0)
    assert [cat(files, "/etc/<2>"), cat(files, "/etc/<11>"), cat(files, "/etc/motd")] == ["one", "two", "before"]
    assert "Type: directory    Mode:  0755" in run("debugfs", "-R", "stat /", files)


def test_an_image_with_a_kernel_is_a_file_system_itself(tmp_path: Path) -> None:
    disks = disks_of(tmp_path, "--libvirt_inject_partition=1")
    kernel = image_of(in_partition(ext(tmp_path)), "aki")
    disks.create(spec_with(Injected(key=KEY)), dataclasses.replace(image(tmp_path / "ext"), kernel=kernel))

    assert KEY in cat(guest_files(tmp_path, 0), "/root/.ssh/authorized_keys")


def test_a_password_is_written_as_its_hash_and_the_file_stays_whose_it_was(tmp_path: Path) -> None:
    disks = disks_of(tmp_path, "--libvirt_inject_partition=0", "--libvirt_inject_password")
    hashed = shadow.hashed(Runner(), "secret word")
    disks.create(spec_with(Injected(password_hash=hashed)), image(ext(tmp_path)))

    files = guest_files(tmp_path, 0)
    lines = cat(files, "/etc/shadow").splitlines()
    assert lines == [f"root:{hashed}:19000:0:99999:7:::", "guest:*:19000:0:99999:7:::"]
    assert "Mode:  0640" in run("debugfs", "-R", "stat /etc/shadow", files)
    salt = hashed.split("$")[2]
    again = subprocess.run(
        ["openssl", "passwd", "-6", "-salt", salt, "-stdin"], input="secret word\n", capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    assert again.stdout.strip() == hashed


@pytest.mark.parametrize(
    "path",
    [
        "/etc/../../../../tmp/escaped", "/etc/leads-out/escaped", "/etc/passwd-link", '/etc/a"b',
        "/etc/a\nrm /etc/motd", "/etc/", "/etc", "/etc/motd/below",
    ],
)  # fmt: skip
def test_a_path_that_leads_elsewhere_is_refused_and_nothing_is_left(tmp_path: Path, path: str) -> None:
    escaped = Path("/tmp/escaped")
    passwd = Path("/etc/passwd").read_bytes()
    disks = disks_of(tmp_path, "--libvirt_inject_partition=0")

    with pytest.raises(DriverError, match="into the guest's disk"):
        disks.create(spec_with(Injected(files={path: b"root::0:0:::/bin/sh\n"})), image(ext(tmp_path)))

    assert not escaped.exists()
    assert Path("/etc/passwd").read_bytes() == passwd
    assert not (tmp_path / "instances" / "instance-00000001" / "disk").exists()
    disks.delete("instance-00000001")
    assert disks.names() == ()


@pytest.mark.parametrize("made", ["c 1 3", "b 7 0", "p"])
def test_a_device_is_not_written_to(tmp_path: Path, made: str) -> None:
    files = ext(tmp_path)
    subprocess.run(["debugfs", "-w", files], input=f"cd /etc\nmknod made {made}\n", text=True, check=True)
    disks = disks_of(tmp_path, "--libvirt_inject_partition=0")
    with pytest.raises(DriverError, match="is no plain file"):
        disks.create(spec_with(Injected(files={"/etc/made": b"content"})), image(files))


@pytest.mark.parametrize("path", ["root/.ssh/authorized_keys", "etc/shadow"])
def test_a_large_file_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    ext(tmp_path)
    with (tmp_path / "top" / path).open("r+b") as file:
        file.truncate(64 * MIB)
    run("mke2fs", "-q", "-F", "-t", "ext4", "-E", "root_owner=0:0", "-d", tmp_path / "top", tmp_path / "ext", "16M")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "instances"))
    disks = disks_of(tmp_path, "--libvirt_inject_partition=0", "--libvirt_inject_password")
    wanted = Injected(key=KEY) if "keys" in path else Injected(password_hash="$6$salt$hash")
    with pytest.raises(DriverError, match="too large"):
        disks.create(spec_with(wanted), image(tmp_path / "ext"))


def test_a_disk_without_room_says_so(tmp_path: Path) -> None:
    disks = disks_of(tmp_path, "--libvirt_inject_partition=0")
    with pytest.raises(DriverError, match="no room"):
        disks.create(spec_with(Injected(files={"/large": b"x" * 20 * MIB})), image(ext(tmp_path)))


@pytest.mark.parametrize(("partition", "word"), [(0, "file system is not"), (3, "no partition 3")])
def test_a_strange_disk_is_an_error_only_for_what_the_user_wants_there(
    tmp_path: Path, partition: int, word: str
) -> None:
    (tmp_path / "strange").write_bytes(b"\1" * MIB)
    disks = disks_of(tmp_path, f"--libvirt_inject_partition={partition}")
    disks.create(spec_with(Injected(key=KEY)), image(tmp_path / "strange"))

    other = dataclasses.replace(spec_with(Injected(files={"/a": b"b"})), uuid=ids.new_uuid(), name="instance-2")
    with pytest.raises(DriverError, match=word):
        disks.create(other, image(tmp_path / "strange"))


def test_nothing_is_written_where_the_operator_does_not_want_it(tmp_path: Path) -> None:
    disks = disks_of(tmp_path)
    disks.create(spec_with(ALL), image(ext(tmp_path)))
    assert cat(guest_files(tmp_path, 0), "/etc/motd") == "before"


def test_a_config_drive_may_be_fat(tmp_path: Path) -> None:
    disks = disks_of(tmp_path, "--config_drive_format=vfat")
    drive = {"openstack/latest/meta_data.json": b"{}", "openstack/content/0000": b"Welcome"}
    disks.create(a_spec(config_drive=drive), image(ext(tmp_path)))

    path = tmp_path / "instances" / "instance-00000001" / "disk.config"
    assert "config-2" in run("mlabel", "-s", "-i", path).lower()
    for name, content in drive.items():
        assert run("mtype", "-i", path, f"::{name}").encode() == content


def mounts_below(folder: Path) -> list[str]:
    return [line for line in Path("/proc/self/mounts").read_text().splitlines() if f" {folder}" in line]


def processes_of(folder: Path) -> list[str]:
    """Return the programs whose arguments name something in a folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            words = path.read_bytes()
            if str(folder).encode() in words:
                found.append(words.split(b"\0")[0].decode())
    return found


@pytest.mark.parametrize("by", ["the next daemon", "a look later"])
def test_what_a_daemon_that_is_killed_leaves_of_an_injection_is_removed(tmp_path: Path, by: str) -> None:
    disks = disks_of(tmp_path, "--libvirt_inject_partition=0")
    many = Injected(files={f"/srv/{number}": b"content" for number in range(500)})
    source = image(ext(tmp_path))
    daemon = multiprocessing.get_context("fork").Process(target=disks.create, args=(spec_with(many), source))
    daemon.start()
    assert daemon.pid is not None
    assert wait_for(lambda: mounts_below(tmp_path))
    assert disks.open_disks() == ()
    os.kill(daemon.pid, signal.SIGKILL)
    daemon.join()
    assert "qemu-storage-daemon" in processes_of(tmp_path)

    if by == "a look later":
        for name in disks.open_disks():
            disks.close_disk(name)
    else:
        disks = disks_of(tmp_path, "--libvirt_inject_partition=0")
    assert (mounts_below(tmp_path), processes_of(tmp_path), disks.open_disks()) == ([], [], ())
    disks.create(spec_with(ALL), source)
    assert cat(guest_files(tmp_path, 0), "/etc/motd") == "Welcome\n"
