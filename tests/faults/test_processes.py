"""Daemons as real processes: killed around every transaction of boot and delete, their servers taken away."""

from collections.abc import Iterator

import pytest

from tests.faults.site import Site, running

BOOT = (
    ("nova-api", "image.get"),
    ("nova-api", "server.boot"),
    ("nova-scheduler", "scheduler.waiting"),
    ("nova-scheduler", "scheduler.hosts"),
    ("nova-scheduler", "scheduler.claim"),
    ("nova-compute", "compute.claim"),
    ("nova-network", "network.allocate"),
    ("nova-network", "network.held"),
    ("nova-compute", "compute.protection"),
    ("nova-compute", "action.step"),
    ("nova-compute", "action.finish"),
)
"""Every transaction of a boot."""

DELETE = (
    ("nova-api", "server.delete"),
    ("nova-compute", "compute.claim"),
    ("nova-compute", "action.step"),
    ("nova-compute", "compute.left"),
    ("nova-compute", "compute.networks"),
    ("nova-network", "network.release"),
    ("nova-compute", "action.finish"),
)
"""Every transaction of a delete."""

READS = {
    "image.get", "scheduler.waiting", "scheduler.hosts", "network.held", "compute.protection", "compute.left",
    "compute.networks",
}  # fmt: skip
"""Those that commit nothing, so that there is no moment before it."""

ASIDE = (
    "server.list", "server.get", "service.", "identity.", "image.reap",
    "scheduler.sweep", "watch.", "compute.sweep", "compute.on_host", "compute.resources",
    "network.orphans", "network.converge", "network.forget",
)  # fmt: skip
"""What the tests themselves and periodic work ask for."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with running(tmp_path_factory.mktemp("faults")) as site:
        yield site


def _points(table: tuple[tuple[str, str], ...]) -> list[tuple[str, str, str]]:
    return [
        (daemon, transaction, moment)
        for daemon, transaction in table
        for moment in (("after",) if transaction in READS else ("before", "after"))
    ]


def _name(value: str) -> str:
    return value


def test_the_tables_have_every_transaction(site: Site) -> None:
    before = len(site.seen())
    site.order()
    site.settled()
    site.emptied()

    found = {tuple(line.split()) for line in site.seen()[before:]}
    ours = {point for point in found if len(point) == 2 and not point[1].startswith(ASIDE)}
    assert ours == {*BOOT, *DELETE}


@pytest.mark.parametrize(("daemon", "transaction", "moment"), _points(BOOT), ids=_name)
def test_a_boot_survives_the_death_of_a_daemon(
    site: Site, daemon: str, transaction: str, moment: str
) -> None:
    site.arm(daemon, transaction, moment)
    site.order()
    site.revive(daemon)

    for server in site.settled():
        assert server["status"] == "ACTIVE" or server["fault"]["message"]
    assert "Nothing is amiss." in site.doctor()
    site.emptied()
    assert "Nothing is amiss." in site.doctor()


@pytest.mark.parametrize(("daemon", "transaction", "moment"), _points(DELETE), ids=_name)
def test_a_delete_survives_the_death_of_a_daemon(
    site: Site, daemon: str, transaction: str, moment: str
) -> None:
    site.order()
    site.settled()
    site.arm(daemon, transaction, moment)
    site.delete_all()
    site.revive(daemon)

    site.emptied()
    assert "Nothing is amiss." in site.doctor()


@pytest.mark.parametrize("server", ["broker", "database"])
def test_twenty_boots_survive_five_seconds_without_a_server(site: Site, server: str) -> None:
    site.order(20)
    assert site.answers_without(getattr(site, server), 5.0) <= {200, 503}

    found = site.settled()
    assert len(found) == 20
    for instance in found:
        assert instance["status"] == "ACTIVE" or instance["fault"]["message"]
    assert "Nothing is amiss." in site.doctor()
    site.emptied()
    assert "Nothing is amiss." in site.doctor()
