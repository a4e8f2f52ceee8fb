"""Time as the project keeps it: naive UTC with microseconds, the form that all three databases store."""

import datetime


def now() -> datetime.datetime:
    """Return the present moment in UTC, without time zone."""
    return datetime.datetime.now(datetime.UTC).replace(tzinfo=None)


def iso8601(moment: datetime.datetime) -> str:
    """Render ``moment`` to the second with the ``Z`` suffix (ISO 8601), as the OpenStack APIs show it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def iso8601_micro(moment: datetime.datetime) -> str:
    """Render ``moment`` with microseconds and ``Z`` (ISO 8601), as identity and instance actions show it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def iso8601_naive(moment: datetime.datetime) -> str:
    """Render ``moment`` with microseconds and no zone suffix, as some compute fields show it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f")
