"""Uploads in parts, in the index."""

import sqlite3

from nova_lite.core.errors import Conflict
from nova_lite.core.objects import Limits, ObjectVersion, Part, Upload
from nova_lite.drivers.object import rows, versions
from nova_lite.drivers.object.base import Check


def insert(connection: sqlite3.Connection, upload: Upload) -> None:
    """Add an upload; raises NotFound without its bucket."""
    bucket_id, _ = rows.find_bucket(connection, upload.bucket)
    connection.execute(
        "INSERT INTO uploads (id, bucket, key, started_at, details) VALUES (?, ?, ?, ?, ?)",
        (upload.id, bucket_id, upload.key, rows.stamp(upload.started_at), rows.dump(upload.details)),
    )


def put_part(connection: sqlite3.Connection, upload_id: str, part: Part, limits: Limits) -> list[str]:
    """Add a part; returns the names of the bytes that it replaced."""
    bucket_id, _ = rows.find_upload(connection, upload_id)
    place = (upload_id, part.number)
    old = connection.execute("SELECT name, size FROM parts WHERE upload = ? AND number = ?", place).fetchall()
    connection.execute("DELETE FROM parts WHERE upload = ? AND number = ?", place)
    connection.execute(
        "INSERT INTO parts (upload, number, name, size, etag, modified_at, details) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            *place, part.segment.name, part.segment.size, part.etag, rows.stamp(part.modified_at),
            rows.dump(part.details),
        ),
    )  # fmt: skip
    rows.grow(connection, bucket_id, part.segment.size - sum(size for _, size in old), limits)
    return [name for name, _ in old]


def complete(
    connection: sqlite3.Connection, upload_id: str, new: ObjectVersion, check: Check
) -> tuple[ObjectVersion, list[str]]:
    """Put a version made of parts and end the upload; returns the version and the names of unused bytes."""
    bucket_id, _ = rows.find_upload(connection, upload_id)
    sizes = {part.segment.name: part.segment.size for part in rows.parts_of(connection, upload_id)}
    used = {segment.name for segment in new.segments}
    if not used <= sizes.keys():
        raise Conflict("A part was replaced while the upload was completed.")
    _delete(connection, upload_id)
    # The parts were counted when they came; the version counts its bytes anew.
    rows.grow(connection, bucket_id, -sum(sizes.values()), Limits())
    kept, names = versions.put(connection, new, check, Limits())
    return kept, [*names, *(sizes.keys() - used)]


def delete(connection: sqlite3.Connection, upload_id: str) -> list[str]:
    """End an upload; returns the names of its parts' bytes. Raises NotFound."""
    bucket_id, _ = rows.find_upload(connection, upload_id)
    segments = [part.segment for part in rows.parts_of(connection, upload_id)]
    _delete(connection, upload_id)
    rows.grow(connection, bucket_id, -sum(segment.size for segment in segments), Limits())
    return [segment.name for segment in segments]


def delete_all(connection: sqlite3.Connection, bucket_id: int) -> list[str]:
    """End every upload of a bucket; returns the names of their parts' bytes."""
    found = connection.execute("SELECT id FROM uploads WHERE bucket = ?", (bucket_id,)).fetchall()
    return [name for (upload_id,) in found for name in delete(connection, upload_id)]


def _delete(connection: sqlite3.Connection, upload_id: str) -> None:
    connection.execute("DELETE FROM parts WHERE upload = ?", (upload_id,))
    connection.execute("DELETE FROM uploads WHERE id = ?", (upload_id,))
