"""Hashing passwords, and checking them quickly when they come again."""

import pytest

from nova_lite.operations.identity_passwords import Passwords


@pytest.fixture
def passwords() -> Passwords:
    return Passwords(rounds=4, cache_seconds=300)


def test_only_the_right_password_matches(passwords: Passwords) -> None:
    hashed = passwords.hash("right")

    for _ in range(2):
        assert passwords.matches("right", hashed)
        assert not passwords.matches("wrong", hashed)


def test_a_password_that_was_right_does_not_match_another_hash(passwords: Passwords) -> None:
    old, new = passwords.hash("old"), passwords.hash("new")
    assert passwords.matches("old", old)

    assert not passwords.matches("old", new)


def test_nothing_matches_a_hash_that_is_not_there(passwords: Passwords) -> None:
    assert not passwords.matches("", "")
    assert not passwords.matches("x", "")


def test_all_of_a_long_password_and_what_follows_a_nul_count(passwords: Passwords) -> None:
    assert not passwords.matches("p" * 100 + "b", passwords.hash("p" * 100 + "a"))
    assert not passwords.matches("p\0b", passwords.hash("p\0a"))


def test_the_same_password_has_another_hash_each_time(passwords: Passwords) -> None:
    assert passwords.hash("same") != passwords.hash("same")


def test_a_remembered_password_costs_no_hashing(
    passwords: Passwords, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed = passwords.hash("right")
    passwords.matches("right", hashed)
    hashings: list[bytes] = []
    monkeypatch.setattr("bcrypt.checkpw", lambda password, _: bool(hashings.append(password)))

    assert passwords.matches("right", hashed)
    assert not passwords.matches("wrong", hashed)
    assert len(hashings) == 1
