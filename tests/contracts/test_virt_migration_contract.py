"""What a driver of live migration promises; libvirt's is proved between machines of their own."""

from pathlib import Path

import pytest

from nova_lite.conf import load
from nova_lite.core.errors import DriverError
from nova_lite.core.instance_states import PowerState
from nova_lite.core.server_migration import Progress
from nova_lite.drivers.virt.abilities import LiveMigration
from nova_lite.drivers.virt.base import VirtDriver
from nova_lite.drivers.virt.fake import FakeVirtDriver
from nova_lite.drivers.virt.guest import GuestSpec
from tests.contracts.guests import an_image, power_of, spawned


class TestLiveMigration:
    """Two drivers of the kind, on hosts of their own."""

    @pytest.fixture(params=[False, True], ids=["own disks", "shared disks"])
    def pair(self, request: pytest.FixtureRequest, tmp_path: Path) -> tuple[VirtDriver, VirtDriver, bool]:
        drivers = []
        for host in ("host1", "host2"):
            folder = tmp_path / ("shared" if request.param else host)
            flags = [f"--state_path={tmp_path}", f"--instances_path={folder}", f"--host={host}"]
            driver: VirtDriver = FakeVirtDriver.from_flags(load(flags, prog="nova-compute"))
            driver.start()
            drivers.append(driver)
        return drivers[0], drivers[1], request.param

    def test_hosts_know_who_shares_their_disks(self, pair: tuple[VirtDriver, VirtDriver, bool]) -> None:
        here, there, shared = pair
        assert here.sharers() == ({"host1", "host2"} if shared else {"host1"})
        assert there.sharers() == ({"host1", "host2"} if shared else {"host2"})

    @pytest.mark.parametrize("paused", [False, True])
    def test_a_guest_moves_as_it_is(
        self, pair: tuple[VirtDriver, VirtDriver, bool], spec: GuestSpec, paused: bool
    ) -> None:
        here, there, shared = pair
        assert isinstance(here, LiveMigration) and isinstance(there, LiveMigration)
        spawned(here, spec)
        if paused:
            here.pause(spec.uuid)
        power = power_of(here, spec)
        for _ in range(2):
            uri = there.expect(spec, an_image(), here.traveller(spec.uuid, spec.name), shared=shared)
        assert not there.has_arrived(spec.uuid, spec.name)
        seen: list[Progress] = []
        here.move(spec, uri, shared=shared, watch=lambda progress: bool(seen.append(progress)))

        assert here.guest(spec.uuid) is None
        assert seen[-1].memory_remaining == 0
        assert there.has_arrived(spec.uuid, spec.name)
        for _ in range(2):
            there.take_over(spec)
        assert power_of(there, spec) is power
        there.destroy(spec.uuid)
        there.delete_disks(spec.uuid, spec.name)
        here.delete_disks(spec.uuid, spec.name)

    def test_a_guest_that_is_called_back_stays(
        self, pair: tuple[VirtDriver, VirtDriver, bool], spec: GuestSpec
    ) -> None:
        here, there, shared = pair
        assert isinstance(here, LiveMigration) and isinstance(there, LiveMigration)
        spawned(here, spec)
        uri = there.expect(spec, an_image(), here.traveller(spec.uuid, spec.name), shared=shared)

        def call_back(progress: Progress) -> bool:
            raise DriverError("the migration was aborted.")

        with pytest.raises(DriverError, match="aborted"):
            here.move(spec, uri, shared=shared, watch=call_back)
        assert power_of(here, spec) is PowerState.RUNNING
        assert not there.has_arrived(spec.uuid, spec.name)
        for _ in range(2):
            there.turn_away(spec.uuid, spec.name, shared=shared)
        assert there.leftovers() == ((spec.name,) if shared else ())
        here.power_off(spec.uuid, 0.2)
        with pytest.raises(DriverError):
            here.move(spec, uri, shared=shared, watch=lambda _: False)
