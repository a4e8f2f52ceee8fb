"""Key pairs as values."""

import dataclasses
import datetime


@dataclasses.dataclass(frozen=True, slots=True)
class KeyPair:
    """A user's public key; ``kind`` is ssh or x509."""

    id: int
    user_id: str
    name: str
    kind: str
    public_key: str
    fingerprint: str
    created_at: datetime.datetime
