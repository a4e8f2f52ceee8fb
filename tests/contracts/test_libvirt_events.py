"""libvirt's own words, and a libvirtd that goes and comes: what is told of guests, and what waits for it."""

import contextlib
import dataclasses
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from nova_lite.conf import load
from nova_lite.core import ids
from nova_lite.core.errors import HypervisorUnavailable
from nova_lite.core.instance_states import PowerState
from nova_lite.drivers.virt.base import EVERY_GUEST
from nova_lite.drivers.virt.guest import GuestImage, GuestSpec
from nova_lite.drivers.virt.libvirt import connection
from nova_lite.drivers.virt.libvirt.connection import LibvirtConnection
from nova_lite.drivers.virt.libvirt.disks import Disks
from nova_lite.drivers.virt.libvirt.domains import Domains
from nova_lite.drivers.virt.libvirt.driver import LibvirtDriver
from nova_lite.drivers.virt.libvirt.migration import Migrations, MigrationSettings
from tests.cloud import wait_for
from tools.services import Libvirtd

Told = list[tuple[str, PowerState]]


@pytest.fixture(scope="module")
def one_libvirtd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Libvirtd]:
    with Libvirtd(tmp_path_factory.mktemp("libvirtd")) as libvirtd:
        yield libvirtd


@pytest.fixture
def libvirtd(one_libvirtd: Libvirtd) -> Iterator[Libvirtd]:
    """A libvirtd that may be killed: it runs again for the next test."""
    yield one_libvirtd
    if one_libvirtd.pid is None:
        one_libvirtd.start()


def driver_of(folder: Path, libvirtd: Libvirtd, patience: int) -> LibvirtDriver:
    flags = [f"--state_path={folder}", f"--instances_path={folder / 'instances'}", "--host=host1"]
    flags += [f"--libvirt_uri={libvirtd.url}", f"--libvirt_reconnect_seconds={patience}"]
    driver = LibvirtDriver.from_flags(load(flags, prog="nova-compute"))
    driver.start()
    return driver


@pytest.fixture
def spec() -> GuestSpec:
    uuid = ids.new_uuid()
    return GuestSpec(uuid=uuid, name=f"instance-{uuid[:8]}", memory_mb=64, vcpus=1, root_gb=0)


def spawned(driver: LibvirtDriver, spec: GuestSpec) -> None:
    image = GuestImage(ids.new_uuid(), "raw", 4096, lambda path: path.write_bytes(b"\1" * 4096) and None)
    driver.create_disks(spec, image)
    driver.spawn(spec)


def qemu_of(spec: GuestSpec) -> int:
    """Return the number of the process that is a guest."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if spec.uuid.encode() in words:
            return int(folder.name)
    raise AssertionError(f"no process is {spec.uuid}")


def test_a_guest_whose_process_is_killed_is_told_of(tmp_path: Path, libvirtd: Libvirtd, spec: GuestSpec) -> None:
    driver = driver_of(tmp_path, libvirtd, 5)
    told: Told = []
    driver.watch(lambda uuid, power: told.append((uuid, power)))
    spawned(driver, spec)
    assert wait_for(lambda: (spec.uuid, PowerState.RUNNING) in told)

    os.kill(qemu_of(spec), signal.SIGKILL)

    assert wait_for(lambda: (spec.uuid, PowerState.SHUTDOWN) in told)
    driver.destroy(spec.uuid)


def test_a_libvirtd_that_comes_back_is_waited_for_and_tells_of_guests_again(
    tmp_path: Path, libvirtd: Libvirtd, spec: GuestSpec
) -> None:
    driver = driver_of(tmp_path, libvirtd, 30)
    told: Told = []
    driver.watch(lambda uuid, power: told.append((uuid, power)))
    spawned(driver, spec)
    assert wait_for(lambda: (spec.uuid, PowerState.RUNNING) in told)
    told.clear()

    libvirtd.kill()
    # That it went is told by itself.
    assert wait_for(lambda: (EVERY_GUEST, PowerState.NOSTATE) in told)
    back = threading.Thread(target=libvirtd.start)
    back.start()
    guest = driver.guest(spec.uuid)
    back.join()

    assert guest is not None
    assert guest.power_state is PowerState.RUNNING
    # Of the connection that went, of the one that came, and when libvirtd had found its guests again: of one that
    # ends before, it tells nothing.
    assert wait_for(lambda: told.count((EVERY_GUEST, PowerState.NOSTATE)) >= 3)
    driver.power_off(spec.uuid, 0.0)
    assert wait_for(lambda: (spec.uuid, PowerState.SHUTDOWN) in told)
    driver.destroy(spec.uuid)


def test_a_guest_that_ends_before_a_libvirtd_that_came_back_has_found_it_is_looked_at(
    tmp_path: Path, libvirtd: Libvirtd, spec: GuestSpec
) -> None:
    driver = driver_of(tmp_path, libvirtd, 30)
    seen: list[PowerState | None] = []

    def look(uuid: str, power: PowerState) -> None:
        # As a daemon does, it goes on when nothing can be seen: libvirtd is away when other tests have ended it.
        with contextlib.suppress(HypervisorUnavailable):
            found = driver.guest(spec.uuid)
            if uuid == EVERY_GUEST:
                seen.append(None if found is None else found.power_state)

    driver.watch(look)
    spawned(driver, spec)
    qemu = qemu_of(spec)
    seen.clear()
    # It does not answer the libvirtd that comes back.
    os.kill(qemu, signal.SIGSTOP)
    libvirtd.kill()
    libvirtd.start()
    assert wait_for(lambda: PowerState.RUNNING in seen)

    os.kill(qemu, signal.SIGKILL)

    assert wait_for(lambda: PowerState.SHUTDOWN in seen)
    driver.destroy(spec.uuid)


def test_a_libvirtd_that_stays_away_puts_work_off(tmp_path: Path, libvirtd: Libvirtd, spec: GuestSpec) -> None:
    driver = driver_of(tmp_path, libvirtd, 1)
    libvirtd.kill()

    with pytest.raises(HypervisorUnavailable, match="libvirt"):
        driver.guest(spec.uuid)


def test_a_libvirtd_that_hangs_puts_work_off_until_it_answers(
    tmp_path: Path, libvirtd: Libvirtd, spec: GuestSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "_LEAST_SECONDS", 0.2)
    assert libvirtd.pid is not None
    asked = Domains(LibvirtConnection(libvirtd.url, patience=0.2))
    os.kill(libvirtd.pid, signal.SIGSTOP)
    try:
        for _ in range(2):
            with pytest.raises(HypervisorUnavailable, match="does not answer"):
                asked.guest(spec.uuid)
    finally:
        os.kill(libvirtd.pid, signal.SIGCONT)

    monkeypatch.setattr(connection, "_LEAST_SECONDS", 30.0)
    assert asked.guest(spec.uuid) is None


def test_a_guest_that_could_not_be_sent_is_not_taken_for_one_that_has_gone(
    tmp_path: Path, libvirtd: Libvirtd, spec: GuestSpec
) -> None:
    driver = driver_of(tmp_path, libvirtd, 5)
    spawned(driver, spec)
    domains = Domains(LibvirtConnection(libvirtd.url))
    conf = load([f"--state_path={tmp_path}", f"--instances_path={tmp_path / 'instances'}"], prog="nova-compute")
    # What libvirt's module does not take is no error of libvirt's.
    settings = dataclasses.replace(MigrationSettings.from_flags(conf), bandwidth=object())  # type: ignore[arg-type]
    migrations = Migrations(domains, Disks.from_flags(conf), settings)
    try:
        with pytest.raises(TypeError):
            migrations.move(spec, libvirtd.url, shared=True, watch=lambda progress: False)
        assert driver.guest(spec.uuid) is not None
    finally:
        driver.destroy(spec.uuid)
