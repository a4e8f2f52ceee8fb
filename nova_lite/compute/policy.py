"""What the operator wants to become of guests that are not as the database says."""

import dataclasses
import enum


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
