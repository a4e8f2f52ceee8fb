"""A started network host on an empty database."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from nova_lite.db import schema
from nova_lite.db.engine import Database
from nova_lite.network.flatdhcp import FlatDHCPManager
from nova_lite.network.settings import NetworkSettings
from nova_lite.operations.networks import Networks
from nova_lite.operations.security_groups import SecurityGroups
from nova_lite.rpc.compute import ComputeContract, ComputeProxy
from nova_lite.rpc.local import LocalTransport
from tests.functional.network.world import HOST, LIMITS, Computes, Host, World


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """An empty database: SQLite, or what TEST_SQL_CONNECTION names."""
    url = os.environ.get("TEST_SQL_CONNECTION", f"sqlite:///{tmp_path}/nova.sqlite")
    database = Database(url, retry_seconds=10)
    schema.METADATA.drop_all(database.engine)
    schema.METADATA.create_all(database.engine)
    yield database
    database.close()


@pytest.fixture
def world(database: Database) -> Iterator[World]:
    """A started network host with nothing on it."""
    driver = Host()
    manager = FlatDHCPManager(database, driver, NetworkSettings(host=HOST))
    transport = LocalTransport(timeout=10)
    computes = Computes()
    server = transport.serve(ComputeContract, computes, HOST)
    groups = SecurityGroups(database, ComputeProxy(transport), LIMITS)
    manager.start()
    yield World(database, driver, manager, Networks(database), groups, computes)
    manager.stop()
    server.stop()
