"""Host aggregates: groups of compute hosts that the operator makes, availability zones among them."""

import dataclasses
import datetime
from collections.abc import Mapping

ZONE_KEY = "availability_zone"
"""The metadata key under which an aggregate's availability zone is shown and set."""


@dataclasses.dataclass(frozen=True, slots=True)
class Aggregate:
    """A named group of hosts; those of one with an ``availability_zone`` are in that zone."""

    id: int
    uuid: str
    name: str
    availability_zone: str | None
    metadata: Mapping[str, str]
    hosts: tuple[str, ...]
    created_at: datetime.datetime
    updated_at: datetime.datetime | None = None

    @property
    def shown_metadata(self) -> dict[str, str]:
        """The metadata with the zone in it, as the compute API has it."""
        zone = {ZONE_KEY: self.availability_zone} if self.availability_zone else {}
        return {**self.metadata, **zone}
