"""Tags of servers."""

from collections.abc import Callable, Sequence

from sqlalchemy.orm import Session

from nova_lite.core.context import RequestContext
from nova_lite.core.errors import Conflict, InvalidInput, NotFound, WrongState
from nova_lite.core.instance_states import VmState
from nova_lite.core.tags import LONGEST, MOST
from nova_lite.db import instances
from nova_lite.db.engine import Database
from nova_lite.operations.orders import find

_SWAP_ATTEMPTS = 10
_STATES = (VmState.ACTIVE, VmState.PAUSED, VmState.SUSPENDED, VmState.STOPPED)

Tagged = tuple[str, ...]


class Tags:
    """The operations on servers' tags."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, context: RequestContext, uuid: str) -> Tagged:
        """Return a server's tags; raises NotFound."""

        def work(session: Session) -> Tagged:
            return find(session, context, uuid).tags

        return self._database.read("tags.get", work)

    def check(self, context: RequestContext, uuid: str, tag: str) -> None:
        """Raise NotFound unless the server has the tag."""
        if tag not in self.get(context, uuid):
            raise NotFound(f"Instance {uuid} has no tag '{tag}'")

    def replace(self, context: RequestContext, uuid: str, tags: Sequence[str]) -> Tagged:
        """Give a server these tags and no others; raises InvalidInput, NotFound, WrongState."""
        wanted = checked(tags)
        return self._swap(context, uuid, lambda old: wanted)

    def add(self, context: RequestContext, uuid: str, tag: str) -> bool:
        """Add a tag; False when the server had it. Raises InvalidInput, NotFound, WrongState."""
        checked([tag])
        before: list[Tagged] = []

        def added(old: Tagged) -> Tagged:
            before[:] = [old]
            return checked([*old, tag])

        self._swap(context, uuid, added)
        return tag not in before[0]

    def remove(self, context: RequestContext, uuid: str, tag: str) -> None:
        """Remove a tag; raises NotFound, WrongState."""

        def without(old: Tagged) -> Tagged:
            if tag not in old:
                raise NotFound(f"Instance {uuid} has no tag '{tag}'")
            return tuple(kept for kept in old if kept != tag)

        self._swap(context, uuid, without)

    def _swap(self, context: RequestContext, uuid: str, change: Callable[[Tagged], Tagged]) -> Tagged:
        def work(session: Session) -> Tagged | None:
            found = find(session, context, uuid)
            if found.vm_state not in _STATES:
                raise WrongState(f"Cannot tag instance {uuid} while it is in vm_state {found.vm_state}")
            new = change(found.tags)
            return new if instances.swap_tags(session, uuid, found.tags, new) else None

        for _ in range(_SWAP_ATTEMPTS):
            new = self._database.run("tags.swap", work)
            if new is not None:
                return new
        raise Conflict(f"The tags of instance {uuid} are being changed by others.")


def checked(tags: Sequence[str]) -> Tagged:
    """Return the tags, each once; raises InvalidInput for a bad one and for too many."""
    for tag in tags:
        if not tag or len(tag) > LONGEST or "/" in tag or "," in tag:
            raise InvalidInput(
                f"Tag '{tag[:LONGEST]}' is invalid: it needs 1 to {LONGEST} characters, none of them / or ,"
            )
    wanted = tuple(dict.fromkeys(tags))
    if len(wanted) > MOST:
        raise InvalidInput(f"The number of tags exceeded the per-server limit {MOST}")
    return wanted
