"""What a process remembers of tokens, and for how long."""

import dataclasses
import datetime

from nova_lite.core import clock
from nova_lite.core.identity import UNSCOPED, Reference, RoleGraph, TokenInfo
from nova_lite.operations.identity_cache import IdentityCache, digest_of

NOW = clock.now()
INFO = TokenInfo(
    Reference("u", "u"),
    UNSCOPED,
    None,
    (),
    ("password",),
    ("audit",),
    NOW,
    NOW + datetime.timedelta(hours=1),
)
GRAPH = RoleGraph({}, {})


class Clock:
    """Time that passes when a test says so."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def cache(seconds: float = 5, size: int = 2, timer: Clock | None = None) -> IdentityCache:
    return IdentityCache(seconds=seconds, size=size, timer=timer or Clock())


def test_a_token_is_remembered_for_its_time() -> None:
    timer = Clock()
    remembered = cache(timer=timer)
    remembered.remember_token("t", INFO, remembered.generation())

    timer.seconds = 4.9
    assert remembered.token("t") == INFO
    timer.seconds = 5.1
    assert remembered.token("t") is None


def test_a_token_that_expired_is_not_remembered() -> None:
    remembered = cache()
    expired = dataclasses.replace(INFO, expires_at=NOW)

    remembered.remember_token("t", expired, remembered.generation())

    assert remembered.token("t") is None


def test_no_time_means_that_nothing_is_remembered() -> None:
    remembered = cache(seconds=0)
    remembered.remember_token("t", INFO, remembered.generation())
    remembered.remember_graph(GRAPH, remembered.generation())

    assert remembered.token("t") is None
    assert remembered.graph() is None


def test_the_token_that_was_not_used_for_longest_makes_room() -> None:
    remembered = cache(size=2)
    for name in ("a", "b"):
        remembered.remember_token(name, INFO, remembered.generation())
    assert remembered.token("a")

    remembered.remember_token("c", INFO, remembered.generation())

    assert [bool(remembered.token(name)) for name in "abc"] == [True, False, True]


def test_what_was_read_before_a_revocation_is_not_remembered_after_it() -> None:
    remembered = cache()
    before = remembered.generation()

    remembered.forget_token("t")
    remembered.remember_token("t", INFO, before)

    assert remembered.token("t") is None


def test_forgetting_one_token_keeps_the_rest_and_forgetting_all_keeps_nothing() -> None:
    remembered = cache()
    for name in ("a", "b"):
        remembered.remember_token(name, INFO, remembered.generation())
    remembered.remember_graph(GRAPH, remembered.generation())

    remembered.forget_token("a")
    assert (remembered.token("a"), remembered.token("b"), remembered.graph()) == (None, INFO, GRAPH)

    remembered.forget()
    assert (remembered.token("b"), remembered.graph()) == (None, None)


def test_a_digest_shows_nothing_of_the_token() -> None:
    assert len(digest_of("secret")) == 64
    assert digest_of("secret") != digest_of("secret2")
    assert digest_of("\ud800")
