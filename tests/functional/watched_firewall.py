"""A simulated packet filter that a test can look into."""

from typing import Any, ClassVar

from nova_lite.drivers.net.fake import FakeFirewall

FLAG = "--firewall_driver=tests.functional.watched_firewall.WatchedFirewall"


class WatchedFirewall(FakeFirewall):
    """The one that was made first for each host is that of its daemon."""

    of: ClassVar[dict[str, "WatchedFirewall"]] = {}

    @classmethod
    def from_flags(cls, conf: Any) -> "WatchedFirewall":
        return cls.of.setdefault(conf.host, cls())

    def members(self) -> set[str]:
        """Return the addresses of the members of all groups."""
        return {address for group in self._groups.values() for address in group.members}
