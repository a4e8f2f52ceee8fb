"""The identity API alone: its pipeline over a database, and two people in it."""

import dataclasses
import json
import types
from typing import Any

import webob

from nova_lite.api.app import CLOUD, POLICY, Application
from nova_lite.api.middleware.authtoken import AuthToken
from nova_lite.api.middleware.faults import Faults
from nova_lite.api.middleware.sizelimit import LIMIT, SizeLimit
from nova_lite.api.openstack.identity.policies import RULES
from nova_lite.api.openstack.identity.routes import ROUTES
from nova_lite.core.catalog import Catalog, services_of
from nova_lite.core.context import system_context
from nova_lite.core.identity import (
    SYSTEM_SCOPE,
    Actor,
    NewProject,
    NewUser,
    Project,
    Scope,
    ScopeKind,
    User,
)
from nova_lite.core.policy import Policy
from nova_lite.db.engine import STATEMENTS, Database
from nova_lite.operations.identity import Identity, IdentitySettings

APIS = ("identity", "osapi_compute", "image", "network")
ADMIN = system_context()


@dataclasses.dataclass
class People:
    """An admin and an ordinary user, each with a project; the password is the name and "-secret"."""

    admin: User
    admin_project: Project
    demo: User
    demo_project: Project


class Site:
    """One identity service with its people."""

    def __init__(self, database: Database, settings: IdentitySettings, ports: dict[str, int]) -> None:
        self.database = database
        self.identity = Identity(database, settings, Catalog("RegionOne", services_of(APIS, ports=ports)))
        self.identity.bootstrap()
        self.people = People(
            *self.add("admin", "admin"),
            *self.add("demo", "member"),
        )
        self.identity.grant_role(ADMIN, Actor(self.people.admin.id), self.role("admin"), SYSTEM_SCOPE)
        self._policy = Policy(RULES)
        self._application = Faults(SizeLimit(AuthToken(Application("identity", ROUTES))), "identity")

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        environ[CLOUD] = types.SimpleNamespace(identity=self.identity)
        environ[POLICY] = self._policy
        environ[LIMIT] = 114688
        return self._application(environ, start_response)

    def role(self, name: str) -> str:
        return self.identity.find_role(name).id

    def add(self, name: str, role: str) -> tuple[User, Project]:
        user = self.identity.create_user(ADMIN, NewUser(name, f"{name}-secret"))
        project = self.identity.create_project(ADMIN, NewProject(name))
        self.identity.grant_role(ADMIN, Actor(user.id), self.role(role), Scope(ScopeKind.PROJECT, project.id))
        return user, project

    def ask(
        self, method: str, path: str, body: Any = None, *, token: str = "", **headers: str
    ) -> webob.Response:
        request = webob.Request.blank(path, method=method, base_url="http://cloud.example:5000")
        if body is not None:
            request.body = body if isinstance(body, bytes) else json.dumps(body).encode()
            request.content_type = "application/json"
        if token:
            request.headers["X-Auth-Token"] = token
        for name, value in headers.items():
            request.headers[name.replace("_", "-")] = value
        return request.get_response(self)

    def log_in(self, name: str, scope: Any = "own", password: str = "", query: str = "") -> webob.Response:
        """Log in by name; ``own`` is the project with the user's name, None asks for no scope."""
        user = {"name": name, "domain": {"id": "default"}, "password": password or f"{name}-secret"}
        auth: dict[str, Any] = {"identity": {"methods": ["password"], "password": {"user": user}}}
        if scope == "own":
            scope = {"project": {"name": name, "domain": {"name": "Default"}}}
        if scope is not None:
            auth["scope"] = scope
        return self.ask("POST", f"/v3/auth/tokens{query}", {"auth": auth})

    def token(self, name: str, scope: Any = "own") -> str:
        response = self.log_in(name, scope)
        assert response.status_int == 201, response.text
        return str(response.headers["X-Subject-Token"])

    def statements(self) -> float:
        """Return how many SQL statements this process has sent, of whatever transaction."""
        return sum(
            sample.value
            for metric in STATEMENTS.collect()
            for sample in metric.samples
            if sample.name.endswith("_total")
        )
