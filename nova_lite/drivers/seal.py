"""Secrets that have to be read again, encrypted at rest (Fernet: AES-128-CBC and HMAC-SHA256)."""

import contextlib
import os
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken

from nova_lite.core.errors import ConfigurationError


class Seal:
    """Encrypts and decrypts with the key in a file, which all daemons of a cloud share; made when missing."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._key: Fernet | None = None

    def seal(self, secret: str) -> str:
        """Return the encrypted form of a secret; raises ConfigurationError without a usable key."""
        return self._fernet().encrypt(secret.encode()).decode()

    def open(self, sealed: str) -> str:
        """Return a secret; raises ConfigurationError when another key encrypted it."""
        try:
            return self._fernet().decrypt(sealed.encode()).decode()
        except InvalidToken as error:
            raise ConfigurationError(
                f"The key in {self._file} is not the one that secrets were kept with."
            ) from error

    def _fernet(self) -> Fernet:
        if self._key is None:
            self._key = _load(self._file)
        return self._key


def _load(file: Path) -> Fernet:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        if not file.exists():
            with contextlib.suppress(FileExistsError):
                _make(file)
        return Fernet(file.read_bytes().strip())
    except OSError as error:
        raise ConfigurationError(f"cannot use the key file {file}: {error.strerror}") from error
    except ValueError as error:
        raise ConfigurationError(f"the file {file} holds no key: {error}") from error


def _make(file: Path) -> None:
    """Write a new key, whole or not at all; raises FileExistsError where there is one."""
    new = file.with_name(f"{file.name}.{os.getpid()}")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as target:
            target.write(Fernet.generate_key() + b"\n")
        os.link(new, file)
    finally:
        new.unlink(missing_ok=True)
