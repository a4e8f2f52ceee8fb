"""Tags of networks, subnets, ports, floating addresses, routers and security groups."""

from collections.abc import Callable
from typing import Any

from nova_lite.api.call import Call, Handler, Reply
from nova_lite.core.errors import InvalidInput, NotFound

_LONGEST = 255


def _floating(call: Call, resource_id: str) -> Any:
    for one in call.cloud.floating_ips.listing(call.context):
        if one.id == resource_id:
            return one
    raise NotFound(f"Floating IP {resource_id[:64]} could not be found.")


FINDERS: dict[str, Callable[[Call, str], Any]] = {
    "networks": lambda call, wanted: call.cloud.networks.get(call.context, wanted),
    "subnets": lambda call, wanted: call.cloud.networks.get_by_subnet(call.context, wanted),
    "ports": lambda call, wanted: call.cloud.networks.port(call.context, wanted),
    "floatingips": _floating,
    "routers": lambda call, wanted: call.cloud.routers.get(call.context, wanted),
    "security-groups": lambda call, wanted: call.cloud.security_groups.get(call.context, wanted),
}
"""How a resource of each collection is found, which raises NotFound."""


def listing(collection: str) -> Handler:
    """Return the handler that lists the tags of a resource."""
    return lambda call: Reply({"tags": _tags(call, collection)})


def replace(collection: str) -> Handler:
    """Return the handler that replaces the tags of a resource."""

    def handle(call: Call) -> Reply:
        kind, wanted = _found(call, collection)
        tags = call.cloud.network_tags.replace(call.context, kind, wanted, call.body["tags"])
        return Reply({"tags": tags})

    return handle


def remove_all(collection: str) -> Handler:
    """Return the handler that takes every tag off a resource."""

    def handle(call: Call) -> Reply:
        call.cloud.network_tags.replace(call.context, *_found(call, collection), ())
        return Reply()

    return handle


def check(collection: str) -> Handler:
    """Return the handler that tells whether a resource has a tag."""

    def handle(call: Call) -> Reply:
        if call.params["tag"] not in _tags(call, collection):
            raise NotFound(f"Tag {call.params['tag'][:60]} could not be found.")
        return Reply()

    return handle


def add(collection: str) -> Handler:
    """Return the handler that puts a tag on a resource."""

    def handle(call: Call) -> Reply:
        tag = call.params["tag"]
        if len(tag) > _LONGEST or "," in tag:
            raise InvalidInput(f"A tag has at most {_LONGEST} characters, of which none is a comma or a slash.")
        call.cloud.network_tags.add(call.context, *_found(call, collection), tag)
        return Reply()

    return handle


def remove(collection: str) -> Handler:
    """Return the handler that takes a tag off a resource."""

    def handle(call: Call) -> Reply:
        call.cloud.network_tags.remove(call.context, *_found(call, collection), call.params["tag"])
        return Reply()

    return handle


def _found(call: Call, collection: str) -> tuple[str, str]:
    """Return the kind and id of the resource that is meant; raises NotFound."""
    wanted = call.params["resource_id"]
    FINDERS[collection](call, wanted)
    return collection.replace("-", "_"), wanted


def _tags(call: Call, collection: str) -> list[str]:
    kind, wanted = _found(call, collection)
    return call.cloud.network_tags.of(call.context, kind, [wanted]).get(wanted, [])
