"""nova-manage doctor: compares the database with this host, prints what differs, and mends it."""

import datetime
import time
from collections.abc import Callable
from typing import NamedTuple

from nova_lite.cmd.manage.table import Command, Desk, Option, show
from nova_lite.cmd.wiring import Base, compute_host, make_base, network_manager
from nova_lite.compute.policy import Policy
from nova_lite.compute.reconcile import Reconciler
from nova_lite.core.clock import now
from nova_lite.db import actions
from nova_lite.operations.audit import Audit


class Finding(NamedTuple):
    """Something that is not as it should be, and what mends it."""

    kind: str
    name: str
    sentence: str
    mend: Callable[[], object]


def examine(desk: Desk, dry_run: bool, wait: int) -> int:
    """Examine, print and mend; the exit status is 1 while something is left that differs."""
    found = _examine(desk)
    deadline = time.monotonic() + wait
    while found and time.monotonic() < deadline:
        time.sleep(0.5)
        found = _examine(desk)
    if not found:
        print("Nothing is amiss.")
        return 0
    show(["what", "name", "finding"], [finding[:3] for finding in found])
    if dry_run:
        return 1
    for finding in found:
        finding.mend()
    left = _examine(desk)
    print(f"{len(found)} found, {len(found) - len(left)} mended.")
    return 1 if left else 0


def _examine(desk: Desk) -> list[Finding]:
    base = make_base(desk.conf)
    daemons = {service.binary for service in desk.cloud.hosts.services(desk.context, host=desk.conf.host)}
    try:
        return [
            *_database(desk),
            *_stuck(desk),
            *(_compute(base) if "nova-compute" in daemons else ()),
            *(_network(base) if "nova-network" in daemons else ()),
        ]
    finally:
        base.close()


def _database(desk: Desk) -> list[Finding]:
    """Return counters and rows that do not agree."""
    return [
        Finding(found.kind, found.name, found.sentence, found.mend)
        for found in Audit(desk.database).discrepancies()
    ]


def _stuck(desk: Desk) -> list[Finding]:
    """Return actions that nobody has moved for long; the daemons' sweeps take them up."""
    quiet = now() - datetime.timedelta(seconds=desk.conf.action_heartbeat_timeout)
    return [
        Finding(
            "action",
            action.id,
            f"{action.verb} of {action.resource_id} is {action.state} since {action.updated_at:%Y-%m-%d %H:%M:%S}",
            lambda: None,
        )
        for action in desk.database.read("doctor.actions", actions.open_actions)
        if action.updated_at < quiet
    ]


def _compute(base: Base) -> list[Finding]:
    """Return what differs between the database and this host's hypervisor and packet filter."""
    host = compute_host(base)
    host.driver.start()
    reconciler = Reconciler(host, Policy.from_flags(base.conf))
    return [Finding(found.kind, found.name, found.sentence, found.mend) for found in reconciler.findings()]


def _network(base: Base) -> list[Finding]:
    """Return what differs between the database and this host's bridges, DHCP servers and rules."""
    reconciler = network_manager(base).reconciler
    return [
        Finding(found.kind, found.name, found.sentence, reconciler.repair)
        for found in reconciler.differences()
    ]


COMMANDS = (
    Command(
        "doctor", "run", examine, "compare the database with this host, print what differs and mend it",
        (
            Option("dry_run", "only print", switch=True),
            Option("wait", "seconds to wait for work under way to end", default=0, kind=int),
        ),
    ),
)  # fmt: skip
