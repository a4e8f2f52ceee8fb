"""The databases and clouds that functional tests share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cloud import Cloud, running
from tools.services import MariaDB, PostgreSQL


@pytest.fixture(scope="session", params=["sqlite", "mariadb", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An empty database of each kind."""
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == "sqlite":
        yield f"sqlite:///{folder}/nova.sqlite"
        return
    server = (MariaDB if request.param == "mariadb" else PostgreSQL)(Path(folder))
    with server:
        yield server.create_database()


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
