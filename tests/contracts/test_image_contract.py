"""What every image store promises."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import requests.adapters
from keystoneauth1 import identity, session

from nova_lite.conf import load
from nova_lite.core import ids
from nova_lite.core.errors import ConfigurationError, NotFound, TooLarge
from nova_lite.drivers.image.base import ImageStore
from nova_lite.drivers.image.files import FileImageStore
from nova_lite.drivers.image.glance import GlanceImageStore
from nova_lite.drivers.image.s3 import S3ImageStore
from tests.s3_site import running as s3_running
from tools.services import Glance, Keystone

BYTES = bytes(range(256)) * 5000
CHUNKS = [BYTES[:1000], b"", BYTES[1000:]]


@pytest.fixture(scope="module")
def glance_flags(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """The flags of a store in the real Glance."""
    folder = tmp_path_factory.mktemp("openstack")
    with Keystone(folder / "keystone") as keystone, Glance(folder / "glance", keystone) as glance:
        yield [
            f"--glance_auth_url={keystone.url}", "--glance_username=admin", "--glance_password=secret",
            "--glance_project_name=admin", f"--glance_endpoint={glance.url}",
        ]  # fmt: skip


@pytest.fixture(scope="module")
def s3_flags(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """The flags of a store in our own object store."""
    with s3_running(tmp_path_factory.mktemp("objectstore")) as site:
        keys = site.keys["demo"]
        yield [
            "--s3_host=127.0.0.1", f"--s3_port={site.port}", f"--s3_access_key={keys.access}",
            f"--s3_secret_key={keys.secret}",
        ]  # fmt: skip


@pytest.fixture(params=["files", "named files", "glance", "s3"])
def store(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ImageStore]:
    store: ImageStore
    if request.param == "named files":
        # As on file systems on which every file has a name.
        monkeypatch.setattr(os, "O_TMPFILE", 0)
    if "files" in request.param:
        store = FileImageStore.from_flags(load([f"--images_path={tmp_path / 'images'}"], prog="nova-api"))
    elif request.param == "s3":
        store = S3ImageStore.from_flags(load(request.getfixturevalue("s3_flags"), prog="nova-api"))
    else:
        store = GlanceImageStore.from_flags(load(request.getfixturevalue("glance_flags"), prog="nova-api"))
    store.start()
    yield store
    for image_id in store.image_ids():
        store.delete(image_id)


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


class _Hesitant(requests.adapters.HTTPAdapter):
    """A way to Glance on which the first requests to delete are answered by an error."""

    def __init__(self, refusals: int) -> None:
        super().__init__()
        self.refusals = refusals

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        if request.method != "DELETE" or not self.refusals:
            return super().send(request, *args, **options)
        self.refusals -= 1
        answer = requests.Response()
        answer.status_code, answer.request, answer.url = 409, request, str(request.url)
        return answer


@pytest.mark.parametrize(("refusals", "left"), [(1, 0), (5, 1)])
def test_a_removal_is_tried_again_and_never_hides_what_the_sender_did(
    glance_flags: list[str], refusals: int, left: int
) -> None:
    conf = load(glance_flags, prog="nova-api")
    auth = identity.Password(
        auth_url=conf.glance_auth_url, username="admin", password="secret", project_name="admin",
        user_domain_id="default", project_domain_id="default",
    )  # fmt: skip
    way = requests.Session()
    way.mount(conf.glance_endpoint, _Hesitant(refusals))
    store = GlanceImageStore(session.Session(auth, session=way), conf.glance_endpoint)
    image_id = ids.new_uuid()
    with pytest.raises(ConnectionResetError):
        store.write(image_id, broken())

    glance = session.Session(auth).get(f"{conf.glance_endpoint}/v2/images", params={"name": image_id})
    assert len(glance.json()["images"]) == left
    store.write(image_id, [b"whole"])
    glance = session.Session(auth).get(f"{conf.glance_endpoint}/v2/images", params={"name": image_id})
    assert [image["status"] for image in glance.json()["images"]] == ["active"]
    store.delete(image_id)


def test_a_glance_that_does_not_answer_is_told_at_the_start() -> None:
    flags = ["--glance_auth_url=http://127.0.0.1:9/v3", "--glance_password=x"]
    with pytest.raises(ConfigurationError, match="glance_"):
        GlanceImageStore.from_flags(load(flags, prog="nova-api")).start()


def test_what_was_left_long_ago_is_removed_at_start(tmp_path: Path) -> None:
    store = FileImageStore(tmp_path)
    old, young = tmp_path / ".upload-old", tmp_path / ".upload-young"
    for file in (old, young):
        file.write_bytes(b"half")
    os.utime(old, (0, 0))

    store.start()

    assert (old.exists(), young.exists(), store.image_ids()) == (False, True, ())
