"""Conditions of the network API: a change that is only to be made of the revision that the client saw."""

import dataclasses
import re

from nova_lite.api.call import Call, Handler, Reply
from nova_lite.core.errors import InvalidInput

_CONDITION = re.compile(r"revision_number=([0-9]{1,9})")


def matched(handler: Handler) -> Handler:
    """Return a handler whose operation heeds ``If-Match``, for a route that changes one resource."""

    def handle(call: Call) -> Reply:
        condition = call.request.headers.get("If-Match")
        if condition is None:
            return handler(call)
        context = dataclasses.replace(call.context, seen_revision=_revision(condition))
        return handler(dataclasses.replace(call, context=context))

    return handle


def _revision(condition: str) -> int:
    """Return the number in ``revision_number=N``; raises InvalidInput for anything else."""
    found = _CONDITION.fullmatch(condition.strip())
    if found is None:
        raise InvalidInput("Invalid value for If-Match: revision_number=N is understood.")
    return int(found[1])
