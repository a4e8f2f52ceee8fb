"""Pages of lists: MaxResults and NextToken."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from nova_lite.api.ec2 import xml
from nova_lite.api.ec2.call import Ec2Call, marker_of, token_of
from nova_lite.api.ec2.errors import Ec2Error, invalid
from nova_lite.api.ec2.xml import Shape

T = TypeVar("T")

LEAST, MOST = 5, 1000
"""How many items a page has at least, where a number is asked for, and at most."""


@dataclasses.dataclass(frozen=True, slots=True)
class Listed:
    """A part of a list, with the token for the next one where there is more."""

    items: Sequence[Any]
    next_token: str | None = None


def shape(name: str, item: Shape) -> Shape:
    """Return the shape of a list."""
    return Shape(
        xml.many(name, lambda listed: listed.items, item),
        xml.text("nextToken", lambda listed: listed.next_token),
    )


def size(call: Ec2Call, *identifiers: str) -> int | None:
    """Return how many items are wanted at most, None for all; raises Ec2Error.

    ``identifiers`` are the parameters that name things one by one, which exclude pages.
    """
    most: int | None = call.get("MaxResults")
    if most is None:
        return None
    for name in identifiers:
        if call.list(name):
            raise Ec2Error(
                "InvalidParameterCombination",
                f"The parameter {name} cannot be used with the parameter MaxResults",
            )
    if most < LEAST:
        raise invalid("MaxResults", most, f"Expecting a value greater than {LEAST - 1}.")
    return min(most, MOST)


def marker(call: Ec2Call) -> str:
    """Return after what the page begins, empty for the first page; raises Ec2Error."""
    token = call.get("NextToken")
    if not token:
        return ""
    found = marker_of(token)
    if not found:
        raise invalid("NextToken", token)
    return found


def paged(call: Ec2Call, items: Sequence[T], identify: Callable[[T], str], *identifiers: str) -> Listed:
    """Return the part of a whole list that is asked for; raises Ec2Error."""
    most, after = size(call, *identifiers), marker(call)
    if after:
        places = [place for place, item in enumerate(items) if identify(item) == after]
        if not places:
            raise invalid("NextToken", call.get("NextToken"))
        items = items[places[0] + 1 :]
    if most is None or len(items) <= most:
        return Listed(items)
    page = items[:most]
    return Listed(page, token_of(identify(page[-1])))
