"""What the contract of object stores has in common: a store in a folder, and short words for what is done to it."""

import dataclasses
from pathlib import Path

from nova_lite.conf import load
from nova_lite.core import clock
from nova_lite.core.objects import Listing, ObjectVersion, Part, Upload, Versioning
from nova_lite.drivers.object.base import ObjectStore
from nova_lite.drivers.object.files import FileObjectStore

BYTES = bytes(range(256)) * 5000


def make_store(folder: Path, *flags: str) -> ObjectStore:
    return FileObjectStore.from_flags(load([f"--buckets_path={folder}", *flags], prog="nova-objectstore"))


def files(folder: Path) -> int:
    return sum(1 for file in (folder / "buckets" / "blobs").rglob("*") if file.is_file())


def anything(there: ObjectVersion | None) -> None:
    pass


def version(store: ObjectStore, key: str, content: bytes = b"x", bucket: str = "one") -> ObjectVersion:
    return ObjectVersion(bucket, key, "etag", (store.write([content]),), clock.now())


def put(store: ObjectStore, key: str, content: bytes = b"x", bucket: str = "one") -> ObjectVersion:
    return store.put(version(store, key, content, bucket), anything)


def content(store: ObjectStore, found: ObjectVersion | None, offset: int = 0, length: int = -1) -> bytes:
    assert found is not None
    reading = store.open(found, offset, found.size if length < 0 else length)
    try:
        return b"".join(reading)
    finally:
        reading.close()


def keys(store: ObjectStore, **wanted: object) -> list[str]:
    return [found.key for found in store.list_objects("one", Listing(**wanted)).entries]  # type: ignore[arg-type]


def keep_versions(store: ObjectStore, state: Versioning) -> None:
    store.change_bucket("one", lambda bucket: dataclasses.replace(bucket, versioning=state))


def upload(store: ObjectStore, upload_id: str = "u1", key: str = "key") -> Upload:
    made = Upload(upload_id, "one", key, clock.now())
    store.create_upload(made)
    return made


def part(store: ObjectStore, number: int, content: bytes) -> Part:
    return Part(number, f"etag{number}", store.write([content]), clock.now())
