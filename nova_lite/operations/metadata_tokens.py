"""The tokens with which a guest shows that it asks for itself (IMDSv2)."""

import time

from nova_lite.core.errors import ConfigurationError, InvalidInput
from nova_lite.drivers.seal import Seal

LONGEST_SECONDS = 21600


class MetadataTokens:
    """Gives out and checks tokens; nothing is kept, a token itself says whose it is and until when.

    They are sealed with the key that the daemons of a cloud share, so any of them knows the tokens of all.
    """

    def __init__(self, seal: Seal) -> None:
        self._seal = seal

    def issue(self, instance_uuid: str, seconds: int) -> str:
        """Return a new token of an instance; raises InvalidInput for a life that is too short or long."""
        if not 1 <= seconds <= LONGEST_SECONDS:
            raise InvalidInput(f"A token lives between 1 and {LONGEST_SECONDS} seconds.")
        return self._seal.seal(f"{_PURPOSE} {instance_uuid} {time.time() + seconds}")

    def holds(self, token: str, instance_uuid: str) -> bool:
        """Tell whether a token is one of this instance's and still lives."""
        try:
            purpose, owner, until = self._seal.open(token).split(" ")
            return purpose == _PURPOSE and owner == instance_uuid and float(until) > time.time()
        except (ConfigurationError, ValueError):
            return False


_PURPOSE = "metadata"
