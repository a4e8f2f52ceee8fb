"""What dnsmasq's script reports, from its command line to the row."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from nova_lite.cmd import dhcpbridge
from nova_lite.core.network import VirtualInterface
from nova_lite.db import leases
from nova_lite.network.leases import LeaseListener
from tests.cloud import wait_for
from tests.functional.network.world import World


@pytest.fixture
def interface(world: World) -> VirtualInterface:
    """The interface of a guest on a network."""
    world.network()
    [uuid] = world.boot()
    return world.allocate([uuid])[uuid][0]


@pytest.fixture
def flag_file(world: World, tmp_path: Path) -> Path:
    """The flags of a cloud whose bus does not leave the daemon's process."""
    url = world.database.engine.url.render_as_string(hide_password=False)
    path = tmp_path / "nova.conf"
    path.write_text(f"--sql_connection={url}\n--state_path={tmp_path}\n--transport_url=local://\n")
    return path


@pytest.fixture
def listener(world: World, tmp_path: Path) -> Iterator[Path]:
    """The socket of a daemon that listens."""
    path = tmp_path / "networks" / "leases.sock"
    listener = LeaseListener(world.database, str(path))
    listener.start()
    yield path
    listener.stop()
    assert not path.exists()


def bridge(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "nova_lite.cmd.dhcpbridge", *arguments],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_report_reaches_the_daemon_by_its_socket(
    world: World, interface: VirtualInterface, listener: Path
) -> None:
    told = bridge("add", interface.mac, interface.address, "vm-0", NOVA_LEASE_SOCKET=str(listener))

    assert (told.returncode, told.stderr) == (0, "")
    assert leased_before_long(world, interface, True)


def test_the_end_of_a_lease_reaches_the_daemon(
    world: World, interface: VirtualInterface, listener: Path
) -> None:
    dhcpbridge.tell(str(listener), ["add", interface.mac, interface.address])
    assert leased_before_long(world, interface, True)

    assert dhcpbridge.tell(str(listener), ["del", interface.mac, interface.address])

    assert leased_before_long(world, interface, False)


def test_the_usual_way_loads_nothing(listener: Path) -> None:
    code = (
        "import sys; from nova_lite.cmd import dhcpbridge; dhcpbridge.main(); "
        "print([name for name in ('sqlalchemy', 'oslo_config', 'oslo_messaging') if name in sys.modules])"
    )
    told = subprocess.run(
        [sys.executable, "-c", code, "add", "fa:16:3e:00:00:01", "10.0.0.9"],
        env=os.environ | {"NOVA_LEASE_SOCKET": str(listener)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert told.stdout.strip() == "[]"


def test_rubbish_on_the_socket_is_passed_over(
    world: World, interface: VirtualInterface, listener: Path
) -> None:
    for line in (["add"], ["x" * 400], ["add", "\udcff", "é", "ü"], []):
        dhcpbridge.tell(str(listener), [word.encode(errors="replace").decode() for word in line] or ["?"])
    dhcpbridge.tell(str(listener), ["add", interface.mac, interface.address])

    assert leased_before_long(world, interface, True)


def test_without_a_daemon_the_row_is_written(
    world: World, interface: VirtualInterface, flag_file: Path
) -> None:
    told = bridge("add", interface.mac, interface.address, FLAGFILE=str(flag_file))

    assert (told.returncode, told.stderr) == (0, "")
    assert is_leased(world, interface)


def test_the_leases_in_force_are_printed_as_dnsmasq_keeps_them(
    world: World, interface: VirtualInterface, flag_file: Path
) -> None:
    other = world.allocate(world.boot())
    assert other
    dhcpbridge_says = ("add", interface.mac, interface.address)
    bridge(*dhcpbridge_says, FLAGFILE=str(flag_file))

    printed = bridge("init", FLAGFILE=str(flag_file), NETWORK_ID=str(interface.network_id)).stdout

    [line] = printed.splitlines()
    expiry, *rest = line.split()
    assert rest == [interface.mac, interface.address, "vm-0", "*"]
    assert 100 <= int(expiry) - time.time() <= 121


def test_without_a_database_nothing_fails(tmp_path: Path) -> None:
    path = tmp_path / "nova.conf"
    path.write_text(f"--sql_connection=mysql+pymysql://nova@127.0.0.1:9/nova\n--state_path={tmp_path}\n")

    started = bridge("init", FLAGFILE=str(path), NETWORK_ID="1")
    told = bridge("del", "fa:16:3e:00:00:01", "10.0.0.9", FLAGFILE=str(path))

    assert (started.returncode, started.stdout) == (0, "")
    assert told.returncode == 0
    assert "database" in told.stderr or "nobody answered in time" in told.stderr


def test_who_has_ended_has_no_deadline_any_more() -> None:
    code = "import signal; from nova_lite.cmd import dhcpbridge; dhcpbridge.main(); print(signal.alarm(0))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)

    assert told.stdout.strip() == "0"


def is_leased(world: World, interface: VirtualInterface) -> bool:
    held = world.database.read("test", lambda session: leases.held(session, [interface.network_id]))
    return next(one.leased for one in held if one.address == interface.address)


def leased_before_long(world: World, interface: VirtualInterface, wanted: bool) -> bool:
    return wait_for(lambda: is_leased(world, interface) is wanted)
