"""The identity API over a fresh database, asked directly or over HTTP."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from identity_site import Site

from nova_lite import wsgi_server
from nova_lite.db.engine import Database
from nova_lite.db.schema import METADATA
from nova_lite.operations.identity import IdentitySettings


@pytest.fixture
def settings(tmp_path: Path) -> IdentitySettings:
    key = str(tmp_path / "secret.key")
    return IdentitySettings(password_rounds=4, token_cache_seconds=60, secret_key_file=key)


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with its tables, for tests to copy."""
    path = tmp_path_factory.mktemp("empty") / "identity.sqlite"
    database = Database(f"sqlite:///{path}")
    METADATA.create_all(database.engine)
    database.close()
    return path


@pytest.fixture
def database(empty: Path, tmp_path: Path) -> Iterator[Database]:
    shutil.copy(empty, tmp_path)
    database = Database(f"sqlite:///{tmp_path}/{empty.name}")
    yield database
    database.close()


@pytest.fixture
def site(database: Database, settings: IdentitySettings) -> Site:
    return Site(database, settings, ports={})


@pytest.fixture
def served(database: Database, settings: IdentitySettings) -> Iterator[tuple[Site, str]]:
    """A site that answers on a free port of the loopback interface, and its URL."""
    sock = wsgi_server.listen("127.0.0.1", 0)
    port = sock.getsockname()[1]
    site = Site(database, settings, ports={"identity": port})
    server = wsgi_server.WsgiServer(site, sock, workers=8)
    server.start()
    yield site, f"http://127.0.0.1:{port}"
    server.stop(drain_seconds=2)
