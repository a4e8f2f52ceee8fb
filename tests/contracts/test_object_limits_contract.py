"""What every object store promises of buckets, and of how much a project may have."""

from pathlib import Path

import pytest

from nova_lite.core import clock
from nova_lite.core.errors import Conflict, NotFound, OverQuota, WrongState
from nova_lite.core.objects import Bucket, ObjectVersion, Segment
from nova_lite.drivers.object.base import ObjectStore
from tests.contracts.objects import anything, files, part, put, upload


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
