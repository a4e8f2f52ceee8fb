"""Pages over keys in memory: every key once, in order, and no more read than is needed."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nova_lite.core.objects import Listing
from nova_lite.drivers.object.listing import Place, paged, successor


@dataclasses.dataclass(frozen=True)
class One:
    key: str


class Keys:
    """Keys in order, which count how many of them were read."""

    def __init__(self, keys: list[str]) -> None:
        self.keys = sorted(set(keys), key=str.encode)
        self.read = 0

    def fetch(self, place: Place, count: int) -> list[One]:
        start = place.key.encode()
        found = [
            One(key)
            for key in self.keys
            if (key.encode() > start if place.past else key.encode() >= start)
            and (not place.end or key.encode() < place.end.encode())
        ][:count]
        self.read += len(found)
        return found


def walk(keys: Keys, wanted: Listing) -> tuple[list[str], list[str]]:
    entries: list[str] = []
    prefixes: list[str] = []
    for _ in range(len(keys.keys) + 2):
        page = paged(wanted, keys.fetch)
        entries += [one.key for one in page.entries]
        prefixes += page.prefixes
        if not page.next_after:
            return entries, prefixes
        wanted = dataclasses.replace(wanted, after=page.next_after)
    raise AssertionError("the pages do not end")


TEXT = st.text(st.sampled_from("ab/\u00e4\ud7ff\ue000\U0010ffff"), max_size=5)


@given(
    st.lists(TEXT.filter(bool), max_size=30),
    TEXT,
    st.sampled_from(["", "/", "ab", "\U0010ffff"]),
    st.integers(1, 4),
)
def test_pages_give_each_key_and_each_prefix_once(
    names: list[str], prefix: str, delimiter: str, limit: int
) -> None:
    keys = Keys(names)
    mine = [key for key in keys.keys if key.startswith(prefix)]
    rest = {key: key[len(prefix) :].partition(delimiter)[:2] if delimiter else ("", "") for key in mine}
    plain = [key for key in mine if not rest[key][1]]
    rolled = sorted({prefix + "".join(rest[key]) for key in mine if rest[key][1]}, key=str.encode)

    assert walk(keys, Listing(prefix, delimiter, limit=limit)) == (plain, rolled)


def test_what_is_rolled_up_is_not_read() -> None:
    keys = Keys(
        [*(f"a/{number:06}" for number in range(20_000)), *(f"b/{number}" for number in range(5)), "c"]
    )

    assert walk(keys, Listing(delimiter="/")) == (["c"], ["a/", "b/"])
    assert keys.read < 2_000


@pytest.mark.parametrize(
    ("prefix", "following"),
    [("a", "b"), ("", ""), ("a\U0010ffff", "b"), ("\U0010ffff", ""), ("\ud7ff", "\ue000")],
)
def test_the_successor_of_a_prefix_is_the_first_text_behind_it(prefix: str, following: str) -> None:
    assert successor(prefix) == following
