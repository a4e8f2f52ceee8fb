"""Following guests that change by themselves, at once, as the hypervisor tells of them.

Much of what it tells is our own doing: while an action is about a guest nothing is looked at, and when it is over the
guest is looked at once, for whatever the action came to. An action that has begun, but not here, or not yet, shows only
in the database; when it will be over nobody says, so that the guest is looked at from time to time until then.
"""

import contextlib
import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from nova_lite import concurrency
from nova_lite.core.errors import NovaError
from nova_lite.core.instance_states import PowerState
from nova_lite.drivers.virt.base import EVERY_GUEST

LOG = logging.getLogger(__name__)


class Follower:
    """Has ``follow`` look at each guest that changed; with EVERY_GUEST at all of them.

    ``follow`` returns the guests of which it could not write down what they are, because of an action.
    Besides it is told the power state that an action has just written down, None where there was no such.
    """

    def __init__(self, follow: Callable[[str, PowerState | None], Iterable[str]], *, workers: int) -> None:
        self._follow = follow
        self._pool = concurrency.Pool(workers)
        self._guard = threading.Lock()
        self._worked_on: Counter[str] = Counter()
        self._put_off: set[str] = set()
        self._waiting: set[str] = set()
        self._written: dict[str, PowerState] = {}

    def told(self, uuid: str, power: PowerState) -> None:
        """Note what the hypervisor says of a guest; returns at once."""
        with self._guard:
            if uuid in self._worked_on:
                self._put_off.add(uuid)
                return
            if uuid in self._waiting:
                # Whoever looks has not looked yet.
                return
            self._waiting.add(uuid)
        with contextlib.suppress(RuntimeError):
            # The daemon ends: the next one looks at all guests.
            self._pool.submit(self._look, uuid)

    def wrote(self, uuid: str, power: PowerState | None) -> None:
        """Note the power state that an action, still worked on, writes down at its end; None: it has to be seen."""
        with self._guard:
            if power is None:
                self._put_off.add(uuid)
            else:
                self._written[uuid] = power

    @contextlib.contextmanager
    def working(self, uuid: str) -> Iterator[None]:
        """Put off what is told of a guest while an action is about it."""
        with self._guard:
            self._worked_on[uuid] += 1
        try:
            yield
        finally:
            with self._guard:
                self._worked_on[uuid] -= 1
                over = not self._worked_on[uuid]
                told = over and uuid in self._put_off
                if over:
                    del self._worked_on[uuid]
                    self._put_off.discard(uuid)
                if not told:
                    self._written.pop(uuid, None)
            if told:
                self.told(uuid, PowerState.NOSTATE)

    def look_again(self) -> None:
        """Look at the guests that an action kept from being followed, but for those that one here is about."""
        with self._guard:
            due = self._put_off - self._worked_on.keys()
            self._put_off -= due
        for uuid in due:
            self.told(uuid, PowerState.NOSTATE)

    def stop(self) -> None:
        """Look at nothing any more."""
        self._pool.shutdown()

    def _look(self, uuid: str) -> None:
        """Look at a guest; the wall between the hypervisor's words and the daemon."""
        with self._guard:
            self._waiting.discard(uuid)
            written = self._written.pop(uuid, None)
        try:
            late = self._follow(uuid, written)
            with self._guard:
                self._put_off.update(late)
        except NovaError as error:
            LOG.warning("guest %s is looked at later: %s", "of any kind" if uuid == EVERY_GUEST else uuid, error)
        except Exception:
            LOG.exception("following guest %s failed; the next comparison does it", uuid)
