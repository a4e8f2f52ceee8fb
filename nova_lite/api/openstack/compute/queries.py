"""What the query strings of the compute API have in common: truths, limits, times."""

import datetime

from nova_lite.api.call import Call
from nova_lite.core.errors import InvalidInput

_TRUE = frozenset({"true", "1", "yes", "on", "t", "y"})
_FALSE = frozenset({"false", "0", "no", "off", "f", "n"})


def truth(value: object) -> bool:
    """Read a boolean that may be written as text."""
    return value.lower() in _TRUE if isinstance(value, str) else bool(value)


def boolean(text: str, name: str) -> bool:
    """Read a boolean of the query string; raises InvalidInput for what is none."""
    if text.lower() not in _TRUE | _FALSE:
        raise InvalidInput(f"Invalid value '{text[:40]}' for {name}: it is not a boolean.")
    return text.lower() in _TRUE


def limit_of(call: Call) -> int:
    """Return how many items the caller wants at most; raises InvalidInput for a bad limit."""
    text = call.query("limit")
    highest: int = call.conf.osapi_max_limit
    if text is None:
        return highest
    if not text.isdecimal():
        raise InvalidInput(f"limit must be an integer that is at least 0, not {text[:40]}.")
    return min(int(text[:18]) or highest, highest)


def change_range(call: Call) -> tuple[datetime.datetime | None, datetime.datetime | None]:
    """Return the ends of the time in which what is listed has changed; raises InvalidInput."""
    since = moment_of(call, "changes-since")
    before = moment_of(call, "changes-before") if call.at_least(66) else None
    if since is not None and before is not None and since > before:
        raise InvalidInput("The value of changes-since must be less than or equal to changes-before.")
    return since, before


def moment_of(call: Call, name: str) -> datetime.datetime | None:
    """Return a time of the query string without its zone, None where there is none; raises InvalidInput."""
    text = call.query(name)
    if text is None:
        return None
    try:
        moment = datetime.datetime.fromisoformat(text)
        return moment.astimezone(datetime.UTC).replace(tzinfo=None) if moment.tzinfo else moment
    except (ValueError, OverflowError) as error:
        raise InvalidInput(f"{name} is not an ISO 8601 date and time.") from error
