"""Consoles of guests: of which kind they are, and where a host shows them."""

import dataclasses
import datetime
import enum


class ConsoleType(enum.StrEnum):
    """What the client that looks at a console speaks."""

    NOVNC = "novnc"
    XVPVNC = "xvpvnc"
    SPICE = "spice-html5"
    RDP = "rdp-html5"
    SERIAL = "serial"
    WEBMKS = "webmks"


@dataclasses.dataclass(frozen=True, slots=True)
class ConsoleAddress:
    """Where a guest's console can be reached from within the cloud; ``path`` is what some kinds ask for there."""

    host: str
    port: int
    path: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class ConsoleAuthorization:
    """What a token lets its bearer see until ``expires_at``."""

    instance_uuid: str
    type: ConsoleType
    address: ConsoleAddress
    expires_at: datetime.datetime
