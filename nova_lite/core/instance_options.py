"""What an owner lays down about an instance, beside what it is made of."""

import dataclasses
import enum


class ShutdownBehavior(enum.StrEnum):
    """What becomes of an instance whose guest switches itself off."""

    STOP = "stop"
    TERMINATE = "terminate"


@dataclasses.dataclass(frozen=True, slots=True)
class InstanceOptions:
    """An instance may be kept from being deleted, or from being stopped, until its owner says otherwise."""

    disable_delete: bool = False
    disable_stop: bool = False
    shutdown_behavior: ShutdownBehavior = ShutdownBehavior.STOP
    monitoring: bool = False
    ebs_optimized: bool = False
