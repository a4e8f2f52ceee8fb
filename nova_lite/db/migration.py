"""Bringing a database to a revision of the schema, with Alembic."""

import contextlib
import importlib.resources
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy import exc

from nova_lite.core.errors import ConfigurationError, DatabaseUnavailable
from nova_lite.db.engine import Database, reason
from nova_lite.migrations import HEAD

if TYPE_CHECKING:
    from alembic.config import Config

_LOCK = "LEFT(CONCAT('nova_lite ', DATABASE()), 64)"
_LOCK_SECONDS = 600
_LOCK_NUMBER = 0x6E6F7661


def upgrade(database: Database, revision: str = "head") -> None:
    """Bring the database up to ``revision``, alone; raises ConfigurationError for one that does not exist or is past.

    Two at once do it one after the other, and the second finds it done.
    """
    # Alembic takes long to load, and only nova-manage needs it.
    from alembic import command
    from alembic.script import ScriptDirectory
    from alembic.util import CommandError

    config = _config()
    require_known(database)
    try:
        # The base of all is none of them.
        (wanted,) = ScriptDirectory.from_config(config).get_revisions(revision) or (None,)
        with database.engine.connect() as connection, _alone(connection) as alone:
            found = _current(alone)
            if found and (wanted is None or wanted.revision < found):
                raise ConfigurationError(f"The database is at revision {found} and is not brought back to {revision}.")
            config.attributes["connection"] = alone
            command.upgrade(config, revision)
            alone.commit()
    except CommandError as error:
        raise ConfigurationError(f"cannot bring the database to revision {revision}: {error}") from error


@contextlib.contextmanager
def _alone(connection: sa.Connection) -> Iterator[sa.Connection]:
    """Give a connection in whose transaction nobody else changes the schema."""
    if connection.dialect.name == "sqlite":
        with _unchecked(connection):
            # SQLite's own lock is one for all that is written.
            yield connection.execution_options(sqlite_immediate=True)
        return
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK_NUMBER)))
        yield connection
        return
    if not connection.scalar(sa.text(f"SELECT GET_LOCK({_LOCK}, {_LOCK_SECONDS})")):
        raise ConfigurationError(f"Another 'nova-manage db sync' has not ended after {_LOCK_SECONDS} seconds.")
    try:
        # What was seen before the wait is not what is there now.
        connection.commit()
        yield connection
    finally:
        connection.execute(sa.text(f"SELECT RELEASE_LOCK({_LOCK})"))


@contextlib.contextmanager
def _unchecked(connection: sa.Connection) -> Iterator[None]:
    """Let tables of SQLite be replaced, as most changes of them are made there, while others refer to their rows."""
    # What refers to what can be ignored from outside of a transaction only.
    driver: Any = connection.connection.driver_connection
    driver.execute("PRAGMA foreign_keys=OFF")
    try:
        yield
    finally:
        connection.rollback()
        driver.execute("PRAGMA foreign_keys=ON")


def current(database: Database) -> str | None:
    """Return the database's revision, None when it is empty; raises ConfigurationError when it cannot be used."""
    try:
        return database.read("migration.current", lambda session: _current(session.connection()))
    except (DatabaseUnavailable, exc.DBAPIError) as error:
        raise ConfigurationError(f"cannot use the database: {reason(error)}") from error


def _current(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar_one_or_none()


def require_known(database: Database) -> str | None:
    """Return the database's revision; raises ConfigurationError for one that is newer than this code."""
    found = current(database)
    if found and found > HEAD:
        raise ConfigurationError(
            f"The database is at revision {found}, but this nova_lite knows none after {HEAD}: upgrade it on this host."
        )
    return found


def require_latest(database: Database) -> None:
    """Raise ConfigurationError unless the database is at the newest revision."""
    found = require_known(database)
    if found != HEAD:
        raise ConfigurationError(
            f"The database is at revision {found or 'none'}, but {HEAD} is needed: run 'nova-manage db sync'."
        )


def _config() -> "Config":
    from alembic.config import Config

    config = Config()
    location = importlib.resources.files("nova_lite.migrations")
    config.set_main_option("script_location", str(location).replace("%", "%%"))
    return config
