"""Names in a PowerDNS authoritative server, by its HTTP API."""

from collections.abc import Mapping
from typing import Any

import requests

from nova_lite.core.errors import ConfigurationError, DriverError
from nova_lite.drivers.dns.base import DnsDriver

_SECONDS = 10
_TTL = 60


class PowerDns(DnsDriver):
    """Keeps names in zones of a PowerDNS server."""

    def __init__(self, url: str, key: str, server: str, name_servers: tuple[str, ...]) -> None:
        self._url = f"{url.rstrip('/')}/api/v1/servers/{server}/zones"
        self._key = key
        self._name_servers = name_servers

    @classmethod
    def from_flags(cls, conf: Any) -> "PowerDns":
        """Build the driver from the daemon's flags."""
        return cls(
            conf.powerdns_url,
            conf.powerdns_api_key,
            conf.powerdns_server_id,
            tuple(conf.powerdns_name_servers),
        )

    def start(self) -> None:
        """Check the flags; raises ConfigurationError."""
        if not self._url.startswith(("http://", "https://")):
            raise ConfigurationError("The flag --powerdns_url needs an http or https URL.")
        if not self._key:
            raise ConfigurationError("The flag --powerdns_api_key needs the key of the server's API.")

    def entries(self, domain: str) -> Mapping[str, str] | None:
        """Return the records of type A of a zone."""
        answer = self._ask("GET", f"/{domain}.", allowed=404)
        if answer.status_code == 404:
            return None
        return {
            found["name"].removesuffix(f".{domain}."): found["records"][0]["content"]
            for found in answer.json()["rrsets"]
            if found["type"] == "A" and found["name"] != f"{domain}."
        }

    def create_domain(self, domain: str) -> None:
        """Make a zone."""
        servers = [f"{server.rstrip('.')}." for server in self._name_servers]
        self._ask("POST", "", {"name": f"{domain}.", "kind": "Native", "nameservers": servers}, allowed=409)

    def delete_domain(self, domain: str) -> None:
        """Remove a zone."""
        self._ask("DELETE", f"/{domain}.", allowed=404)

    def change(self, domain: str, wanted: Mapping[str, str], unwanted: frozenset[str]) -> None:
        """Change records in one transaction of the server."""
        sets = [
            *(
                {"name": f"{name}.{domain}.", "type": "A", "changetype": "DELETE"}
                for name in sorted(unwanted)
            ),
            *(
                {
                    "name": f"{name}.{domain}.",
                    "type": "A",
                    "ttl": _TTL,
                    "changetype": "REPLACE",
                    "records": [{"content": address, "disabled": False}],
                }
                for name, address in sorted(wanted.items())
            ),
        ]
        self._ask("PATCH", f"/{domain}.", {"rrsets": sets})

    def _ask(self, method: str, path: str, body: Any = None, *, allowed: int = 0) -> requests.Response:
        try:
            answer = requests.request(
                method, self._url + path, json=body, headers={"X-API-Key": self._key}, timeout=_SECONDS
            )
        except requests.RequestException as error:
            raise DriverError(f"cannot speak to PowerDNS at {self._url}: {type(error).__name__}.") from error
        if answer.status_code >= 400 and answer.status_code != allowed:
            raise DriverError(f"PowerDNS refuses {method} {path}: {answer.status_code} {answer.text[:200]}.")
        return answer
