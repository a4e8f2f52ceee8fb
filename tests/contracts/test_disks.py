"""The files of real guests' disks: what lies in their folders, and what becomes of a host that is full."""

import dataclasses
import json
import multiprocessing
import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from nova_lite.conf import load
from nova_lite.core import ids
from nova_lite.core.errors import ConfigurationError, DriverError
from nova_lite.core.hardware import Hardware
from nova_lite.core.local_disks import EphemeralDisk
from nova_lite.drivers.virt.guest import GuestImage, GuestSpec
from nova_lite.drivers.virt.libvirt.disks import Disks
from tests.contracts.hostile_images import MIB, image_of, qemu_img

GIB = 1024 * MIB


def disks_of(folder: Path, *flags: str) -> Disks:
    conf = load(
        [f"--state_path={folder}", f"--instances_path={folder / 'instances'}", "--host=host1", *flags],
        prog="nova-compute",
    )
    disks = Disks.from_flags(conf)
    disks.start()
    return disks


def a_spec(**more: object) -> GuestSpec:
    spec = GuestSpec(uuid=ids.new_uuid(), name="instance-00000001", memory_mb=64, vcpus=1, root_gb=1)
    return dataclasses.replace(spec, **more)  # type: ignore[arg-type]


def raw_image(size: int = MIB) -> GuestImage:
    data = os.urandom(size)
    return GuestImage(ids.new_uuid(), "raw", size, lambda path: path.write_bytes(data) and None)


def info(path: Path) -> dict[str, object]:
    listed = subprocess.run(
        ["qemu-img", "info", "--output=json", str(path)], check=True, capture_output=True, text=True
    ).stdout
    found: dict[str, object] = json.loads(listed)
    return found


def contents(path: Path, folder: Path) -> Path:
    """Return a raw copy of a disk."""
    qemu_img("convert", "-O", "raw", path, folder / "copy.raw")
    return folder / "copy.raw"


def blkid(path: Path) -> dict[str, str]:
    lines = subprocess.run(
        ["blkid", "-p", "-o", "export", str(path)], check=True, capture_output=True, text=True
    ).stdout
    return dict(line.split("=", 1) for line in lines.splitlines() if "=" in line)


def test_the_disks_of_a_flavor_have_their_sizes_and_are_formatted(tmp_path: Path) -> None:
    disks = disks_of(tmp_path, "--virt_mkfs=linux=mkfs.ext4 -q -F -L mine %(target)s")
    disks.create(a_spec(ephemerals=(EphemeralDisk(1),), swap_mb=16), raw_image())
    folder = tmp_path / "instances" / "instance-00000001"

    assert [info(folder / name)["virtual-size"] for name in ("disk", "disk.local", "disk.swap")] == [
        GIB, GIB, 16 * MIB,
    ]  # fmt: skip
    local = blkid(contents(folder / "disk.local", tmp_path))
    assert (local["TYPE"], local["LABEL"]) == ("ext4", "ephemeral0")
    assert blkid(contents(folder / "disk.swap", tmp_path))["TYPE"] == "swap"
    cached = {path.name for path in (tmp_path / "instances" / "_base").iterdir()}
    assert cached >= {"ephemeral_1_default", "swap_16"}


def test_an_ephemeral_disk_has_the_file_system_that_the_operating_system_wants(tmp_path: Path) -> None:
    disks = disks_of(
        tmp_path, "--virt_mkfs=linux=mkfs.ext2 -q -F -L mine %(target)s", "--default_ephemeral_format=ext3"
    )
    for number, os_type in ((1, "linux"), (2, "../../etc")):
        spec = a_spec(name=f"instance-{number}", hardware=Hardware(os_type=os_type), ephemerals=(EphemeralDisk(1),))
        disks.create(spec, raw_image())

    found = [
        blkid(contents(tmp_path / "instances" / f"instance-{number}" / "disk.local", tmp_path))
        for number in (1, 2)
    ]
    assert [(one["TYPE"], one["LABEL"]) for one in found] == [("ext2", "mine"), ("ext3", "ephemeral0")]


def test_several_ephemeral_disks_have_labels_and_file_systems_of_their_own(tmp_path: Path) -> None:
    disks = disks_of(tmp_path)
    wanted = (EphemeralDisk(1, "ext3"), EphemeralDisk(1), EphemeralDisk(2, "ext3"))
    disks.create(a_spec(ephemerals=wanted, swap_mb=16), raw_image())

    found = disks.files("instance-00000001").disks
    assert [(disk.path.name, disk.target) for disk in found] == [
        ("disk", "vda"), ("disk.local", "vdb"), ("disk.eph1", "vdc"), ("disk.eph2", "vdd"), ("disk.swap", "vde"),
    ]  # fmt: skip
    told = [blkid(contents(disk.path, tmp_path)) for disk in found[1:4]]
    assert [(one["TYPE"], one["LABEL"]) for one in told] == [
        ("ext3", "ephemeral0"), ("ext4", "ephemeral1"), ("ext3", "ephemeral2"),
    ]  # fmt: skip


def test_a_command_that_formats_nothing_stops_the_daemon(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="virt_mkfs"):
        disks_of(tmp_path, "--virt_mkfs=mkfs.ext4")


@pytest.mark.parametrize("raw", [True, False])
def test_a_cached_image_is_raw_if_the_operator_wants(tmp_path: Path, raw: bool) -> None:
    qemu_img("create", "-q", "-f", "qcow2", tmp_path / "sent", "3M")
    disks = disks_of(tmp_path, f"--{'' if raw else 'no'}force_raw_images")
    disks.create(a_spec(), image_of(tmp_path / "sent", "qcow2"))

    disk = info(tmp_path / "instances" / "instance-00000001" / "disk")
    assert (disk["virtual-size"], disk["format"]) == (GIB, "qcow2")
    assert disk["backing-filename-format"] == ("raw" if raw else "qcow2")
    assert disks.files("instance-00000001").disks[0].disk_format == "qcow2"


def test_without_copy_on_write_a_disk_stands_for_itself_and_is_raw_whatever_its_guest_writes(
    tmp_path: Path,
) -> None:
    disks = disks_of(tmp_path, "--nouse_cow_images")
    image = raw_image()
    disks.create(a_spec(), image)
    disk = tmp_path / "instances" / "instance-00000001" / "disk"
    assert (info(disk)["format"], info(disk)["virtual-size"]) == ("raw", GIB)

    # What a guest may do: a header that refers to a file of the host.
    qemu_img("create", "-q", "-f", "qcow2", "-F", "raw", "-b", "/etc/passwd", tmp_path / "evil", "1M")
    with disk.open("r+b") as written:
        written.write((tmp_path / "evil").read_bytes())
    assert disks.files("instance-00000001").disks[0].disk_format == "raw"
    disks.snapshots.copy("instance-00000001")
    assert "backing-filename" not in info(disks.snapshots.get("instance-00000001").path)


def test_many_at_once_bring_an_image_once(tmp_path: Path) -> None:
    counter = tmp_path / "counter"
    image = raw_image()

    def fetch(path: Path) -> None:
        with counter.open("a") as lines:
            lines.write("fetched\n")
        image.fetch(path)

    counted = dataclasses.replace(image, fetch=fetch)

    def in_threads(process: int) -> None:
        disks = disks_of(tmp_path)
        threads = [
            threading.Thread(
                target=disks.create, args=(a_spec(name=f"instance-{process}{number}"), counted)
            )
            for number in range(3)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    fork = multiprocessing.get_context("fork")
    processes = [fork.Process(target=in_threads, args=(number,)) for number in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()

    assert counter.read_text().splitlines() == ["fetched"]
    assert len([*(tmp_path / "instances").glob("instance-*/disk")]) == 9


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system with little room."""
    place = tmp_path / "small"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "small", str(place)], check=True)
    yield place
    subprocess.run(["umount", str(place)], check=True)


@pytest.mark.parametrize("flag", ["--use_cow_images", "--nouse_cow_images"])
def test_a_host_that_is_full_says_so_and_keeps_nothing(small: Path, flag: str) -> None:
    disks = disks_of(small, flag)
    # Without copy on write the image itself has room, but not its copy.
    image = raw_image(8 * MIB if flag == "--use_cow_images" else 3 * MIB)

    with pytest.raises(DriverError, match="No space left"):
        disks.create(a_spec(), image)

    disks.delete("instance-00000001")
    kept = [path.name for path in small.rglob("*") if path.is_file() and path.suffix != ".lock"]
    assert len(kept) == (0 if flag == "--use_cow_images" else 1)


def test_a_disk_without_a_size_of_its_own_fits_on_the_host(small: Path, tmp_path: Path) -> None:
    disks = disks_of(small)
    qemu_img("create", "-q", "-f", "qcow2", tmp_path / "bomb", "1T")

    with pytest.raises(DriverError, match="larger than the space that the host has left"):
        disks.create(a_spec(root_gb=0), image_of(tmp_path / "bomb", "qcow2"))

    assert disks.names() == ()


def test_a_console_that_has_grown_is_shortened_and_its_end_kept(tmp_path: Path) -> None:
    disks = disks_of(tmp_path)
    disks.create(a_spec(), raw_image())
    log = tmp_path / "instances" / "instance-00000001" / "console.log"
    with log.open("ab") as guest:
        guest.write(b"x" * 5000 + b"the end\n")
        guest.flush()
        disks.consoles.bound(1024)
        assert log.stat().st_size == 1024
        # The guest goes on to write to the same file.
        guest.write(b"more\n")
        guest.flush()
    assert log.read_bytes().endswith(b"the end\nmore\n")

    disks.consoles.bound(1024)
    assert log.stat().st_size == 1029


def test_an_image_that_is_being_brought_is_not_taken_for_one_that_nobody_uses(tmp_path: Path) -> None:
    disks = disks_of(tmp_path, "--remove_unused_original_minimum_age_seconds=0")
    image = raw_image()

    def fetch(path: Path) -> None:
        image.fetch(path)
        disks.clean_cache()

    disks.create(a_spec(), dataclasses.replace(image, fetch=fetch))
    assert (tmp_path / "instances" / "instance-00000001" / "disk").exists()


def test_a_base_that_is_damaged_is_told_of_and_kept_only_while_a_guest_uses_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    disks = disks_of(tmp_path, "--checksum_base_images")
    image = raw_image()
    disks.create(a_spec(), image)
    bases = tmp_path / "instances" / "_base"
    (base,) = (path for path in bases.iterdir() if path.suffix == "")
    for _ in range(2):
        assert disks.clean_cache() == ()
    assert "damaged" not in caplog.text

    with base.open("r+b") as spoiled:
        spoiled.write(b"spoiled")
    assert disks.clean_cache() == ()
    assert f"{base} is damaged" in caplog.text
    disks.delete("instance-00000001")
    assert disks.clean_cache() == (base.name,)
    assert [path.name for path in bases.iterdir() if path.suffix != ".lock"] == []
    disks.create(a_spec(), image)
    assert not base.read_bytes().startswith(b"spoiled")


def test_a_base_was_used_last_when_its_last_guest_was_there(tmp_path: Path) -> None:
    disks = disks_of(tmp_path)
    disks.create(a_spec(), raw_image())
    (base,) = (path for path in (tmp_path / "instances" / "_base").iterdir() if path.suffix == "")
    os.utime(base, (0, 0))
    assert disks.clean_cache() == ()
    disks.delete("instance-00000001")
    assert disks.clean_cache() == ()
    os.utime(base, (0, 0))
    assert disks.clean_cache() == (base.name,)
