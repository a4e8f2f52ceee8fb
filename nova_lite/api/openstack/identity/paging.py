"""Lists of identity: which part a client asks for, and the links around it."""

from typing import Any
from urllib.parse import urlencode

from nova_lite.api.call import Call, Json, Reply
from nova_lite.core.errors import InvalidInput
from nova_lite.db.identity import NamePage

_FALSE = frozenset({"0", "false", "no", "off", "f", "n"})


def truth(text: str) -> bool:
    """Read a yes or no of a query string; a key without a value means yes."""
    return text.strip().lower() not in _FALSE


def page(call: Call, *filters: str) -> NamePage:
    """Return the part of a list that the query asks for; ``filters`` are parameters that match a column.

    Raises InvalidInput for a limit that is not a positive number.
    """
    where: dict[str, Any] = {}
    for name in filters:
        value = call.query(name)
        if value is not None:
            where[name] = truth(value) if name == "enabled" else value
    return NamePage(where, _limit(call), call.query("marker", "") or "")


def listed(call: Call, plural: str, items: list[Json], part: NamePage | None = None) -> Reply:
    """Return the answer with ``items`` and the links to this part of the list and the next."""
    here = call.request.path_url
    following = None
    if part is not None and part.limit is not None and len(items) == part.limit:
        query = [(key, value) for key, value in call.request.GET.items() if key != "marker"]
        following = f"{here}?{urlencode([*query, ('marker', items[-1]['id'])])}"
    return Reply({plural: items, "links": {"self": here, "next": following, "previous": None}})


def _limit(call: Call) -> int | None:
    text = call.query("limit")
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or not 0 < int(text[:10]) < 2**31:
        raise InvalidInput("The limit must be a positive number.")
    return int(text[:10])
