"""A started network host on an empty database."""

import contextlib
import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import webob

from nova_lite.api.app import CLOUD, CONTEXT, POLICY, Application
from nova_lite.api.middleware.faults import Faults
from nova_lite.api.openstack.network.policies import RULES
from nova_lite.api.openstack.network.routes import ROUTES
from nova_lite.core.context import RequestContext
from nova_lite.core.policy import Policy
from nova_lite.core.quota import Limits
from nova_lite.db import schema
from nova_lite.db.engine import Database
from nova_lite.network.flatdhcp import FlatDHCPManager
from nova_lite.network.manager import NetworkManager
from nova_lite.network.settings import NetworkSettings
from nova_lite.operations.floating_ips import FloatingIps
from nova_lite.operations.network_tags import NetworkTags
from nova_lite.operations.networks import NetworkDefaults, Networks
from nova_lite.operations.provider_rules import ProviderRules
from nova_lite.operations.quotas import Quotas
from nova_lite.operations.routers import Routers
from nova_lite.operations.security_groups import SecurityGroups
from nova_lite.rpc.compute import ComputeContract, ComputeProxy
from nova_lite.rpc.local import LocalTransport
from nova_lite.rpc.network import NetworkContract, NetworkProxy
from tests.functional.conftest import DATABASES, NewDatabase
from tests.functional.network.callers import Ask
from tests.functional.network.world import HOST, LIMITS, Computes, Host, World


@pytest.fixture(scope="session", params=DATABASES)
def network_database(request: pytest.FixtureRequest, new_database: NewDatabase) -> Iterator[Database]:
    """A database of each kind, with its tables."""
    database = Database(new_database(request.param), retry_seconds=10)
    schema.METADATA.create_all(database.engine)
    yield database
    database.close()


@pytest.fixture
def database(network_database: Database) -> Iterator[Database]:
    """The database, empty again after."""
    yield network_database
    with network_database.engine.begin() as connection:
        for table in reversed(schema.METADATA.sorted_tables):
            connection.execute(table.delete())


@pytest.fixture
def world(database: Database) -> Iterator[World]:
    """A started network host with nothing on it."""
    with started(database, FlatDHCPManager) as world:
        yield world


@contextlib.contextmanager
def started(
    database: Database, mode: type[NetworkManager], *, defaults: NetworkDefaults | None = None, **settings: Any
) -> Iterator[World]:
    """Start a network host in a mode of networking."""
    driver = Host()
    transport = LocalTransport(timeout=30)
    proxy = NetworkProxy(transport)
    peers = settings.pop("peers", False)
    settings = {"host": HOST, "network_host": HOST} | settings
    manager = mode(database, driver, NetworkSettings(**settings), proxy if peers else None)
    computes = Computes()
    server = transport.serve(ComputeContract, computes, HOST)
    groups = SecurityGroups(database, ComputeProxy(transport), LIMITS)
    listening = transport.serve(NetworkContract, manager, HOST)
    floating = FloatingIps(database, proxy, LIMITS, default_pool="nova", default_interface="eth0")
    manager.start()
    networks = Networks(database, defaults)
    refused = ProviderRules(database, ComputeProxy(transport), down_after=60)
    yield World(database, driver, manager, networks, groups, computes, floating, refused, transport)
    manager.stop()
    server.stop()
    listening.stop()


@pytest.fixture
def ask(world: World) -> Ask:
    """Send a request as somebody and return the response."""
    application = Faults(Application("network", ROUTES), "network")
    defaults = Limits(
        dict.fromkeys(
            ("floating_ips", "networks", "fixed_ips", "security_groups", "security_group_rules", "instances"),
            10,
        )
    )
    cloud = SimpleNamespace(
        networks=world.networks,
        floating_ips=world.floating_ips,
        routers=Routers(world.database),
        network_tags=NetworkTags(world.database),
        security_groups=world.security_groups,
        quotas=Quotas(world.database, defaults),
    )
    policy = Policy(RULES)

    def send(caller: RequestContext | None, method: str, path: str, body: Any = None) -> webob.Response:
        request = webob.Request.blank(path, method=method)
        if body is not None:
            request.content_type = "application/json"
            request.body = json.dumps(body).encode()
        request.environ |= {CLOUD: cloud, POLICY: policy}
        if caller is not None:
            request.environ[CONTEXT] = caller
        return request.get_response(application)

    return send
