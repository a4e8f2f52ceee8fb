"""The migrations make exactly the tables that the code works with, on every database."""

import pytest
import sqlalchemy as sa
from alembic import autogenerate
from alembic.migration import MigrationContext

from nova_lite.core.errors import ConfigurationError
from nova_lite.db import migration, schema
from nova_lite.db.engine import Database
from tests.functional.conftest import DATABASES, NewDatabase


@pytest.fixture(params=DATABASES)
def database(request: pytest.FixtureRequest, new_database: NewDatabase) -> Database:
    return Database(new_database(request.param))


def test_an_empty_database_comes_to_what_the_code_works_with(database: Database) -> None:
    with pytest.raises(ConfigurationError, match="nova-manage db sync"):
        migration.require_latest(database)

    migration.upgrade(database)
    migration.upgrade(database)

    migration.require_latest(database)
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert autogenerate.compare_metadata(context, schema.METADATA) == []
    database.close()


def test_an_unknown_revision_is_refused(database: Database) -> None:
    with pytest.raises(ConfigurationError, match="revision nonsense"):
        migration.upgrade(database, "nonsense")

    assert sa.inspect(database.engine).get_table_names() == []
    database.close()
