"""Building the front doors."""

import configparser
from collections.abc import Callable, Iterable
from typing import Any

from paste.deploy import loadapp

from nova_lite import wsgi_server
from nova_lite.api.app import CLOUD, POLICY
from nova_lite.api.call import CONF
from nova_lite.api.ec2.actions import RULES as EC2_RULES
from nova_lite.api.middleware.sizelimit import LIMIT
from nova_lite.api.openstack.policies import RULES
from nova_lite.cmd import sockets
from nova_lite.cmd.daemon import Component, Periodic
from nova_lite.cmd.wiring.base import Base, Closing
from nova_lite.cmd.wiring.cloud import make_cloud
from nova_lite.conf import paths
from nova_lite.core.errors import ConfigurationError
from nova_lite.core.policy import Policy
from nova_lite.operations.cloud import Cloud
from nova_lite.request_pace import Pace

_TOKENS_INTERVAL = 3600.0
"""Seconds between two looks for clients' tokens that are good no more."""


class Handing:
    """Hands what requests need to the application inside, in the WSGI environ."""

    def __init__(self, application: Any, things: dict[str, Any]) -> None:
        self._application = application
        self._things = things

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""
        environ.update(self._things)
        answer: Iterable[bytes] = self._application(environ, start_response)
        return answer


class Starting(Closing):
    """A component that only begins."""

    def __init__(self, begin: Callable[[], None]) -> None:
        super().__init__(lambda: None)
        self._begin = begin

    def start(self) -> None:
        """Begin; raises what beginning raises."""
        self._begin()


def api_parts(base: Base) -> list[Component]:
    """Return the servers of the enabled APIs and what keeps their resources tidy."""
    conf = base.conf
    cloud = make_cloud(base)
    applications = applications_of(conf, cloud)
    servers: list[Component] = [
        wsgi_server.WsgiServer(
            application,
            sockets.of_api(conf, api),
            workers=conf.api_threads,
            idle_seconds=conf.api_idle_timeout,
            pace=Pace(conf.api_least_rate, conf.api_least_rate_window),
        )
        for api, application in applications.items()
    ]
    return [
        Starting(cloud.images.start),
        base.heartbeat("nova-api"),
        Periodic("image imports", conf.periodic_interval, cloud.image_imports.work),
        Periodic("image reaper", conf.periodic_interval, cloud.images.reap),
        Periodic("tag purge", conf.periodic_interval, cloud.network_tags.purge),
        Periodic("token purge", conf.periodic_interval, cloud.identity.purge_tokens),
        Periodic("tags of what is gone", conf.periodic_interval, cloud.resource_tags.sweep),
        Periodic("client tokens", _TOKENS_INTERVAL, cloud.client_tokens.purge),
        *servers,
    ]


def applications_of(conf: Any, cloud: Cloud) -> dict[str, Handing]:
    """Return the WSGI application of each enabled API; raises ConfigurationError for a bad paste file."""
    things = {
        CLOUD: cloud,
        POLICY: Policy((*RULES, *EC2_RULES), paths.find(conf, "policy_file")),
        LIMIT: conf.osapi_max_request_body_size,
        CONF: conf,
    }
    return {api: Handing(application_of(conf, api), things) for api in conf.enabled_apis}


def application_of(conf: Any, api: str) -> Any:
    """Return an API's pipeline; raises ConfigurationError for a bad paste file."""
    file = paths.require(conf, "api_paste_config")
    try:
        return loadapp(f"config:{file.resolve()}", name=api)
    except (LookupError, ImportError, AttributeError, ValueError, TypeError, OSError, configparser.Error) as error:
        said = " ".join(str(error).split())
        raise ConfigurationError(f"The paste file {file} cannot build the API {api}: {said}") from error
