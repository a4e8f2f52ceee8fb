"""Which functional tests a run under one way of running daemons has, for two runs to prove everything.

Nearly every functional test is there once for each kind of database. Of the runs under eventlet and on native
threads each takes a share, so that every test runs once on each database and at least once each way:

- on MariaDB under eventlet, and on PostgreSQL on threads;
- on SQLite, or on none, both ways, unless the test runs on the other databases too: then the files take turns;
- what does not see how daemons run, one way only on whatever database, as the table says.
"""

import collections
import zlib
from pathlib import Path
from typing import Any

import pytest

from nova_lite.concurrency import Mode

DATABASES = ("sqlite", "mariadb", "postgresql")

_WAYS = {"mariadb": Mode.EVENTLET, "postgresql": Mode.THREADING}

ONE_WAY = {
    "identity": Mode.THREADING,
    "network/test_network_commands.py": Mode.THREADING,
    "test_certificates.py": Mode.THREADING,
    "test_compute_responses.py": Mode.THREADING,
    "test_ec2_every_action.py": Mode.THREADING,
    "test_every_route.py": Mode.EVENTLET,
    "test_first_content.py": Mode.THREADING,
    "test_image_pages.py": Mode.THREADING,
    "test_image_proxy.py": Mode.THREADING,
    "test_kept_passwords.py": Mode.THREADING,
    "test_migrations.py": Mode.THREADING,
    "test_old_clients.py": Mode.THREADING,
    "test_orphans.py": Mode.THREADING,
    "test_operator_mistakes.py": Mode.THREADING,
    "test_rate_limits.py": Mode.THREADING,
}
"""Tests of what no daemon but nova-api, or nova-manage, has a part in, with the way in which each is run.

Those of a folder go together. Both ways should take as long.
"""


def share(items: list[pytest.Item], way: Mode) -> list[pytest.Item]:
    """Return the tests of the functional suite that are run one way."""
    databases = collections.defaultdict(set)
    for item in items:
        databases[_name(item)].add(_database(item))
    return [item for item in items if way in _ways(item, databases[_name(item)])]


def _ways(item: pytest.Item, databases: set[str]) -> tuple[Mode, ...]:
    file = item.path.relative_to(Path(__file__).parent)
    only = ONE_WAY.get(str(file)) or ONE_WAY.get(file.parts[0])
    if only is not None:
        return (only,)
    if _database(item) in _WAYS:
        return (_WAYS[_database(item)],)
    if len(databases) > 1:
        return (tuple(Mode)[zlib.crc32(str(file).encode()) % 2],)
    return tuple(Mode)


def _database(item: pytest.Item) -> str:
    """Return the kind of database that a test is to run on, empty for one that does not choose."""
    parameters: dict[str, Any] = item.callspec.params if hasattr(item, "callspec") else {}
    return next((str(value) for value in parameters.values() if value in DATABASES), "")


def _name(item: pytest.Item) -> str:
    """Return what a test has in common with itself on other databases."""
    return item.nodeid.replace(_database(item) or "\0", "")
