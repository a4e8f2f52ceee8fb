"""How often the database is asked on the way of an ordinary server, from the order until it is gone."""

import pytest

from nova_lite.db.addresses import _CANDIDATES
from nova_lite.db.engine import STATEMENTS
from tests.cloud import Cloud

ORDINARY = {
    "image.get": 1,
    "server.boot": 5,
    "scheduler.waiting": 1,
    "scheduler.hosts": 1,
    "scheduler.claim": 3,
    "compute.claim": 4,
    "network.allocate": 4,
    "network.held": 1,
    "compute.protection": 2,
    "action.step": 4,
    "action.finish": 8,
    "server.delete": 3,
    "compute.networks": 1,
    "network.release": 2,
    "compute.left": 1,
}
"""The statements that one boot and delete takes by transaction; what is of use to few costs the others nothing."""

_ROUNDS = 3
_WORKERS = ("image.", "server.", "scheduler.", "compute.", "network.", "action.")


def test_an_ordinary_server_takes_no_more_statements_than_it_needs(cloud: Cloud) -> None:
    _boot_and_delete(cloud)
    rounds = []
    for _ in range(_ROUNDS):
        before = _statements()
        _boot_and_delete(cloud)
        after = _statements()
        rounds.append({name: after[name] - before.get(name, 0) for name in after})

    # What is done periodically is not in each of the rounds.
    least = {name: min(one.get(name, 0) for one in rounds) for name in rounds[-1]}
    assert {name: count for name, count in least.items() if count} == ORDINARY


def _boot_and_delete(cloud: Cloud) -> None:
    server_id = cloud.boot()
    cloud.ask("DELETE", f"/v2.1/servers/{server_id}")
    cloud.settle()


def _statements() -> dict[str, int]:
    """Return how many statements were sent so far by transaction, of those that work on servers.

    Sweeps are left out, for there is one each second.
    """
    return {
        sample.labels["transaction"]: int(sample.value)
        for metric in STATEMENTS.collect()
        for sample in metric.samples
        if sample.name.endswith("_total")
        and sample.labels["transaction"].startswith(_WORKERS)
        and not sample.labels["transaction"].endswith(".sweep")
    }


@pytest.mark.parametrize("database_url", ["mariadb"], indirect=True)
def test_mariadb_makes_no_table_to_read_what_addresses_are_wanted(cloud: Cloud) -> None:
    wanted = _CANDIDATES.params(uuids=[cloud.boot()])
    with cloud.database.engine.connect() as connection:
        statement = wanted.compile(connection, compile_kwargs={"literal_binds": True})
        plan = connection.exec_driver_sql(f"EXPLAIN {statement}").all()

    # Of a wide one on disk, made by many at once, the server has died.
    assert plan
    assert "temporary" not in str(plan)
