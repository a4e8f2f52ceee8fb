"""Databases with the newest schema, for tests that need many."""

import sqlite3

from nova_lite.db import migration
from nova_lite.db.engine import Database

_template: sqlite3.Connection | None = None


def bring_up_to_date(database: Database) -> None:
    """Give an empty database its tables: by every migration, or with SQLite as a copy of what they made once."""
    global _template
    if database.dialect != "sqlite":
        migration.upgrade(database)
    elif _template is None:
        migration.upgrade(database)
        _template = sqlite3.connect(":memory:", check_same_thread=False)
        _copy(database, _template, back=True)
    else:
        _copy(database, _template)


def _copy(database: Database, template: sqlite3.Connection, *, back: bool = False) -> None:
    with database.engine.connect() as connection:
        here = connection.connection.driver_connection
        assert isinstance(here, sqlite3.Connection)
        source, target = (here, template) if back else (template, here)
        source.backup(target)
