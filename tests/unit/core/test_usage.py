"""Hours of a server within a period."""

import datetime

import pytest

from nova_lite.core.usage import ServerUsage

DAY = datetime.datetime(2026, 3, 1)


def at(hour: float) -> datetime.datetime:
    return DAY + datetime.timedelta(hours=hour)


@pytest.mark.parametrize(
    ("started", "ended", "hours", "uptime"),
    [
        (0, None, 4, 8),
        (5, None, 3, 3),
        (5, 6.5, 1.5, 1.5),
        (0, 5, 1, 5),
        (5, 20, 3, 3),
        (7.5, None, 0.5, 0.5),
    ],
)
def test_only_the_part_within_the_period_counts(
    started: float, ended: float | None, hours: float, uptime: float
) -> None:
    server = ServerUsage(
        uuid="1", name="vm", project_id="p", flavor="f", state="active", vcpus=1, memory_mb=1, local_gb=1,
        started_at=at(started), ended_at=None if ended is None else at(ended), begin=at(4), end=at(8),
    )  # fmt: skip
    assert server.hours == hours
    assert server.uptime == uptime * 3600
