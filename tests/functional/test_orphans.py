"""Guests that nobody knows: what becomes of them by the operator's flags."""

from collections.abc import Iterator

import pytest

from nova_lite.cmd import manage
from nova_lite.compute.host import ComputeHost
from nova_lite.compute.policy import Orphans, Policy
from nova_lite.compute.reconcile import Reconciler
from nova_lite.core import ids
from nova_lite.db import instances
from nova_lite.drivers.virt.guest import GuestImage, GuestSpec
from tests.cloud import Cloud
from tests.functional.test_host_boots import a_host


@pytest.fixture
def host(cloud: Cloud) -> Iterator[ComputeHost]:
    """The tools of a host with a guest that no instance stands for."""
    uuid = ids.new_uuid()
    spec = GuestSpec(uuid=uuid, name=f"instance-{uuid[:8]}", memory_mb=64, vcpus=1, root_gb=0)
    image = GuestImage(ids.new_uuid(), "raw", 64, lambda path: path.write_bytes(b"\1" * 64) and None)
    with a_host(cloud) as host:
        host.driver.create_disks(spec, image)
        host.driver.spawn(spec)
        yield host
        host.driver.destroy(uuid)
        host.driver.delete_disks(uuid, spec.name)


@pytest.mark.parametrize(
    ("policy", "found", "kept"),
    [
        (Policy(orphans=Orphans.NOOP), 0, 1),
        (Policy(orphans=Orphans.LOG), 1, 1),
        (Policy(orphans=Orphans.REAP), 1, 0),
        (Policy(orphans=Orphans.REAP, orphans_after=3600), 0, 1),
    ],
)
def test_a_guest_that_nobody_knows_is_treated_as_the_flags_say(
    host: ComputeHost, policy: Policy, found: int, kept: int
) -> None:
    assert len(Reconciler(host, policy).repair()) == found
    assert len(host.driver.guests()) == kept


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("kind", ["guest", "files"])
def test_what_has_its_instance_back_since_it_was_looked_at_is_left_alone(cloud: Cloud, kind: str) -> None:
    server = cloud.boot()
    here = cloud.conf.host
    with a_host(cloud) as host:
        (guest,) = host.driver.guests()
        if kind == "files":
            host.driver.destroy(server)
        cloud.database.run("test", lambda session: instances.update(session, server, host="elsewhere"))
        (found,) = (one for one in Reconciler(host).findings() if one.kind == kind)
        cloud.database.run("test", lambda session: instances.update(session, server, host=here))
        found.mend()
        assert host.driver.leftovers() == (guest.name,)
        assert len(host.driver.guests()) == (1 if kind == "guest" else 0)
    cloud.delete_all()
    assert cloud.leaks() == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("action", "status", "printed", "kept"), [
    ("noop", 0, "Nothing is amiss.", 1),
    ("log", 1, "and it is left alone", 1),
    ("reap", 0, "1 found, 1 mended.", 0),
])  # fmt: skip
def test_the_doctor_treats_it_so_too(
    cloud: Cloud, host: ComputeHost, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    action: str, status: int, printed: str, kept: int,
) -> None:  # fmt: skip
    flag = f"--running_deleted_instance_action={action}"
    monkeypatch.setattr("sys.argv", ["nova-manage", *cloud.flags, flag, "doctor"])

    assert manage.main() == status
    assert printed in capsys.readouterr().out
    with a_host(cloud) as found:
        assert len(found.driver.guests()) == kept
