"""Images: what is known of them in the database, their bytes in an image store.

An upload claims its image first (queued → saving), writes the bytes whole or not at all, and then makes the
image active. What a crash leaves in between, ``reap`` puts right.
"""

import contextlib
import datetime
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from oslo_utils.imageutils import format_inspector
from sqlalchemy.orm import Session

from nova_lite.core import clock, ids
from nova_lite.core.context import RequestContext
from nova_lite.core.errors import Conflict, Forbidden, InvalidInput, NotFound
from nova_lite.core.image import CONTAINER_FORMATS, DiskFormat, Image, ImageStatus, Visibility
from nova_lite.db import images
from nova_lite.db.engine import Database
from nova_lite.db.images import ImagePage
from nova_lite.drivers.image.base import ImageStore, Stored

_SIGN_OF_LIFE = 20.0
"""Seconds between two records that an upload moves."""
_STALE = 300.0
"""Seconds without such a record after which an upload counts as dead."""
_ATTEMPTS = 10


class Images:
    """The operations on images. ``size_cap`` is the largest image in bytes."""

    def __init__(self, database: Database, store: ImageStore, *, size_cap: int) -> None:
        self._database = database
        self._store = store
        self._size_cap = size_cap

    def start(self) -> None:
        """Check that the store is usable; raises ConfigurationError."""
        self._store.start()

    def create(self, context: RequestContext, image: Image) -> Image:
        """Register an image that waits for its bytes; raises InvalidInput, Forbidden, Conflict."""
        _check(context, image)

        def work(session: Session) -> Image:
            images.insert(session, image)
            return image

        def landed(session: Session) -> Image | None:
            return images.get(session, image.id, context.scope())

        return self._database.run("image.create", work, landed=landed)

    def get(self, context: RequestContext, image_id: str) -> Image:
        """Return an image that the caller may see; raises NotFound."""
        return self._database.read("image.get", lambda session: _find(session, context, image_id))

    def listing(self, context: RequestContext, page: ImagePage) -> list[Image]:
        """Return a page of images; raises InvalidInput for an unknown marker."""
        return self._database.read("image.list", lambda session: images.listing(session, page))

    def update(self, context: RequestContext, image_id: str, change: Any) -> Image:
        """Replace an image by ``change(image)``; raises NotFound, Forbidden, InvalidInput, Conflict."""

        def work(session: Session) -> Image | None:
            old = _own(session, context, image_id)
            new: Image = change(old)
            _check(context, new, old)
            return _find(session, context, image_id) if images.update(session, new, old) else None

        for _ in range(_ATTEMPTS):
            updated = self._database.run("image.update", work)
            if updated is not None:
                return updated
        raise Conflict(f"Image {image_id} is being changed by others.")

    def delete(self, context: RequestContext, image_id: str) -> None:
        """Delete an image and its bytes; raises NotFound, Forbidden for a protected or foreign one."""

        def work(session: Session) -> bool:
            image = _own(session, context, image_id)
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
        upload = ids.new_uuid()
        image = self._database.run(
            "image.begin_upload", lambda session: _begin_upload(session, context, image_id, upload)
        )
        inspection = _Inspection(image)
        try:
            watched = self._moving(image_id, upload, inspection.watch(chunks))
            stored = self._store.write(image_id, watched, self._size_cap)
        except BaseException:
            self._reopen(image_id, upload)
            raise
        self._activate(image_id, upload, inspection.values(stored))

    def download(
        self, context: RequestContext, image_id: str, offset: int = 0, length: int | None = None
    ) -> Iterator[bytes]:
        """Return an image's bytes in chunks; raises NotFound, Conflict when there are none yet."""
        image = self.get(context, image_id)
        if image.status is not ImageStatus.ACTIVE:
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

    def _activate(self, image_id: str, upload: str, values: Mapping[str, Any]) -> None:
        """Make an image active whose bytes are stored; raises NotFound when it was deleted meanwhile."""

        def work(session: Session) -> bool:
            return images.end_upload(session, image_id, upload, values)

        def landed(session: Session) -> bool | None:
            image = images.get(session, image_id)
            return True if image is not None and image.checksum == values["checksum"] else None

        if not self._database.run("image.end_upload", work, landed=landed):
            self._store.delete(image_id)
            raise NotFound(f"Image {image_id} was deleted during the upload.")

    def _reopen(self, image_id: str, upload: str) -> None:
        self._database.run(
            "image.fail_upload", lambda session: images.end_upload(session, image_id, upload, None)
        )

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


class _Inspection:
    """Looks at an image's bytes as they pass: are they what was declared, and safe?"""

    def __init__(self, image: Image) -> None:
        self._image = image
        kind = image.disk_format if image.disk_format in (DiskFormat.QCOW2, DiskFormat.ISO) else None
        self._declared = _inspector(kind) if kind else None
        self._qcow2 = _inspector(DiskFormat.QCOW2)

    def watch(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """Pass the chunks through; raises InvalidInput at the end when they are not as declared."""
        for chunk in chunks:
            for inspector in filter(None, (self._declared, self._qcow2)):
                inspector.eat_chunk(chunk)
            yield chunk
        self._judge()

    def values(self, stored: Stored) -> Mapping[str, Any]:
        """Return what is to be recorded of the bytes that were stored."""
        virtual = self._declared.virtual_size if self._declared is not None else stored.size
        return {
            "size": stored.size,
            "virtual_size": virtual or stored.size,
            "checksum": stored.md5,
            "os_hash_value": stored.sha512,
        }

    def _judge(self) -> None:
        if self._declared is None:
            # A raw image that is a qcow2 file could make a hypervisor open files of the host.
            if self._qcow2.complete and self._qcow2.format_match:
                raise InvalidInput(
                    f"The data is in qcow2 format, but {self._image.disk_format} was declared."
                )
            return
        if not (self._declared.complete and self._declared.format_match):
            raise InvalidInput(f"The data is not in the declared format {self._image.disk_format}.")
        try:
            self._declared.safety_check()
        except format_inspector.SafetyCheckFailed as error:
            names = ", ".join(sorted(error.failures))
            raise InvalidInput(f"The data is refused because it is not safe to use: {names}.") from error


def _inspector(disk_format: str) -> format_inspector.FileInspector:
    """Return a fresh inspector of bytes in ``disk_format``."""
    return format_inspector.ALL_FORMATS[disk_format]()


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


def _begin_upload(session: Session, context: RequestContext, image_id: str, upload: str) -> Image:
    image = _own(session, context, image_id)
    if image.disk_format is None or image.container_format is None:
        raise InvalidInput("disk_format and container_format must be set before the data is uploaded.")
    if not images.begin_upload(session, image_id, upload):
        raise Conflict(f"Image status transition from {image.status} to saving is not allowed")
    return image


def _find(session: Session, context: RequestContext, image_id: str) -> Image:
    image = images.get(session, image_id, context.scope())
    if image is None:
        raise NotFound(f"No image found with ID {image_id}")
    return image


def _own(session: Session, context: RequestContext, image_id: str) -> Image:
    """Return an image that the caller may change; raises NotFound, Forbidden."""
    image = _find(session, context, image_id)
    if not context.is_admin and image.owner != context.project_id:
        raise Forbidden(f"You are not permitted to modify image {image_id}.")
    return image


def _check(context: RequestContext, image: Image, old: Image | None = None) -> None:
    public = image.visibility is Visibility.PUBLIC and (
        old is None or old.visibility is not Visibility.PUBLIC
    )
    if public and not context.is_admin:
        raise Forbidden("You are not permitted to make an image public.")
    if image.owner != (old.owner if old else context.project_id) and not context.is_admin:
        raise Forbidden("You are not permitted to give an image to another project.")
    if image.container_format not in (None, *CONTAINER_FORMATS):
        raise InvalidInput(f"The container format {image.container_format} is not supported.")
    with contextlib.suppress(ValueError):
        if image.disk_format is None or DiskFormat(image.disk_format):
            return
    raise InvalidInput(f"The disk format {image.disk_format} is not supported.")
