"""Quota: what a project may have, and what it has."""

import dataclasses
from collections.abc import Mapping

RESOURCES = ("instances", "cores", "ram")
"""What is counted for a project as it is taken; ``ram`` in MiB. Other limits are compared with rows."""

UNLIMITED = -1


@dataclasses.dataclass(frozen=True, slots=True)
class Usage:
    """An amount of what is counted: instances, virtual processors, memory in MiB."""

    instances: int = 0
    cores: int = 0
    ram: int = 0


@dataclasses.dataclass(frozen=True, slots=True)
class Limits:
    """The limits of a project that has none of its own, by the name of the resource; -1 means no limit."""

    values: Mapping[str, int]

    def __getitem__(self, resource: str) -> int:
        return self.values[resource]

    def replaced(self, changes: Mapping[str, int]) -> "Limits":
        """Return these limits with ``changes`` over them."""
        return Limits({**self.values, **changes})
