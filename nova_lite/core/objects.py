"""Buckets, objects and uploads of the object store as values."""

import dataclasses
import datetime
import enum
from collections.abc import Mapping
from typing import Any

NULL_VERSION = "null"
"""The version of objects that were put while their bucket kept no versions."""


class Versioning(enum.StrEnum):
    """Whether a bucket keeps the versions that a put or a delete replaces; ``OFF`` only before the first yes."""

    OFF = ""
    ENABLED = "Enabled"
    SUSPENDED = "Suspended"


@dataclasses.dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket of a project: ``owner`` is the project's id.

    ``details`` is what the front door keeps there as it likes (any JSON). ``size`` is the bytes of all
    versions and parts in it.
    """

    name: str
    owner: str
    created_at: datetime.datetime
    versioning: Versioning = Versioning.OFF
    details: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    size: int = 0


@dataclasses.dataclass(frozen=True, slots=True)
class Segment:
    """Bytes that were stored, by the name that the store gave them."""

    name: str
    size: int


@dataclasses.dataclass(frozen=True, slots=True)
class ObjectVersion:
    """One version of an object; its bytes are its segments one after the other.

    A ``is_marker`` says that the object was deleted at that time. ``serial`` is the store's own number.
    """

    bucket: str
    key: str
    etag: str
    segments: tuple[Segment, ...]
    modified_at: datetime.datetime
    details: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    version: str = NULL_VERSION
    is_latest: bool = True
    is_marker: bool = False
    serial: int = 0

    @property
    def size(self) -> int:
        """The number of bytes."""
        return sum(segment.size for segment in self.segments)


@dataclasses.dataclass(frozen=True, slots=True)
class Upload:
    """An object that comes in parts and does not exist until it is complete."""

    id: str
    bucket: str
    key: str
    started_at: datetime.datetime
    details: Mapping[str, Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, slots=True)
class Part:
    """A part of an upload."""

    number: int
    etag: str
    segment: Segment
    modified_at: datetime.datetime
    details: Mapping[str, Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, slots=True)
class Listing:
    """What to list: keys with ``prefix``, rolled up behind ``delimiter``, at most ``limit`` of both.

    ``after`` is the key or the rolled-up prefix at which the page before ended, and ``after_id`` the
    version or upload there.
    """

    prefix: str = ""
    delimiter: str = ""
    after: str = ""
    after_id: str = ""
    limit: int = 1000


@dataclasses.dataclass(frozen=True, slots=True)
class Found:
    """One entry of a list of objects: what a list tells without opening the object."""

    key: str
    size: int
    etag: str
    modified_at: datetime.datetime
    owner: str = ""
    version: str = NULL_VERSION
    is_latest: bool = True
    is_marker: bool = False
    checksum: tuple[str, str] = ("", "")


@dataclasses.dataclass(frozen=True, slots=True)
class Page:
    """A page of a list: entries and rolled-up prefixes in order; ``next_after`` and ``next_id`` lead on.

    Both are empty on the last page.
    """

    entries: tuple[Any, ...]
    prefixes: tuple[str, ...]
    next_after: str = ""
    next_id: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Limits:
    """What one project may keep; -1 is no limit."""

    size: int = -1
    buckets: int = -1
