"""The state table is whole and consistent."""

import pytest

from nova_lite.core import instance_states
from nova_lite.core.instance_states import TRANSITIONS, TaskState, Verb, VmState


@pytest.mark.parametrize("verb", Verb)
def test_every_verb_has_its_row(verb: Verb) -> None:
    assert TRANSITIONS[verb].verb is verb


@pytest.mark.parametrize("row", TRANSITIONS.values(), ids=lambda row: row.verb)
def test_no_verb_but_boot_starts_from_nothing_and_none_starts_from_deleted(
    row: instance_states.Transition,
) -> None:
    assert (row.sources == frozenset()) == (row.verb is Verb.BOOT)
    assert VmState.DELETED not in row.sources


def test_delete_may_start_from_every_state_and_interrupt_every_other_task() -> None:
    row = TRANSITIONS[Verb.DELETE]
    assert row.sources == frozenset(VmState) - {VmState.DELETED}
    assert row.from_tasks == frozenset(TaskState) - {TaskState.DELETING}


def test_the_diagram_shows_every_verb() -> None:
    diagram = instance_states.diagram()
    for verb in set(Verb) - {Verb.BOOT}:
        assert f": {verb}" in diagram
