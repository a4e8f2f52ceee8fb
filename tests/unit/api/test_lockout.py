"""Access keys are locked out after some wrong signatures, for a while."""

from nova_lite.api.ec2.lockout import Lockout


class Clock:
    """A clock that is set."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_key_is_locked_out_after_some_failures_and_let_in_again_later() -> None:
    clock = Clock()
    lockout = Lockout(3, 60, 120, clock)
    for _ in range(2):
        lockout.count_failure("a")
    assert not lockout.is_locked("a")

    lockout.count_failure("a")

    assert lockout.is_locked("a") and not lockout.is_locked("b")
    clock.now = 121
    assert not lockout.is_locked("a")


def test_failures_are_forgotten_after_the_window() -> None:
    clock = Clock()
    lockout = Lockout(2, 60, 120, clock)
    lockout.count_failure("a")
    clock.now = 61
    lockout.count_failure("a")

    assert not lockout.is_locked("a")


def test_nobody_is_locked_out_where_no_number_is_set() -> None:
    lockout = Lockout(0, 60, 120)
    for _ in range(100):
        lockout.count_failure("a")

    assert not lockout.is_locked("a")
