"""The lists of the index: each one a way to fetch entries from a place on."""

import dataclasses
import sqlite3
from typing import Any

from nova_lite.core.objects import Found, Listing, Page
from nova_lite.drivers.object import rows
from nova_lite.drivers.object.listing import Place, paged

_FOUND = (
    "key, size, etag, modified_at, version, latest, marker, json_extract(details, '$.owner'), "
    "json_extract(details, '$.checksum[0]'), json_extract(details, '$.checksum[1]')"
)


def objects(connection: sqlite3.Connection, bucket: str, wanted: Listing) -> Page:
    """Return a page of the latest versions that are no markers."""
    bucket_id, _ = rows.find_bucket(connection, bucket)

    def fetch(place: Place, count: int) -> list[Found]:
        keys, values = _bounds(place)
        found = connection.execute(
            f"SELECT {_FOUND} FROM objects WHERE bucket = ? AND latest = 1 AND marker = 0 AND {keys} "
            "ORDER BY key LIMIT ?",
            (bucket_id, *values, count),
        )
        return [_found(row) for row in found]

    return paged(wanted, fetch)


def all_versions(connection: sqlite3.Connection, bucket: str, wanted: Listing) -> Page:
    """Return a page of all versions, the newest of a key first."""
    bucket_id, _ = rows.find_bucket(connection, bucket)

    def fetch(place: Place, count: int) -> list[Found]:
        keys, values = _bounds(place)
        if place.past_id:
            keys, values = _within(connection, bucket_id, place)
        found = connection.execute(
            f"SELECT {_FOUND} FROM objects WHERE bucket = ? AND {keys} ORDER BY key, serial DESC LIMIT ?",
            (bucket_id, *values, count),
        )
        return [_found(row) for row in found]

    return paged(wanted, fetch, lambda found: str(found.version))


def open_uploads(connection: sqlite3.Connection, bucket: str, wanted: Listing) -> Page:
    """Return a page of uploads by key and id."""
    bucket_id, _ = rows.find_bucket(connection, bucket)

    def fetch(place: Place, count: int) -> list[Any]:
        keys, values = _bounds(place)
        if place.past_id:
            keys = "(key > ? OR (key = ? AND id > ?))" + (" AND key < ?" if place.end else "")
            values = [place.key, place.key, place.past_id, *([place.end] if place.end else [])]
        found = connection.execute(
            f"SELECT id, key, started_at, details FROM uploads WHERE bucket = ? AND {keys} "
            "ORDER BY key, id LIMIT ?",
            (bucket_id, *values, count),
        )
        return [rows.to_upload(bucket, row) for row in found]

    return paged(wanted, fetch, lambda upload: str(upload.id))


def _bounds(place: Place) -> tuple[str, list[Any]]:
    """Return the condition on the key that a place is, and its values."""
    condition, values = f"key {'>' if place.past else '>='} ?", [place.key]
    if place.end:
        return condition + " AND key < ?", [*values, place.end]
    return condition, list(values)


def _within(connection: sqlite3.Connection, bucket_id: int, place: Place) -> tuple[str, list[Any]]:
    """Return the condition of what comes after one version of a key.

    Clients delete what a page told and ask for the next one after it. Where the version is gone, all that are left
    of the key come: rather one twice than none.
    """
    row = connection.execute(
        "SELECT serial FROM objects WHERE bucket = ? AND key = ? AND version = ?",
        (bucket_id, place.key, place.past_id),
    ).fetchone()
    if row is None:
        return _bounds(dataclasses.replace(place, past=False))
    condition = "(key > ? OR (key = ? AND serial < ?))"
    values = [place.key, place.key, row[0]]
    if place.end:
        return condition + " AND key < ?", [*values, place.end]
    return condition, values


def _found(row: tuple[Any, ...]) -> Found:
    key, size, etag, modified_at, version, latest, marker, owner, algorithm, checksum = row
    return Found(
        key=key,
        size=size,
        etag=etag,
        modified_at=rows.moment(modified_at),
        owner=owner or "",
        version=version,
        is_latest=bool(latest),
        is_marker=bool(marker),
        checksum=(algorithm or "", checksum or ""),
    )
