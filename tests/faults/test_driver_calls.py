"""Every call that a flow makes to a driver or to nova-network: refused, cut off, lost, and made twice."""

import pytest

from nova_lite.core.errors import DriverError, MessagingTimeout
from nova_lite.core.instance_states import Verb, VmState
from tests.faults.stage import STAGE, Cue, Moment, fail
from tests.faults.staged import VERBS, step_names
from tests.faults.staged_cloud import StagedCloud, end_after_failure, end_of

LINK, TIDY = "network.add_links", "network.set_links"
PROTECT = (LINK, "firewall.protect")
JOIN = (LINK, "firewall.join")
CONNECT = ("ask network", "network.set_hosts")
REMOVE = ("virt.destroy", "virt.delete_disks")
LEAVE = ("firewall.unprotect", TIDY)
CLEAN = (*REMOVE, *LEAVE, *CONNECT)
ASIDE = ("virt.set_aside", "virt.destroy", "firewall.unprotect")
BACK = ("virt.put_back", "virt.destroy", *PROTECT, "virt.define")

CALLS = {
    Verb.BOOT: (*CONNECT, *PROTECT, "virt.create_disks", "virt.spawn"),
    Verb.DELETE: (*REMOVE, "virt.drop_aside", *LEAVE, *CONNECT),
    Verb.STOP: ("virt.power_off",),
    Verb.START: (*JOIN, "virt.power_on", "virt.spawn"),
    Verb.REBOOT: (*JOIN, "virt.reboot", "virt.power_off", "virt.spawn"),
    Verb.REBOOT_HARD: (*JOIN, "virt.reboot", "virt.destroy", "virt.spawn"),
    Verb.PAUSE: ("virt.pause",),
    Verb.UNPAUSE: ("virt.unpause",),
    Verb.SUSPEND: ("virt.suspend",),
    Verb.RESUME: (*JOIN, "virt.resume"),
    Verb.RESCUE: (*JOIN, "virt.rescue", "virt.destroy", "virt.spawn"),
    Verb.UNRESCUE: (*JOIN, "virt.unrescue", "virt.destroy", "virt.spawn"),
    Verb.SNAPSHOT: ("virt.snapshot", "virt.drop_snapshot"),
    Verb.RESIZE: (
        "virt.power_off",
        *ASIDE,
        "ask network",
        "virt.copy_aside",
        *PROTECT,
        "virt.spawn",
    ),
    Verb.SHELVE: ("virt.power_off", "virt.snapshot", "virt.drop_snapshot"),
    Verb.SHELVE_OFFLOAD: (*REMOVE, *LEAVE),
    Verb.UNSHELVE: ("ask network", "virt.create_disks", *PROTECT, "virt.spawn"),
    Verb.UNSHELVE_HERE: (*JOIN, "virt.power_on", "virt.spawn"),
    Verb.SOFT_DELETE: ("virt.power_off",),
    Verb.RESTORE: (*JOIN, "virt.power_on", "virt.spawn"),
    Verb.CONFIRM_RESIZE: ("virt.drop_aside",),
    Verb.CHANGE_PASSWORD: ("virt.set_admin_password",),
    Verb.CRASH_DUMP: ("virt.inject_crash_dump",),
    Verb.ATTACH_INTERFACE: (*CONNECT, *PROTECT, "virt.attach_interface"),
    Verb.DETACH_INTERFACE: ("virt.detach_interface", "firewall.unprotect", *CONNECT, TIDY),
    Verb.REVERT_RESIZE: (*REMOVE, *LEAVE, *BACK, *JOIN, "virt.spawn"),
    Verb.REBUILD: (*REMOVE, "virt.create_disks", *JOIN, "virt.spawn"),
    Verb.REBUILD_STOPPED: (*REMOVE, "virt.create_disks", *JOIN, "virt.spawn", "virt.power_off"),
}
"""Every call of each flow in order; those that a simulated driver makes to itself too.

A guest joins groups of which the filter has another guest, or the same one from before.
"""

KINDS = ("ask", "network.", "firewall.", "virt.")

POINTS = [
    (verb, call, moment)
    for verb, calls in CALLS.items()
    for call in dict.fromkeys(calls)
    for moment in Moment
]


def _calls() -> tuple[str, ...]:
    return tuple(call for call in STAGE.seen if call.startswith(KINDS))


def _last_boot_step() -> Cue:
    return Cue(f"do {step_names(Verb.BOOT)[-1]}", Moment.AFTER)


@pytest.mark.parametrize("verb", VERBS)
def test_the_table_has_every_call(cloud: StagedCloud, verb: Verb) -> None:
    server_id = cloud.prepare(verb)
    STAGE.clear()
    cloud.order(verb, server_id)
    cloud.settle()

    assert _calls() == CALLS[verb]


def test_the_table_has_every_call_of_a_boot_that_is_undone(cloud: StagedCloud) -> None:
    STAGE.give(_last_boot_step(), fail(DriverError()))
    cloud.boot()

    assert _calls() == (*CALLS[Verb.BOOT], *CLEAN)


@pytest.mark.parametrize(("verb", "call", "moment"), POINTS)
def test_a_call_that_is_refused_fails_the_action_or_is_made_good_later(
    cloud: StagedCloud, verb: Verb, call: str, moment: Moment
) -> None:
    server_id = cloud.prepare(verb)
    before = None if verb is Verb.BOOT else cloud.state(server_id)
    # A question to nova-network is not refused, it finds nobody.
    error = MessagingTimeout() if call == "ask network" else DriverError("cannot do it.")
    STAGE.give(Cue(call, moment), fail(error))
    server_id = cloud.order(verb, server_id)
    cloud.settle_with_sweeps()

    failed = cloud.failed(server_id)
    told_later = call == TIDY or (verb in (Verb.DELETE, Verb.DETACH_INTERFACE) and call in CONNECT)
    assert failed == (isinstance(error, DriverError) and not told_later)
    assert cloud.comes_to(server_id, end_after_failure(verb, before, call) if failed else end_of(verb))
    cloud.look()
    assert cloud.leaks() == []


@pytest.mark.parametrize(("verb", "call", "moment"), POINTS)
def test_an_action_whose_daemon_dies_at_a_call_is_done_by_the_next_daemon(
    cloud: StagedCloud, verb: Verb, call: str, moment: Moment
) -> None:
    server_id = cloud.prepare(verb)
    STAGE.give(Cue(call, moment), STAGE.die)
    server_id = cloud.order(verb, server_id)
    cloud.restart_compute()
    cloud.settle()

    assert cloud.state(server_id) == end_of(verb)
    assert cloud.leaks() == []


@pytest.mark.parametrize("moment", Moment)
@pytest.mark.parametrize("dies", [False, True], ids=["refused", "killed"])
def test_a_guest_that_joins_groups_that_are_there_starts_or_goes(
    cloud: StagedCloud, moment: Moment, dies: bool
) -> None:
    neighbour = cloud.boot()
    STAGE.give(Cue("firewall.join", moment), STAGE.die if dies else fail(DriverError("cannot do it.")))
    server_id = cloud.order(Verb.BOOT, "")
    if dies:
        cloud.restart_compute()
    cloud.settle()

    assert cloud.state(server_id) is (VmState.ACTIVE if dies else VmState.ERROR)
    assert cloud.state(neighbour) is VmState.ACTIVE
    assert cloud.leaks() == []


@pytest.mark.parametrize("moment", Moment)
@pytest.mark.parametrize("call", ["virt.define", "virt.renew_config_drive"])
@pytest.mark.parametrize("dies", [False, True], ids=["refused", "killed"])
def test_a_guest_that_is_defined_for_its_drive_starts_or_goes(
    cloud: StagedCloud, call: str, moment: Moment, dies: bool
) -> None:
    network = cloud.ask("GET", "/v2.1/os-networks", version="2.1").json()["networks"][0]["id"]
    wanted = {"name": "vm", "flavorRef": "6", "imageRef": cloud.image(), "config_drive": True}
    body = {"server": wanted | {"networks": [{"uuid": network, "tag": "front"}]}}
    STAGE.give(Cue(call, moment), STAGE.die if dies else fail(DriverError()))
    server_id = cloud.ask("POST", "/v2.1/servers", body).json()["server"]["id"]
    if dies:
        cloud.restart_compute()
    cloud.settle()

    assert cloud.state(server_id) is (VmState.ACTIVE if dies else VmState.ERROR)
    assert cloud.leaks() == []


@pytest.mark.parametrize("moment", Moment)
@pytest.mark.parametrize("call", CLEAN)
def test_an_undo_that_is_refused_leaves_what_a_delete_removes(
    cloud: StagedCloud, call: str, moment: Moment
) -> None:
    cloud.prepare(Verb.BOOT)
    error = MessagingTimeout() if call == "ask network" else DriverError("cannot undo it.")

    def refuse_from_now_on() -> None:
        STAGE.give(Cue(call, moment), fail(error))
        raise DriverError("cannot do it.")

    STAGE.give(_last_boot_step(), refuse_from_now_on)
    server_id = cloud.order(Verb.BOOT, "")
    if call in (*CONNECT, TIDY):
        cloud.settle()
    else:
        cloud.settle_with_alarm("undo of step")

    assert cloud.state(server_id) is VmState.ERROR
    assert cloud.show(server_id)["fault"]["message"]
    assert (cloud.host_of(server_id) is None) == (call in (*CONNECT, TIDY))
    cloud.delete_every_server()
    cloud.settle()
    cloud.look()
    assert cloud.leaks() == []
