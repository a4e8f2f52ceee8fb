"""What a guest may learn of itself, by the metadata service or from its config drive."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from nova_lite.core.instance import Instance
from nova_lite.core.network import VirtualInterface


@dataclasses.dataclass(frozen=True, slots=True)
class MetadataSettings:
    """What all instances of a cloud are told alike: the domain of their names, their region, the vendor's data."""

    domain: str = ""
    region: str = ""
    vendor_data: Mapping[str, Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, slots=True)
class InjectedFile:
    """A file that the guest finds its content for: the path wanted in the guest, the content in Base64."""

    path: str
    contents: str


@dataclasses.dataclass(frozen=True, slots=True)
class InstanceMetadata:
    """An instance with what is told of it; ``address`` is the one that it asks from, or its first."""

    instance: Instance
    address: str
    settings: MetadataSettings
    security_groups: tuple[str, ...] = ()
    interfaces: tuple[VirtualInterface, ...] = ()
    password: str = ""
    files: tuple[InjectedFile, ...] = ()

    @property
    def fqdn(self) -> str:
        """The instance's full host name: with the cloud's domain, unless its user gave it one."""
        host, domain = self.instance.hostname, self.settings.domain
        return f"{host}.{domain}" if domain and "." not in host else host

    @property
    def floating(self) -> str:
        """The first address of the world that leads to it, empty for none."""
        return next((address for interface in self.interfaces for address in interface.floating), "")

    @property
    def mac(self) -> str:
        """The MAC address of the interface that has ``address``, empty for none."""
        return next((one.mac for one in self.interfaces if one.address == self.address), "")
