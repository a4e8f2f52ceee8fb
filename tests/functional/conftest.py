"""The databases and clouds that functional tests share."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from nova_lite import concurrency
from nova_lite.cmd import wiring
from nova_lite.core.context import system_context
from tests.cloud import Cloud, running
from tests.ec2 import Ec2
from tests.functional.shares import DATABASES, share
from tools.services import MariaDB, PostgreSQL

NewDatabase = Callable[[str], str]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a run have its share only."""
    parser.addoption("--share", action="store_true", help="leave out what is run the other way: see shares.py")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is not of this run's share."""
    if config.getoption("--share"):
        items[:] = share(items, concurrency.current())


@pytest.fixture(scope="session")
def new_database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NewDatabase]:
    """Make an empty database of a kind and return its URL; a server is started when it is first needed."""
    with contextlib.ExitStack() as stack:
        servers: dict[str, MariaDB | PostgreSQL] = {}

        def make(kind: str) -> str:
            folder = tmp_path_factory.mktemp(kind)
            if kind == "sqlite":
                return f"sqlite:///{folder}/nova.sqlite"
            if kind not in servers:
                server = (MariaDB if kind == "mariadb" else PostgreSQL)(Path(folder))
                servers[kind] = stack.enter_context(server)
            return servers[kind].create_database()

        yield make


@pytest.fixture(scope="session", params=DATABASES)
def database_url(request: pytest.FixtureRequest, new_database: NewDatabase) -> str:
    """An empty database of each kind."""
    return new_database(request.param)


@pytest.fixture(scope="session")
def shared_cloud(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """One cloud on each kind of database."""
    with running(tmp_path_factory.mktemp("cloud"), database_url) as cloud:
        yield cloud


@pytest.fixture
def cloud(shared_cloud: Cloud) -> Iterator[Cloud]:
    """The cloud, with nothing in it before and nothing left over after."""
    yield shared_cloud
    shared_cloud.delete_all()
    assert shared_cloud.leaks() == []


@pytest.fixture
def ec2(cloud: Cloud) -> Ec2:
    """The cloud's EC2 API as the demo user sees it."""
    return Ec2(cloud)


@pytest.fixture
def client(ec2: Ec2) -> Iterator[Any]:
    """The demo user's boto3 client for EC2."""
    found = ec2.client()
    yield found
    found.close()


@pytest.fixture
def world(cloud: Cloud) -> Iterator[None]:
    """Some addresses of the world, given back whatever happens."""
    with wiring.desk(cloud.conf) as (_, operations):
        context = system_context()
        operations.floating_ips.create_range(context, "198.51.100.0/29")
        yield
        for address in operations.floating_ips.listing(context):
            operations.floating_ips.release(context, address.id)
        operations.floating_ips.delete_range(context, "198.51.100.0/29")
