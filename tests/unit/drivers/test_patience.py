"""The move of a guest ends in time."""

import pytest

from nova_lite.core.errors import DriverError
from nova_lite.core.server_migration import Progress
from nova_lite.drivers.virt.libvirt.patience import Patience


class Clock:
    """A clock that is put forward by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def moved(count: int) -> Progress:
    return Progress(memory_total=1000, memory_processed=count)


def test_one_that_takes_too_long_is_given_up() -> None:
    clock = Clock()
    patience = Patience(10, 0, clock=clock)
    clock.now = 9
    assert patience.ends(moved(1)) is False
    clock.now = 10
    with pytest.raises(DriverError, match="within 10 seconds"):
        patience.ends(moved(2))


def test_one_that_hurries_stands_still_first_and_is_given_up_as_long_after() -> None:
    clock = Clock()
    patience = Patience(10, 0, hurries=True, clock=clock)
    seen = []
    for clock.now in (9, 10, 19):
        seen.append(patience.ends(moved(1)))
    assert seen == [False, True, True]
    clock.now = 20
    with pytest.raises(DriverError, match="within 10 seconds"):
        patience.ends(moved(2))


def test_one_of_which_nothing_moves_is_given_up() -> None:
    clock = Clock()
    patience = Patience(0, 5, clock=clock)
    for clock.now in (4, 8, 12):
        assert patience.ends(moved(int(clock.now))) is False
    clock.now = 17
    with pytest.raises(DriverError, match="for 5 seconds"):
        patience.ends(moved(12))


def test_without_bounds_it_takes_as_long_as_it_takes() -> None:
    clock = Clock()
    patience = Patience(0, 0, clock=clock)
    clock.now = 1e9
    assert patience.ends(Progress()) is False
