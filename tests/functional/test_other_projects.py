"""Every route that leads to something of a project, asked by another project, and by one who may only look."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from nova_lite.api.openstack.network.tags import FINDERS
from nova_lite.api.openstack.policies import RULES
from nova_lite.api.openstack.routes import ROUTES
from nova_lite.api.route import PUBLIC, Route
from nova_lite.core.policy import ADMIN, MEMBER
from tests.cloud import Cloud, running, wait_for
from tests.functional.documents import drawn
from tests.functional.test_every_route import PORTS, path_of, version_of

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

MEMBERS = {rule.name for rule in RULES if rule.check == MEMBER}
OPERATORS = {rule.name for rule in RULES if rule.check == ADMIN}
OWN_NAMES = {"os-keypairs"}
"""Collections whose things are named, by each user in a space of its own."""

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHd2mN0Ce9Gf0a1tBNBY0rz8n7FLbZ8bYb1kJmoA5t7C demo"
SHARED = {"flavor_id", "alias", "region_id", "service_id", "endpoint_id", "domain_id", "label", "text", "name", "token"}
"""Variables of paths that name what is everybody's, or what is found behind something else."""

ITEMS = SHARED | {
    "cell", "console_id", "domain", "id", "key", "limit_id", "member_id", "request_id", "tag", "volume_id",
}  # fmt: skip
"""Variables that stand for an item of what a variable before them names, or for what there is none of."""

TAGGED = {"floatingips": "floatingip_id", "security-groups": "group_id"}
"""What the network API's own routes call the ids of what has tags, where that is not as the collection."""


class Belongings:
    """What the demo user has, by the API and the variable of paths that its id stands for."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.ids: dict[tuple[str, str], str] = {}
        project = cloud.ask("GET", "/v3/auth/projects", api="identity").json()["projects"][0]["id"]
        user = cloud.ask("GET", "/v3/users?name=demo", api="identity", user="admin").json()["users"][0]["id"]
        for api in PORTS:
            self.ids[api, "project_id"], self.ids[api, "user_id"] = project, user
        self._of_compute(project)
        self._of_network(project)
        self._of_identity(user, project)
        self._of_operators(project)

    def made(self, api: str, path: str, body: Any, user: str = "demo", version: str = "2.35") -> Any:
        answer = self.cloud.ask("POST", path, body, api=PORTS[api], user=user, version=version)
        assert answer.ok, answer.text
        return answer.json()

    def _of_compute(self, project: str) -> None:
        self.made("compute", "/v2.1/os-keypairs", {"keypair": {"name": "k", "public_key": KEY}})
        server_id = self.cloud.boot("mine", metadata={"a": "1"}, tags=["a"])
        self.ids["compute", "server_id"] = server_id
        wanted = {"name": "private", "disk_format": "raw", "container_format": "bare"}
        image = self.made("image", "/v2/images", wanted)["id"]
        self.ids["image", "image_id"] = self.ids["compute", "image_id"] = image
        groups = {"server_group": {"name": "g", "policies": ["affinity"]}}
        self.ids["compute", "group_id"] = self.made("compute", "/v2.1/os-server-groups", groups)["server_group"]["id"]
        path = f"/v2/images/{image}"
        raw = {"Content-Type": "application/octet-stream"}
        assert self.cloud.ask("PUT", f"{path}/stage", data=b"disk", headers=raw, api="image").ok
        assert self.cloud.ask("POST", f"{path}/import", {"method": {"name": "glance-direct"}}, api="image").ok
        tasks = self.cloud.ask("GET", f"{path}/tasks", api="image").json()["tasks"]
        self.ids["image", "task_id"] = tasks[0]["id"]
        assert wait_for(lambda: self.cloud.ask("GET", path, api="image").json()["status"] == "active")

    def _of_network(self, project: str) -> None:
        bulk = {"floating_ips_bulk_create": {"ip_range": "192.0.2.64/30"}}
        self.made("compute", "/v2.1/os-floating-ips-bulk", bulk, "admin")
        floating = self.made("compute", "/v2.1/os-floating-ips", {"pool": None})["floating_ip"]["id"]
        self.ids["compute", "floating_id"] = self.ids["network", "floatingip_id"] = floating
        body = {"network": {"name": "own", "project_id": project}}
        network = self.made("network", "/v2.0/networks", body, "admin")["network"]["id"]
        subnet = {"subnet": {"network_id": network, "cidr": "10.99.0.0/24", "ip_version": 4}}
        self.ids["network", "subnet_id"] = self.made("network", "/v2.0/subnets", subnet, "admin")["subnet"]["id"]
        self.ids["network", "network_id"] = self.ids["compute", "network_id"] = network
        self.ids["network", "router_id"] = self.made("network", "/v2.0/routers", {"router": {}})["router"]["id"]
        group = self.made("network", "/v2.0/security-groups", {"security_group": {"name": "sg"}})["security_group"]
        rule = {"direction": "ingress", "protocol": "tcp", "port_range_min": 1, "port_range_max": 1}
        rules = {"security_group_rule": rule | {"security_group_id": group["id"]}}
        made = self.made("network", "/v2.0/security-group-rules", rules)["security_group_rule"]["id"]
        self.ids["network", "group_id"] = self.ids["compute/os-security-groups", "group_id"] = group["id"]
        self.ids["network", "rule_id"] = self.ids["compute", "rule_id"] = made
        ports = self.cloud.ask("GET", f"/v2.0/ports?device_id={self.ids['compute', 'server_id']}", api="network")
        self.ids["network", "port_id"] = self.ids["compute", "port_id"] = ports.json()["ports"][0]["id"]
        for collection in FINDERS:
            one = self.ids["network", TAGGED.get(collection, f"{collection[:-1]}_id")]
            self.ids[f"network/{collection}", "resource_id"] = one
            tag = f"/v2.0/{collection}/{one}/tags/a"
            assert self.cloud.ask("PUT", tag, api="network", user="admin").ok

    def _of_identity(self, user: str, project: str) -> None:
        path = f"/v3/users/{user}"
        rule = {"service": "compute", "method": "GET", "path": "/v2.1/servers"}
        wanted = {"application_credential": {"name": "app", "access_rules": [rule]}}
        made = self.made("identity", f"{path}/application_credentials", wanted)["application_credential"]
        self.ids["identity/users", "credential_id"] = made["id"]
        self.ids["identity", "rule_id"] = made["access_rules"][0]["id"]
        kept = {"credential": {"type": "cert", "blob": "x", "user_id": user, "project_id": project}}
        made = self.made("identity", "/v3/credentials", kept)["credential"]
        self.ids["identity/credentials", "credential_id"] = made["id"]
        keys = self.made("identity", f"{path}/credentials/OS-EC2", {"tenant_id": project})
        self.ids["identity", "access"] = keys["credential"]["access"]

    def _of_operators(self, project: str) -> None:
        """Make what operators keep of the demo user and its project."""
        services = self.cloud.ask("GET", "/v3/services?type=compute", api="identity", user="admin").json()
        limit = {"service_id": services["services"][0]["id"], "resource_name": "ships"}
        self.made("identity", "/v3/registered_limits", {"registered_limits": [limit | {"default_limit": 9}]}, "admin")
        limits = {"limits": [limit | {"project_id": project, "resource_limit": 3}]}
        made = self.made("identity", "/v3/limits", limits, "admin")["limits"][0]
        self.ids["identity/limits", "limit_id"] = made["id"]
        self.ids["identity", "domain_id"] = "default"
        group = self.made("identity", "/v3/groups", {"group": {"name": "crew"}}, "admin")["group"]
        self.ids["identity", "group_id"] = group["id"]
        roles = self.cloud.ask("GET", "/v3/roles", api="identity", user="admin").json()["roles"]
        found = {role["name"]: role["id"] for role in roles}
        self.ids["identity", "role_id"], self.ids["identity", "implied_role_id"] = found["member"], found["reader"]
        tag = f"/v3/projects/{project}/tags/a"
        assert self.cloud.ask("PUT", tag, api="identity", user="admin").ok

    def path(self, api: str, route: Route) -> str:
        """Return the route's path to what the demo user has; an item of it is any."""
        path = route.path
        place = f"{api}/{path.split('/')[2]}"
        for name in _variables(route):
            wanted = self.ids.get((place, name)) or self.ids.get((api, name), "a")
            assert wanted != "a" or name in ITEMS, f"there is no {name} for {route.path}"
            path = path.replace(f"{{{name}}}", wanted)
        return path

    def documents(self) -> dict[str, Any]:
        """Return all that there is as its owner sees it, but for what changes by itself."""
        looks = {
            "compute": ["/v2.1/servers/detail", "/v2.1/os-server-groups", "/v2.1/os-keypairs"],
            "image": ["/v2/images"],
            "network": [
                f"/v2.0/{name}"
                for name in ("networks", "subnets", "ports", "routers", "floatingips", "security-groups")
            ],
            "identity": [
                f"/v3/users/{self.ids['identity', 'user_id']}/{name}"
                for name in ("application_credentials", "access_rules", "credentials/OS-EC2")
            ] + ["/v3/credentials", "/v3/limits"],
        }
        return {
            path: self.cloud.ask("GET", path, api=PORTS[api]).json() for api, paths in looks.items() for path in paths
        }


@pytest.fixture(scope="module")
def shared_cloud(database_url: str, tmp_path_factory: Any) -> Iterator[Cloud]:
    folder = tmp_path_factory.mktemp("others")
    with running(folder, f"sqlite:///{folder}/nova.sqlite", "--quota_instances=3") as cloud:
        cloud.image()
        yield cloud


@pytest.fixture(scope="module")
def belongings(shared_cloud: Cloud) -> Belongings:
    return Belongings(shared_cloud)


def _variables(route: Route) -> list[str]:
    return [part.split("}")[0] for part in route.path.split("{")[1:]]


def _leads_to_something_owned(route: Route) -> bool:
    names = set(_variables(route))
    if route.path.endswith(("/default", "/defaults")):
        return False
    return bool(names - SHARED) and not any(name in route.path for name in OWN_NAMES)


OWNED = [
    (api, route)
    for api, routes in ROUTES.items()
    if api in PORTS
    for route in routes
    if route.policy not in {PUBLIC, *OPERATORS} and _leads_to_something_owned(route)
]
CHANGING = [
    (api, route) for api, routes in ROUTES.items() if api in PORTS for route in routes if route.policy in MEMBERS
]


def _name(value: object) -> str:
    return f"{value.method} {value.path} {value.action}".strip() if isinstance(value, Route) else str(value)


def send(cloud: Cloud, api: str, route: Route, path: str, **more: Any) -> requests.Response:
    content: dict[str, Any] = {"headers": {"Content-Type": "application/json"} | more.pop("headers", {})}
    content["data"] = json.dumps(drawn(route.schema)[0]) if route.schema else b"x" if route.streams else None
    return cloud.ask(route.method, path, None, api=PORTS[api], version=version_of(route), **content, **more)


def test_what_is_another_projects_cannot_be_reached(shared_cloud: Cloud, belongings: Belongings) -> None:
    before = belongings.documents()
    reached = []
    for api, route in OWNED:
        answer = send(shared_cloud, api, route, belongings.path(api, route), user="other")
        if answer.status_code not in (400, 403, 404, 410, 415):
            reached.append((route.method, route.path, route.action, answer.status_code, answer.text[:100]))
    shared_cloud.settle()

    assert len(OWNED) > 150
    assert reached == []
    assert belongings.documents() == before


def test_who_may_only_look_changes_nothing(shared_cloud: Cloud, belongings: Belongings) -> None:
    cloud = shared_cloud
    user = {"user": {"name": "looker", "password": "looker-secret"}}
    looker = belongings.made("identity", "/v3/users", user, "admin")["user"]["id"]
    role = cloud.ask("GET", "/v3/roles?name=reader", api="identity", user="admin").json()["roles"][0]["id"]
    project = belongings.ids["identity", "project_id"]
    grant = f"/v3/projects/{project}/users/{looker}/roles/{role}"
    assert cloud.ask("PUT", grant, api="identity", user="admin").status_code == 204
    who = {"name": "looker", "domain": {"id": "default"}, "password": "looker-secret"}
    identity = {"methods": ["password"], "password": {"user": who}}
    body = {"auth": {"identity": identity, "scope": {"project": {"id": project}}}}
    token = cloud.ask("POST", "/v3/auth/tokens", body, api="identity").headers["X-Subject-Token"]
    before = belongings.documents()
    looked = cloud.ask("GET", "/v2.1/servers/detail", headers={"X-Auth-Token": token}).json()
    assert looked == before["/v2.1/servers/detail"]

    for api, route in CHANGING:
        path = belongings.path(api, route) if "{" in route.path else path_of(route)
        answer = send(cloud, api, route, path, headers={"X-Auth-Token": token})
        assert (answer.status_code, route.policy in answer.text) == (403, True), (route.method, route.path)
    cloud.settle()

    assert len(CHANGING) > 100
    assert belongings.documents() == before
