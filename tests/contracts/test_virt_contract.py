"""What every hypervisor driver promises of a guest's life: the simulated one, and libvirt with QEMU's guests."""

import json
import re
from pathlib import Path

import pytest

from nova_lite.core.errors import DriverError, NotFound, NovaError
from nova_lite.core.instance_states import PowerState
from nova_lite.drivers.virt.base import RebootKind, VirtDriver
from nova_lite.drivers.virt.guest import GuestSpec
from tests.cloud import wait_for
from tests.contracts.guests import MACHINES, NewDriver, a_spec, an_image, power_of, spawned


def test_the_host_says_how_large_it_is(driver: VirtDriver) -> None:
    found = driver.host_resources()

    assert found.hypervisor_hostname
    assert found.vcpus >= 1
    assert found.memory_mb > 64
    assert 0 <= found.disk_available_least <= found.local_gb
    assert json.loads(found.cpu_info)["arch"]
    assert driver.capabilities.hypervisor_type


@MACHINES
def test_the_host_says_since_when_it_runs(driver: VirtDriver) -> None:
    # The openstack client takes the line apart by this expression.
    assert re.match(r"\s*(.+)\sup\s+(.+),\s+(.+)\susers?,\s+load average:\s(.+)", driver.host_uptime())


def test_a_guest_is_there_from_spawn_to_destroy(driver: VirtDriver, spec: GuestSpec) -> None:
    assert driver.guest(spec.uuid) is None
    spawned(driver, spec)
    assert power_of(driver, spec) is PowerState.RUNNING
    assert [(guest.uuid, guest.name) for guest in driver.guests()] == [(spec.uuid, spec.name)]
    assert driver.leftovers() == (spec.name,)

    driver.destroy(spec.uuid)
    assert driver.guests() == ()
    assert driver.leftovers() == (spec.name,)
    driver.delete_disks(spec.uuid, spec.name)
    assert driver.leftovers() == ()


def test_everything_may_be_done_twice(driver: VirtDriver, spec: GuestSpec) -> None:
    image = an_image()
    for _ in range(2):
        driver.create_disks(spec, image)
    for _ in range(2):
        driver.spawn(spec)
    assert len(driver.guests()) == 1
    for _ in range(2):
        driver.power_off(spec.uuid, 0.2)
    for _ in range(2):
        driver.power_on(spec)
    assert power_of(driver, spec) is PowerState.RUNNING
    for _ in range(2):
        driver.destroy(spec.uuid)
    for _ in range(2):
        driver.delete_disks(spec.uuid, spec.name)
    assert (driver.guests(), driver.leftovers()) == ((), ())


@MACHINES
def test_spawn_leaves_a_running_guest_alone(driver: VirtDriver, spec: GuestSpec) -> None:
    spawned(driver, spec)
    before = driver.console_output(spec.uuid, spec.name, None)
    driver.spawn(spec)

    assert driver.console_output(spec.uuid, spec.name, None).startswith(before)
    assert power_of(driver, spec) is PowerState.RUNNING


def test_guests_outlive_the_daemon(driver: VirtDriver, new_driver: NewDriver, spec: GuestSpec) -> None:
    spawned(driver, spec)

    assert power_of(new_driver(), spec) is PowerState.RUNNING


def test_a_guest_that_ignores_the_power_button_is_stopped(driver: VirtDriver, spec: GuestSpec) -> None:
    spawned(driver, spec)
    driver.power_off(spec.uuid, 0.2)
    assert power_of(driver, spec) is PowerState.SHUTDOWN

    driver.power_on(spec)
    assert power_of(driver, spec) is PowerState.RUNNING


def test_power_on_defines_a_guest_again_that_was_forgotten(driver: VirtDriver, spec: GuestSpec) -> None:
    spawned(driver, spec)
    driver.destroy(spec.uuid)
    driver.power_on(spec)

    assert power_of(driver, spec) is PowerState.RUNNING


@pytest.mark.parametrize("kind", RebootKind)
def test_a_rebooted_guest_runs(driver: VirtDriver, spec: GuestSpec, kind: RebootKind) -> None:
    spawned(driver, spec)
    driver.reboot(spec, kind)
    assert power_of(driver, spec) is PowerState.RUNNING


@MACHINES
def test_a_hard_reboot_starts_a_guest_that_is_off(driver: VirtDriver, spec: GuestSpec) -> None:
    spawned(driver, spec)
    driver.power_off(spec.uuid, 0.2)
    driver.reboot(spec, RebootKind.HARD)

    assert power_of(driver, spec) is PowerState.RUNNING


def test_a_paused_guest_stands_still_until_it_is_unpaused(driver: VirtDriver, spec: GuestSpec) -> None:
    spawned(driver, spec)
    for _ in range(2):
        driver.pause(spec.uuid)
    assert power_of(driver, spec) is PowerState.PAUSED
    for _ in range(2):
        driver.unpause(spec.uuid)
    assert power_of(driver, spec) is PowerState.RUNNING


@MACHINES
def test_a_suspended_guest_is_off_until_it_is_resumed(
    driver: VirtDriver, new_driver: NewDriver, spec: GuestSpec
) -> None:
    spawned(driver, spec)
    driver.suspend(spec.uuid)
    assert power_of(driver, spec) is PowerState.SHUTDOWN
    again = new_driver()
    again.suspend(spec.uuid)
    assert power_of(again, spec) is PowerState.SHUTDOWN
    for _ in range(2):
        driver.resume(spec)
    assert power_of(driver, spec) is PowerState.RUNNING


@MACHINES
@pytest.mark.parametrize("before", ["pause", "suspend"])
def test_a_hard_reboot_starts_a_guest_that_stands_still(
    driver: VirtDriver, spec: GuestSpec, before: str
) -> None:
    spawned(driver, spec)
    getattr(driver, before)(spec.uuid)
    driver.reboot(spec, RebootKind.HARD)
    assert power_of(driver, spec) is PowerState.RUNNING

    # what was kept for going on is gone with it
    driver.power_off(spec.uuid, 0.2)
    with pytest.raises(DriverError):
        driver.suspend(spec.uuid)


@MACHINES
@pytest.mark.parametrize("verb", ["pause", "unpause", "suspend"])
def test_a_guest_that_is_off_cannot_stand_still(driver: VirtDriver, spec: GuestSpec, verb: str) -> None:
    spawned(driver, spec)
    driver.power_off(spec.uuid, 0.2)

    with pytest.raises(DriverError):
        getattr(driver, verb)(spec.uuid)


def test_a_guest_that_is_not_there_is_not_found(driver: VirtDriver, spec: GuestSpec) -> None:
    with pytest.raises(NotFound):
        driver.power_off(spec.uuid, 0.2)
    with pytest.raises(NotFound):
        driver.console_output(spec.uuid, spec.name, None)
    for verb in (driver.pause, driver.unpause, driver.suspend, driver.inject_crash_dump, driver.diagnostics):
        with pytest.raises(NotFound):
            verb(spec.uuid)
    with pytest.raises(NotFound):
        driver.resume(spec)
    driver.destroy(spec.uuid)
    driver.delete_disks(spec.uuid, spec.name)


def test_a_guest_without_disks_does_not_start(driver: VirtDriver, spec: GuestSpec) -> None:
    with pytest.raises(NovaError):
        driver.spawn(spec)

    driver.destroy(spec.uuid)
    driver.delete_disks(spec.uuid, spec.name)
    assert (driver.guests(), driver.leftovers()) == ((), ())


@MACHINES
def test_guests_do_not_touch_each_other(driver: VirtDriver, spec: GuestSpec) -> None:
    other = a_spec()
    spawned(driver, spec)
    spawned(driver, other)
    driver.destroy(spec.uuid)
    driver.delete_disks(spec.uuid, spec.name)

    assert [guest.uuid for guest in driver.guests()] == [other.uuid]
    assert power_of(driver, other) is PowerState.RUNNING
    assert driver.leftovers() == (other.name,)


def test_a_driver_tells_at_once_of_guests_that_change(driver: VirtDriver, spec: GuestSpec) -> None:
    told: list[tuple[str, PowerState]] = []
    driver.watch(lambda uuid, power: told.append((uuid, power)))
    spawned(driver, spec)
    assert wait_for(lambda: (spec.uuid, PowerState.RUNNING) in told)
    driver.pause(spec.uuid)
    assert wait_for(lambda: (spec.uuid, PowerState.PAUSED) in told)
    driver.power_off(spec.uuid, 0.0)
    assert wait_for(lambda: (spec.uuid, PowerState.SHUTDOWN) in told)
    driver.destroy(spec.uuid)
    assert wait_for(lambda: (spec.uuid, PowerState.NOSTATE) in told)


@MACHINES
def test_a_boot_of_the_host_is_noticed_until_that_is_noted(driver: VirtDriver, instances: Path) -> None:
    assert not driver.was_rebooted()
    driver.note_boot()
    assert not driver.was_rebooted()
    (instances / "_hosts" / "host1" / "boot_id").write_text("another boot")
    assert [driver.was_rebooted(), driver.was_rebooted()] == [True, True]
    driver.note_boot()
    assert not driver.was_rebooted()
