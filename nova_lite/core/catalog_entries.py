"""What an operator adds to the catalog: services, endpoints and regions beside those that are built in."""

import dataclasses
from collections.abc import Mapping
from typing import Any

Extra = Mapping[str, Any]


@dataclasses.dataclass(frozen=True, slots=True)
class ServiceEntry:
    """A service of another program."""

    id: str
    type: str
    name: str = ""
    description: str = ""
    enabled: bool = True
    extra: Extra = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, slots=True)
class EndpointEntry:
    """A URL of a service; ``%(project_id)s`` in it stands for the project of the token."""

    id: str
    service_id: str
    interface: str
    url: str
    region_id: str = ""
    enabled: bool = True
    extra: Extra = dataclasses.field(default_factory=dict)

    def url_for(self, project_id: str) -> str | None:
        """Return the URL for a token of a project, None when it needs one and there is none."""
        url = self.url
        for name in ("project_id", "tenant_id"):
            for pattern in (f"%({name})s", f"$({name})s"):
                if pattern in url and not project_id:
                    return None
                url = url.replace(pattern, project_id)
        return url


@dataclasses.dataclass(frozen=True, slots=True)
class RegionEntry:
    """A region."""

    id: str
    description: str = ""
    parent_region_id: str = ""
    extra: Extra = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, slots=True)
class Entries:
    """Everything that was added."""

    services: tuple[ServiceEntry, ...] = ()
    endpoints: tuple[EndpointEntry, ...] = ()
    regions: tuple[RegionEntry, ...] = ()
