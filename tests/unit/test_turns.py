"""Turns: who asks at the same time is served together, once, and hears how it went."""

import concurrent.futures
import threading

import pytest

from nova_lite.concurrency import Turns


class Slow:
    """Work that waits for its gate, and notes what it was given."""

    def __init__(self) -> None:
        self.given: list[list[int]] = []
        self.begun, self.gate = threading.Event(), threading.Event()

    def __call__(self, things: list[int]) -> None:
        self.given.append(sorted(things))
        self.begun.set()
        assert self.gate.wait(10)
        if 13 in things:
            raise ValueError("thirteen")


def asked_at_once(work: Slow, *numbers: int) -> list[BaseException | None]:
    """Ask for the first alone, for the others while that is under way; returns what each heard."""
    turns = Turns(work)
    with concurrent.futures.ThreadPoolExecutor(len(numbers)) as pool:
        first = pool.submit(turns.join, [numbers[0]])
        assert work.begun.wait(10)
        others = [pool.submit(turns.join, [number]) for number in numbers[1:]]
        while sorted(turns._next.items) != sorted(numbers[1:]):
            pass
        work.gate.set()
        return [one.exception() for one in (first, *others)]


def test_who_comes_meanwhile_is_served_by_one_more_turn() -> None:
    work = Slow()
    assert asked_at_once(work, 1, 2, 3, 4) == [None] * 4
    assert work.given == [[1], [2, 3, 4]]


def test_all_of_a_turn_hear_that_it_failed_and_nobody_else() -> None:
    work = Slow()
    first, *others = asked_at_once(work, 1, 2, 13)
    assert first is None
    assert [str(error) for error in others] == ["thirteen", "thirteen"]


def test_what_failed_is_not_done_again_by_itself() -> None:
    work = Slow()
    work.gate.set()
    turns = Turns(work)
    with pytest.raises(ValueError, match="thirteen"):
        turns.join([13])
    turns.join([1])
    assert work.given == [[13], [1]]
