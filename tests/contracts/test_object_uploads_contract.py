"""What every object store promises of uploads in parts."""

from pathlib import Path

import pytest

from nova_lite.core import clock
from nova_lite.core.errors import NotFound
from nova_lite.core.objects import Bucket, Listing, ObjectVersion, Upload
from nova_lite.drivers.object.base import ObjectStore
from tests.contracts.objects import anything, content, files, make_store, part, upload


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
