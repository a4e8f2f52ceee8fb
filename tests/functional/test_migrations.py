"""The migrations make exactly the tables that the code works with, on every database."""

import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import autogenerate
from alembic.migration import MigrationContext

from nova_lite.core import clock
from nova_lite.core.errors import ConfigurationError
from nova_lite.db import migration, schema
from nova_lite.db.engine import Database
from nova_lite.db.networks import FIXED_IPS, FLOATING_IPS
from nova_lite.db.networks import TABLE as NETWORKS
from tests.functional.conftest import DATABASES, NewDatabase

NOVA_MANAGE = [sys.executable, "-c", "import sys; from nova_lite.cmd import manage; sys.exit(manage.main())"]


@pytest.fixture(params=DATABASES)
def database(request: pytest.FixtureRequest, new_database: NewDatabase) -> Database:
    return Database(new_database(request.param))


def test_an_empty_database_comes_to_what_the_code_works_with(database: Database, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="nova-manage db sync"):
        migration.require_latest(database)

    url = database.engine.url.render_as_string(hide_password=False)
    command = [*NOVA_MANAGE, f"--sql_connection={url}", f"--state_path={tmp_path}", "db", "sync"]
    at_once = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    assert [(one.communicate()[1], one.returncode) for one in at_once] == [("", 0)] * 2

    migration.require_latest(database)
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert autogenerate.compare_metadata(context, schema.METADATA) == []
    database.close()


def test_addresses_that_came_by_themselves_are_known_as_that_after_an_upgrade(database: Database) -> None:
    migration.upgrade(database, "0022")
    rows = [("a", "one", True, None), ("b", "one", True, None), ("c", "two", True, "two"), ("d", "three", False, None)]
    columns = ("id", "vif_id", "auto_assigned", "assigned_to")
    now = clock.now()
    same = {"pool": "nova", "interface": "eth0", "project_id": "p", "created_at": now, "updated_at": now}
    with database.engine.begin() as connection:
        for number, row in enumerate(rows):
            values = dict(zip(columns, row, strict=True)) | same | {"address": f"192.0.2.{number}"}
            connection.execute(sa.insert(FLOATING_IPS).values(**values))
    migration.upgrade(database)

    with database.engine.connect() as connection:
        query = sa.select(FLOATING_IPS.c.id, FLOATING_IPS.c.assigned_to).order_by(FLOATING_IPS.c.id)
        assert [tuple(row) for row in connection.execute(query)] == [
            ("a", "one"), ("b", None), ("c", "two"), ("d", None),
        ]  # fmt: skip
    database.close()


def test_networks_in_use_live_through_every_upgrade(database: Database) -> None:
    migration.upgrade(database, "0001")
    now = clock.now()
    tables = sa.MetaData()
    with database.engine.begin() as connection:
        tables.reflect(connection, only=["networks", "fixed_ips"])
        network = {"id": 1, "uuid": "u", "multi_host": False, "mtu": 1500, "created_at": now, "updated_at": now}
        texts = {column.name: "x" for column in tables.tables["networks"].c if isinstance(column.type, sa.String)}
        connection.execute(sa.insert(tables.tables["networks"]).values(**texts | network))
        address = {"network_id": 1, "address": "10.0.0.2", "reserved": False, "leased": False, "updated_at": now}
        connection.execute(sa.insert(tables.tables["fixed_ips"]).values(**address))
    migration.upgrade(database)

    with database.engine.connect() as connection:
        both = sa.select(NETWORKS.c.uuid, FIXED_IPS.c.address).join(NETWORKS, NETWORKS.c.id == FIXED_IPS.c.network_id)
        assert connection.execute(both).all() == [("u", "10.0.0.2")]
    with pytest.raises(sa.exc.IntegrityError), database.engine.begin() as connection:
        connection.execute(sa.delete(NETWORKS))
    database.close()


def test_an_unknown_revision_is_refused(database: Database) -> None:
    with pytest.raises(ConfigurationError, match="revision nonsense"):
        migration.upgrade(database, "nonsense")

    assert sa.inspect(database.engine).get_table_names() == []
    database.close()
