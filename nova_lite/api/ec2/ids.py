"""Finding what identifiers of the EC2 API stand for, with the error that clients expect where it is nothing."""

import datetime
from collections.abc import Callable, Container, Iterable, Sequence
from typing import TypeVar

from nova_lite.api.ec2.call import Ec2Call
from nova_lite.api.ec2.errors import Ec2Error
from nova_lite.core import clock
from nova_lite.core.ec2_ids import ec2_id, image_ec2_id, start_of_uuid
from nova_lite.core.image import Image
from nova_lite.core.instance import Instance
from nova_lite.core.instance_states import VmState
from nova_lite.db.instance_pages import Page
from nova_lite.operations.servers import ServerDetails

T = TypeVar("T")

_AT_ONCE = 100
"""How many instances one statement looks for by their ids."""


def starts(identifiers: Iterable[str], code: str, *prefixes: str) -> dict[str, str]:
    """Return how the UUIDs of identifiers begin; raises Ec2Error (``code``.Malformed)."""
    found = {}
    for identifier in identifiers:
        start = start_of_uuid(identifier, *prefixes)
        if start is None:
            raise Ec2Error(f"{code}.Malformed", f'Invalid id: "{identifier[:100]}"')
        found[identifier] = start
    return found


def not_found(code: str, what: str, identifiers: Iterable[str]) -> Ec2Error:
    """Return the error of identifiers that are nobody's."""
    return Ec2Error(f"{code}.NotFound", f"The {what} '{', '.join(identifiers)}' does not exist")


def pick(
    things: Iterable[T], identifiers: Sequence[str], identify: Callable[[T], str], code: str, what: str
) -> list[T]:
    """Return the things that identifiers stand for, all without any; raises Ec2Error (``code``.NotFound)."""
    if not identifiers:
        return list(things)
    by_id = one_each(things, set(identifiers), identify)
    unknown = [identifier for identifier in identifiers if identifier not in by_id]
    if unknown:
        raise not_found(code, what, unknown)
    return [by_id[identifier] for identifier in dict.fromkeys(identifiers)]


def one_each(things: Iterable[T], identifiers: Container[str], identify: Callable[[T], str]) -> dict[str, T]:
    """Return things by those of their ids that are wanted; raises Ec2Error (InvalidID) for one that two have.

    Of an id 62 bits are random, so nobody will see it; but it must not be chance whom a change is for.
    """
    found: dict[str, T] = {}
    for thing in things:
        identifier = identify(thing)
        if identifier in identifiers:
            if identifier in found:
                raise Ec2Error(
                    "InvalidID", f"The ID '{identifier}' stands for more than one resource; only UUIDs tell them apart."
                )
            found[identifier] = thing
    return found


def ended_since(call: Ec2Call) -> datetime.datetime:
    """Return since when instances that ended are still shown."""
    return clock.now() - datetime.timedelta(seconds=call.conf.ec2_terminated_seconds)


def instance_id(instance: Instance) -> str:
    """Return an instance's id."""
    return ec2_id("i", instance.uuid)


def servers(call: Ec2Call, identifiers: Sequence[str]) -> list[ServerDetails]:
    """Return instances with what is shown beside them, in the order of the ids.

    Raises Ec2Error (InvalidInstanceID.Malformed, InvalidInstanceID.NotFound).
    """
    wanted = starts(identifiers, "InvalidInstanceID", "i")
    beginnings = list(wanted.values())
    listed: list[ServerDetails] = []
    for first in range(0, len(beginnings), _AT_ONCE):
        page = Page(
            project_id=call.context.project_id,
            ended_since=ended_since(call),
            uuid_starts=beginnings[first : first + _AT_ONCE],
        )
        listed += call.cloud.servers.listing(call.context, page)
    return _in_order(one_each(listed, wanted, lambda server: instance_id(server.instance)), wanted)


def server(call: Ec2Call, identifier: str) -> ServerDetails:
    """Return one instance; raises as ``servers``."""
    return servers(call, [identifier])[0]


def instances(call: Ec2Call, identifiers: Sequence[str]) -> list[Instance]:
    """Return instances, those that ended a while ago too; raises as ``servers``."""
    return [server.instance for server in servers(call, identifiers)]


def instance(call: Ec2Call, identifier: str, *, alive: bool = True) -> Instance:
    """Return an instance; one that ended counts only unless ``alive``; raises as ``servers``."""
    found = instances(call, [identifier])[0]
    if alive and found.vm_state is VmState.DELETED:
        raise Ec2Error("IncorrectInstanceState", f"The instance '{identifier}' is terminated.")
    return found


def image_id(image: Image) -> str:
    """Return an image's id."""
    return image_ec2_id(image.id, image.container_format)


def images(call: Ec2Call, identifiers: Sequence[str], *prefixes: str) -> list[Image]:
    """Return images that the caller may use, in the order of the ids.

    Raises Ec2Error (InvalidAMIID.Malformed, InvalidAMIID.NotFound).
    """
    wanted = starts(identifiers, "InvalidAMIID", *(prefixes or ("ami", "aki", "ari")))
    found: dict[str, Image] = {}
    for each in call.cloud.images.starting_with(call.context, list(wanted.values())):
        found.setdefault(image_id(each), each)
    missing = [identifier for identifier in wanted if identifier not in found]
    if missing:
        raise Ec2Error("InvalidAMIID.NotFound", f"The image id '[{', '.join(missing)}]' does not exist")
    return [found[identifier] for identifier in wanted]


def image(call: Ec2Call, identifier: str, *prefixes: str) -> Image:
    """Return one image; raises as ``images``."""
    return images(call, [identifier], *prefixes)[0]


def _in_order(found: dict[str, ServerDetails], wanted: dict[str, str]) -> list[ServerDetails]:
    missing = [identifier for identifier in wanted if identifier not in found]
    if missing:
        many = len(missing) > 1
        raise Ec2Error(
            "InvalidInstanceID.NotFound",
            f"The instance ID{'s' if many else ''} '{', '.join(missing)}' do{'' if many else 'es'} not exist",
        )
    return [found[identifier] for identifier in wanted]
