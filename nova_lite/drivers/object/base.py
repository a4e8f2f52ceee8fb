"""What an object store is: buckets, versions of objects by key, uploads in parts, and the bytes of all these.

It knows nothing of HTTP, of who asks or of what the ``details`` of things mean. Bytes are written first, and
belong to nothing until a ``put``, a part or a completed upload names them in one durable step: a reader sees an
object whole or not at all, and so does one who comes after a crash.
"""

import abc
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol

from nova_lite.core.objects import Bucket, Listing, ObjectVersion, Page, Part, Segment, Upload

Check = Callable[[ObjectVersion | None], None]
"""Looks at the version that a change would hide, and raises what should stop the change."""


class Reading(Protocol):
    """Bytes that are being read; ``close`` says that the reader is done with them."""

    def __iter__(self) -> Iterator[bytes]: ...

    def close(self) -> None:
        """Let the store forget that somebody reads."""


class ObjectStore(abc.ABC):
    """Keeps buckets and objects."""

    @classmethod
    @abc.abstractmethod
    def from_flags(cls, conf: Any) -> "ObjectStore":
        """Build the store from the daemon's flags; touches nothing yet."""

    @abc.abstractmethod
    def start(self) -> None:
        """Check that the store is usable, and remove what a crash left; raises ConfigurationError."""

    @abc.abstractmethod
    def close(self) -> None:
        """Let go of the store."""

    @abc.abstractmethod
    def write(self, chunks: Iterable[bytes], limit: int | None = None) -> Segment:
        """Store bytes, durable when this returns; they are the caller's to name or to ``discard``.

        Raises TooLarge when more than ``limit`` bytes come, and what ``chunks`` raises; then nothing is kept.
        """

    @abc.abstractmethod
    def duplicate(self, segment: Segment) -> Segment:
        """Store the same bytes again under another name; raises NotFound."""

    @abc.abstractmethod
    def discard(self, segments: Iterable[Segment]) -> None:
        """Remove bytes that nothing names."""

    @abc.abstractmethod
    def create_bucket(self, bucket: Bucket) -> None:
        """Add a bucket; raises Conflict where there is one of the name, OverQuota."""

    @abc.abstractmethod
    def get_bucket(self, name: str) -> Bucket | None:
        """Return a bucket."""

    @abc.abstractmethod
    def list_buckets(self, owner: str) -> list[Bucket]:
        """Return the buckets of a project by name."""

    @abc.abstractmethod
    def change_bucket(self, name: str, change: Callable[[Bucket], Bucket]) -> None:
        """Replace a bucket's versioning and details by what ``change`` makes of them; raises NotFound."""

    @abc.abstractmethod
    def delete_bucket(self, name: str) -> None:
        """Remove a bucket with its unfinished uploads; raises NotFound, and WrongState while it has objects."""

    @abc.abstractmethod
    def room(self, owner: str) -> int | None:
        """Return how many bytes more a project may store, or None for any number."""

    @abc.abstractmethod
    def put(self, new: ObjectVersion, check: Check) -> ObjectVersion:
        """Make ``new`` the latest version of its key, in one step with the check; returns it as it was kept.

        The bucket's versioning decides whether it replaces one. Raises NotFound without the bucket, OverQuota,
        and what ``check`` raises; then the new segments are still the caller's.
        """

    @abc.abstractmethod
    def get(self, bucket: str, key: str, version: str = "") -> ObjectVersion | None:
        """Return a version, a marker too; the latest one where none is named."""

    @abc.abstractmethod
    def open(self, version: ObjectVersion, offset: int, length: int) -> Reading:
        """Begin to read; raises NotFound when the version is gone. Later changes do not disturb a reader."""

    @abc.abstractmethod
    def change(self, version: ObjectVersion, change: Callable[[ObjectVersion], ObjectVersion]) -> None:
        """Replace a version's details by what ``change`` makes of them; raises NotFound."""

    @abc.abstractmethod
    def delete(self, bucket: str, key: str, version: str, check: Check) -> ObjectVersion | None:
        """Remove a version, or where none is named hide the object as the bucket's versioning says.

        Returns what was removed, or the marker that now hides it, or None where there was nothing to do.
        """

    @abc.abstractmethod
    def list_objects(self, bucket: str, wanted: Listing) -> Page:
        """Return ``Found`` entries of the latest versions that are no markers."""

    @abc.abstractmethod
    def list_versions(self, bucket: str, wanted: Listing) -> Page:
        """Return ``Found`` entries of all versions and markers, the newest of a key first."""

    @abc.abstractmethod
    def create_upload(self, upload: Upload) -> None:
        """Begin an upload; raises NotFound without the bucket."""

    @abc.abstractmethod
    def get_upload(self, upload_id: str) -> Upload | None:
        """Return an upload that is neither complete nor aborted."""

    @abc.abstractmethod
    def list_uploads(self, bucket: str, wanted: Listing) -> Page:
        """Return ``Upload`` entries by key and then by id."""

    @abc.abstractmethod
    def put_part(self, upload_id: str, part: Part) -> None:
        """Add a part, in the place of one of the same number; raises NotFound, OverQuota."""

    @abc.abstractmethod
    def list_parts(self, upload_id: str, after: int = 0, limit: int = 10_000) -> list[Part]:
        """Return the parts with numbers above ``after`` in order."""

    @abc.abstractmethod
    def complete_upload(self, upload_id: str, new: ObjectVersion, check: Check) -> ObjectVersion:
        """Put ``new``, made of parts of the upload, and end the upload in the same step; raises as ``put``.

        Parts that it does not name are removed. Raises Conflict when one that it names was replaced.
        """

    @abc.abstractmethod
    def abort_upload(self, upload_id: str) -> None:
        """End an upload and remove its parts; raises NotFound."""

    @abc.abstractmethod
    def sweep(self) -> None:
        """Abort uploads that are older than the operator lets them be."""
