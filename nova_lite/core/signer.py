"""One who signs requests."""

import dataclasses

from nova_lite.core.identity import TokenInfo


@dataclasses.dataclass(frozen=True, slots=True)
class Signer:
    """The owner of an access key: its secret key, and whom it makes the sender of a request."""

    access: str
    secret: str = dataclasses.field(repr=False)
    info: TokenInfo
