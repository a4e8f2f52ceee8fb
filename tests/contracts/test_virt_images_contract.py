"""What every hypervisor driver promises of the images that it makes disks of."""

import dataclasses
import os
from pathlib import Path

import pytest

from nova_lite.core import ids
from nova_lite.core.errors import DriverError, NovaError
from nova_lite.core.local_disks import EphemeralDisk
from nova_lite.drivers.virt.abilities import CachesImages
from nova_lite.drivers.virt.base import VirtDriver
from nova_lite.drivers.virt.guest import GuestImage, GuestSpec
from tests.contracts import hostile_images
from tests.contracts.guests import MACHINES, a_spec, an_image


def test_an_image_that_does_not_fit_is_refused(driver: VirtDriver, spec: GuestSpec) -> None:
    small = dataclasses.replace(spec, root_gb=1)
    large = 2 * 1024**3

    def fetch(path: Path) -> None:
        path.touch()
        os.truncate(path, large)

    with pytest.raises(NovaError, match=r"larger than the flavor's disk"):
        driver.create_disks(small, GuestImage(ids.new_uuid(), "raw", large, fetch))

    driver.delete_disks(spec.uuid, spec.name)
    assert driver.leftovers() == ()


@MACHINES
@pytest.mark.parametrize("name", hostile_images.REFUSED)
def test_an_image_that_is_not_what_it_says_is_refused(
    driver: VirtDriver, spec: GuestSpec, tmp_path: Path, instances: Path, name: str
) -> None:
    make, reason = hostile_images.REFUSED[name]
    (tmp_path / "made").mkdir()
    image = make(tmp_path / "made")

    with pytest.raises(DriverError, match=reason):
        driver.create_disks(dataclasses.replace(spec, root_gb=1), image)

    assert driver.leftovers() == ()
    kept = [path.name for path in instances.glob("_base/*") if path.suffix != ".lock"]
    assert kept == []


@MACHINES
def test_a_guest_has_every_disk_of_its_flavor_and_the_kernel_of_its_image(
    driver: VirtDriver, spec: GuestSpec, instances: Path
) -> None:
    kernel, ramdisk = an_image(), an_image()
    image = dataclasses.replace(an_image(), disk_format="ami", kernel=kernel, ramdisk=ramdisk)
    spec = dataclasses.replace(spec, root_gb=1, ephemerals=(EphemeralDisk(1), EphemeralDisk(1, "ext3")), swap_mb=16)
    for _ in range(2):
        driver.create_disks(spec, image)

    names = {path.name for path in (instances / spec.name).iterdir()}
    assert names >= {"disk", "disk.local", "disk.eph1", "disk.swap", "kernel", "ramdisk"}
    driver.delete_disks(spec.uuid, spec.name)
    assert driver.leftovers() == ()


@MACHINES
def test_an_image_is_kept_while_a_guest_uses_it_and_fetched_once(driver: VirtDriver) -> None:
    assert isinstance(driver, CachesImages)
    image, fetched = an_image(), []

    def fetch(path: Path) -> None:
        fetched.append(path)
        image.fetch(path)

    counted = dataclasses.replace(image, fetch=fetch)
    first, second = a_spec(), a_spec()
    driver.create_disks(first, counted)
    driver.create_disks(second, counted)
    assert len(fetched) == 1

    driver.delete_disks(first.uuid, first.name)
    kept = driver.clean_cache()
    driver.delete_disks(second.uuid, second.name)
    gone = driver.clean_cache()
    assert not [name for name in kept if not name.endswith(".lock")]
    assert [name for name in gone if not name.endswith(".lock")]
    driver.create_disks(first, counted)
    assert len(fetched) == 2


def test_an_image_is_brought_ahead_of_its_guests(driver: VirtDriver, spec: GuestSpec) -> None:
    assert isinstance(driver, CachesImages)
    image, fetched = an_image(), []

    def fetch(path: Path) -> None:
        fetched.append(path)
        image.fetch(path)

    counted = dataclasses.replace(image, fetch=fetch)
    for _ in range(2):
        driver.cache_image(counted)
    driver.create_disks(spec, counted)
    assert len(fetched) == 1

    damaged = dataclasses.replace(an_image(), disk_format="qcow2")
    for _ in range(2):
        with pytest.raises(DriverError):
            driver.cache_image(damaged)
    assert driver.leftovers() == (spec.name,)
