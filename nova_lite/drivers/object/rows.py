"""Rows of the index and the values that they are."""

import datetime
import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from nova_lite.core.errors import NotFound, OverQuota
from nova_lite.core.objects import Bucket, Limits, ObjectVersion, Part, Segment, Upload, Versioning

VERSION_COLUMNS = "serial, key, version, latest, marker, etag, modified_at, details"


def stamp(moment: datetime.datetime) -> int:
    """Return a moment as it is kept: milliseconds since 1970."""
    return int(moment.replace(tzinfo=datetime.UTC).timestamp() * 1000)


def moment(stamped: int) -> datetime.datetime:
    """Return a moment that was kept."""
    return datetime.datetime.fromtimestamp(stamped / 1000, datetime.UTC).replace(tzinfo=None)


def dump(details: Mapping[str, Any]) -> str:
    """Return details as they are kept."""
    return json.dumps(dict(details), separators=(",", ":"))


def find_bucket(connection: sqlite3.Connection, name: str) -> tuple[int, Bucket]:
    """Return a bucket with its number; raises NotFound."""
    row = connection.execute(
        "SELECT id, name, owner, created_at, versioning, details, size FROM buckets WHERE name = ?", (name,)
    ).fetchone()
    if row is None:
        raise NotFound(f"The bucket {name} does not exist.")
    return row[0], to_bucket(row[1:])


def to_bucket(row: tuple[Any, ...]) -> Bucket:
    """Return the bucket of a row."""
    name, owner, created_at, versioning, details, size = row
    return Bucket(name, owner, moment(created_at), Versioning(versioning), json.loads(details), size)


def grow(connection: sqlite3.Connection, bucket_id: int, size: int, limits: Limits) -> None:
    """Count ``size`` more bytes to a bucket; raises OverQuota when its project then has too many."""
    if not size:
        return
    connection.execute("UPDATE buckets SET size = size + ? WHERE id = ?", (size, bucket_id))
    if size > 0 and limits.size >= 0:
        total = connection.execute(
            "SELECT SUM(size) FROM buckets WHERE owner = (SELECT owner FROM buckets WHERE id = ?)",
            (bucket_id,),
        ).fetchone()[0]
        if total > limits.size:
            raise OverQuota(f"The project may store {limits.size} bytes of objects.")


def to_version(connection: sqlite3.Connection, bucket: str, row: tuple[Any, ...]) -> ObjectVersion:
    """Return the version of a row of ``VERSION_COLUMNS``."""
    serial, key, version, latest, marker, etag, modified_at, details = row
    return ObjectVersion(
        bucket=bucket,
        key=key,
        etag=etag,
        segments=segments_of(connection, serial),
        modified_at=moment(modified_at),
        details=json.loads(details),
        version=version,
        is_latest=bool(latest),
        is_marker=bool(marker),
        serial=serial,
    )


def segments_of(connection: sqlite3.Connection, serial: int) -> tuple[Segment, ...]:
    """Return the segments of a version in order."""
    rows = connection.execute("SELECT name, size FROM segments WHERE object = ? ORDER BY position", (serial,))
    return tuple(Segment(*row) for row in rows)


def insert_segments(connection: sqlite3.Connection, serial: int, segments: Iterable[Segment]) -> None:
    """Let a version have its segments."""
    connection.executemany(
        "INSERT INTO segments (object, position, name, size) VALUES (?, ?, ?, ?)",
        [(serial, position, one.name, one.size) for position, one in enumerate(segments)],
    )


def find_upload(connection: sqlite3.Connection, upload_id: str) -> tuple[int, Upload]:
    """Return an upload with the number of its bucket; raises NotFound."""
    row = connection.execute(
        "SELECT uploads.bucket, buckets.name, uploads.id, uploads.key, uploads.started_at, uploads.details "
        "FROM uploads JOIN buckets ON buckets.id = uploads.bucket WHERE uploads.id = ?",
        (upload_id,),
    ).fetchone()
    if row is None:
        raise NotFound(f"The upload {upload_id} does not exist.")
    return row[0], to_upload(row[1], row[2:])


def to_upload(bucket: str, row: tuple[Any, ...]) -> Upload:
    """Return the upload of a row."""
    upload_id, key, started_at, details = row
    return Upload(upload_id, bucket, key, moment(started_at), json.loads(details))


def parts_of(
    connection: sqlite3.Connection, upload_id: str, after: int = 0, limit: int = -1
) -> Iterator[Part]:
    """Yield the parts of an upload in order."""
    rows = connection.execute(
        "SELECT number, etag, name, size, modified_at, details FROM parts WHERE upload = ? AND number > ? "
        "ORDER BY number LIMIT ?",
        (upload_id, after, limit),
    )
    for number, etag, name, size, modified_at, details in rows:
        yield Part(number, etag, Segment(name, size), moment(modified_at), json.loads(details))


def names_with(connection: sqlite3.Connection, prefix: str) -> set[str]:
    """Return the names of all bytes that begin with ``prefix`` and that the index knows."""
    bounds = (prefix, prefix + "~")
    found: set[str] = set()
    for table in ("segments", "parts"):
        rows = connection.execute(f"SELECT name FROM {table} WHERE name >= ? AND name < ?", bounds)
        found.update(row[0] for row in rows)
    return found
