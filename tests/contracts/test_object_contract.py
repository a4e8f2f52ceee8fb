"""What every object store promises of objects and their bytes."""

import dataclasses
import random
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from nova_lite.core import clock
from nova_lite.core.errors import ConfigurationError, Conflict, NotFound, TooLarge
from nova_lite.core.objects import Bucket, ObjectVersion
from nova_lite.drivers.object.base import ObjectStore
from nova_lite.drivers.object.blocks import CHUNK, BlockWriter
from tests.contracts.objects import BYTES, anything, content, files, keys, make_store, put, version


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


def test_a_copy_is_another_object_of_the_same_bytes(store: ObjectStore) -> None:
    source = put(store, "key", BYTES)
    copy = store.duplicate(source.segments[0])
    store.put(ObjectVersion("one", "copy", "etag", (copy,), clock.now()), anything)
    store.delete("one", "key", "", anything)

    assert content(store, store.get("one", "copy")) == BYTES
    with pytest.raises(NotFound):
        store.duplicate(source.segments[0])


def test_details_change_in_one_step(store: ObjectStore) -> None:
    made = put(store, "key")
    store.change(made, lambda found: dataclasses.replace(found, details={"tags": {"a": "ü"}}))

    found = store.get("one", "key")

    assert found is not None and found.details == {"tags": {"a": "ü"}}
