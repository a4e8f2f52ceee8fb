"""Images as objects in a bucket: of this cloud's own object store, or of another S3."""

import contextlib
import hashlib
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable, Iterator
from typing import Any

import defusedxml.ElementTree

from nova_lite.core import ids
from nova_lite.core.credentials import Ec2Credential
from nova_lite.core.errors import ConfigurationError, NotFound, NovaError, TooLarge
from nova_lite.drivers.image.base import ImageStore, Stored
from nova_lite.drivers.image.objects import ObjectClient, body_of

_PART = 16 * 1024 * 1024


class S3ImageStore(ImageStore):
    """Keeps each image in an object named by its id, which is there whole when its upload in parts is complete."""

    def __init__(self, client: ObjectClient, keys: Ec2Credential, bucket: str) -> None:
        self._client = client
        self._keys = keys
        self._bucket = bucket

    @classmethod
    def from_flags(cls, conf: Any) -> "S3ImageStore":
        """Build the store from the flags ``s3_…``."""
        keys = Ec2Credential(conf.s3_access_key, conf.s3_secret_key)
        client = ObjectClient(conf.s3_host, conf.s3_port, ssl=conf.s3_use_ssl, region=conf.region_name)
        return cls(client, keys, conf.s3_image_bucket)

    def start(self) -> None:
        """Make the bucket where it is missing."""
        try:
            try:
                self._ask("HEAD", f"/{self._bucket}")
            except NotFound:
                self._ask("PUT", f"/{self._bucket}")
        except NovaError as error:
            raise ConfigurationError(
                f"The image service s3 cannot be used with the flags s3_…: {error}"
            ) from error

    def write(self, image_id: str, chunks: Iterable[bytes], limit: int | None = None) -> Stored:
        """Send the chunks in parts; they are an object only when all of them are there."""
        path = self._path(image_id)
        begun = self._ask("POST", path, {"uploads": ""})
        upload = defusedxml.ElementTree.fromstring(begun).findtext("{*}UploadId") or ""
        sums = _Sums(limit)
        try:
            tags = [
                self._part(path, upload, number, part)
                for number, part in enumerate(_parts(sums.watch(chunks)), 1)
            ]
            listed = "".join(
                f"<Part><PartNumber>{number}</PartNumber><ETag>{tag}</ETag></Part>"
                for number, tag in enumerate(tags, 1)
            )
            document = f"<CompleteMultipartUpload>{listed}</CompleteMultipartUpload>"
            self._ask("POST", path, {"uploadId": upload}, document.encode())
        except BaseException:
            with contextlib.suppress(NovaError):
                self._ask("DELETE", path, {"uploadId": upload})
            raise
        return sums.stored()

    def read(self, image_id: str, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
        """Return the image's bytes in chunks."""
        size = self.size(image_id)
        if size is None:
            raise NotFound(f"The data of image {image_id} could not be found.")
        end = size if length is None else min(size, offset + length)
        if offset >= end:
            return iter(())
        wanted = {"range": f"bytes={offset}-{end - 1}"}
        return body_of(self._client.send(self._keys, "GET", self._path(image_id), headers=wanted))

    def size(self, image_id: str) -> int | None:
        """Return the number of bytes stored, or None."""
        try:
            answer = self._client.send(self._keys, "HEAD", self._path(image_id))
        except NotFound:
            return None
        answer.release_conn()
        return int(answer.headers["Content-Length"])

    def delete(self, image_id: str) -> None:
        """Remove the image's object."""
        self._ask("DELETE", self._path(image_id))

    def image_ids(self) -> tuple[str, ...]:
        """Return the ids for which there is an object."""
        found: list[str] = []
        query = {"list-type": "2"}
        while True:
            page: ElementTree.Element = defusedxml.ElementTree.fromstring(
                self._ask("GET", f"/{self._bucket}", query)
            )
            found += [element.text or "" for element in page.findall("{*}Contents/{*}Key")]
            token = page.findtext("{*}NextContinuationToken")
            if not token:
                return tuple(sorted(name for name in found if ids.is_uuid(name)))
            query = {"list-type": "2", "continuation-token": token}

    def _part(self, path: str, upload: str, number: int, part: bytes) -> str:
        query = {"partNumber": str(number), "uploadId": upload}
        answer = self._client.send(self._keys, "PUT", path, query, part)
        for _ in body_of(answer):
            continue
        return answer.headers["ETag"]

    def _ask(self, method: str, path: str, query: dict[str, str] | None = None, body: bytes = b"") -> bytes:
        return b"".join(body_of(self._client.send(self._keys, method, path, query, body)))

    def _path(self, image_id: str) -> str:
        if not ids.is_uuid(image_id):
            raise NotFound(f"Image {image_id} could not be found.")
        return f"/{self._bucket}/{image_id}"


class _Sums:
    """Size and checksums of what passes."""

    def __init__(self, limit: int | None) -> None:
        self._limit = limit
        self._size = 0
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._sha512 = hashlib.sha512()

    def watch(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """Pass chunks through; raises TooLarge."""
        for chunk in chunks:
            self._size += len(chunk)
            if self._limit is not None and self._size > self._limit:
                raise TooLarge(f"The image is larger than the {self._limit} bytes that are allowed.")
            self._md5.update(chunk)
            self._sha512.update(chunk)
            yield chunk

    def stored(self) -> Stored:
        """Return what was written."""
        return Stored(self._size, self._md5.hexdigest(), self._sha512.hexdigest())


def _parts(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the bytes in parts of one size, the last one shorter; one that is empty where there are none."""
    held = bytearray()
    sent = False
    for chunk in chunks:
        held += chunk
        while len(held) >= _PART:
            yield bytes(held[:_PART])
            del held[:_PART]
            sent = True
    if held or not sent:
        yield bytes(held)
