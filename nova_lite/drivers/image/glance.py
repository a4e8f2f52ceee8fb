"""Images in a Glance: what users know as an image is a row of ours, its bytes are an image of Glance's.

Glance never changes the bytes of an image, so each write makes an image of its own, called by our image's id, and
takes the older ones away once it is whole: the newest whole one counts. OpenStack Image service API v2.
"""

import contextlib
import hashlib
import logging
from collections.abc import Iterable, Iterator
from typing import Any

import keystoneauth1.adapter
import keystoneauth1.exceptions
import keystoneauth1.identity
import keystoneauth1.session

from nova_lite.core import ids
from nova_lite.core.errors import ConfigurationError, NotFound, TooLarge, Unavailable
from nova_lite.drivers.image.base import ImageStore, Stored

LOG = logging.getLogger(__name__)

_CHUNK = 1024 * 1024
_TAG = "nova_lite"
"""Marks the images that are ours."""
_OPAQUE = "docker"
"""A container into which Glance does not look; of a bare one it refuses bytes that are not in its disk_format."""
_BUSY: dict[str, Any] = {"retriable_status_codes": [409, 500, 502, 503, 504], "status_code_retries": 4}
"""How often a removal is tried, after 0.5, 1, 2 and 4 s: of an upload that broke off Glance takes leave in its time."""


class GlanceImageStore(ImageStore):
    """Keeps the bytes of images in the project that ``session`` is logged in to."""

    def __init__(self, session: Any, endpoint: str = "", region: str = "") -> None:
        self._glance = keystoneauth1.adapter.Adapter(
            session,
            service_type="image",
            interface="public",
            region_name=region or None,
            endpoint_override=endpoint or None,
            user_agent="nova_lite",
        )

    @classmethod
    def from_flags(cls, conf: Any) -> "GlanceImageStore":
        """Build the store from the flags that begin with ``glance_``."""
        auth = keystoneauth1.identity.Password(
            auth_url=conf.glance_auth_url,
            username=conf.glance_username,
            password=conf.glance_password,
            project_name=conf.glance_project_name,
            user_domain_id=conf.glance_user_domain_id,
            project_domain_id=conf.glance_project_domain_id,
        )
        return cls(keystoneauth1.session.Session(auth), conf.glance_endpoint, conf.region_name)

    def start(self) -> None:
        """Log in and list nothing; raises ConfigurationError when that cannot be done."""
        try:
            self._glance.get("/v2/images", params={"limit": "1"})
        except keystoneauth1.exceptions.ClientException as error:
            raise ConfigurationError(
                f"cannot use the Glance that the flags glance_… name: {type(error).__name__}: {error}"
            ) from error

    def write(self, image_id: str, chunks: Iterable[bytes], limit: int | None = None) -> Stored:
        """Upload the chunks as a new image of Glance's, and remove the ones that it replaces."""
        _require_id(image_id)
        wanted = {"name": image_id, "tags": [_TAG], "disk_format": "raw", "container_format": _OPAQUE}
        made = self._ask("POST", "/v2/images", json=wanted).json()["id"]
        source = _Source(chunks, limit)
        try:
            headers = {"Content-Type": "application/octet-stream"}
            self._ask("PUT", f"/v2/images/{made}/file", data=iter(source), headers=headers)
        except BaseException:
            self._clean_up(made)
            # What the client that sends the bytes did wrong comes out of the upload in other words.
            if source.error is not None:
                raise source.error from None
            raise
        for older in self._named(image_id):
            if older["id"] != made:
                self._remove(older["id"])
        return source.stored()

    def read(self, image_id: str, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
        """Download the image's bytes in chunks of at most 1 MiB."""
        found = self._current(image_id)
        if found is None:
            raise NotFound(f"The data of image {image_id} could not be found.")
        end = found["size"] if length is None else min(offset + length, found["size"])
        if offset >= end:
            return iter(())
        headers = {} if (offset, end) == (0, found["size"]) else {"Range": f"bytes={offset}-{end - 1}"}
        answer = self._ask("GET", f"/v2/images/{found['id']}/file", headers=headers, stream=True)
        chunks: Iterator[bytes] = answer.iter_content(_CHUNK)
        return chunks

    def size(self, image_id: str) -> int | None:
        """Return the number of bytes stored, or None."""
        found = self._current(image_id)
        return None if found is None else int(found["size"])

    def delete(self, image_id: str) -> None:
        """Remove the images that hold the image's bytes."""
        for found in self._named(image_id):
            self._remove(found["id"])

    def image_ids(self) -> tuple[str, ...]:
        """Return the ids for which bytes are stored."""
        found = self._list(status="active")
        return tuple(dict.fromkeys(image["name"] for image in found if ids.is_uuid(image["name"])))

    def _current(self, image_id: str) -> dict[str, Any] | None:
        found = self._whole(image_id)
        return found[0] if found else None

    def _whole(self, image_id: str) -> list[dict[str, Any]]:
        """Return the images that hold the image's bytes, the newest first."""
        return [image for image in self._named(image_id) if image["status"] == "active"]

    def _named(self, image_id: str) -> list[dict[str, Any]]:
        return list(self._list(name=image_id)) if ids.is_uuid(image_id) else []

    def _list(self, **filters: str) -> Iterator[dict[str, Any]]:
        """Yield our images in Glance, the newest first."""
        given: dict[str, str] | None = {"tag": _TAG, "sort": "created_at:desc,id:desc", **filters}
        path: str | None = "/v2/images"
        while path:
            page = self._ask("GET", path, params=given).json()
            yield from page["images"]
            path, given = page.get("next"), None

    def _clean_up(self, glance_id: str) -> None:
        """Remove what a broken upload left; what stays is not read, and goes with the image's next write or delete."""
        try:
            self._remove(glance_id)
        except Unavailable as error:
            LOG.warning("Image %s of Glance, a broken upload, could not be removed: %s", glance_id, error)

    def _remove(self, glance_id: str) -> None:
        with contextlib.suppress(NotFound):
            self._ask("DELETE", f"/v2/images/{glance_id}", **_BUSY)

    def _ask(self, method: str, path: str, **options: Any) -> Any:
        """Send a request; raises NotFound, Unavailable."""
        try:
            return self._glance.request(path, method, **options)
        except keystoneauth1.exceptions.NotFound as error:
            raise NotFound(str(error)) from error
        except keystoneauth1.exceptions.ClientException as error:
            raise Unavailable(f"Glance does not do what it is asked: {error}") from error


class _Source:
    """The chunks of an upload: counts and hashes them on their way, and remembers what their sender did wrong."""

    def __init__(self, chunks: Iterable[bytes], limit: int | None) -> None:
        self._chunks = chunks
        self._limit = limit
        self._size = 0
        self._md5, self._sha512 = hashlib.md5(usedforsecurity=False), hashlib.sha512()
        self.error: BaseException | None = None

    def __iter__(self) -> Iterator[bytes]:
        try:
            for chunk in self._chunks:
                self._size += len(chunk)
                if self._limit is not None and self._size > self._limit:
                    raise TooLarge(f"The image is larger than {self._limit} bytes.")
                self._md5.update(chunk)
                self._sha512.update(chunk)
                # In a chunked body an empty chunk would be the end (RFC 9112, section 7.1).
                if chunk:
                    yield chunk
        except BaseException as error:
            self.error = error
            raise

    def stored(self) -> Stored:
        """Return what was sent."""
        return Stored(self._size, self._md5.hexdigest(), self._sha512.hexdigest())


def _require_id(image_id: str) -> None:
    if not ids.is_uuid(image_id):
        raise NotFound(f"There is no image {image_id[:64]}.")
