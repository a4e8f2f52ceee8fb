"""Guests that go from host to host, and what happens to them on the way."""

import os
import shutil
import signal

from tests.system.two_hosts.server import ANYWHERE, CLEAN, MICROVERSION, WALK, Server
from tools.site import Site, eventually


def test_a_guest_goes_from_host_to_host_in_every_way(site: Site, server: Server) -> None:
    # alive, its disks copied with it, one of them in use
    server.write_scratch()
    was, there = server.host, server.other
    server.do("server", "migrate", *ANYWHERE, "--wait", user="admin")
    assert (server.host, server.status, server.boot_id()) == (there, "ACTIVE", server.booted)
    assert server.is_whole() and server.has_scratch() and server.is_alone_on(there)

    # switched off, and back again
    server.do("server", "migrate", "--wait", user="admin")
    assert (server.host, server.status) == (was, "VERIFY_RESIZE")
    assert (len(was.guests()), there.files()) == (1, [f"{was.guests()[0]}_resize"])
    assert server.is_whole()
    server.mount()
    assert server.has_scratch()
    server.do("server", "migration", "revert")
    assert server.becomes("ACTIVE")
    assert server.is_whole() and server.is_alone_on(there)

    # to another size, for good; what was carried as a whole goes on alive
    server.do("server", "resize", "--flavor", "m1.more", "--wait")
    server.do("server", "resize", "confirm")
    assert server.becomes("ACTIVE")
    here = server.host
    assert server.is_whole() and server.is_alone_on(here)
    server.mount()
    assert server.has_scratch()
    assert server.ssh("cat /sys/block/vdb/size /sys/block/vdc/size").split() == [str(2 * 2**21), str(16 * 2**11)]
    there = server.other
    server.do("server", "migrate", *ANYWHERE, "--wait", user="admin")
    assert server.is_whole() and server.has_scratch() and server.is_alone_on(there)

    # onto the shelf and from it, the ephemeral disk made anew
    server.do("server", "shelve")
    assert server.becomes("SHELVED_OFFLOADED")
    assert [host.guests() + host.files() for host in site.hosts] == [[], []]
    server.do("server", "unshelve", "--wait")
    assert server.is_whole() and server.is_alone_on(server.host)
    server.mount()
    assert server.root("ls /e") == "lost+found"
    assert server.drive("meta_data.json")["uuid"] == server.id

    # away from a host that died
    dead, there = server.host, server.other
    dead.die()
    site.client("compute", "service", "set", "--down", *MICROVERSION, dead.name, "nova-compute", user="admin")
    # The client asks as version 2.95 and later, in which the guest waits to be started.
    site.client("server", "evacuate", server.id, user="admin")
    assert eventually(lambda: (server.host, server.status) == (there, "SHUTOFF"))
    server.do("server", "start")
    assert eventually(lambda: server.ssh("ls data; hostname") == "vm.novalocal")
    assert len(dead.files()) == 1
    site.client("compute", "service", "set", "--up", *MICROVERSION, dead.name, "nova-compute", user="admin")
    dead.revive()
    assert eventually(lambda: server.is_alone_on(there))


def test_a_migration_that_fails_leaves_its_guest_where_it_was(site: Site, server: Server) -> None:
    # called back by an operator
    was = server.begin_to_move()
    number = str(server.last_migration()["Id"])
    site.client("server", "migration", "abort", *MICROVERSION, server.id, number, user="admin")
    assert server.is_as_before_on(was)
    assert (server.last_migration()["Status"], server.last_message()) == ("cancelled", "the migration was aborted.")

    # libvirt dies, that of its own host and that of the other
    for dying in (server.host, server.other):
        server.begin_to_move()
        dying.libvirtd.kill()
        dying.libvirtd.start()
        assert server.is_as_before_on(was)
        assert (server.last_migration()["Status"], server.last_message()[:7]) == ("error", "libvirt")

    # the other host dies
    there = server.other
    server.begin_to_move()
    there.die()
    there.revive()
    assert server.is_as_before_on(was)
    assert (server.last_migration()["Status"], server.last_message()[:7]) == ("error", "libvirt")


def test_a_guest_that_is_killed_on_the_way_is_off_and_starts_with_its_host(site: Site, server: Server) -> None:
    was = server.begin_to_move()
    (pid,) = was.guest_pids()
    os.kill(pid, signal.SIGKILL)
    assert server.becomes("SHUTOFF")
    assert eventually(lambda: server.is_alone_on(was), 30)
    server.do("server", "start")
    assert server.becomes("ACTIVE")
    assert server.is_whole()

    was.die()
    (was.instances / "_hosts" / was.name / "boot_id").write_text("another boot")
    was.revive(resume_guests_state_on_host_boot=True)
    assert server.becomes("ACTIVE")
    assert server.is_whole() and server.is_alone_on(was)


def test_a_cold_migration_outlives_what_dies_on_its_way(site: Site, server: Server) -> None:
    was, there = server.host, server.other
    server.do("server", "migrate", user="admin")
    assert eventually(lambda: server.task == "resize_migrating")
    was.kill_compute()
    was.start_compute()
    there.libvirtd.kill()
    assert eventually(lambda: server.task == "resize_finish")
    there.kill_compute()
    there.libvirtd.start()
    there.start_compute()
    assert server.becomes("VERIFY_RESIZE")
    server.do("server", "migration", "confirm")
    assert server.becomes("ACTIVE")
    assert server.is_whole() and server.is_alone_on(there)


def test_a_guest_that_writes_without_end_moves_between_hosts_that_share_its_disks(site: Site, server: Server) -> None:
    was, there = server.host, server.other
    disk = (was.instances / server.guest / "disk").stat().st_ino
    there.kill_compute()
    there.run("mount", "--bind", str(was.instances), str(site.instances))
    there.start_compute()
    server.writes_without_end()
    server.begin_to_move(WALK)
    assert eventually(lambda: was.rounds(server.guest) > 3)
    # libvirt goes on with it meanwhile, and the next nova-compute with what is left to do.
    was.kill_compute()
    was.start_compute()
    number = str(server.last_migration()["Id"])
    site.client("server", "migration", "force", "complete", *MICROVERSION, server.id, number, user="admin")
    assert server.becomes("ACTIVE"), server.last_message()
    assert (server.host, server.last_migration()["Status"]) == (there, "completed")
    server.writes_no_more()
    assert server.boot_id() == server.booted and server.is_whole()
    assert there.doctor() == CLEAN

    server.do("server", "migrate", *ANYWHERE, "--wait", user="admin")
    assert server.host is was
    assert server.boot_id() == server.booted and server.is_whole()
    assert (was.instances / server.guest / "disk").stat().st_ino == disk
    there.kill_compute()
    there.run("umount", "--lazy", str(site.instances))
    shutil.rmtree(was.instances / "_hosts" / there.name)
    there.start_compute()
    assert server.is_alone_on(was)
