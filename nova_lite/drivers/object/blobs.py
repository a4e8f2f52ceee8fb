"""The bytes of objects as files with names that the store makes up: written once, never changed, removed whole."""

import collections
import contextlib
import errno
import functools
import os
import secrets
import shutil
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from nova_lite import concurrency
from nova_lite.core.errors import DriverError, NotFound, TooLarge
from nova_lite.core.objects import Segment
from nova_lite.drivers.object.blocks import CHUNK, BlockWriter


class StorageFull(DriverError):
    """The disk has no room left."""

    default = "The object store has no room left."


class Blobs:
    """Files in 256 folders below one.

    A file that somebody reads while it is discarded is removed when the last reader is done.
    """

    def __init__(self, folder: Path, *, direct: bool = True) -> None:
        self._folder = folder
        self._direct = direct
        self._readers: collections.Counter[str] = collections.Counter()
        self._doomed: set[str] = set()
        self._lock = threading.Lock()

    def start(self) -> None:
        """Make the folders; raises OSError."""
        for number in range(256):
            (self._folder / f"{number:02x}").mkdir(parents=True, exist_ok=True)
        _sync_folder(self._folder)

    def write(self, chunks: Iterable[bytes], limit: int | None) -> Segment:
        """Write a new file, durable with its folder's entry when this returns."""
        path = self._new_path()
        with _disk():
            target = path.open("xb", buffering=0)
        try:
            with target:
                size = _fill(BlockWriter(target.fileno(), direct=self._direct), chunks, limit)
            with _disk():
                concurrency.blocking(_sync_folder, path.parent)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return Segment(path.name, size)

    def duplicate(self, segment: Segment) -> Segment:
        """Give a file another name, durably; only where the file system cannot, the bytes are copied."""
        source, path = self._path(segment.name), self._new_path()
        try:
            with _disk():
                concurrency.blocking(_link, source, path)
        except FileNotFoundError as error:
            raise NotFound("The bytes of the object are gone.") from error
        return Segment(path.name, segment.size)

    def discard(self, names: Iterable[str]) -> None:
        """Remove files, those that are being read when their readers are done."""
        with self._lock:
            names = set(names)
            read = {name for name in names if self._readers[name]}
            self._doomed |= read
        for name in names - read:
            self._path(name).unlink(missing_ok=True)

    def pin(self, names: Iterable[str]) -> None:
        """Keep files for a reader until it says ``unpin``."""
        with self._lock:
            self._readers.update(names)

    def unpin(self, names: Iterable[str]) -> None:
        """Let go of what was pinned."""
        with self._lock:
            self._readers.subtract(names)
            gone = {name for name in names if self._readers[name] <= 0}
            for name in gone:
                del self._readers[name]
            doomed = gone & self._doomed
            self._doomed -= doomed
        for name in doomed:
            self._path(name).unlink(missing_ok=True)

    def read(self, segment: Segment, offset: int, length: int) -> Iterator[bytes]:
        """Yield a part of a file; raises NotFound, DriverError."""
        try:
            source = self._path(segment.name).open("rb", buffering=0)
        except OSError as error:
            raise NotFound("The bytes of the object are gone.") from error
        # What is large was written past the page cache, so that others must not wait for the disk meanwhile.
        read = source.read if length < CHUNK else functools.partial(concurrency.blocking, source.read)
        with source:
            os.posix_fadvise(source.fileno(), offset, length, os.POSIX_FADV_SEQUENTIAL)
            source.seek(offset)
            while length > 0:
                chunk = read(min(CHUNK, length))
                if not chunk:
                    raise DriverError(f"The file {segment.name} is shorter than it was written.")
                length -= len(chunk)
                yield chunk

    def remove_strangers(self, known: Callable[[str], set[str]]) -> int:
        """Remove the files that the index does not know; ``known`` tells it of the names with a prefix."""
        removed = 0
        for folder in self._folder.iterdir():
            names = {entry.name for entry in os.scandir(folder)}
            for name in names - known(folder.name) if names else ():
                (folder / name).unlink(missing_ok=True)
                removed += 1
        return removed

    def _new_path(self) -> Path:
        return self._path(secrets.token_hex(16))

    def _path(self, name: str) -> Path:
        return self._folder / name[:2] / name


class BlobReading:
    """Reads a run of segments, which are kept as long as it is open."""

    def __init__(self, blobs: Blobs, segments: tuple[Segment, ...], offset: int, length: int) -> None:
        self._blobs = blobs
        self._names = [segment.name for segment in segments]
        self._pieces = _pieces(segments, offset, length)
        blobs.pin(self._names)

    def __iter__(self) -> Iterator[bytes]:
        for segment, offset, length in self._pieces:
            yield from self._blobs.read(segment, offset, length)

    def close(self) -> None:
        """Let go of the segments."""
        names, self._names = self._names, []
        if names:
            self._blobs.unpin(names)

    def __del__(self) -> None:
        self.close()


def _pieces(segments: tuple[Segment, ...], offset: int, length: int) -> list[tuple[Segment, int, int]]:
    """Return which bytes of which segments ``length`` bytes from ``offset`` are."""
    pieces = []
    for segment in segments:
        taken = min(segment.size - offset, length) if offset < segment.size else 0
        if taken > 0:
            pieces.append((segment, offset, taken))
            length -= taken
        offset = max(0, offset - segment.size)
    return pieces


def _fill(target: BlockWriter, chunks: Iterable[bytes], limit: int | None) -> int:
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if limit is not None and size > limit:
            raise TooLarge(f"There are more than the {limit} bytes that are allowed.")
        with _disk():
            concurrency.blocking(target.add, memoryview(chunk))
    with _disk():
        concurrency.blocking(target.finish)
    return size


def _link(source: Path, path: Path) -> None:
    try:
        os.link(source, path)
    except FileNotFoundError:
        raise
    except OSError as error:
        if error.errno not in (errno.EMLINK, errno.EPERM, errno.ENOTSUP):
            raise
        _copy(source, path)
    _sync_folder(path.parent)


def _copy(source: Path, path: Path) -> None:
    try:
        with source.open("rb") as old, path.open("xb") as new:
            shutil.copyfileobj(old, new, CHUNK)
            new.flush()
            os.fsync(new.fileno())
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _disk() -> Iterator[None]:
    """What goes wrong inside is the disk's doing, not that of the client who sends the bytes."""
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise StorageFull() from error
        raise DriverError(f"cannot store the bytes: {error.strerror}.") from error
