"""A private Keystone, the real one, with an admin whose password is "secret"."""

import os
import subprocess
import sys
from pathlib import Path

from tools.services.process import Service, ServiceError, free_port, listens

_BIN = Path(sys.executable).parent
_TOP = Path(__file__).resolve().parents[2]


class Keystone(Service):
    """Keystone over SQLite on a port of its own."""

    name = "Keystone"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()

    @property
    def url(self) -> str:
        """The URL that clients log in at."""
        return f"http://127.0.0.1:{self.port}/v3"

    def start(self) -> None:
        """Make the database, the keys and the admin, and serve."""
        keys = {name: self.folder / name for name in ("fernet", "credential", "receipts")}
        for path in keys.values():
            path.mkdir(mode=0o700, exist_ok=True)
        (self.folder / "keystone.conf").write_text(
            f"[database]\nconnection = sqlite:///{self.folder}/keystone.sqlite\n"
            f"[fernet_tokens]\nkey_repository = {keys['fernet']}\n"
            f"[credential]\nkey_repository = {keys['credential']}\n"
            f"[fernet_receipts]\nkey_repository = {keys['receipts']}\n"
            "[identity]\npassword_hash_rounds = 4\n"
        )
        url = ["--bootstrap-public-url", self.url, "--bootstrap-internal-url", self.url]
        owner = ["--keystone-user", str(os.getuid()), "--keystone-group", str(os.getgid())]
        self._manage("db_sync")
        self._manage("fernet_setup", *owner)
        self._manage("credential_setup", *owner)
        self._manage("bootstrap", "--bootstrap-password", "secret", "--bootstrap-region-id", "RegionOne", *url)
        argv = [sys.executable, "-m", "tools.services.wsgi_program", "keystone.wsgi.api", str(self.port)]
        environment = {"OS_KEYSTONE_CONFIG_DIR": str(self.folder), "PYTHONPATH": str(_TOP)}
        self._launch(argv, lambda: listens(self.port), environment)

    def _manage(self, *words: str) -> None:
        argv = [str(_BIN / "keystone-manage"), f"--config-file={self.folder}/keystone.conf", *words]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=120, check=False)
        if done.returncode != 0:
            raise ServiceError(f"keystone-manage {words[0]}: {done.stderr.strip()[-300:]}")
