"""Access keys are locked out after some wrong signatures, for a while."""

from nova_lite.api.ec2.lockout import Lockout

HERE, THERE = "192.0.2.1", "192.0.2.2"


class Clock:
    """A clock that is set."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_key_is_locked_out_after_some_failures_and_let_in_again_later() -> None:
    clock = Clock()
    lockout = Lockout(3, 60, 120, clock)
    for _ in range(2):
        lockout.count_failure("a", HERE)
    assert not lockout.is_locked("a", HERE)

    lockout.count_failure("a", HERE)

    assert lockout.is_locked("a", HERE) and not lockout.is_locked("b", HERE)
    clock.now = 121
    assert not lockout.is_locked("a", HERE)


def test_a_stranger_shuts_out_nobody_elsewhere() -> None:
    lockout = Lockout(1, 60, 120)

    lockout.count_failure("a", THERE)

    assert lockout.is_locked("a", THERE) and not lockout.is_locked("a", HERE)


def test_failures_are_forgotten_after_the_window() -> None:
    clock = Clock()
    lockout = Lockout(2, 60, 120, clock)
    lockout.count_failure("a", HERE)
    clock.now = 61
    lockout.count_failure("a", HERE)

    assert not lockout.is_locked("a", HERE)


def test_nobody_is_locked_out_where_no_number_is_set() -> None:
    lockout = Lockout(0, 60, 120)
    for _ in range(100):
        lockout.count_failure("a", HERE)

    assert not lockout.is_locked("a", HERE)
