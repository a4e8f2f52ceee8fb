"""Building the object store and its front door."""

from typing import Any

from nova_lite import plugins, wsgi_server
from nova_lite.cmd import sockets
from nova_lite.cmd.daemon import Component, Periodic
from nova_lite.cmd.wiring.apis import Handing, application_of
from nova_lite.cmd.wiring.base import Base
from nova_lite.cmd.wiring.cloud import make_identity
from nova_lite.cmd.wiring.workers import Managing
from nova_lite.conf import paths
from nova_lite.core.policy import Policy
from nova_lite.drivers.object.base import ObjectStore
from nova_lite.objectstore.application import THINGS, Things
from nova_lite.objectstore.call import Settings
from nova_lite.objectstore.operations import RULES
from nova_lite.request_pace import Pace

_API = "s3"


def objectstore_parts(base: Base) -> list[Component]:
    """Return the store, its server, and what keeps it tidy."""
    conf = base.conf
    store: ObjectStore = plugins.load(conf, "object_store").from_flags(conf)
    policy = Policy(RULES, paths.find(conf, "policy_file"))
    things = Things(store, policy, make_identity(base).signer, _settings(conf))
    return [
        base.heartbeat("nova-objectstore"),
        Managing(store.start, lambda _: store.close()),
        Periodic("upload sweep", conf.periodic_interval, store.sweep),
        wsgi_server.WsgiServer(
            Handing(application_of(conf, _API), {THINGS: things}),
            sockets.of_api(conf, _API),
            workers=conf.api_threads,
            idle_seconds=conf.api_idle_timeout,
            pace=Pace(conf.api_least_rate, conf.api_least_rate_window),
        ),
    ]


def _settings(conf: Any) -> Settings:
    return Settings(region=conf.region_name, domain=conf.s3_domain.lower(), put_cap=conf.s3_put_cap)
