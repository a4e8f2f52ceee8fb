"""What a guest may learn of itself, by the metadata service or from its config drive."""

import dataclasses

from nova_lite.core.instance import Instance


@dataclasses.dataclass(frozen=True, slots=True)
class InjectedFile:
    """A file that the guest finds its content for: the path wanted in the guest, the content in Base64."""

    path: str
    contents: str


@dataclasses.dataclass(frozen=True, slots=True)
class InstanceMetadata:
    """An instance with what is told of it; ``domain`` follows its host name.

    ``address`` is the one that it asks from, or its first; ``floating`` is the first address of the world that
    leads to it, empty for none.
    """

    instance: Instance
    address: str
    security_groups: tuple[str, ...]
    domain: str
    password: str = ""
    floating: str = ""
    files: tuple[InjectedFile, ...] = ()

    @property
    def fqdn(self) -> str:
        """The instance's full host name."""
        return f"{self.instance.hostname}.{self.domain}" if self.domain else self.instance.hostname
