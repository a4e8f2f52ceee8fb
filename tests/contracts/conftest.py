"""A driver of every kind, on a host of its own, for the contract of hypervisor drivers; and an object store."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from nova_lite.conf import load
from nova_lite.core import clock
from nova_lite.core.objects import Bucket
from nova_lite.drivers.object.base import ObjectStore
from nova_lite.drivers.virt.base import VirtDriver
from nova_lite.drivers.virt.fake import FakeVirtDriver
from nova_lite.drivers.virt.guest import GuestSpec
from nova_lite.drivers.virt.libvirt.driver import LibvirtDriver
from tests.contracts.guests import NewDriver, a_spec
from tests.contracts.objects import make_store
from tools.services import Libvirtd

KINDS = {"fake": FakeVirtDriver, "libvirt": LibvirtDriver, "lxc": LibvirtDriver}


@pytest.fixture(scope="session")
def libvirtd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Libvirtd]:
    with Libvirtd(tmp_path_factory.mktemp("libvirtd")) as libvirtd:
        yield libvirtd


@pytest.fixture
def instances() -> Iterator[Path]:
    """A folder for guests, whose path is not longer than containers allow."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


@pytest.fixture(params=KINDS)
def new_driver(request: pytest.FixtureRequest, tmp_path: Path, instances: Path) -> NewDriver:
    """Makes drivers of the same host, as a daemon that starts again does."""
    flags = [f"--state_path={tmp_path}", f"--instances_path={instances}", "--host=host1"]
    # What no guest uses leaves the cache at once.
    flags += ["--remove_unused_original_minimum_age_seconds=0", "--remove_unused_resized_minimum_age_seconds=0"]
    flags += ["--soft_reboot_timeout=1", "--vnc_enabled", "--my_ip=127.0.0.1"]
    if request.param == "libvirt":
        flags.append(f"--libvirt_uri={request.getfixturevalue('libvirtd').url}")
    if request.param == "lxc":
        flags += ["--libvirt_type=lxc", f"--libvirt_uri={request.getfixturevalue('libvirtd').containers_url}"]
    conf = load(flags, prog="nova-compute")

    def make() -> VirtDriver:
        driver: VirtDriver = KINDS[request.param].from_flags(conf)
        driver.start()
        return driver

    return make


@pytest.fixture
def driver(new_driver: NewDriver) -> Iterator[VirtDriver]:
    driver = new_driver()
    yield driver
    for guest in driver.guests():
        driver.destroy(guest.uuid)
        driver.delete_disks(guest.uuid, guest.name)


@pytest.fixture
def spec() -> GuestSpec:
    return a_spec()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ObjectStore]:
    """An object store with a bucket, in which a project may have only so much."""
    store = make_store(tmp_path / "buckets", "--quota_object_bytes=10000000", "--quota_buckets=3")
    store.start()
    store.create_bucket(Bucket("one", "project", clock.now()))
    yield store
    store.close()
