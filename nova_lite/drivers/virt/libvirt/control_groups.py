"""The control groups of containers.

libvirt removes a container's when it ends, unless something was in them at that moment: then they stay, empty.
"""

import glob
import logging
import os
import time
from pathlib import Path

from nova_lite.core.errors import DriverError
from nova_lite.drivers.runner import Runner

LOG = logging.getLogger(__name__)

TOP = Path("/sys/fs/cgroup")
_SECONDS = 2.0
_LOOK_AGAIN = 0.1


def groups_of(name: str, top: Path = TOP) -> list[Path]:
    """Return the groups of a container, those below them first, of either version of control groups."""
    pattern = f"machine/lxc-*-{glob.escape(name)}.libvirt-lxc"
    found = [*top.glob(pattern), *top.glob(f"*/{pattern}")]
    return [Path(folder) for group in found for folder, _, _ in os.walk(group, topdown=False)]


def remove_left(runner: Runner, name: str, top: Path = TOP) -> None:
    """Remove the groups of a container that has ended; one that something is in stays.

    The process that looks after a container ends a moment later than the container.
    """
    deadline = time.monotonic() + _SECONDS
    while left := groups_of(name, top):
        try:
            runner.privileged(["rmdir", *map(str, left)])
        except DriverError as error:
            if time.monotonic() > deadline:
                LOG.warning("control groups of %s stay: %s", name, error)
                return
            time.sleep(_LOOK_AGAIN)
