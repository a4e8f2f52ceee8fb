"""Limits that identity keeps for services: registered ones for everybody, others for a project or a domain.

Both kinds are asked for in the same ways: ``REGISTERED`` and ``SINGLE`` say in what they differ.
"""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from nova_lite.api.call import Call, Json, Reply
from nova_lite.api.openstack.identity.paging import listed
from nova_lite.core.context import RequestContext
from nova_lite.core.limits import MODEL, MODEL_DESCRIPTION, Limit, LimitFilter, RegisteredLimit
from nova_lite.operations.identity import Identity

L = TypeVar("L", RegisteredLimit, Limit)

_PLACE = ("service_id", "region_id", "resource_name")


@dataclasses.dataclass(frozen=True, slots=True)
class Kind(Generic[L]):
    """One kind of limits: its word, what it can be looked for by, its values, and the operations on them."""

    noun: str
    filters: tuple[str, ...]
    value: type[L]
    create_many: Callable[[Identity, RequestContext, Sequence[L]], list[L]]
    list_some: Callable[[Identity, RequestContext, LimitFilter], list[L]]
    get: Callable[[Identity, RequestContext, str], L]
    change: Callable[[Identity, RequestContext, str, Callable[[L], L]], L]
    remove: Callable[[Identity, RequestContext, str], None]

    def create(self, call: Call) -> Reply:
        """Add limits, all or none."""
        wanted = [self.value(id="", **_given(body)) for body in call.body[f"{self.noun}s"]]
        made = self.create_many(call.cloud.identity, call.context, wanted)
        return Reply({f"{self.noun}s": [self._view(call, one) for one in made]})

    def listing(self, call: Call) -> Reply:
        """List limits."""
        wanted = LimitFilter(**{name: call.query(name) for name in self.filters})
        found = self.list_some(call.cloud.identity, call.context, wanted)
        return listed(call, f"{self.noun}s", [self._view(call, one) for one in found])

    def show(self, call: Call) -> Reply:
        """Show a limit."""
        return self._reply(call, self.get(call.cloud.identity, call.context, call.params["limit_id"]))

    def update(self, call: Call) -> Reply:
        """Change a limit."""
        changes = _given(call.body[self.noun])

        def changed(limit: L) -> L:
            return dataclasses.replace(limit, **changes)

        return self._reply(call, self.change(call.cloud.identity, call.context, call.params["limit_id"], changed))

    def delete(self, call: Call) -> Reply:
        """Remove a limit."""
        self.remove(call.cloud.identity, call.context, call.params["limit_id"])
        return Reply()

    def _reply(self, call: Call, limit: L) -> Reply:
        return Reply({self.noun: self._view(call, limit)})

    def _view(self, call: Call, limit: L) -> Json:
        shown = {name: None if value == "" else value for name, value in dataclasses.asdict(limit).items()}
        # What is described by nothing is another thing than what has no description.
        described = {"description": limit.description}
        return shown | described | {"links": {"self": call.url(f"/v3/{self.noun}s/{limit.id}")}}


REGISTERED = Kind(
    "registered_limit", _PLACE, RegisteredLimit,
    Identity.register_limits, Identity.list_registered_limits, Identity.get_registered_limit,
    Identity.update_registered_limit, Identity.delete_registered_limit,
)  # fmt: skip

SINGLE = Kind(
    "limit", (*_PLACE, "project_id", "domain_id"), Limit,
    Identity.create_limits, Identity.list_limits, Identity.get_limit, Identity.update_limit, Identity.delete_limit,
)  # fmt: skip


def model(call: Call) -> Reply:
    """Tell by which model services are to keep to limits."""
    return Reply({"model": {"name": MODEL, "description": MODEL_DESCRIPTION}})


def _given(body: Json) -> dict[str, Any]:
    """Return what a body says: null means none of a region, a project or a domain."""
    return {name: "" if value is None and name != "description" else value for name, value in body.items()}
