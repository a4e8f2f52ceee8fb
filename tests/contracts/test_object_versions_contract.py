"""What every object store promises of versions."""

from nova_lite.core.objects import Listing, Versioning
from nova_lite.drivers.object.base import ObjectStore
from tests.contracts.objects import anything, content, keep_versions, keys, put


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
