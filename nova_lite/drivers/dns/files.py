"""Names in files, one a domain, in the form of /etc/hosts.

dnsmasq serves a folder of such files (``--hostsdir``) and reads what changes there by itself; the DHCP servers of
nova-network do.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nova_lite.core.errors import ConfigurationError, DriverError
from nova_lite.drivers.dns.base import DnsDriver


class FileDns(DnsDriver):
    """Writes names into a folder of this host."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @classmethod
    def from_flags(cls, conf: Any) -> "FileDns":
        """Build the driver from the daemon's flags."""
        return cls(Path(conf.dns_hosts_path))

    def start(self) -> None:
        """Make the folder; raises ConfigurationError."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigurationError(f"cannot use dns_hosts_path {self._folder}: {error.strerror}") from error
        if not os.access(self._folder, os.W_OK):
            raise ConfigurationError(f"cannot write into dns_hosts_path {self._folder}.")

    def entries(self, domain: str) -> Mapping[str, str] | None:
        """Return what the file of a domain says; raises DriverError."""
        try:
            lines = self._file(domain).read_text().splitlines()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise DriverError(f"cannot read the names of {domain}: {error.strerror}.") from error
        pairs = [line.split() for line in lines if line.strip()]
        return {pair[1].removesuffix(f".{domain}"): pair[0] for pair in pairs if len(pair) == 2}

    def create_domain(self, domain: str) -> None:
        """Make an empty file."""
        if not self._file(domain).exists():
            self._write(domain, {})

    def delete_domain(self, domain: str) -> None:
        """Remove the file."""
        try:
            self._file(domain).unlink(missing_ok=True)
        except OSError as error:
            raise DriverError(f"cannot remove the names of {domain}: {error.strerror}.") from error

    def change(self, domain: str, wanted: Mapping[str, str], unwanted: frozenset[str]) -> None:
        """Put another file in the place of the one that is there."""
        kept = {
            name: address for name, address in (self.entries(domain) or {}).items() if name not in unwanted
        }
        self._write(domain, {**kept, **wanted})

    def _write(self, domain: str, names: Mapping[str, str]) -> None:
        text = "".join(f"{address} {name}.{domain}\n" for name, address in sorted(names.items()))
        # dnsmasq looks away from names that begin with a dot.
        new = self._folder / f".{domain}.new"
        try:
            new.write_text(text)
            new.chmod(0o644)
            new.rename(self._file(domain))
        except OSError as error:
            raise DriverError(f"cannot write the names of {domain}: {error.strerror}.") from error

    def _file(self, domain: str) -> Path:
        return self._folder / domain
