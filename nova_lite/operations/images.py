"""Images: what is known of them in the database, their bytes in an image store.

An upload claims its image first (queued → saving), writes the bytes whole or not at all, and then makes the
image active. What a crash leaves in between, ``reap`` puts right.
"""

import datetime
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from nova_lite.core import clock, ids
from nova_lite.core.context import RequestContext
from nova_lite.core.errors import Conflict, Forbidden, NotFound, TooLarge
from nova_lite.core.image import Image, ImageStatus, Visibility
from nova_lite.db import images, quotas
from nova_lite.db.engine import Database
from nova_lite.db.images import ImagePage
from nova_lite.drivers.image.base import ImageStore
from nova_lite.operations.image_access import ImageLimits, check, find, own, require_formats
from nova_lite.operations.image_inspection import Inspection

_SIGN_OF_LIFE = 20.0
"""Seconds between two records that an upload moves."""
_STALE = 300.0
"""Seconds without such a record after which an upload counts as dead."""
_ATTEMPTS = 10


class Images:
    """The operations on images."""

    def __init__(self, database: Database, store: ImageStore, limits: ImageLimits) -> None:
        self._database = database
        self._store = store
        self._limits = limits

    def start(self) -> None:
        """Check that the store is usable; raises ConfigurationError."""
        self._store.start()

    def create(self, context: RequestContext, image: Image) -> Image:
        """Register an image that waits for its bytes; raises InvalidInput, Forbidden, Conflict."""
        check(context, image, self._limits)

        def work(session: Session) -> Image:
            images.insert(session, image)
            return image

        def landed(session: Session) -> Image | None:
            return images.get(session, image.id, context.scope())

        return self._database.run("image.create", work, landed=landed)

    def get(self, context: RequestContext, image_id: str) -> Image:
        """Return an image that the caller may see; raises NotFound."""
        return self._database.read("image.get", lambda session: find(session, context, image_id))

    def starting_with(self, context: RequestContext, starts: Sequence[str]) -> list[Image]:
        """Return the images that the caller may use whose ids begin in such a way, the oldest first."""
        return self._database.read(
            "image.starting_with", lambda session: images.with_starts(session, starts, context.scope())
        )

    def listing(self, context: RequestContext, page: ImagePage) -> list[Image]:
        """Return a page of images; raises InvalidInput for an unknown marker."""
        return self._database.read("image.list", lambda session: images.listing(session, page))

    def update(self, context: RequestContext, image_id: str, change: Any) -> Image:
        """Replace an image by ``change(image)``; raises NotFound, Forbidden, InvalidInput, Conflict."""

        def work(session: Session) -> Image | None:
            old = own(session, context, image_id)
            new: Image = change(old)
            check(context, new, self._limits, old)
            return find(session, context, image_id) if images.update(session, new, old) else None

        for _ in range(_ATTEMPTS):
            updated = self._database.run("image.update", work)
            if updated is not None:
                return updated
        raise Conflict(f"Image {image_id} is being changed by others.")

    def delete(self, context: RequestContext, image_id: str) -> None:
        """Delete an image and its bytes; raises NotFound, Forbidden for a protected or foreign one."""

        def work(session: Session) -> bool:
            image = own(session, context, image_id)
            if image.protected or not images.mark_deleted(session, image_id):
                raise Forbidden(f"Image {image_id} is protected and cannot be deleted.")
            return True

        def landed(session: Session) -> bool | None:
            return True if images.get(session, image_id) is None else None

        self._database.run("image.delete", work, landed=landed)
        self._remove(image_id)

    def upload(self, context: RequestContext, image_id: str, chunks: Iterable[bytes]) -> None:
        """Store an image's bytes and make it active.

        Raises NotFound, Conflict when it has bytes already, InvalidInput when they are not in the format that
        was declared, TooLarge. After a failure the image waits for another upload.
        """
        self._take(context, image_id, chunks, ImageStatus.ACTIVE)

    def stage(self, context: RequestContext, image_id: str, chunks: Iterable[bytes]) -> None:
        """Store an image's bytes for an import, which will look at them; raises as ``upload`` does."""
        self._take(context, image_id, chunks, ImageStatus.UPLOADING)

    def deactivate(self, context: RequestContext, image_id: str) -> None:
        """Let nobody but administrators have an image's bytes; raises NotFound, Forbidden."""
        self._turn(context, image_id, ImageStatus.ACTIVE, ImageStatus.DEACTIVATED)

    def reactivate(self, context: RequestContext, image_id: str) -> None:
        """Let a deactivated image be used again; raises NotFound, Forbidden."""
        self._turn(context, image_id, ImageStatus.DEACTIVATED, ImageStatus.ACTIVE)

    def download(
        self, context: RequestContext, image_id: str, offset: int = 0, length: int | None = None
    ) -> Iterator[bytes]:
        """Return an image's bytes in chunks; raises NotFound, Conflict when there are none yet."""
        image = self.get(context, image_id)
        if image.status is ImageStatus.DEACTIVATED and not context.is_admin:
            raise Forbidden(f"The requested image {image_id} has been deactivated.")
        if image.status not in (ImageStatus.ACTIVE, ImageStatus.DEACTIVATED):
            raise Conflict(f"Image {image_id} is not active.")
        return self._store.read(image_id, offset, length)

    def reap(self) -> None:
        """Let dead uploads wait again, and remove the bytes of images that are deleted."""
        before = clock.now() - datetime.timedelta(seconds=_STALE)
        stale, deleted = self._database.read(
            "image.leftovers",
            lambda session: (images.stale_uploads(session, before), images.deleted_ids(session)),
        )
        for image_id, upload in stale:
            self._reopen(image_id, upload)
        for image_id in deleted:
            self._remove(image_id)

    def _take(
        self, context: RequestContext, image_id: str, chunks: Iterable[bytes], status: ImageStatus
    ) -> None:
        """Store an image's bytes and let it have ``status``; those of an active one have been looked at."""
        upload = ids.new_uuid()
        image, room = self._database.run(
            "image.begin_upload", lambda session: self._begin(session, context, image_id, upload)
        )
        inspection = Inspection(image)
        try:
            if status is ImageStatus.ACTIVE:
                chunks = inspection.watch(chunks)
            stored = self._store.write(image_id, self._moving(image_id, upload, chunks), room)
            self._end(image, upload, status, inspection.values(stored))
        except BaseException:
            self._reopen(image_id, upload)
            raise

    def _begin(
        self, session: Session, context: RequestContext, image_id: str, upload: str
    ) -> tuple[Image, int]:
        """Let ``upload`` bring an image's bytes; return the image, and how many bytes there may be."""
        image = own(session, context, image_id)
        require_formats(image)
        if not images.begin_upload(session, image_id, upload):
            raise Conflict(f"Image status transition from {image.status} to saving is not allowed")
        return image, room_for(session, image, self._limits)

    def _end(self, image: Image, upload: str, status: ImageStatus, values: Mapping[str, Any]) -> None:
        """Record the bytes that are stored; raises NotFound when the image was deleted meanwhile, TooLarge."""

        def work(session: Session) -> bool:
            return end_within_quota(session, image, upload, status, values, self._limits)

        def landed(session: Session) -> bool | None:
            found = images.get(session, image.id)
            return True if found is not None and found.checksum == values["checksum"] else None

        if not self._database.run("image.end_upload", work, landed=landed):
            self._store.delete(image.id)
            raise NotFound(f"Image {image.id} was deleted during the upload.")

    def _reopen(self, image_id: str, upload: str) -> None:
        self._database.run(
            "image.fail_upload",
            lambda session: images.end_upload(session, image_id, upload, ImageStatus.QUEUED),
        )

    def _turn(self, context: RequestContext, image_id: str, old: ImageStatus, new: ImageStatus) -> None:
        def work(session: Session) -> None:
            image = own(session, context, image_id)
            if image.status is not new and not images.change_status(session, image_id, old, new):
                raise Forbidden(f"Image {image_id} is {image.status}: it cannot become {new}.")

        self._database.run("image.turn", work)

    def _remove(self, image_id: str) -> None:
        self._store.delete(image_id)
        self._database.run("image.forget", lambda session: images.forget(session, image_id))

    def _moving(self, image_id: str, upload: str, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """Pass chunks through, and record from time to time that the upload moves."""
        last = time.monotonic()
        for chunk in chunks:
            if time.monotonic() - last > _SIGN_OF_LIFE:
                last = time.monotonic()
                self._database.run(
                    "image.touch", lambda session: images.touch_upload(session, image_id, upload)
                )
            yield chunk


def new_image(context: RequestContext, image_id: str, **fields: Any) -> Image:
    """Return a new image of the caller's project that waits for its bytes."""
    now = clock.now()
    defaults: dict[str, Any] = {"name": None, "visibility": Visibility.SHARED, "owner": context.project_id}
    return Image(
        id=image_id or ids.new_uuid(),
        status=ImageStatus.QUEUED,
        created_at=now,
        updated_at=now,
        **(defaults | fields),
    )


def room_for(session: Session, image: Image, limits: ImageLimits) -> int:
    """Return how many bytes an image may have."""
    if not limits.project_bytes:
        return limits.image_bytes
    left = limits.project_bytes - images.bytes_of(session, image.owner) + (image.size or 0)
    return max(0, min(limits.image_bytes, left))


def end_within_quota(
    session: Session,
    image: Image,
    upload: str,
    status: ImageStatus,
    values: Mapping[str, Any],
    limits: ImageLimits,
) -> bool:
    """Record the bytes that ``upload`` has stored; False where they are unwanted now; raises TooLarge."""
    if limits.project_bytes:
        quotas.lock(session, image.owner)
        if values["size"] > room_for(session, image, limits):
            raise TooLarge(
                f"The images of the project would have more than the {limits.project_bytes} bytes allowed."
            )
    return images.end_upload(session, image.id, upload, status, values)
