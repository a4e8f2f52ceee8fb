"""Bringing a database to a revision of the schema, with Alembic."""

import importlib.resources
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.orm import Session

from nova_lite.core.errors import ConfigurationError
from nova_lite.db.engine import Database
from nova_lite.migrations import HEAD

if TYPE_CHECKING:
    from alembic.config import Config


def upgrade(database: Database, revision: str = "head") -> None:
    """Bring the database up to ``revision``; raises ConfigurationError for one that does not exist."""
    # Alembic takes long to load, and only nova-manage needs it.
    from alembic import command
    from alembic.script import ScriptDirectory
    from alembic.util import CommandError

    config = _config()
    try:
        ScriptDirectory.from_config(config).get_revisions(revision)
        with database.engine.connect() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, revision)
            connection.commit()
    except CommandError as error:
        raise ConfigurationError(f"cannot bring the database to revision {revision}: {error}") from error


def current(database: Database) -> str | None:
    """Return the database's revision, None when it is empty."""

    def work(session: Session) -> str | None:
        if not sa.inspect(session.connection()).has_table("alembic_version"):
            return None
        return session.execute(sa.text("SELECT version_num FROM alembic_version")).scalar_one_or_none()

    return database.read("migration.current", work)


def require_latest(database: Database) -> None:
    """Raise ConfigurationError unless the database is at the newest revision."""
    found = current(database)
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
