"""Lists of the network API: filters by equality, chosen fields, order, and pages that end at a marker."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from nova_lite.api.call import Call, Json, Reply
from nova_lite.core.errors import InvalidInput

_NOT_FILTERS = {"fields", "limit", "marker", "page_reverse", "sort_key", "sort_dir"}
_TAG_FILTERS: Mapping[str, Callable[[set[str], set[str]], bool]] = {
    "tags": lambda wanted, tags: wanted <= tags,
    "tags-any": lambda wanted, tags: bool(wanted & tags),
    "not-tags": lambda wanted, tags: not wanted <= tags,
    "not-tags-any": lambda wanted, tags: not wanted & tags,
}
"""What each filter by tags means; the tags that it wants stand in a list with commas."""


def listed(call: Call, name: str, items: Sequence[Json]) -> Reply:
    """Return the list ``name`` as the query string wants it; raises InvalidInput."""
    tagged = _tagged(call, name, items)
    chosen = _sorted(call, [item for item in tagged if _passes(call, item)])
    body: Json = {}
    limit = _limit(call)
    start = _start(call, chosen)
    page = chosen[start : start + limit] if limit else chosen[start:]
    if limit and start + limit < len(chosen) and "id" in page[-1]:
        query = [(key, value) for key, value in call.request.GET.items() if key != "marker"]
        href = call.url(f"{call.request.path}?{urlencode([*query, ('marker', page[-1]['id'])])}")
        body[f"{name}_links"] = [{"rel": "next", "href": href}]
    body[name] = [_with_fields(call, item) for item in page]
    return Reply(body)


def shown(call: Call, name: str, item: Json) -> Reply:
    """Return one item, with the fields that the query string wants."""
    (tagged,) = _tagged(call, f"{name}s", [item])
    return Reply({name: _with_fields(call, tagged)})


def _tagged(call: Call, kind: str, items: Sequence[Json]) -> list[Json]:
    """Return items with their tags, as far as they are of a kind that has any."""
    ids = [item["id"] for item in items if "tags" in item]
    if not ids:
        return list(items)
    found = call.cloud.network_tags.of(call.context, kind, ids)
    return [item | {"tags": found[item["id"]]} if item.get("id") in found else item for item in items]


def _passes(call: Call, item: Mapping[str, Any]) -> bool:
    """Tell whether an item has one of the values wanted for each attribute; what it has not is no filter."""
    for name in set(call.request.GET) - _NOT_FILTERS:
        wanted = call.request.GET.getall(name)
        if name in _TAG_FILTERS:
            tags = {tag for text in wanted for tag in text.split(",") if tag}
            if not _TAG_FILTERS[name](tags, set(item.get("tags", ()))):
                return False
        elif name == "fixed_ips":
            if not any(_has_address(item.get(name, ()), condition) for condition in wanted):
                return False
        elif name in item and not any(_equals(item[name], value) for value in wanted):
            return False
    return True


def _equals(value: Any, wanted: str) -> bool:
    if isinstance(value, bool):
        return str(value).lower() == {"1": "true", "0": "false"}.get(wanted, wanted.lower())
    if isinstance(value, list):
        return any(_equals(one, wanted) for one in value)
    return wanted == ("" if value is None else str(value))


def _has_address(addresses: Sequence[Mapping[str, str]], condition: str) -> bool:
    """Compare with ``ip_address=…`` or ``subnet_id=…``, the form in which ports are looked for by address."""
    name, _, wanted = condition.partition("=")
    return any(address.get(name) == wanted for address in addresses)


def _sorted(call: Call, items: list[Json]) -> list[Json]:
    keys = call.request.GET.getall("sort_key")
    directions = call.request.GET.getall("sort_dir")
    for position in reversed(range(len(keys))):
        key = keys[position]
        if items and key not in items[0]:
            raise InvalidInput(f"Cannot sort by {key[:60]}: there is no such attribute.")
        descending = position < len(directions) and directions[position].lower() == "desc"
        items = sorted(items, key=lambda item: str(item[key] or ""), reverse=descending)
    return items


def _limit(call: Call) -> int:
    """Return the size of a page, 0 for all."""
    text = call.query("limit") or "0"
    if not text.isdecimal():
        raise InvalidInput(f"The limit {text[:20]} is not a number from 0 on.")
    return int(text[:18])


def _start(call: Call, items: Sequence[Json]) -> int:
    marker = call.query("marker")
    if not marker:
        return 0
    for position, item in enumerate(items):
        if item.get("id") == marker:
            return position + 1
    raise InvalidInput(f"The marker {marker[:64]} could not be found.")


def _with_fields(call: Call, item: Json) -> Json:
    wanted = set(call.request.GET.getall("fields"))
    return {name: value for name, value in item.items() if name in wanted} if wanted else item
