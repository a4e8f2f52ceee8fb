"""Buckets in a folder of this host: the bytes in files, what they are in an index beside them.

The commit of the index is what makes an object: bytes are durable before it, and removed after it. What a crash
leaves in between is bytes that the index does not know, which the next start removes.
"""

import contextlib
import datetime
import fcntl
import os
import sqlite3
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO, Any

from nova_lite.core import clock
from nova_lite.core.errors import ConfigurationError, Conflict, NotFound, OverQuota, WrongState
from nova_lite.core.objects import Bucket, Limits, Listing, ObjectVersion, Page, Part, Segment, Upload
from nova_lite.drivers.object import lists, rows, uploads, versions
from nova_lite.drivers.object.base import Check, ObjectStore
from nova_lite.drivers.object.blobs import BlobReading, Blobs
from nova_lite.drivers.object.index import Index


class FileObjectStore(ObjectStore):
    """Keeps the buckets in a folder that one process at a time uses."""

    def __init__(self, folder: Path, limits: Limits, upload_seconds: float, *, direct: bool = True) -> None:
        self._folder = folder
        self._limits = limits
        self._upload_age = datetime.timedelta(seconds=upload_seconds)
        self._blobs = Blobs(folder / "blobs", direct=direct)
        self._index = Index(folder / "index.sqlite")
        self._lock: IO[bytes] | None = None

    @classmethod
    def from_flags(cls, conf: Any) -> "FileObjectStore":
        """Build the store from ``buckets_path`` and the flags of what may be stored."""
        limits = Limits(conf.quota_object_bytes, conf.quota_buckets)
        return cls(Path(conf.buckets_path), limits, conf.s3_upload_expiry, direct=conf.s3_direct_writes)

    def start(self) -> None:
        """Take the folder for this process, open the index, and remove bytes that it does not know."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._lock = (self._folder / "lock").open("wb")
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._blobs.start()
        except BlockingIOError as error:
            raise ConfigurationError(
                f"The folder {self._folder} of the flag --buckets_path is in use by another process."
            ) from error
        except OSError as error:
            raise ConfigurationError(f"cannot use buckets_path {self._folder}: {error.strerror}") from error
        self._index.start()
        os.chmod(self._folder, 0o700)
        self._blobs.remove_strangers(
            lambda prefix: self._index.read(lambda connection: rows.names_with(connection, prefix))
        )

    def close(self) -> None:
        """Close the index and let another process have the folder."""
        self._index.close()
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def write(self, chunks: Iterable[bytes], limit: int | None = None) -> Segment:
        """Write the chunks to a new file."""
        return self._blobs.write(chunks, limit)

    def duplicate(self, segment: Segment) -> Segment:
        """Link the file under a new name."""
        return self._blobs.duplicate(segment)

    def discard(self, segments: Iterable[Segment]) -> None:
        """Remove the files."""
        self._blobs.discard(segment.name for segment in segments)

    def create_bucket(self, bucket: Bucket) -> None:
        """Add a row; the name is unique in it."""

        def work(connection: sqlite3.Connection) -> None:
            owned = "SELECT COUNT(*) FROM buckets WHERE owner = ?"
            count = connection.execute(owned, (bucket.owner,)).fetchone()[0]
            if 0 <= self._limits.buckets <= count:
                raise OverQuota(f"The project may have {self._limits.buckets} buckets.")
            added = connection.execute(
                "INSERT OR IGNORE INTO buckets (name, owner, created_at, versioning, details, size) "
                "VALUES (?, ?, ?, ?, ?, 0)",
                (
                    bucket.name,
                    bucket.owner,
                    rows.stamp(bucket.created_at),
                    bucket.versioning,
                    rows.dump(bucket.details),
                ),
            )
            if not added.rowcount:
                raise Conflict(f"The bucket {bucket.name} exists already.")

        self._index.change(work)

    def get_bucket(self, name: str) -> Bucket | None:
        """Return a bucket."""
        with contextlib.suppress(NotFound):
            return self._index.read(lambda connection: rows.find_bucket(connection, name)[1])
        return None

    def list_buckets(self, owner: str) -> list[Bucket]:
        """Return the buckets of a project by name."""
        query = "SELECT name, owner, created_at, versioning, details, size FROM buckets WHERE owner = ? ORDER BY name"
        return self._index.read(
            lambda connection: [rows.to_bucket(row) for row in connection.execute(query, (owner,))]
        )

    def change_bucket(self, name: str, change: Callable[[Bucket], Bucket]) -> None:
        """Replace versioning and details in one step."""

        def work(connection: sqlite3.Connection) -> None:
            bucket_id, bucket = rows.find_bucket(connection, name)
            changed = change(bucket)
            connection.execute(
                "UPDATE buckets SET versioning = ?, details = ? WHERE id = ?",
                (changed.versioning, rows.dump(changed.details), bucket_id),
            )

        self._index.change(work)

    def delete_bucket(self, name: str) -> None:
        """Remove the row, and the bytes of uploads that were never completed."""

        def work(connection: sqlite3.Connection) -> list[str]:
            bucket_id, _ = rows.find_bucket(connection, name)
            if connection.execute("SELECT 1 FROM objects WHERE bucket = ? LIMIT 1", (bucket_id,)).fetchone():
                raise WrongState(f"The bucket {name} is not empty.")
            names = uploads.delete_all(connection, bucket_id)
            connection.execute("DELETE FROM buckets WHERE id = ?", (bucket_id,))
            return names

        self._blobs.discard(self._index.change(work))

    def room(self, owner: str) -> int | None:
        """Return how many bytes the limit leaves."""
        if self._limits.size < 0:
            return None
        query = "SELECT COALESCE(SUM(size), 0) FROM buckets WHERE owner = ?"
        used = self._index.read(lambda connection: connection.execute(query, (owner,)).fetchone()[0])
        return max(0, self._limits.size - int(used))

    def put(self, new: ObjectVersion, check: Check) -> ObjectVersion:
        """Add a row in the place of the one that it replaces, then remove that one's bytes."""
        kept, names = self._index.change(
            lambda connection: versions.put(connection, new, check, self._limits)
        )
        self._blobs.discard(names)
        return kept

    def get(self, bucket: str, key: str, version: str = "") -> ObjectVersion | None:
        """Return a version."""
        return self._index.read(lambda connection: versions.get(connection, bucket, key, version))

    def open(self, version: ObjectVersion, offset: int, length: int) -> BlobReading:
        """Pin the files, and see that the version still stands: then nobody removes them meanwhile."""
        reading = BlobReading(self._blobs, version.segments, offset, length)
        query = "SELECT 1 FROM objects WHERE serial = ?"
        if self._index.read(lambda connection: connection.execute(query, (version.serial,)).fetchone()):
            return reading
        reading.close()
        raise NotFound(f"The object {version.key} is gone.")

    def change(self, version: ObjectVersion, change: Callable[[ObjectVersion], ObjectVersion]) -> None:
        """Replace the details in one step."""
        self._index.change(lambda connection: versions.change(connection, version, change))

    def delete(self, bucket: str, key: str, version: str, check: Check) -> ObjectVersion | None:
        """Remove a row or add a marker, then remove the bytes."""
        result, names = self._index.change(
            lambda connection: versions.delete(connection, bucket, key, version, check)
        )
        self._blobs.discard(names)
        return result

    def list_objects(self, bucket: str, wanted: Listing) -> Page:
        """Return a page of what is there."""
        return self._index.read(lambda connection: lists.objects(connection, bucket, wanted))

    def list_versions(self, bucket: str, wanted: Listing) -> Page:
        """Return a page of what is and was there."""
        return self._index.read(lambda connection: lists.all_versions(connection, bucket, wanted))

    def create_upload(self, upload: Upload) -> None:
        """Add a row."""
        self._index.change(lambda connection: uploads.insert(connection, upload))

    def get_upload(self, upload_id: str) -> Upload | None:
        """Return an upload."""
        with contextlib.suppress(NotFound):
            return self._index.read(lambda connection: rows.find_upload(connection, upload_id)[1])
        return None

    def list_uploads(self, bucket: str, wanted: Listing) -> Page:
        """Return a page of uploads."""
        return self._index.read(lambda connection: lists.open_uploads(connection, bucket, wanted))

    def put_part(self, upload_id: str, part: Part) -> None:
        """Add a row in the place of the one of the number, then remove that one's bytes."""
        self._blobs.discard(
            self._index.change(lambda connection: uploads.put_part(connection, upload_id, part, self._limits))
        )

    def list_parts(self, upload_id: str, after: int = 0, limit: int = 10_000) -> list[Part]:
        """Return parts in order."""
        return self._index.read(lambda connection: [*rows.parts_of(connection, upload_id, after, limit)])

    def complete_upload(self, upload_id: str, new: ObjectVersion, check: Check) -> ObjectVersion:
        """Turn rows of parts into segments of a version, then remove the bytes that are left over."""
        kept, names = self._index.change(
            lambda connection: uploads.complete(connection, upload_id, new, check)
        )
        self._blobs.discard(names)
        return kept

    def abort_upload(self, upload_id: str) -> None:
        """Remove the rows, then the bytes."""
        self._blobs.discard(self._index.change(lambda connection: uploads.delete(connection, upload_id)))

    def sweep(self) -> None:
        """Abort what was begun too long ago."""
        before = rows.stamp(clock.now() - self._upload_age)
        query = "SELECT id FROM uploads WHERE started_at < ?"
        old = self._index.read(lambda connection: connection.execute(query, (before,)).fetchall())
        for (upload_id,) in old:
            with contextlib.suppress(NotFound):
                self.abort_upload(upload_id)
