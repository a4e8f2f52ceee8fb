"""Images as files below a folder: one file an image, put there whole by a rename."""

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

from nova_lite.core import ids
from nova_lite.core.errors import ConfigurationError, DriverError, NotFound, TooLarge
from nova_lite.drivers.image.base import ImageStore, Stored

_CHUNK = 1024 * 1024
_UNFINISHED = ".upload-"


class FileImageStore(ImageStore):
    """Keeps each image in a file named by its id; hosts that share the folder share the images."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @classmethod
    def from_flags(cls, conf: Any) -> "FileImageStore":
        """Build the store from the flag ``images_path``."""
        return cls(Path(conf.images_path))

    def start(self) -> None:
        """Make the folder and check that it can be written to."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self._folder):
                pass
        except OSError as error:
            raise ConfigurationError(f"cannot use images_path {self._folder}: {error.strerror}") from error

    def write(self, image_id: str, chunks: Iterable[bytes], limit: int | None = None) -> Stored:
        """Write the chunks beside their place, make them durable, and move them there."""
        target = self._file(image_id)
        with _disk():
            descriptor, name = tempfile.mkstemp(dir=self._folder, prefix=_UNFINISHED)
        path = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as unfinished:
                stored = _copy(chunks, unfinished, limit)
                with _disk():
                    unfinished.flush()
                    os.fsync(unfinished.fileno())
            with _disk():
                path.rename(target)
                self._sync_folder()
        except BaseException:
            path.unlink(missing_ok=True)
            raise
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

    def _sync_folder(self) -> None:
        descriptor = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


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
