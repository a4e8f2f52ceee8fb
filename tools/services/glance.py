"""A private Glance, the real one, whose callers a Keystone knows."""

import subprocess
import sys
from pathlib import Path

from tools.services.keystone import Keystone
from tools.services.process import Service, ServiceError, free_port, listens

_BIN = Path(sys.executable).parent
_PASTE = _BIN.parent / "etc" / "glance" / "glance-api-paste.ini"
_TOP = Path(__file__).resolve().parents[2]


class Glance(Service):
    """Glance over SQLite and files, on a port of its own."""

    name = "Glance"

    def __init__(self, folder: Path, keystone: Keystone) -> None:
        super().__init__(folder)
        folder.mkdir(parents=True, exist_ok=True)
        self._keystone = keystone
        self.port = free_port()

    @property
    def url(self) -> str:
        """The URL of the image service."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Make the database and serve."""
        for name in ("images", "os_glance_staging_store", "os_glance_tasks_store"):
            (self.folder / name).mkdir(exist_ok=True)
        (self.folder / "glance-api.conf").write_text(
            f"[DEFAULT]\nnode_staging_uri = file://{self.folder}/os_glance_staging_store\n"
            "enabled_backends = files:file\n"
            f"[database]\nconnection = sqlite:///{self.folder}/glance.sqlite\n"
            "[glance_store]\ndefault_backend = files\n"
            f"[files]\nfilesystem_store_datadir = {self.folder}/images\n"
            f"[os_glance_staging_store]\nfilesystem_store_datadir = {self.folder}/os_glance_staging_store\n"
            f"[os_glance_tasks_store]\nfilesystem_store_datadir = {self.folder}/os_glance_tasks_store\n"
            f"[paste_deploy]\nflavor = keystone\nconfig_file = {_PASTE}\n"
            f"[keystone_authtoken]\nauth_type = password\nauth_url = {self._keystone.url}\n"
            f"www_authenticate_uri = {self._keystone.url}\nusername = admin\npassword = secret\n"
            "project_name = admin\nuser_domain_id = default\nproject_domain_id = default\n"
        )
        argv = [str(_BIN / "glance-manage"), f"--config-file={self.folder}/glance-api.conf", "db_sync"]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=120, check=False)
        if done.returncode != 0:
            raise ServiceError(f"glance-manage db_sync: {done.stderr.strip()[-300:]}")
        serve = [sys.executable, "-m", "tools.services.wsgi_program", "glance.wsgi.api", str(self.port)]
        environment = {"OS_GLANCE_CONFIG_DIR": str(self.folder), "PYTHONPATH": str(_TOP)}
        self._launch(serve, lambda: listens(self.port), environment)
