"""Importing images: what was staged, or what a web server has, becomes an image's bytes.

A request only records the task, with the image; a worker of nova-api claims it and does it. What a dead
worker left is begun anew by another when the claim has run out: every step may be repeated.
"""

import datetime
import logging
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Protocol

from sqlalchemy.orm import Session

from nova_lite import concurrency
from nova_lite.core import clock, ids
from nova_lite.core.bundle import BundleStep
from nova_lite.core.context import RequestContext
from nova_lite.core.errors import Conflict, NotFound, NovaError, Superseded, sentence
from nova_lite.core.image import Image, ImageStatus, ImageTask, TaskStatus
from nova_lite.db import image_tasks, images
from nova_lite.db.engine import Database
from nova_lite.drivers.image.base import ImageStore
from nova_lite.drivers.image.web import WebSource
from nova_lite.operations.image_access import ImageLimits, find, own, require_formats
from nova_lite.operations.image_inspection import Inspection, digests
from nova_lite.operations.images import end_within_quota, room_for

LOG = logging.getLogger(__name__)

BUNDLE = "bundle:"
"""What the address of a bundle in the object store begins with; users of the image API cannot ask for it."""

METHODS = ("glance-direct", "web-download")
"""The import methods of the image API: of what was staged, and from a web server."""

_CLAIM = datetime.timedelta(seconds=90)
_PROLONG = 20.0
"""Seconds between two times that a worker prolongs its claim."""
_WORKERS = 4
"""Imports that one process works at, at once."""
_KEPT = datetime.timedelta(hours=48)
"""How long a task can be looked at after its end."""


class Bundled(Protocol):
    """Who reads bundles."""

    def read(self, user_id: str, project_id: str, location: str) -> Iterator[bytes]:
        """Yield the image in the bundle at a location, as a user of a project."""


class ImageImports:
    """The operations on imports."""

    def __init__(
        self, database: Database, store: ImageStore, limits: ImageLimits, web: WebSource, bundles: Bundled
    ) -> None:
        self._bundles = bundles
        self._database = database
        self._store = store
        self._limits = limits
        self._web = web
        self._workers = concurrency.Pool(_WORKERS, "image import")

    def begin(self, context: RequestContext, image_id: str, uri: str = "") -> None:
        """Order an import of what was staged, or of what is at ``uri``.

        Raises NotFound, Forbidden, Conflict in the wrong status, InvalidInput for an address that is not
        allowed.
        """
        if uri:
            self._web.check(uri)
        self._begin(context, image_id, uri)

    def begin_bundle(self, context: RequestContext, image_id: str, location: str) -> None:
        """Order an import of the bundle at ``location``; raises NotFound, Forbidden, Conflict in the wrong status."""
        self._begin(context, image_id, f"{BUNDLE}{location}")

    def _begin(self, context: RequestContext, image_id: str, uri: str) -> None:
        now = clock.now()
        task = ImageTask(
            id=ids.new_uuid(),
            image_id=image_id,
            owner=context.project_id,
            user_id=context.user_id,
            request_id=context.request_id,
            status=TaskStatus.PENDING,
            created_at=now,
            updated_at=now,
            uri=uri,
        )

        def work(session: Session) -> bool:
            image = own(session, context, image_id)
            require_formats(image)
            begun = images.begin_upload(
                session, image_id, task.id, waiting=_waiting(task), busy=ImageStatus.IMPORTING
            )
            if not begun:
                raise Conflict(
                    f"Image {image_id} is {image.status}; the import method {task.method} "
                    f"needs one that is {_waiting(task)}."
                )
            image_tasks.insert(session, task)
            return True

        def landed(session: Session) -> bool | None:
            return True if image_tasks.get(session, task.id) else None

        self._database.run("image.begin_import", work, landed=landed)
        self._workers.submit(self.work)

    def of_image(self, context: RequestContext, image_id: str) -> list[ImageTask]:
        """Return the imports of an image that the caller may see; raises NotFound."""

        def work(session: Session) -> list[ImageTask]:
            find(session, context, image_id)
            return image_tasks.of_image(session, image_id)

        return self._database.read("image.tasks", work)

    def listing(self, context: RequestContext) -> list[ImageTask]:
        """Return the caller's imports, the newest first; an admin's are everybody's."""
        return self._database.read(
            "image_task.list", lambda session: image_tasks.listing(session, context.scope())
        )

    def get(self, context: RequestContext, task_id: str) -> ImageTask:
        """Return an import; raises NotFound."""
        found = self._database.read(
            "image_task.get", lambda session: image_tasks.get(session, task_id, context.scope())
        )
        if found is None:
            raise NotFound(f"Task {task_id} could not be found.")
        return found

    def work(self) -> None:
        """Do every import that nobody works at, one after the other, and forget old ones."""
        worker = ids.new_uuid()
        while task := self._claim(worker):
            self._do(task, worker)
        self._database.run("image_task.forget", image_tasks.forget_expired)

    def _claim(self, worker: str) -> ImageTask | None:
        return self._database.run(
            "image_task.claim", lambda session: image_tasks.claim(session, worker, clock.now() + _CLAIM)
        )

    def _do(self, task: ImageTask, worker: str) -> None:
        """Do one import to its end: the image active, or waiting again with the reason at the task."""
        try:
            image, room = self._database.read(
                "image.import_facts", lambda session: self._facts(session, task)
            )
            inspection = Inspection(image)
            chunks = self._moving(task, worker, inspection.watch(self._source(task)))
            if task.uri:
                values = inspection.values(self._store.write(image.id, chunks, room))
            else:
                values = inspection.values(digests(chunks))
            self._end(task, worker, image, values)
        except Superseded:
            LOG.info("Import %s goes on elsewhere", task.id)
        except NovaError as error:
            self._fail(task, worker, str(error), getattr(error, "step", BundleStep.UPLOAD))
        except Exception as error:
            LOG.exception("Import %s of image %s failed", task.id, task.image_id)
            self._fail(task, worker, sentence(error))

    def _facts(self, session: Session, task: ImageTask) -> tuple[Image, int]:
        image = images.get(session, task.image_id)
        if image is None:
            raise NotFound(f"Image {task.image_id} was deleted.")
        return image, room_for(session, image, self._limits)

    def _source(self, task: ImageTask) -> Iterator[bytes]:
        if task.uri.startswith(BUNDLE):
            return self._bundles.read(task.user_id, task.owner, task.uri.removeprefix(BUNDLE))
        return self._web.read(task.uri) if task.uri else self._store.read(task.image_id)

    def _moving(self, task: ImageTask, worker: str, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """Pass chunks through and prolong the claim from time to time; raises Superseded when it is lost."""
        last = time.monotonic()
        for chunk in chunks:
            if time.monotonic() - last > _PROLONG:
                last = time.monotonic()
                kept = self._database.run(
                    "image_task.prolong",
                    lambda session: image_tasks.prolong(session, task.id, worker, clock.now() + _CLAIM),
                )
                if not kept:
                    raise Superseded(f"Another worker has import {task.id}.")
            yield chunk

    def _end(self, task: ImageTask, worker: str, image: Image, values: Mapping[str, Any]) -> None:
        def work(session: Session) -> bool:
            ended = image_tasks.end(session, task.id, worker, TaskStatus.SUCCESS, "", clock.now() + _KEPT)
            if not ended:
                raise Superseded(f"Another worker has import {task.id}.")
            return end_within_quota(session, image, task.id, ImageStatus.ACTIVE, values, self._limits)

        def landed(session: Session) -> bool | None:
            found = image_tasks.get(session, task.id)
            return True if found is not None and found.status is TaskStatus.SUCCESS else None

        if not self._database.run("image.end_import", work, landed=landed):
            self._store.delete(image.id)

    def _fail(
        self, task: ImageTask, worker: str, message: str, step: BundleStep = BundleStep.UPLOAD
    ) -> None:
        """Let the image wait as before the import, and keep the reason; one of a bundle says where it failed."""
        LOG.warning("Import %s of image %s: %s", task.id, task.image_id, message)

        def work(session: Session) -> None:
            if image_tasks.end(session, task.id, worker, TaskStatus.FAILURE, message, clock.now() + _KEPT):
                images.end_upload(session, task.image_id, task.id, _waiting(task))
                image = images.get(session, task.image_id)
                if image is not None and task.uri.startswith(BUNDLE):
                    said = {"image_state": f"failed_{step}", "image_state_reason": message[:255]}
                    images.update(session, replace(image, properties={**image.properties, **said}), image)

        self._database.run("image.fail_import", work)


def _waiting(task: ImageTask) -> ImageStatus:
    """Return the status of images that the task's method can import."""
    return ImageStatus.QUEUED if task.uri else ImageStatus.UPLOADING
