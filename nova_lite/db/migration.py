"""Bringing a database to a revision of the schema, with Alembic."""

import importlib.resources

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError

from nova_lite.core.errors import ConfigurationError
from nova_lite.db.engine import Database


def upgrade(database: Database, revision: str = "head") -> None:
    """Bring the database up to ``revision``; raises ConfigurationError for one that does not exist."""
    config = _config()
    with database.engine.connect() as connection:
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, revision)
        except CommandError as error:
            raise ConfigurationError(f"cannot bring the database to revision {revision}: {error}") from error
        connection.commit()


def current(database: Database) -> str | None:
    """Return the database's revision, None when it is empty."""
    with database.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def latest() -> str:
    """Return the newest revision that this version of the program knows."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    return head or ""


def require_latest(database: Database) -> None:
    """Raise ConfigurationError unless the database is at the newest revision."""
    found = current(database)
    if found != latest():
        raise ConfigurationError(
            f"The database is at revision {found or 'none'}, but {latest()} is needed: run 'nova-manage db sync'."
        )


def _config() -> Config:
    config = Config()
    location = importlib.resources.files("nova_lite.migrations")
    config.set_main_option("script_location", str(location).replace("%", "%%"))
    return config
