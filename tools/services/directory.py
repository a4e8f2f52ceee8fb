"""A private OpenLDAP server, with the schemas core and cosine and one entry below which names may be."""

import shutil
from pathlib import Path

from tools.services.process import SYSTEM_PATH, Service, free_port, listens


class Slapd(Service):
    """OpenLDAP on a port of its own; ``user`` may do everything with the password "secret"."""

    name = "slapd"
    suffix = "dc=example,dc=org"
    user = f"cn=admin,{suffix}"
    base_dn = f"ou=hosts,{suffix}"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        (folder / "data").mkdir(parents=True, exist_ok=True)
        self.port = free_port()

    @property
    def url(self) -> str:
        """Where the directory is."""
        return f"ldap://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start the server, and make the entries."""
        lines = [
            "include /etc/ldap/schema/core.schema",
            "include /etc/ldap/schema/cosine.schema",
            "modulepath /usr/lib/ldap",
            "moduleload back_mdb",
            "database mdb",
            f"suffix {self.suffix}",
            f"rootdn {self.user}",
            "rootpw secret",
            f"directory {self.folder / 'data'}",
        ]
        (self.folder / "slapd.conf").write_text("\n".join(lines) + "\n")
        program = shutil.which("slapd", path=SYSTEM_PATH) or "/usr/sbin/slapd"
        configuration = str(self.folder / "slapd.conf")
        self._launch([program, "-d", "0", "-f", configuration, "-h", self.url], lambda: listens(self.port))
        self._fill()

    def _fill(self) -> None:
        import ldap3

        with ldap3.Connection(self.url, self.user, "secret", auto_bind=True) as connection:
            connection.add(self.suffix, ["dcObject", "organization"], {"dc": "example", "o": "example"})
            connection.add(self.base_dn, ["organizationalUnit"], {"ou": "hosts"})
