"""The disks that a guest has beside its root disk, on its host and for as long as it lives."""

import dataclasses


@dataclasses.dataclass(frozen=True, slots=True)
class LocalDisks:
    """Their sizes where a user asked for others than the flavor's: GiB and MiB, None for the flavor's, 0 for none."""

    ephemeral_gb: int | None = None
    swap_mb: int | None = None
