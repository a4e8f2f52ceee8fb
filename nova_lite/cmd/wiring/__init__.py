"""Building the objects of each daemon from its flags: the only place where they meet.

Each ``…_components`` function returns what a process runs, in the order of its start; ``daemon`` runs them. What
only some need (front doors, object store, consoles' proxies) is imported by these, which spares the others the memory.
"""

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from nova_lite.cmd.daemon import Component
from nova_lite.cmd.wiring.base import Base, make_base
from nova_lite.cmd.wiring.workers import (
    cert_manager,
    cert_parts,
    compute_host,
    compute_parts,
    network_manager,
    network_parts,
    scheduler_parts,
)
from nova_lite.db.engine import Database
from nova_lite.rpc.cert import CertContract
from nova_lite.rpc.transport import LOCAL

if TYPE_CHECKING:
    from nova_lite.operations.cloud import Cloud

Conf = Any


def api_components(conf: Conf) -> list[Component]:
    """Return what nova-api runs."""
    from nova_lite.cmd.wiring.apis import api_parts

    base = make_base(conf)
    return [*base.parts(), *api_parts(base)]


def scheduler_components(conf: Conf) -> list[Component]:
    """Return what nova-scheduler runs."""
    base = make_base(conf)
    return [*base.parts(), *scheduler_parts(base)]


def compute_components(conf: Conf) -> list[Component]:
    """Return what nova-compute runs."""
    base = make_base(conf)
    return [*base.parts(), *compute_parts(base)]


def network_components(conf: Conf) -> list[Component]:
    """Return what nova-network runs."""
    base = make_base(conf)
    return [*base.parts(), *network_parts(base)]


def cert_components(conf: Conf) -> list[Component]:
    """Return what nova-cert runs."""
    base = make_base(conf)
    return [*base.parts(), *cert_parts(base)]


def objectstore_components(conf: Conf) -> list[Component]:
    """Return what nova-objectstore runs."""
    from nova_lite.cmd.wiring.objectstore import objectstore_parts

    base = make_base(conf)
    return [*base.parts(), *objectstore_parts(base)]


def all_components(conf: Conf) -> list[Component]:
    """Return what nova-all runs: every daemon in one process, the front doors last."""
    from nova_lite.cmd.wiring.apis import api_parts
    from nova_lite.cmd.wiring.objectstore import objectstore_parts

    base = make_base(conf)
    return [
        *base.parts(),
        *network_parts(base),
        *compute_parts(base),
        *scheduler_parts(base),
        *cert_parts(base),
        *objectstore_parts(base),
        *api_parts(base),
        *(part for name in conf.console_proxies for part in _proxy_parts(base, name)),
    ]


def proxy_components(conf: Conf, name: str) -> list[Component]:
    """Return what the proxy of consoles of a name runs."""
    base = make_base(conf)
    return [*base.parts(), *_proxy_parts(base, name)]


def _proxy_parts(base: Base, name: str) -> list[Component]:
    from nova_lite.cmd.wiring.consoles import proxy_parts

    return proxy_parts(base, name)


@contextlib.contextmanager
def desk(conf: Conf, *, checked: bool = False) -> Iterator[tuple[Database, "Cloud"]]:
    """Give nova-manage the database and the operations, and close them after it.

    Raises ConfigurationError, when ``checked`` for an old schema too.
    """
    from nova_lite.cmd.wiring.cloud import make_cloud

    base = make_base(conf, checked=checked)
    if str(conf.transport_url).startswith(LOCAL):
        # The bus of a cloud in one process ends with that process: what signs certificates is here, too.
        base.transport.serve(CertContract, cert_manager(base), conf.host)
    try:
        yield base.database, make_cloud(base)
    finally:
        base.close()


__all__ = [
    "Base",
    "all_components",
    "api_components",
    "cert_components",
    "compute_components",
    "compute_host",
    "desk",
    "make_base",
    "network_components",
    "network_manager",
    "objectstore_components",
    "proxy_components",
    "scheduler_components",
]
