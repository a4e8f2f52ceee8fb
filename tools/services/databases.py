"""Private MariaDB and PostgreSQL."""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

from tools.services.process import SYSTEM_PATH, Service, ServiceError, free_port, listens

if TYPE_CHECKING:
    import pymysql


def _program(name: str, *folders: Path) -> str:
    """Return the path of a program, looked for in ``folders`` too."""
    path = ":".join([*(str(folder) for folder in folders), SYSTEM_PATH])
    return shutil.which(name, path=path) or f"/usr/bin/{name}"


def _run(argv: list[str]) -> None:
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = " / ".join(done.stderr.strip().splitlines()[-4:]) or "it failed"
        raise ServiceError(f"{' '.join(argv)}: {said}")


class Database(Service):
    """Base of the database servers."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        folder.mkdir(parents=True, exist_ok=True)
        port = folder / "port"
        if not port.exists():
            port.write_text(str(free_port()))
        self.port = int(port.read_text())

    def create_database(self, name: str = "") -> str:
        """Make an empty database, of a random name unless one is given; returns its SQLAlchemy URL."""
        name = name or f"nova_{uuid.uuid4().hex[:12]}"
        self._create(name)
        return self.url(name)

    def url(self, name: str) -> str:
        """Return the SQLAlchemy URL of a database."""
        raise ServiceError(f"there is no {name}")

    def _create(self, name: str) -> None:
        raise ServiceError(f"cannot create {name}")


class MariaDB(Database):
    """A MariaDB server; its root has no password, so ``address`` is one that only this machine can reach."""

    name = "MariaDB"

    def __init__(self, folder: Path, address: str = "127.0.0.1") -> None:
        super().__init__(folder)
        self._address = address

    def start(self) -> None:
        """Make the server's files at the first start, and start it."""
        data = self.folder / "data"
        if not (data / "mysql").is_dir():
            options = ["--no-defaults", f"--user={_me()}", f"--datadir={data}", "--skip-test-db"]
            _run([_program("mariadb-install-db"), *options, "--auth-root-authentication-method=normal"])
        argv = [
            _program("mariadbd"), "--no-defaults", f"--user={_me()}", f"--datadir={data}",
            f"--socket={self.folder / 'socket'}", f"--port={self.port}", f"--bind-address={self._address}",
            f"--pid-file={self.folder / 'server.pid'}", "--performance-schema=off", "--skip-log-bin",
            "--innodb-buffer-pool-size=64M", "--max-connections=400", "--skip-name-resolve",
        ]  # fmt: skip
        self._launch(argv, self._ready)

    def url(self, name: str) -> str:
        """Return the SQLAlchemy URL of a database."""
        return f"mysql+pymysql://root@{self._address}:{self.port}/{name}?charset=utf8mb4"

    def _ready(self) -> bool:
        import pymysql

        with contextlib.suppress(pymysql.MySQLError):
            self._connect().close()
            return True
        return False

    def socket_url(self, name: str) -> str:
        """Return a URL that works in every network namespace of this machine."""
        return f"mysql+pymysql://root@localhost/{name}?charset=utf8mb4&unix_socket={self.folder / 'socket'}"

    def _create(self, name: str) -> None:
        with self._connect() as connection, connection.cursor() as cursor:
            cursor.execute("CREATE USER IF NOT EXISTS 'root'@'%'")
            cursor.execute("GRANT ALL PRIVILEGES ON *.* TO 'root'@'%'")
            cursor.execute(
                f"CREATE DATABASE IF NOT EXISTS `{name}` CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"
            )

    def _connect(self) -> "pymysql.connections.Connection[pymysql.cursors.Cursor]":
        import pymysql

        return pymysql.connect(unix_socket=str(self.folder / "socket"), user="root", connect_timeout=2)


class PostgreSQL(Database):
    """A PostgreSQL server of the user nova, without password, reached from this machine only."""

    name = "PostgreSQL"

    def start(self) -> None:
        """Make the server's files at the first start, and start it."""
        programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
        data = self.folder / "data"
        if not (data / "PG_VERSION").exists():
            data.mkdir(mode=0o700, exist_ok=True)
            self._give_away()
            options = [
                "-D",
                str(data),
                "-A",
                "trust",
                "--no-sync",
                "-U",
                "nova",
                "-E",
                "UTF8",
                "--locale=C.UTF-8",
            ]
            _run([*self._as_user(), _program("initdb", *programs), *options])
        argv = [
            *self._as_user(), _program("postgres", *programs), "-D", str(data), "-p", str(self.port),
            "-k", str(self.folder), "-c", "listen_addresses=127.0.0.1", "-c", "max_connections=300",
        ]  # fmt: skip
        self._launch(argv, self._ready)

    def stop(self) -> None:
        """Stop the server without waiting for its clients."""
        self._end(signal.SIGINT)

    def url(self, name: str) -> str:
        """Return the SQLAlchemy URL of a database."""
        return f"postgresql+psycopg2://nova@127.0.0.1:{self.port}/{name}"

    def _ready(self) -> bool:
        if not listens(self.port):
            return False
        import psycopg2

        with contextlib.suppress(psycopg2.OperationalError):
            psycopg2.connect(host="127.0.0.1", port=self.port, user="nova", dbname="postgres").close()
            return True
        return False

    def _create(self, name: str) -> None:
        import psycopg2

        connection = psycopg2.connect(host="127.0.0.1", port=self.port, user="nova", dbname="postgres")
        connection.autocommit = True
        with contextlib.closing(connection), connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,))
            if cursor.fetchone() is None:
                cursor.execute(f'CREATE DATABASE "{name}"')

    def _as_user(self) -> list[str]:
        """PostgreSQL refuses to run as root: then it runs as the user of Debian's package."""
        if os.geteuid() != 0:
            return []
        return ["/usr/bin/setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--"]

    def _give_away(self) -> None:
        if os.geteuid() != 0:
            return
        account = pwd.getpwnam("postgres")
        for path in (self.folder, self.folder / "data"):
            os.chown(path, account.pw_uid, account.pw_gid)
        for parent in self.folder.resolve().parents:
            # Its user has to be able to walk to the folder.
            if not parent.stat().st_mode & 0o001 and parent != Path("/"):
                parent.chmod(parent.stat().st_mode | 0o011)


def _me() -> str:
    return pwd.getpwuid(os.geteuid()).pw_name
