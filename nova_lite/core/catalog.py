"""The service catalog: which APIs there are and where a client reaches them.

An API's URL is made of the host by which the client reached the identity API, so that a cloud needs no
configuration to be reachable by several names; an operator's flag overrides it.
"""

import dataclasses
import uuid
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

INTERFACES = ("public", "internal", "admin")

_PROJECT = "{project_id}"


@dataclasses.dataclass(frozen=True, slots=True)
class CatalogService:
    """One API as the catalog shows it.

    ``path`` follows host and port; ``{project_id}`` in it stands for the project of the token. ``override``
    is a whole URL that replaces scheme, host, port and path.
    """

    type: str
    name: str
    port: int
    path: str = ""
    override: str = ""

    @property
    def id(self) -> str:
        """The service's id, the same at all times and on all hosts."""
        return uuid.uuid5(uuid.NAMESPACE_OID, f"nova_lite/{self.type}").hex


@dataclasses.dataclass(frozen=True, slots=True)
class Endpoint:
    """A service's URL on one interface."""

    id: str
    interface: str
    region: str
    url: str
    service: CatalogService


STANDARD: Mapping[str, tuple[CatalogService, ...]] = {
    "identity": (CatalogService("identity", "keystone", 5000),),
    "ec2": (CatalogService("ec2", "ec2", 8773, "/services/Cloud"),),
    "osapi_compute": (CatalogService("compute", "nova", 8774, "/v2.1"),),
    "image": (CatalogService("image", "glance", 9292),),
    "network": (CatalogService("network", "neutron", 9696),),
}
"""What each API that can be enabled adds to the catalog, with its usual port."""


@dataclasses.dataclass(frozen=True, slots=True)
class Catalog:
    """All services, in one region; ``public_host`` replaces the host by which the client came."""

    region: str
    services: tuple[CatalogService, ...]
    public_host: str = ""

    def endpoints(self, host_url: str, project_id: str = "") -> list[Endpoint]:
        """Return every endpoint for a client that came by ``host_url`` (``http://cloud:5000``).

        What needs a project in its URL is left out when there is none.
        """
        parts = urlsplit(host_url)
        host = self.public_host or parts.hostname or ""
        base = f"{parts.scheme}://[{host}]" if ":" in host else f"{parts.scheme}://{host}"
        return [
            _endpoint(service, interface, self.region, url)
            for service in self.services
            if (url := _url(service, base, project_id)) is not None
            for interface in INTERFACES
        ]


def services_of(
    apis: Iterable[str], *, ports: Mapping[str, int], overrides: Mapping[str, str] | None = None
) -> tuple[CatalogService, ...]:
    """Return what the enabled ``apis`` add to the catalog; those that it does not show are passed over.

    ``ports`` and ``overrides`` (a whole URL, "" for none) are by the name of the API.
    """
    urls = overrides or {}
    return tuple(
        dataclasses.replace(
            service, port=ports.get(api, service.port), override=urls.get(api, "").rstrip("/")
        )
        for api in apis
        for service in STANDARD.get(api, ())
    )


def _url(service: CatalogService, base: str, project_id: str) -> str | None:
    url = service.override or f"{base}:{service.port}{service.path}"
    if _PROJECT in url and not project_id:
        return None
    return url.replace(_PROJECT, project_id)


def _endpoint(service: CatalogService, interface: str, region: str, url: str) -> Endpoint:
    endpoint_id = uuid.uuid5(uuid.NAMESPACE_OID, f"nova_lite/{region}/{service.type}/{interface}").hex
    return Endpoint(endpoint_id, interface, region, url, service)
