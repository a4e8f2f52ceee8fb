"""Images as files below a folder: one file an image, put there whole by a rename."""

import contextlib
import errno
import hashlib
import os
import secrets
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

from nova_lite.core import ids
from nova_lite.core.errors import ConfigurationError, DriverError, NotFound, TooLarge
from nova_lite.drivers.image.base import ImageStore, Stored

_CHUNK = 1024 * 1024
_UNFINISHED = ".upload-"
_LEFT = 24 * 3600.0
"""Seconds after which nobody writes any more to a file that was never finished."""


class FileImageStore(ImageStore):
    """Keeps each image in a file named by its id; hosts that share the folder share the images."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @classmethod
    def from_flags(cls, conf: Any) -> "FileImageStore":
        """Build the store from the flag ``images_path``."""
        return cls(Path(conf.images_path))

    def start(self) -> None:
        """Make the folder, check that it can be written to, and remove what was left long ago."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self._folder):
                pass
            self._remove_leftovers()
        except OSError as error:
            raise ConfigurationError(f"cannot use images_path {self._folder}: {error.strerror}") from error

    def write(self, image_id: str, chunks: Iterable[bytes], limit: int | None = None) -> Stored:
        """Write the chunks to a file without a name, make them durable, and name it."""
        target = self._file(image_id)
        with _disk():
            unfinished = _Unfinished(self._folder)
        try:
            stored = _copy(chunks, unfinished.file, limit)
            with _disk():
                unfinished.publish(target)
                self._sync_folder()
        finally:
            unfinished.close()
        return stored

    def read(self, image_id: str, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
        """Return the image's bytes in chunks of at most 1 MiB."""
        try:
            source = self._file(image_id).open("rb")
        except FileNotFoundError as error:
            raise NotFound(f"The data of image {image_id} could not be found.") from error
        return _chunks(source, offset, length)

    def size(self, image_id: str) -> int | None:
        """Return the number of bytes stored, or None."""
        try:
            return self._file(image_id).stat().st_size
        except FileNotFoundError:
            return None

    def delete(self, image_id: str) -> None:
        """Remove the image's file."""
        self._file(image_id).unlink(missing_ok=True)

    def image_ids(self) -> tuple[str, ...]:
        """Return the ids for which there is a file."""
        return tuple(sorted(file.name for file in self._folder.iterdir() if ids.is_uuid(file.name)))

    def _file(self, image_id: str) -> Path:
        if not ids.is_uuid(image_id):
            raise NotFound(f"Image {image_id} could not be found.")
        return self._folder / image_id

    def _remove_leftovers(self) -> None:
        """Remove the files of writers that died where files need a name; other hosts may be writing younger ones."""
        for file in self._folder.glob(f"{_UNFINISHED}*"):
            with contextlib.suppress(FileNotFoundError):
                if time.time() - file.stat().st_mtime > _LEFT:
                    file.unlink()

    def _sync_folder(self) -> None:
        descriptor = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


class _Unfinished:
    """A file that gets its name when it is whole, so that nothing is left of it when its writer is killed.

    Some file systems, those of networks above all, have no files without names.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path: Path | None = None
        try:
            descriptor = os.open(folder, os.O_TMPFILE | os.O_WRONLY, 0o600)
        except OSError as error:
            if error.errno not in (errno.EOPNOTSUPP, errno.EISDIR):
                raise
            descriptor, name = tempfile.mkstemp(dir=folder, prefix=_UNFINISHED)
            self._path = Path(name)
        self.file: IO[bytes] = os.fdopen(descriptor, "wb")

    def publish(self, target: Path) -> None:
        """Make the bytes durable and put them at ``target``, whatever was there."""
        self.file.flush()
        os.fsync(self.file.fileno())
        if self._path is None:
            try:
                self._link(target)
                return
            except FileExistsError:
                self._path = target.with_name(f"{_UNFINISHED}{secrets.token_hex(8)}")
                self._link(self._path)
        self._path.rename(target)
        self._path = None

    def _link(self, path: Path) -> None:
        folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            # With a folder to begin at, the link is followed to the file itself.
            os.link(f"/proc/self/fd/{self.file.fileno()}", path.name, dst_dir_fd=folder, follow_symlinks=True)
        finally:
            os.close(folder)

    def close(self) -> None:
        """Let go of the file; one that was not published is gone."""
        with contextlib.suppress(OSError):
            self.file.close()
        if self._path is not None:
            self._path.unlink(missing_ok=True)


@contextlib.contextmanager
def _disk() -> Iterator[None]:
    """What goes wrong inside is the disk's doing, not that of the client who sends the bytes."""
    try:
        yield
    except OSError as error:
        raise DriverError(f"cannot store the image: {error.strerror}.") from error


def _copy(chunks: Iterable[bytes], target: IO[bytes], limit: int | None) -> Stored:
    md5, sha512, size = hashlib.md5(usedforsecurity=False), hashlib.sha512(), 0
    for chunk in chunks:
        size += len(chunk)
        if limit is not None and size > limit:
            raise TooLarge(f"The image is larger than the {limit} bytes that are allowed.")
        md5.update(chunk)
        sha512.update(chunk)
        with _disk():
            target.write(chunk)
    return Stored(size, md5.hexdigest(), sha512.hexdigest())


def _chunks(source: IO[bytes], offset: int, length: int | None) -> Iterator[bytes]:
    with contextlib.closing(source):
        source.seek(offset)
        left = length
        while left is None or left > 0:
            chunk = source.read(_CHUNK if left is None else min(left, _CHUNK))
            if not chunk:
                return
            if left is not None:
                left -= len(chunk)
            yield chunk
