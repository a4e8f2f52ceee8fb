"""Evacuating: a server whose host died is made anew on another one."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from nova_lite.core import ids
from nova_lite.core.context import RequestContext
from nova_lite.core.errors import InvalidInput
from nova_lite.core.instance import Instance
from nova_lite.core.instance_states import PowerState, Verb
from nova_lite.core.server_migration import MigrationKind, MigrationStatus, ServerMigration
from nova_lite.db import server_migrations, services
from nova_lite.operations.orders import Order, Orders


class Evacuation:
    """The operation that brings servers away from dead hosts; ``down_after`` is in seconds."""

    def __init__(self, orders: Orders, *, down_after: float) -> None:
        self._orders = orders
        self._down_after = down_after

    def begin(
        self,
        context: RequestContext,
        uuid: str,
        *,
        host: str = "",
        admin_password: str = "",
        stays_off: bool = False,
    ) -> str:
        """Begin to make a server anew on another host, of the scheduler's choice or ``host``.

        One that ``stays_off`` is not started there, whatever it was before.
        Returns the administrator's password. Raises NotFound, WrongState, Locked, and InvalidInput while the
        server's own host is up.
        """

        def prepare(session: Session, instance: Instance) -> Mapping[str, Any]:
            for service in services.listing(
                session, self._down_after, binary="nova-compute", host=instance.host or ""
            ):
                if service.up:
                    raise InvalidInput(f"Compute service of {instance.host} is still in use.")
            if host == instance.host:
                raise InvalidInput("The target host can't be the same one.")
            migration = ServerMigration.begun(
                instance, context.user_id, MigrationKind.EVACUATION, MigrationStatus.ACCEPTED
            )
            server_migrations.insert(session, migration)
            parameters = {
                "migration": migration.uuid,
                "image_id": instance.image_id,
                "off": stays_off or instance.power_state is PowerState.SHUTDOWN,
                "ignored_hosts": [instance.host],
                "old_host": instance.host,
            }
            return parameters | ({"force_host": host} if host else {})

        self._orders.place(context, uuid, Order(lambda _: Verb.EVACUATE, prepare))
        return admin_password or ids.new_secret(9)
