"""Conditions of the network API: a change that is only to be made of the revision that the client saw."""

import re

from nova_lite.api.call import Call, Handler, Reply
from nova_lite.api.openstack.network.tags import FINDERS
from nova_lite.core.errors import InvalidInput

_CONDITION = re.compile(r"revision_number=([0-9]{1,9})")


def matched(collection: str, handler: Handler) -> Handler:
    """Return a handler that first claims the revision that ``If-Match`` names, for a route of one resource."""

    def handle(call: Call) -> Reply:
        condition = call.request.headers.get("If-Match")
        if condition is not None:
            _claim(call, collection, _revision(condition))
        return handler(call)

    return handle


def _claim(call: Call, collection: str, revision: int) -> None:
    (wanted,) = call.params.values()
    found = FINDERS[collection](call, wanted)
    if collection == "subnets":
        collection, wanted = "networks", found.uuid
    call.cloud.revisions.claim(call.context, collection.replace("-", "_"), wanted, revision)


def _revision(condition: str) -> int:
    """Return the number in ``revision_number=N``; raises InvalidInput for anything else."""
    found = _CONDITION.fullmatch(condition.strip())
    if found is None:
        raise InvalidInput("Invalid value for If-Match: revision_number=N is understood.")
    return int(found[1])
