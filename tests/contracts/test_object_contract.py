"""What every object store promises."""

import dataclasses
import random
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from nova_lite.conf import load
from nova_lite.core import clock
from nova_lite.core.errors import ConfigurationError, Conflict, NotFound, OverQuota, TooLarge, WrongState
from nova_lite.core.objects import Bucket, Listing, ObjectVersion, Part, Segment, Upload, Versioning
from nova_lite.drivers.object.base import ObjectStore
from nova_lite.drivers.object.blocks import CHUNK, BlockWriter
from nova_lite.drivers.object.files import FileObjectStore

BYTES = bytes(range(256)) * 5000


def make_store(folder: Path, *flags: str) -> ObjectStore:
    return FileObjectStore.from_flags(load([f"--buckets_path={folder}", *flags], prog="nova-objectstore"))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ObjectStore]:
    store = make_store(tmp_path / "buckets", "--quota_object_bytes=10000000", "--quota_buckets=3")
    store.start()
    store.create_bucket(Bucket("one", "project", clock.now()))
    yield store
    store.close()


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


def test_what_is_put_is_read_whole_and_in_part(store: ObjectStore) -> None:
    put(store, "key", BYTES)

    found = store.get("one", "key")

    assert content(store, found) == BYTES
    assert content(store, found, 10, 20) == BYTES[10:30]


@pytest.mark.parametrize("flag", ["--s3_direct_writes", "--nos3_direct_writes"])
def test_bytes_are_the_same_however_they_are_cut_and_written(tmp_path: Path, flag: str) -> None:
    store = make_store(tmp_path / "buckets", flag)
    store.start()
    store.create_bucket(Bucket("one", "project", clock.now()))
    source = memoryview(random.Random(1).randbytes(33 * CHUNK + 7))
    for size in (0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 4097, len(source)):
        for piece in (70_001, CHUNK, 5 * CHUNK):
            segment = store.write(bytes(source[at : min(size, at + piece)]) for at in range(0, size, piece))
            found = store.put(ObjectVersion("one", "key", "etag", (segment,), clock.now()), anything)
            assert content(store, found) == source[:size]
    store.close()


def test_blocks_reach_what_knows_no_writing_past_a_cache() -> None:
    ours, theirs = socket.socketpair()
    received: list[bytes] = []
    reader = threading.Thread(target=lambda: received.extend(iter(lambda: theirs.recv(CHUNK), b"")))
    reader.start()
    with theirs, ours:
        BlockWriter(ours.fileno(), direct=True).add(memoryview(bytes(2 * CHUNK)))
        ours.shutdown(socket.SHUT_WR)
        reader.join()
    assert b"".join(received) == bytes(2 * CHUNK)


@pytest.mark.parametrize(
    "key", ["../../etc/passwd", "/", "//", "a/", "a", "a/b", ".", "ü" * 300, "nul\0", "'; --"]
)
def test_a_key_is_a_name_and_never_a_path(store: ObjectStore, tmp_path: Path, key: str) -> None:
    put(store, "a", b"other")
    put(store, "a/b", b"another")
    put(store, key, b"mine")

    assert content(store, store.get("one", key)) == b"mine"
    assert key in keys(store)
    assert {path.name for path in tmp_path.iterdir()} == {"buckets"}


def test_bytes_that_nothing_names_are_gone_after_a_start(store: ObjectStore, tmp_path: Path) -> None:
    put(store, "key", BYTES)
    store.write([b"left by a crash"])
    store.close()

    again = make_store(tmp_path / "buckets")
    again.start()

    assert files(tmp_path) == 1
    assert content(again, again.get("one", "key")) == BYTES
    again.close()


def test_a_store_is_used_by_one_process_at_a_time(store: ObjectStore, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="in use by another process"):
        make_store(tmp_path / "buckets").start()


def test_a_broken_write_and_one_that_is_too_long_leave_nothing(store: ObjectStore, tmp_path: Path) -> None:
    def broken() -> Iterator[bytes]:
        yield BYTES
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        store.write(broken())
    with pytest.raises(TooLarge):
        store.write([BYTES, b"x"], limit=len(BYTES))

    assert files(tmp_path) == 0


def test_a_put_replaces_what_was_there(store: ObjectStore, tmp_path: Path) -> None:
    put(store, "key", b"old")
    put(store, "key", b"new")

    assert content(store, store.get("one", "key")) == b"new"
    assert files(tmp_path) == 1


def test_a_reader_is_not_disturbed_by_what_comes_after(store: ObjectStore, tmp_path: Path) -> None:
    reading = store.open(put(store, "key", BYTES), 0, len(BYTES))
    put(store, "key", b"new")
    store.delete("one", "key", "", anything)

    assert b"".join(reading) == BYTES
    reading.close()
    assert files(tmp_path) == 0


def test_a_version_that_was_replaced_cannot_be_opened(store: ObjectStore) -> None:
    old = put(store, "key", b"old")
    put(store, "key", b"new")

    with pytest.raises(NotFound):
        store.open(old, 0, 3)


def test_a_check_that_fails_changes_nothing(store: ObjectStore) -> None:
    put(store, "key", b"old")

    def refuse(there: ObjectVersion | None) -> None:
        raise Conflict(there.etag if there else "nothing")

    with pytest.raises(Conflict, match="etag"):
        store.put(version(store, "key", b"new"), refuse)
    with pytest.raises(Conflict):
        store.delete("one", "key", "", refuse)

    assert content(store, store.get("one", "key")) == b"old"


def test_of_many_puts_that_want_nothing_there_one_wins(store: ObjectStore) -> None:
    won: list[int] = []

    def only_if_absent(there: ObjectVersion | None) -> None:
        if there is not None:
            raise Conflict

    def compete(number: int) -> None:
        try:
            store.put(version(store, "key", str(number).encode()), only_if_absent)
        except Conflict:
            return
        won.append(number)

    threads = [threading.Thread(target=compete, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(won) == 1
    assert content(store, store.get("one", "key")) == str(won[0]).encode()


def test_versions_are_kept_and_a_delete_only_hides_them(store: ObjectStore) -> None:
    put(store, "key", b"before")
    keep_versions(store, Versioning.ENABLED)
    first, second = put(store, "key", b"first"), put(store, "key", b"second")
    marker = store.delete("one", "key", "", anything)

    assert marker is not None and marker.is_marker
    assert keys(store) == []
    assert content(store, store.get("one", "key", first.version)) == b"first"
    assert content(store, store.get("one", "key", "null")) == b"before"
    listed = store.list_versions("one", Listing()).entries
    assert [found.version for found in listed] == [marker.version, second.version, first.version, "null"]
    assert [found.is_latest for found in listed] == [True, False, False, False]


def test_the_newest_version_left_is_the_object(store: ObjectStore) -> None:
    keep_versions(store, Versioning.ENABLED)
    first, second = put(store, "key", b"first"), put(store, "key", b"second")
    store.delete("one", "key", second.version, anything)

    latest = store.get("one", "key")

    assert latest is not None and latest.version == first.version and latest.is_latest
    assert keys(store) == ["key"]


def test_suspended_versions_are_kept_and_the_null_one_is_replaced(store: ObjectStore) -> None:
    keep_versions(store, Versioning.ENABLED)
    kept = put(store, "key", b"kept")
    keep_versions(store, Versioning.SUSPENDED)
    put(store, "key", b"one")
    put(store, "key", b"two")

    assert [found.version for found in store.list_versions("one", Listing()).entries] == [
        "null",
        kept.version,
    ]
    marker = store.delete("one", "key", "", anything)
    assert marker is not None and (marker.version, marker.is_marker) == ("null", True)


def test_pages_lead_through_all_keys_in_the_order_of_their_bytes(store: ObjectStore) -> None:
    names = ["a", "a/b", "a/c", "b", "B", "ä", "\U0001f600", "~", "a-", "a0"]
    for name in names:
        put(store, name)
    seen: list[str] = []
    after = ""
    while True:
        page = store.list_objects("one", Listing(after=after, limit=3))
        seen += [found.key for found in page.entries]
        if not page.next_after:
            break
        after = page.next_after

    assert seen == sorted(names, key=str.encode)


def test_keys_are_rolled_up_behind_a_delimiter_across_pages(store: ObjectStore) -> None:
    for name in ["a", *(f"b/{number:04}" for number in range(50)), "b0", "c/1", "c/2", "d"]:
        put(store, name)

    whole = store.list_objects("one", Listing(delimiter="/"))
    first = store.list_objects("one", Listing(delimiter="/", limit=2))
    rest = store.list_objects("one", Listing(delimiter="/", limit=3, after=first.next_after))

    assert ([found.key for found in whole.entries], whole.prefixes) == (["a", "b0", "d"], ("b/", "c/"))
    assert ([found.key for found in first.entries], first.prefixes) == (["a"], ("b/",))
    assert ([found.key for found in rest.entries], rest.prefixes, rest.next_after) == (
        ["b0", "d"],
        ("c/",),
        "",
    )


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"prefix": "b/"}, ["b/1", "b/2"]),
        ({"prefix": "b/", "after": "b/1"}, ["b/2"]),
        ({"prefix": "b/", "after": "a"}, ["b/1", "b/2"]),
        ({"prefix": "b/", "after": "z"}, []),
        ({"prefix": "nothing"}, []),
        ({"limit": 0}, []),
        ({"after": "b/"}, ["b/1", "b/2", "\U0010ffff"]),
        ({"prefix": "\U0010ffff"}, ["\U0010ffff"]),
    ],
)
def test_a_list_begins_where_it_is_told(
    store: ObjectStore, wanted: dict[str, object], found: list[str]
) -> None:
    for name in ("a", "b/1", "b/2", "\U0010ffff"):
        put(store, name)

    assert keys(store, **wanted) == found


def test_pages_of_versions_go_on_within_a_key(store: ObjectStore) -> None:
    keep_versions(store, Versioning.ENABLED)
    made = [put(store, key).version for key in ("a", "a", "a", "b")]
    seen: list[str] = []
    after = after_id = ""
    while True:
        page = store.list_versions("one", Listing(after=after, after_id=after_id, limit=1))
        seen += [found.version for found in page.entries]
        after, after_id = page.next_after, page.next_id
        if not after:
            break

    assert seen == [made[2], made[1], made[0], made[3]]


def upload(store: ObjectStore, upload_id: str = "u1", key: str = "key") -> Upload:
    made = Upload(upload_id, "one", key, clock.now())
    store.create_upload(made)
    return made


def part(store: ObjectStore, number: int, content: bytes) -> Part:
    return Part(number, f"etag{number}", store.write([content]), clock.now())


def test_parts_become_one_object_and_what_is_not_used_goes(store: ObjectStore, tmp_path: Path) -> None:
    upload(store)
    for number, text in ((2, b"two"), (1, b"one"), (3, b"three")):
        store.put_part("u1", part(store, number, text))
    store.put_part("u1", part(store, 2, b"zwei"))
    parts = store.list_parts("u1")
    chosen = tuple(one.segment for one in parts[:2])

    made = ObjectVersion("one", "key", "whole", chosen, clock.now())
    store.complete_upload("u1", made, anything)

    assert content(store, store.get("one", "key")) == b"onezwei"
    assert content(store, store.get("one", "key"), 2, 3) == b"ezw"
    assert store.get_upload("u1") is None
    assert files(tmp_path) == 2


def test_an_upload_survives_a_restart_and_an_abort_leaves_nothing(store: ObjectStore, tmp_path: Path) -> None:
    upload(store)
    store.put_part("u1", part(store, 1, b"one"))
    store.close()
    again = make_store(tmp_path / "buckets")
    again.start()

    assert [one.number for one in again.list_parts("u1")] == [1]
    again.abort_upload("u1")
    with pytest.raises(NotFound):
        again.abort_upload("u1")
    with pytest.raises(NotFound):
        again.put_part("u1", part(again, 2, b"late"))
    again.close()


def test_old_uploads_are_swept(tmp_path: Path) -> None:
    store = make_store(tmp_path / "buckets", "--s3_upload_expiry=3600")
    store.start()
    store.create_bucket(Bucket("one", "project", clock.now()))
    upload(store, "young")
    store.create_upload(Upload("old", "one", "key", clock.now().replace(year=2020)))
    store.sweep()

    assert [one.id for one in store.list_uploads("one", Listing()).entries] == ["young"]
    store.close()


def test_pages_of_uploads_are_by_key_and_id(store: ObjectStore) -> None:
    for upload_id, key in (("2", "a"), ("1", "a"), ("3", "b/c"), ("4", "b/d")):
        upload(store, upload_id, key)

    first = store.list_uploads("one", Listing(limit=1))
    second = store.list_uploads("one", Listing(limit=1, after=first.next_after, after_id=first.next_id))
    rolled = store.list_uploads("one", Listing(delimiter="/"))

    assert [one.id for one in (*first.entries, *second.entries)] == ["1", "2"]
    assert ([one.id for one in rolled.entries], rolled.prefixes) == (["1", "2"], ("b/",))


def test_a_copy_is_another_object_of_the_same_bytes(store: ObjectStore) -> None:
    source = put(store, "key", BYTES)
    copy = store.duplicate(source.segments[0])
    store.put(ObjectVersion("one", "copy", "etag", (copy,), clock.now()), anything)
    store.delete("one", "key", "", anything)

    assert content(store, store.get("one", "copy")) == BYTES
    with pytest.raises(NotFound):
        store.duplicate(source.segments[0])


def test_a_project_keeps_no_more_than_its_quota(store: ObjectStore) -> None:
    put(store, "key", b"x" * 9_000_000)

    assert store.room("project") == 1_000_000
    with pytest.raises(OverQuota):
        put(store, "more", b"x" * 1_000_001)
    upload(store)
    with pytest.raises(OverQuota):
        store.put_part("u1", part(store, 1, b"x" * 1_000_001))
    put(store, "key", b"x" * 10_000_000)
    store.delete("one", "key", "", anything)
    assert store.room("project") == 10_000_000


def test_what_the_parts_counted_is_counted_once_when_they_are_an_object(store: ObjectStore) -> None:
    upload(store)
    store.put_part("u1", part(store, 1, b"x" * 6_000_000))
    segment = store.list_parts("u1")[0].segment
    store.complete_upload("u1", ObjectVersion("one", "key", "etag", (segment,), clock.now()), anything)

    assert store.room("project") == 4_000_000


def test_a_project_has_no_more_buckets_than_its_quota(store: ObjectStore) -> None:
    store.create_bucket(Bucket("two", "project", clock.now()))
    store.create_bucket(Bucket("three", "project", clock.now()))

    with pytest.raises(OverQuota):
        store.create_bucket(Bucket("four", "project", clock.now()))
    with pytest.raises(Conflict):
        store.create_bucket(Bucket("one", "other", clock.now()))
    assert [bucket.name for bucket in store.list_buckets("project")] == ["one", "three", "two"]


def test_a_bucket_goes_only_when_it_is_empty(store: ObjectStore, tmp_path: Path) -> None:
    put(store, "key")
    upload(store)
    store.put_part("u1", part(store, 1, b"one"))
    with pytest.raises(WrongState):
        store.delete_bucket("one")
    store.delete("one", "key", "", anything)
    store.delete_bucket("one")

    assert store.get_bucket("one") is None
    assert files(tmp_path) == 0
    with pytest.raises(NotFound):
        store.delete_bucket("one")
    segment = Segment("0" * 32, 1)
    with pytest.raises(NotFound):
        store.put(ObjectVersion("one", "key", "etag", (segment,), clock.now()), anything)


def test_details_change_in_one_step(store: ObjectStore) -> None:
    made = put(store, "key")
    store.change(made, lambda found: dataclasses.replace(found, details={"tags": {"a": "ü"}}))

    found = store.get("one", "key")

    assert found is not None and found.details == {"tags": {"a": "ü"}}
