"""Flows: order, undo, and what survives a crash."""

import pytest

from nova_lite.core import errors, flow


class World:
    """A world that steps change: a set of things, and a record of what was done."""

    def __init__(self) -> None:
        self.things: set[str] = set()
        self.record: list[str] = []

    def step(self, name: str, fail: Exception | None = None) -> flow.Step:
        def do() -> None:
            self.record.append(f"do {name}")
            if fail is not None:
                raise fail
            self.things.add(name)

        def undo() -> None:
            self.record.append(f"undo {name}")
            self.things.discard(name)

        return flow.Step(name, do, undo)

    def enter(self, step: str) -> None:
        self.record.append(f"enter {step}")


def test_steps_run_in_order_and_each_is_recorded_before_it_runs() -> None:
    world = World()
    flow.run([world.step("a"), world.step("b")], world)
    assert world.record == ["enter a", "do a", "enter b", "do b"]


def test_a_failing_step_and_all_before_it_are_undone_in_reverse() -> None:
    world = World()
    steps = [world.step("a"), world.step("b", errors.DriverError("cannot b.")), world.step("c")]
    with pytest.raises(flow.FlowUndone) as caught:
        flow.run(steps, world)
    assert caught.value.step == "b"
    assert str(caught.value) == "cannot b."
    assert world.record[-2:] == ["undo b", "undo a"]
    assert world.things == set()


def test_the_sentence_of_an_unexpected_error_does_not_leak_its_text() -> None:
    world = World()
    with pytest.raises(flow.FlowUndone) as caught:
        flow.run([world.step("a", ValueError("secret"))], world)
    assert "secret" not in str(caught.value)
    assert "ValueError" in str(caught.value)


@pytest.mark.parametrize(
    "error", [errors.Superseded(), errors.MessagingTimeout(), errors.DatabaseUnavailable()]
)
def test_errors_that_say_nothing_of_the_work_leave_it_where_it_is(error: errors.NovaError) -> None:
    world = World()
    with pytest.raises(type(error)):
        flow.run([world.step("a"), world.step("b", error)], world)
    assert world.things == {"a"}


def test_every_undo_runs_although_one_fails() -> None:
    world = World()

    def broken() -> None:
        raise errors.DriverError("cannot undo.")

    steps = [
        world.step("a"),
        flow.Step("b", lambda: None, broken),
        world.step("c", errors.DriverError("no.")),
    ]
    with pytest.raises(flow.UndoFailed, match="b"):
        flow.run(steps, world)
    assert world.record[-2:] == ["undo c", "undo a"]
