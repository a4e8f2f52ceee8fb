"""The metadata of servers: items that their owner keeps beside them, for guests to read."""

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy.orm import Session

from nova_lite.core.context import RequestContext
from nova_lite.core.errors import Conflict, Locked, NotFound, OverQuota
from nova_lite.db import instances
from nova_lite.db.engine import Database
from nova_lite.operations.orders import find

_SWAP_ATTEMPTS = 10


class ServerMetadata:
    """The operations on the metadata of servers."""

    def __init__(self, database: Database, *, most: int) -> None:
        self._database = database
        self._most = most

    def set(
        self, context: RequestContext, uuid: str, items: Mapping[str, str], *, replace: bool
    ) -> Mapping[str, str]:
        """Add metadata items, or replace all of them; returns what is there now.

        Raises NotFound, Locked, OverQuota for too many items, Conflict when others change it all the time.
        """
        return self._swap(context, uuid, lambda old: dict(items) if replace else {**old, **items})

    def change(
        self, context: RequestContext, uuid: str, change: Callable[[Mapping[str, str]], dict[str, str]]
    ) -> Mapping[str, str]:
        """Replace the metadata by what ``change`` makes of it; raises as ``set``."""
        return self._swap(context, uuid, change)

    def delete(self, context: RequestContext, uuid: str, key: str) -> None:
        """Remove one metadata item; raises NotFound, Locked."""

        def without(old: Mapping[str, str]) -> dict[str, str]:
            if key not in old:
                raise NotFound("Metadata item was not found")
            return {name: value for name, value in old.items() if name != key}

        self._swap(context, uuid, without)

    def _swap(self, context: RequestContext, uuid: str, change: Any) -> Mapping[str, str]:
        def work(session: Session) -> Mapping[str, str] | None:
            instance = find(session, context, uuid)
            if instance.locked_by and not context.is_admin:
                raise Locked(f"Instance {uuid} is locked")
            new: dict[str, str] = change(instance.metadata)
            if len(new) > self._most:
                raise OverQuota(f"Maximum number of metadata items exceeds {self._most}")
            swapped = instances.swap_metadata(session, instance.uuid, instance.metadata, new)
            return new if swapped else None

        for _ in range(_SWAP_ATTEMPTS):
            new = self._database.run("server.metadata", work)
            if new is not None:
                return new
        raise Conflict(f"The metadata of instance {uuid} is being changed by others.")
