"""Key pairs as values."""

import dataclasses
import datetime

from nova_lite.core.ec2_ids import derived_uuid


@dataclasses.dataclass(frozen=True, slots=True)
class KeyPair:
    """A user's public key; ``kind`` is ssh or x509.

    ``private_fingerprint`` is that of the private key where we made it and EC2 clients want to know it.
    """

    id: int
    user_id: str
    name: str
    kind: str
    public_key: str
    fingerprint: str
    created_at: datetime.datetime
    private_fingerprint: str = ""

    @property
    def uuid(self) -> str:
        """The UUID by which others know it: another one when it is made anew under the same name."""
        return derived_uuid("key-pair", self.user_id, self.name, self.created_at.isoformat())
