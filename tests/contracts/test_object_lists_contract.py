"""What every object store promises of lists."""

import pytest

from nova_lite.core.objects import Listing, Versioning
from nova_lite.drivers.object.base import ObjectStore
from tests.contracts.objects import anything, keep_versions, keys, put


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


@pytest.mark.parametrize("deletes", [False, True])
def test_pages_of_versions_go_on_within_a_key(store: ObjectStore, deletes: bool) -> None:
    keep_versions(store, Versioning.ENABLED)
    made = [put(store, key).version for key in ("a", "a", "a", "b")]
    seen: list[str] = []
    after = after_id = ""
    while True:
        page = store.list_versions("one", Listing(after=after, after_id=after_id, limit=1))
        seen += [found.version for found in page.entries]
        if deletes:
            # The marker of the next page is gone then.
            for found in page.entries:
                store.delete("one", found.key, found.version, anything)
        after, after_id = page.next_after, page.next_id
        if not after:
            break

    assert seen == [made[2], made[1], made[0], made[3]]
