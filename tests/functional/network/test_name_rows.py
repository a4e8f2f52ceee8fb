"""The rows of names, on each kind of database, and many who name at once."""

import concurrent.futures
from typing import Any

import pytest

from nova_lite.core.dns import DnsDomain, DnsEntry, DnsScope
from nova_lite.core.errors import Conflict
from nova_lite.db import dns
from nova_lite.db.engine import Database
from tests.functional.network.world import World

DOMAIN = DnsDomain("example.org", DnsScope.PUBLIC)


def entry(name: str, address: str) -> DnsEntry:
    return DnsEntry(DOMAIN.name, name, address)


def test_a_domain_that_is_removed_can_be_made_again(database: Database) -> None:
    def run(work: Any) -> Any:
        return database.run("test", work)

    run(lambda session: dns.insert_domain(session, DOMAIN))
    with pytest.raises(Conflict):
        run(lambda session: dns.insert_domain(session, DOMAIN))
    run(lambda session: dns.set_entry(session, entry("www", "198.51.100.3")))
    assert run(lambda session: dns.delete_domain(session, DOMAIN.name))
    assert not run(lambda session: dns.delete_domain(session, DOMAIN.name))
    assert run(dns.domains) == []
    assert run(dns.every_entry) == []
    assert run(lambda session: dns.domains(session, deleted=True)) == [DOMAIN]
    run(lambda session: dns.insert_domain(session, DOMAIN))
    assert run(dns.domains) == [DOMAIN]
    run(lambda session: dns.forget_domain(session, DOMAIN.name))
    assert run(dns.domains) == [DOMAIN]


def test_a_name_has_one_address_whoever_sets_it_at_the_same_time(database: Database) -> None:
    def name(number: int) -> None:
        wanted = entry("www", f"198.51.100.{number}")
        for _ in range(5):
            try:
                database.run("test", lambda session: dns.set_entry(session, wanted))
            except Conflict:
                continue
            return

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(name, range(1, 17)))
    [found] = database.read("test", dns.every_entry)
    assert found.name == "www"
    database.run("test", lambda session: dns.forget_address(session, found.address))
    assert database.read("test", dns.every_entry) == []


def test_instances_are_named_by_uuid_and_by_what_they_are_called(world: World) -> None:
    world.network()
    first, second = world.boot(), world.boot()
    held = world.allocate([*first, *second])
    addresses = {uuid: interfaces[0].address for uuid, interfaces in held.items()}
    [oldest], [youngest] = first, second

    found = world.database.read("test", dns.names_of_instances)
    assert found == {**addresses, "vm-0": addresses[oldest]}
    assert world.database.read("test", lambda session: dns.names_of_instances(session, "elsewhere")) == {}
    world.delete_row(oldest)
    found = world.database.read("test", dns.names_of_instances)
    assert found == {youngest: addresses[youngest], "vm-0": addresses[youngest]}
