"""Making an image of an instance: its disk as it is at one moment, stored under an image's id.

The image's row is made by the request; it becomes active here, or is removed with whatever was stored.
"""

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from nova_lite.compute.host import ComputeHost
from nova_lite.core.actions import Action
from nova_lite.core.flow import Step
from nova_lite.core.image import ImageStatus
from nova_lite.core.instance import Instance
from nova_lite.db import images

_CHUNK = 1024 * 1024
_SIGN_OF_LIFE = 20.0


class SnapshotFlow:
    """The steps that make an image of an instance on this host; a ``packed`` one is of all its disks."""

    def __init__(self, host: ComputeHost, instance: Instance, action: Action, *, packed: bool = False) -> None:
        self._packed = packed
        self._host = host
        self._instance = instance
        self._image_id: str = action.parameters["image_id"]
        self._upload = action.id

    def steps(self) -> list[Step]:
        """Return the steps in order."""
        return [
            Step("snapshotting", self.take, self.give_up),
            Step("uploading", self.store),
            Step("cleaning", self.drop),
        ]

    def take(self) -> None:
        """Copy the disk as it is now, unless the image was finished before a crash."""
        if not self._is_stored():
            copy = self._host.driver.pack if self._packed else self._host.driver.snapshot
            copy(self._instance.uuid, self._instance.name)

    def give_up(self) -> None:
        """Remove the copy, and the image unless it is whole."""
        self.drop()
        abandon(self._host, self._image_id)

    def drop(self) -> None:
        """Remove the copy."""
        self._host.driver.drop_snapshot(self._instance.uuid, self._instance.name)

    def store(self) -> None:
        """Bring the copy to the image store; an image that was deleted meanwhile stays deleted."""
        if self._is_stored():
            return
        copy = self._host.driver.snapshot_file(self._instance.uuid, self._instance.name)
        self._host.database.run(
            "image.begin_upload",
            lambda session: images.begin_upload(session, self._image_id, self._upload),
        )
        stored = self._host.images.write(self._image_id, self._moving(copy.path))
        values = {
            "disk_format": copy.disk_format,
            "container_format": "bare",
            "size": stored.size,
            "virtual_size": copy.virtual_size,
            "checksum": stored.md5,
            "os_hash_value": stored.sha512,
        }
        self._end(values)
        if not self._is_stored():
            self._host.images.delete(self._image_id)

    def _end(self, values: Mapping[str, Any]) -> None:
        self._host.database.run(
            "image.end_upload",
            lambda session: images.end_upload(
                session, self._image_id, self._upload, ImageStatus.ACTIVE, values
            ),
        )

    def _moving(self, path: Path) -> Iterator[bytes]:
        """Return the copy in chunks, and record from time to time that the upload moves."""
        last = time.monotonic()
        with path.open("rb") as copy:
            while chunk := copy.read(_CHUNK):
                if time.monotonic() - last > _SIGN_OF_LIFE:
                    last = time.monotonic()
                    self._host.database.run(
                        "image.touch",
                        lambda session: images.touch_upload(session, self._image_id, self._upload),
                    )
                yield chunk

    def _is_stored(self) -> bool:
        found = self._host.database.read("image.status", lambda session: images.get(session, self._image_id))
        return found is not None and found.status is ImageStatus.ACTIVE


def abandon(host: ComputeHost, image_id: str) -> None:
    """Remove an image that came to nothing, with what was stored of it; a whole one is left alone."""

    def work(session: Session) -> bool:
        images.mark_abandoned(session, image_id)
        return images.get(session, image_id) is None

    if host.database.run("image.abandon", work):
        host.images.delete(image_id)
        host.database.run("image.forget", lambda session: images.forget(session, image_id))
