"""A started network host on an empty database."""

from collections.abc import Iterator

import pytest

from nova_lite.db import schema
from nova_lite.db.engine import Database
from nova_lite.network.flatdhcp import FlatDHCPManager
from nova_lite.network.settings import NetworkSettings
from nova_lite.operations.floating_ips import FloatingIps
from nova_lite.operations.networks import Networks
from nova_lite.operations.provider_rules import ProviderRules
from nova_lite.operations.security_groups import SecurityGroups
from nova_lite.rpc.compute import ComputeContract, ComputeProxy
from nova_lite.rpc.local import LocalTransport
from nova_lite.rpc.network import NetworkContract, NetworkProxy
from tests.functional.conftest import DATABASES, NewDatabase
from tests.functional.network.world import HOST, LIMITS, Computes, Host, World


@pytest.fixture(scope="session", params=DATABASES)
def network_database(request: pytest.FixtureRequest, new_database: NewDatabase) -> Iterator[Database]:
    """A database of each kind, with its tables."""
    database = Database(new_database(request.param), retry_seconds=10)
    schema.METADATA.create_all(database.engine)
    yield database
    database.close()


@pytest.fixture
def database(network_database: Database) -> Iterator[Database]:
    """The database, empty again after."""
    yield network_database
    with network_database.engine.begin() as connection:
        for table in reversed(schema.METADATA.sorted_tables):
            connection.execute(table.delete())


@pytest.fixture
def world(database: Database) -> Iterator[World]:
    """A started network host with nothing on it."""
    driver = Host()
    manager = FlatDHCPManager(database, driver, NetworkSettings(host=HOST))
    transport = LocalTransport(timeout=10)
    computes = Computes()
    server = transport.serve(ComputeContract, computes, HOST)
    groups = SecurityGroups(database, ComputeProxy(transport), LIMITS)
    listening = transport.serve(NetworkContract, manager, HOST)
    floating = FloatingIps(
        database, NetworkProxy(transport), LIMITS, default_pool="nova", default_interface="eth0"
    )
    manager.start()
    refused = ProviderRules(database, ComputeProxy(transport), down_after=60)
    yield World(database, driver, manager, Networks(database), groups, computes, floating, refused)
    manager.stop()
    server.stop()
    listening.stop()
