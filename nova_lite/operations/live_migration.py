"""Bringing a running server to another host, and what an admin may want of it meanwhile."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from nova_lite.core.context import RequestContext
from nova_lite.core.errors import InvalidInput, NotFound
from nova_lite.core.instance import Instance
from nova_lite.core.instance_states import Verb
from nova_lite.core.server_migration import (
    UNDER_WAY,
    MigrationKind,
    MigrationStatus,
    Phase,
    ServerMigration,
    Wish,
)
from nova_lite.db import server_migrations, services
from nova_lite.db.engine import Database
from nova_lite.operations.orders import Order, Orders, find

_SHOWN = (*UNDER_WAY, MigrationStatus.POST_MIGRATING)


class LiveMigrations:
    """The operations of live migrations; ``down_after`` is in seconds."""

    def __init__(self, database: Database, orders: Orders, *, down_after: float) -> None:
        self._database = database
        self._orders = orders
        self._down_after = down_after

    def begin(
        self, context: RequestContext, uuid: str, *, host: str = "", block: bool | None = None,
        over_commit: bool | None = None,
    ) -> None:  # fmt: skip
        """Begin to bring a server to another host, of the scheduler's choice or ``host``.

        ``block`` tells whether disks are to be copied, None that the hosts see for themselves; ``over_commit`` whether
        room is needed for what is written in them alone or for all that could be, None for the usual look at it.
        Raises NotFound, WrongState, Locked, and InvalidInput for hosts that are not there.
        """

        def prepare(session: Session, instance: Instance) -> Mapping[str, Any]:
            self._require_up(session, instance.host or "")
            if host == instance.host:
                raise InvalidInput(f"Unable to migrate instance ({uuid}) to current host ({host}).")
            if host:
                self._require_up(session, host)
            migration = ServerMigration.begun(
                instance, context.user_id, MigrationKind.LIVE, MigrationStatus.QUEUED
            )
            server_migrations.insert(session, migration)
            parameters = {
                "migration": migration.uuid,
                "phase": Phase.EXPECT,
                "block_migration": block,
                "disk_over_commit": over_commit,
                "title": "live-migration",
                "ignored_hosts": [instance.host],
            }
            return parameters | ({"force_host": host} if host else {})

        self._orders.place(context, uuid, Order(lambda _: Verb.LIVE_MIGRATE, prepare))

    def of_server(self, context: RequestContext, uuid: str) -> list[ServerMigration]:
        """Return the live migrations of a server that go on; raises NotFound."""

        def work(session: Session) -> list[ServerMigration]:
            find(session, context, uuid)
            return _under_way(session, uuid)

        return self._database.read("live_migration.list", work)

    def get(self, context: RequestContext, uuid: str, number: str) -> ServerMigration:
        """Return a live migration that goes on, by the number that the API knows it by; raises NotFound."""

        def work(session: Session) -> ServerMigration:
            find(session, context, uuid)
            return _one(session, uuid, number)

        return self._database.read("live_migration.show", work)

    def force_complete(self, context: RequestContext, uuid: str, number: str) -> None:
        """Let the guest stand still so that it completes; raises NotFound, InvalidInput unless it moves."""
        self._wish(context, uuid, number, Wish.COMPLETE, {MigrationStatus.RUNNING})

    def abort(self, context: RequestContext, uuid: str, number: str, *, early: bool) -> None:
        """Call a migration off while it moves, or before that if ``early``; raises NotFound, InvalidInput."""
        self._wish(
            context, uuid, number, Wish.ABORT, set(UNDER_WAY) if early else {MigrationStatus.RUNNING}
        )

    def _wish(
        self,
        context: RequestContext,
        uuid: str,
        number: str,
        wish: Wish,
        allowed: set[MigrationStatus],
    ) -> None:
        """Write down what is wanted: the host that moves the guest looks at it."""

        def work(session: Session) -> None:
            find(session, context, uuid)
            found = _one(session, uuid, number)
            if not server_migrations.move(
                session, found.uuid, allowed & {found.status}, found.status, wish=wish
            ):
                raise InvalidInput(
                    f"Migration {number} state of instance {uuid} is {found.status}. Cannot {wish} while the "
                    "migration is in this state."
                )

        self._database.run("live_migration.wish", work)

    def _require_up(self, session: Session, host: str) -> None:
        found = services.listing(session, self._down_after, binary="nova-compute", host=host)
        if not found:
            raise InvalidInput(f"Compute host {host} could not be found.")
        if not found[0].up:
            raise InvalidInput(f"Compute service of {host} is unavailable at this time.")


def _under_way(session: Session, uuid: str) -> list[ServerMigration]:
    found = server_migrations.listing(session, instance_uuid=uuid, kind=MigrationKind.LIVE)
    return [one for one in found if one.status in _SHOWN]


def _one(session: Session, uuid: str, number: str) -> ServerMigration:
    for one in _under_way(session, uuid):
        if str(one.id) == number:
            return one
    raise NotFound(f"In-progress live migration {number} is not found for server {uuid}.")
