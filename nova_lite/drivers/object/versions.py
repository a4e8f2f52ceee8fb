"""Versions of objects in the index: what a put replaces and a delete hides, by the bucket's versioning."""

import dataclasses
import secrets
import sqlite3
from collections.abc import Callable

from nova_lite.core import clock
from nova_lite.core.errors import NotFound
from nova_lite.core.objects import NULL_VERSION, Limits, ObjectVersion, Versioning
from nova_lite.drivers.object import rows
from nova_lite.drivers.object.base import Check

_NO_LIMITS = Limits()


def get(connection: sqlite3.Connection, bucket: str, key: str, version: str) -> ObjectVersion | None:
    """Return a version, the latest one where none is named; raises NotFound without the bucket."""
    bucket_id, _ = rows.find_bucket(connection, bucket)
    return _find(connection, bucket_id, bucket, key, version)


def put(
    connection: sqlite3.Connection, new: ObjectVersion, check: Check, limits: Limits
) -> tuple[ObjectVersion, list[str]]:
    """Add a version; returns it as it was kept, and the names of the bytes that it replaced."""
    bucket_id, bucket = rows.find_bucket(connection, new.bucket)
    check(_visible(_find(connection, bucket_id, new.bucket, new.key, "")))
    version = _new_version() if bucket.versioning is Versioning.ENABLED else NULL_VERSION
    names = _remove(connection, bucket_id, _find(connection, bucket_id, new.bucket, new.key, version))
    kept = _insert(connection, bucket_id, dataclasses.replace(new, version=version))
    rows.grow(connection, bucket_id, new.size, limits)
    return kept, names


def change(
    connection: sqlite3.Connection, version: ObjectVersion, make: Callable[[ObjectVersion], ObjectVersion]
) -> None:
    """Replace a version's details; raises NotFound."""
    query = f"SELECT {rows.VERSION_COLUMNS} FROM objects WHERE serial = ?"
    row = connection.execute(query, (version.serial,)).fetchone()
    if row is None:
        raise NotFound(f"The object {version.key} is gone.")
    changed = make(rows.to_version(connection, version.bucket, row))
    connection.execute(
        "UPDATE objects SET details = ? WHERE serial = ?", (rows.dump(changed.details), version.serial)
    )


def delete(
    connection: sqlite3.Connection, bucket_name: str, key: str, version: str, check: Check
) -> tuple[ObjectVersion | None, list[str]]:
    """Remove a version, or hide the object; returns what was removed or the marker, and names of bytes."""
    bucket_id, bucket = rows.find_bucket(connection, bucket_name)
    if version:
        found = _find(connection, bucket_id, bucket_name, key, version)
        check(found)
        names = _remove(connection, bucket_id, found)
        _choose_latest(connection, bucket_id, key)
        return found, names
    latest = _find(connection, bucket_id, bucket_name, key, "")
    check(_visible(latest))
    if bucket.versioning is Versioning.OFF:
        return latest, _remove(connection, bucket_id, latest)
    new = _new_version() if bucket.versioning is Versioning.ENABLED else NULL_VERSION
    names = _remove(connection, bucket_id, _find(connection, bucket_id, bucket_name, key, new))
    marker = ObjectVersion(bucket_name, key, "", (), clock.now(), {}, new, is_marker=True)
    return _insert(connection, bucket_id, marker), names


def _visible(version: ObjectVersion | None) -> ObjectVersion | None:
    return None if version is None or version.is_marker else version


def _find(
    connection: sqlite3.Connection, bucket_id: int, bucket: str, key: str, version: str
) -> ObjectVersion | None:
    columns, named = rows.VERSION_COLUMNS, "AND version = ?" if version else ""
    row = connection.execute(
        f"SELECT {columns} FROM objects WHERE bucket = ? AND key = ? {named} ORDER BY serial DESC LIMIT 1",
        (bucket_id, key, version) if version else (bucket_id, key),
    ).fetchone()
    return None if row is None else rows.to_version(connection, bucket, row)


def _insert(connection: sqlite3.Connection, bucket_id: int, new: ObjectVersion) -> ObjectVersion:
    connection.execute(
        "UPDATE objects SET latest = 0 WHERE bucket = ? AND key = ? AND latest = 1", (bucket_id, new.key)
    )
    added = connection.execute(
        "INSERT INTO objects (bucket, key, version, latest, marker, size, etag, modified_at, details) "
        "VALUES (?, ?, ?, 1, ?, ?, ?, ?, ?)",
        (
            bucket_id, new.key, new.version, int(new.is_marker), new.size, new.etag,
            rows.stamp(new.modified_at), rows.dump(new.details),
        ),
    )  # fmt: skip
    serial = int(added.lastrowid or 0)
    rows.insert_segments(connection, serial, new.segments)
    return dataclasses.replace(new, serial=serial)


def _remove(connection: sqlite3.Connection, bucket_id: int, version: ObjectVersion | None) -> list[str]:
    """Forget a version; returns the names of its bytes."""
    if version is None:
        return []
    connection.execute("DELETE FROM segments WHERE object = ?", (version.serial,))
    connection.execute("DELETE FROM objects WHERE serial = ?", (version.serial,))
    rows.grow(connection, bucket_id, -version.size, _NO_LIMITS)
    return [segment.name for segment in version.segments]


def _choose_latest(connection: sqlite3.Connection, bucket_id: int, key: str) -> None:
    connection.execute(
        "UPDATE objects SET latest = 1 WHERE serial = "
        "(SELECT serial FROM objects WHERE bucket = ? AND key = ? ORDER BY serial DESC LIMIT 1)",
        (bucket_id, key),
    )


def _new_version() -> str:
    return secrets.token_hex(16)
