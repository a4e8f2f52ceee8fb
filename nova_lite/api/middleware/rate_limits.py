"""Refuses callers that ask too often, and tells them how often they may.

The limits are the paste file's, as ``(verb, uri, regex, value, unit)`` separated by semicolons: so many
requests a unit (second, minute, hour or day) of each project's user, whose path and query the regular
expression finds. Each process counts for itself.
"""

import dataclasses
import datetime
import re
import time
from collections.abc import Callable, Iterable
from typing import Any

import limits
import limits.storage
import limits.strategies

from nova_lite.api.app import CONTEXT
from nova_lite.api.call import RATES
from nova_lite.api.errors import HttpError
from nova_lite.core import clock
from nova_lite.core.context import RequestContext
from nova_lite.core.errors import ConfigurationError

_UNITS = ("SECOND", "MINUTE", "HOUR", "DAY")
_ENTRY = re.compile(
    r"\((?P<verb>[A-Za-z]+),(?P<uri>[^,]+),(?P<regex>.+),(?P<value>\s*\d+\s*),(?P<unit>[^,]+)\)"
)


@dataclasses.dataclass(frozen=True, slots=True)
class RateLimit:
    """So many requests a unit; ``uri`` says to people what ``regex`` says to us."""

    verb: str
    uri: str
    regex: re.Pattern[str]
    unit: str
    item: limits.RateLimitItem


class RateLimits:
    """The filter; it stands behind the one that knows the caller."""

    def __init__(self, application: Any, rates: tuple[RateLimit, ...]) -> None:
        self._application = application
        self._rates = rates
        self._counts = limits.strategies.MovingWindowRateLimiter(limits.storage.MemoryStorage())

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer one request (PEP 3333); raises HttpError (429)."""
        context: RequestContext | None = environ.get(CONTEXT)
        if context is not None and self._rates:
            self._count(environ, f"{context.project_id}/{context.user_id}")
            environ[RATES] = lambda: self._tell(f"{context.project_id}/{context.user_id}")
        answer: Iterable[bytes] = self._application(environ, start_response)
        return answer

    def _count(self, environ: dict[str, Any], caller: str) -> None:
        target = f"{environ['PATH_INFO']}?{environ.get('QUERY_STRING', '')}"
        for rate in self._rates:
            asked = rate.verb in ("ANY", environ["REQUEST_METHOD"]) and rate.regex.search(target)
            if asked and not self._counts.hit(rate.item, caller, rate.verb, rate.uri):
                again = self._counts.get_window_stats(rate.item, caller, rate.verb, rate.uri).reset_time
                raise HttpError(
                    429,
                    f"Only {rate.item.amount} {rate.verb} request(s) can be made to {rate.uri} every "
                    f"{rate.unit.lower()}.",
                    {"Retry-After": str(max(1, round(again - time.time())))},
                )

    def _tell(self, caller: str) -> list[dict[str, Any]]:
        """Return the limits as the compute API shows them, by what they limit."""
        told: dict[tuple[str, str], list[dict[str, Any]]] = {}
        for rate in self._rates:
            window = self._counts.get_window_stats(rate.item, caller, rate.verb, rate.uri)
            free = window.remaining > 0
            again = clock.now() if free else datetime.datetime.fromtimestamp(window.reset_time, datetime.UTC)
            told.setdefault((rate.uri, rate.regex.pattern), []).append(
                {
                    "verb": rate.verb,
                    "value": rate.item.amount,
                    "remaining": window.remaining,
                    "unit": rate.unit,
                    "next-available": clock.iso8601(again),
                }
            )
        return [{"uri": uri, "regex": regex, "limit": items} for (uri, regex), items in told.items()]


def read(text: str) -> tuple[RateLimit, ...]:
    """Read the limits of a paste file; raises ConfigurationError."""
    entries = [entry.strip() for entry in text.split(";") if entry.strip()]
    return tuple(_read(entry) for entry in entries)


def _read(entry: str) -> RateLimit:
    found = _ENTRY.fullmatch(entry)
    if found is None:
        raise ConfigurationError(
            f"The paste file's limit {entry} is not of the form (verb, uri, regex, value, unit)."
        )
    unit = found["unit"].strip().upper()
    if unit not in _UNITS:
        raise ConfigurationError(
            f"The paste file's limit {entry} has a unit that is none of {', '.join(_UNITS)}."
        )
    try:
        regex = re.compile(found["regex"].strip())
        item = limits.parse(f"{int(found['value'])}/{unit.lower()}")
    except (re.error, ValueError) as error:
        raise ConfigurationError(f"The paste file's limit {entry} cannot be read: {error}.") from error
    return RateLimit(found["verb"].upper(), found["uri"].strip(), regex, unit, item)


def filter_factory(global_conf: dict[str, str], **options: str) -> Callable[[Any], RateLimits]:
    """Build the filter for a paste pipeline; without the option ``limits`` it lets everybody through."""
    rates = read(options.get("limits", ""))
    return lambda application: RateLimits(application, rates)
