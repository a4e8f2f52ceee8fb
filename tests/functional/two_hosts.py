"""A cloud with two simulated compute hosts, of which the second can be stopped."""

import dataclasses
import datetime
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from nova_lite.cmd.daemon import Component
from nova_lite.cmd.wiring import make_base
from nova_lite.cmd.wiring.apis import api_parts
from nova_lite.cmd.wiring.base import Base
from nova_lite.cmd.wiring.workers import compute_parts, network_parts, scheduler_parts
from nova_lite.compute.reconcile import Reconciler
from nova_lite.conf import load
from nova_lite.db import actions
from tests.cloud import Cloud, wait_for

SECOND = "host2"
_LONG_AGO = datetime.datetime(1970, 1, 1)


class TwoHosts(Cloud):
    """The cloud; ``second`` is what runs on the second host."""

    def __init__(self, folder: Path, database_url: str, *flags: str) -> None:
        super().__init__(folder, database_url, *flags)
        own = [f"--host={SECOND}", f"--instances_path={folder}/instances2"]
        shared = [f"--state_path={folder}", f"--sql_connection={database_url}", "--my_ip=127.0.0.2"]
        kinds = ["--compute_driver=fake", "--network_driver=fake", "--firewall_driver=fake"]
        often = ["--action_sweep_interval=1", "--report_interval=2"]
        self._second_conf = load([*shared, *kinds, *often, *own, *flags], prog="nova-compute")
        self.second: list[Component] = []
        self._second_is_down = False

    def make_components(self) -> list[Any]:
        base = make_base(self.conf)
        self._base: Base = dataclasses.replace(base, conf=self._second_conf)
        first, self.second = compute_parts(base), compute_parts(self._base)
        return [
            *base.parts(), *network_parts(base), *first, *self.second, *scheduler_parts(base),
            *api_parts(base),
        ]  # fmt: skip

    def stop_second(self) -> None:
        """End the second host's nova-compute."""
        for part in reversed(self.second):
            part.stop(5.0)
        self._second_is_down = True

    def start_second(self) -> None:
        """Begin the second host's nova-compute anew, under the same flags."""
        again = compute_parts(self._base)
        for part in again:
            part.start()
        begin = self._components.index(self.second[0])
        self._components[begin : begin + len(self.second)] = again
        self.second = again
        self._second_is_down = False

    def settle(self) -> None:
        """Wait until no action is open; one that waits for a host that is down has been quiet for long."""
        if self._second_is_down:
            assert wait_for(lambda: not self.database.run("settle", _wait_long)), "an action is still open"
        super().settle()

    def host_of(self, server_id: str) -> str:
        """Return the host that a server is on."""
        host: str = self.show(server_id, user="admin")["OS-EXT-SRV-ATTR:host"]
        return host

    def files(self) -> list[str]:
        """Return the names of what guests have on both hosts: folder of the host and of the guest."""
        paths = [*self.folder.glob("instances/instance-*"), *self.folder.glob("instances2/instance-*")]
        return sorted(f"{path.parent.name}/{path.name.split('_')[-1][:8]}" for path in paths)

    def repair(self) -> None:
        """Let both hosts mend what differs from the database."""
        for conf in (self.conf, self._second_conf):
            self._reconciler(conf).repair()

    def leaks(self) -> list[str]:
        """Return what is left over, on the second host too."""
        found = self._reconciler(self._second_conf).findings()
        return super().leaks() + [f"{SECOND} {one.kind} {one.name}: {one.sentence}" for one in found]

    def _reconciler(self, conf: Any) -> Reconciler:
        return self.reconciler(dataclasses.replace(self.beside, conf=conf))


def two_hosts(folder: Path, database_url: str, *flags: str) -> Iterator[TwoHosts]:
    """Run such a cloud for a while."""
    cloud = TwoHosts(folder, database_url, *flags)
    cloud.start()
    try:
        yield cloud
    finally:
        cloud.stop()


def _wait_long(session: Session) -> bool:
    """Let the second host's actions be quiet for long; tells whether any action is open."""
    found = actions.open_actions(session)
    fresh = [action.id for action in found if action.host == SECOND and action.updated_at > _LONG_AGO]
    if fresh:
        row = actions.ActionRow
        session.execute(sa.update(row).where(row.id.in_(fresh)).values(updated_at=_LONG_AGO))
    return bool(found)
