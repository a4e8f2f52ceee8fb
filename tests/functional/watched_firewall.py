"""A simulated packet filter that a test can look into."""

from typing import Any

from nova_lite.drivers.net.fake import FakeFirewall


class WatchedFirewall(FakeFirewall):
    """The one that was made last is ``newest``."""

    newest: "WatchedFirewall"

    @classmethod
    def from_flags(cls, conf: Any) -> "WatchedFirewall":
        WatchedFirewall.newest = cls()
        return cls.newest

    def members(self) -> set[str]:
        """Return the addresses of the members of all groups."""
        return {address for group in self._groups.values() for address in group.members}
