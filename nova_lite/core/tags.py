"""Tags of servers: short words that users put on them and find them by."""

import dataclasses

MOST = 50
LONGEST = 60


@dataclasses.dataclass(frozen=True, slots=True)
class TagFilter:
    """Which tags what is listed has: every one of ``all_of``, some of ``any_of``, and so not of the others.

    Something is left out by ``not_all_of`` only when it has every one of them. Empty means no condition.
    """

    all_of: tuple[str, ...] = ()
    any_of: tuple[str, ...] = ()
    not_all_of: tuple[str, ...] = ()
    not_any_of: tuple[str, ...] = ()
