"""What a server used of a period: the part of it for which the server was there, times its size."""

import dataclasses
import datetime

_HOUR = 3600.0


@dataclasses.dataclass(frozen=True, slots=True)
class ServerUsage:
    """A server within the period from ``begin`` to ``end``: memory in MiB, disk in GiB."""

    uuid: str
    name: str
    project_id: str
    flavor: str
    state: str
    vcpus: int
    memory_mb: int
    local_gb: int
    started_at: datetime.datetime
    ended_at: datetime.datetime | None
    begin: datetime.datetime
    end: datetime.datetime

    @property
    def hours(self) -> float:
        """For how long it was there within the period."""
        first = max(self.started_at, self.begin)
        last = min(self.ended_at or self.end, self.end)
        return max(0.0, (last - first).total_seconds()) / _HOUR

    @property
    def uptime(self) -> int:
        """For how many seconds it was there by the end of the period, since it began."""
        last = min(self.ended_at or self.end, self.end)
        return max(0, int((last - self.started_at).total_seconds()))
