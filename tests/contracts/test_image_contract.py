"""What every image store promises."""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from nova_lite.conf import load
from nova_lite.core import ids
from nova_lite.core.errors import NotFound, TooLarge
from nova_lite.drivers.image.base import ImageStore
from nova_lite.drivers.image.files import FileImageStore

STORES: dict[str, Callable[[Path], ImageStore]] = {
    "files": lambda folder: FileImageStore.from_flags(load([f"--images_path={folder}"], prog="nova-api")),
}
BYTES = bytes(range(256)) * 5000
CHUNKS = [BYTES[:1000], b"", BYTES[1000:]]


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ImageStore:
    store = STORES[request.param](tmp_path / "images")
    store.start()
    return store


def broken() -> Iterator[bytes]:
    """A client that goes away in the middle."""
    yield BYTES
    raise ConnectionResetError


def test_what_is_written_is_read_with_its_size_and_checksums(store: ImageStore) -> None:
    image_id = ids.new_uuid()
    stored = store.write(image_id, CHUNKS)

    assert b"".join(store.read(image_id)) == BYTES
    assert (stored.size, store.size(image_id)) == (len(BYTES), len(BYTES))
    assert stored.md5 == hashlib.md5(BYTES).hexdigest()
    assert stored.sha512 == hashlib.sha512(BYTES).hexdigest()
    assert store.image_ids() == (image_id,)


def test_a_part_can_be_read(store: ImageStore) -> None:
    image_id = ids.new_uuid()
    store.write(image_id, CHUNKS)

    assert b"".join(store.read(image_id, 10, 20)) == BYTES[10:30]
    assert b"".join(store.read(image_id, len(BYTES) - 5)) == BYTES[-5:]
    assert b"".join(store.read(image_id, len(BYTES) - 5, 100)) == BYTES[-5:]
    assert b"".join(store.read(image_id, 10, 0)) == b""


def test_an_image_without_bytes_is_an_image(store: ImageStore) -> None:
    image_id = ids.new_uuid()

    assert store.write(image_id, []).size == 0
    assert b"".join(store.read(image_id)) == b""


def test_writing_again_replaces_the_bytes(store: ImageStore) -> None:
    image_id = ids.new_uuid()
    store.write(image_id, CHUNKS)
    store.write(image_id, [b"new"])

    assert b"".join(store.read(image_id)) == b"new"


def test_a_broken_upload_leaves_nothing(store: ImageStore) -> None:
    image_id = ids.new_uuid()
    with pytest.raises(ConnectionResetError):
        store.write(image_id, broken())

    assert store.size(image_id) is None
    assert store.image_ids() == ()


def test_a_broken_upload_leaves_what_was_there(store: ImageStore) -> None:
    image_id = ids.new_uuid()
    store.write(image_id, [b"old"])
    with pytest.raises(ConnectionResetError):
        store.write(image_id, broken())

    assert b"".join(store.read(image_id)) == b"old"


def test_what_is_too_large_is_refused_and_leaves_nothing(store: ImageStore) -> None:
    image_id = ids.new_uuid()
    store.write(image_id, CHUNKS, limit=len(BYTES))
    with pytest.raises(TooLarge):
        store.write(ids.new_uuid(), CHUNKS, limit=len(BYTES) - 1)

    assert store.image_ids() == (image_id,)


def test_deleting_twice_is_deleting_once(store: ImageStore) -> None:
    image_id, other = ids.new_uuid(), ids.new_uuid()
    store.write(image_id, CHUNKS)
    store.write(other, CHUNKS)
    store.delete(image_id)
    store.delete(image_id)

    assert store.image_ids() == (other,)
    with pytest.raises(NotFound):
        store.read(image_id)


@pytest.mark.parametrize("image_id", ["../../etc/passwd", "", "x", ids.new_uuid().upper() + "/.."])
def test_an_id_is_never_a_path(store: ImageStore, image_id: str) -> None:
    with pytest.raises(NotFound):
        store.read(image_id)
    with pytest.raises(NotFound):
        store.write(image_id, [b"x"])
