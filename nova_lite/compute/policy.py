"""What the operator wants to become of guests that are not as the database says."""

import dataclasses
import enum
from typing import Any


class Orphans(enum.StrEnum):
    """What becomes of guests of ours that no instance stands for."""

    NOOP = "noop"
    LOG = "log"
    REAP = "reap"


@dataclasses.dataclass(frozen=True, slots=True)
class Policy:
    """The operator's flags; ``orphans_after`` are the seconds for which an orphan was seen before.

    After the host was booted, ``resume_guests`` starts the guests that should run, ``start_guests`` all of them.
    """

    orphans: Orphans = Orphans.REAP
    orphans_after: float = 0.0
    resume_guests: bool = False
    start_guests: bool = False

    @classmethod
    def from_flags(cls, conf: Any) -> "Policy":
        """Read the flags."""
        return cls(
            orphans=Orphans(conf.running_deleted_instance_action),
            orphans_after=conf.running_deleted_instance_timeout,
            resume_guests=conf.resume_guests_state_on_host_boot,
            start_guests=conf.start_guests_on_host_boot,
        )
