"""Every route of every table: who may not, what is not there, and bodies and queries of every kind."""

import json
import urllib.parse
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from nova_lite.api.call import Microversion
from nova_lite.api.openstack.policies import RULES
from nova_lite.api.openstack.routes import ROUTES
from nova_lite.api.route import PUBLIC, Route
from nova_lite.core.policy import ADMIN
from tests.cloud import Cloud, running
from tests.functional.documents import drawn

PORTS = {"compute": "osapi_compute", "identity": "identity", "image": "image", "network": "network"}
ALL = [(api, route) for api, routes in ROUTES.items() for route in routes]
CLOSED = [(api, route) for api, route in ALL if route.policy != PUBLIC]
ADMINS = {rule.name for rule in RULES if rule.check == ADMIN}
OPERATORS = [(api, route) for api, route in ALL if route.policy in ADMINS]
CHECKED = [(api, route) for api, route in CLOSED if route.schema is not None]
LISTS = [(api, route) for api, route in CLOSED if route.method == "GET" and "{" not in route.path]
NAMED = [(api, route) for api, route in CLOSED if "{" in route.path]

ONES_OWN = {"identity:create_application_credential"}
"""What everybody does for oneself only, be there others of whatever id or not."""

OFTEN_MADE = {"PUT", "HEAD"}
"""Methods whose unknown ids may be about to be made, or that have no body to say so in."""

HOSTILE = ("", "-1", "99999999999999999999", "abc", "(", "*", "'; --", "\N{SNOWMAN}", "\N{SUPERSCRIPT TWO}")
ENDLESS = "9" * 4400
"""More digits than Python reads."""
NUMBERS = ("limit", "offset", "minDisk", "minRam", "min_disk", "min_ram", "size_min", "size_max")
PARAMETERS = (
    "access_ip_v4", "all_tenants", "changes-since", "config_drive", "deleted", "description", "detail", "domain_id",
    "enabled", "fields", "flavor", "host", "id", "image", "is_public", "key_name", "launch_index", "limit", "locked",
    "marker", "minDisk", "minRam", "name", "offset", "owner", "parent_id", "power_state", "reserved", "sort",
    "sort_dir", "sort_key", "status", "task_state", "user_id", "uuid", "visibility", "vm_state", "with_servers",
)  # fmt: skip


@pytest.fixture(scope="module")
def shared_cloud(database_url: str, new_database: Any, tmp_path_factory: Any) -> Iterator[Cloud]:
    """A cloud of this module's own, for what is made here has odd names."""
    kind = database_url.split(":")[0].split("+")[0]
    database = new_database({"mysql": "mariadb"}.get(kind, kind))
    with running(tmp_path_factory.mktemp("odd"), database) as cloud:
        yield cloud


with_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def _name(value: object) -> str:
    return f"{value.method} {value.path} {value.action}".strip() if isinstance(value, Route) else str(value)


def each(routes: list[tuple[str, Route]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(("api", "route"), routes, ids=_name)


def version_of(route: Route) -> str:
    return str(min(route.until, Microversion(2, 96)))


def path_of(route: Route) -> str:
    """Return the route's path with ids of things that do not exist."""
    path = route.path
    for name in [part.split("}")[0] for part in path.split("{")[1:]]:
        path = path.replace(f"{{{name}}}", str(uuid.uuid4()))
    return path


def send(cloud: Cloud, api: str, route: Route, body: Any = None, **more: Any) -> requests.Response:
    if body is None and route.action and "data" not in more:
        body = {route.action: None}
    more = {"user": "admin", "version": version_of(route)} | more
    return cloud.ask(route.method, more.pop("path", path_of(route)), body, api=PORTS[api], **more)


@with_sqlite
@each(CLOSED)
def test_nobody_without_a_token_is_let_in(shared_cloud: Cloud, api: str, route: Route) -> None:
    for token in ("", "gAAAAABnonsense"):
        answer = send(shared_cloud, api, route, headers={"X-Auth-Token": token})

        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"]


@with_sqlite
@each(OPERATORS)
def test_what_is_the_operators_is_refused_to_others(shared_cloud: Cloud, api: str, route: Route) -> None:
    answer = send(shared_cloud, api, route, user="demo")

    assert answer.status_code == 403
    assert route.policy in answer.text


@with_sqlite
@each(NAMED)
def test_what_is_not_there_is_not_found(shared_cloud: Cloud, api: str, route: Route) -> None:
    content = json.dumps(drawn(route.schema)[0]) if route.schema else b"x" if route.streams else None
    headers = {"Content-Type": "application/json"} if route.schema else {}
    answer = send(shared_cloud, api, route, data=content, headers=headers)

    assert answer.status_code < 500
    by_project = "quota" in route.path or "usage" in route.path
    if route.policy in ONES_OWN:
        assert answer.status_code == 403
    elif route.method not in OFTEN_MADE and not by_project:
        assert answer.status_code in (400, 404, 410, 415), answer.text


@with_sqlite
@each([(api, route) for api, route in CLOSED if api == "compute"])
def test_a_version_that_is_not_offered_is_406_and_one_that_is_none_400(
    shared_cloud: Cloud, api: str, route: Route
) -> None:
    assert send(shared_cloud, api, route, version="2.999").status_code == 406
    assert send(shared_cloud, api, route, version="two").status_code == 400
    if route.until < Microversion(2, 96) and not route.action:
        later = Microversion(2, route.until.minor + 1)
        others = [row for row in ROUTES[api] if (row.method, row.path) == (route.method, route.path)]
        if not any(row.since <= later <= row.until for row in others):
            assert send(shared_cloud, api, route, version=str(later)).status_code == 404


@with_sqlite
@each(CHECKED)
def test_a_body_that_is_none_is_400(shared_cloud: Cloud, api: str, route: Route) -> None:
    for text in ("{", "[]", "null", '"text"', "", '{"unheard-of": {}}', "[" * 5000):
        answer = send(
            shared_cloud, api, route, None, data=text.encode(), headers={"Content-Type": "application/json"}
        )
        assert answer.status_code == 400, (text, answer.text)


@each(CHECKED)
def test_no_body_that_the_schema_allows_breaks_anything(shared_cloud: Cloud, api: str, route: Route) -> None:
    assert route.schema is not None
    for body in drawn(route.schema, 6):
        answer = send(
            shared_cloud,
            api,
            route,
            None,
            data=json.dumps(body),
            headers={"Content-Type": "application/json"},
        )
        assert answer.status_code < 500, (body, answer.text)


@with_sqlite
@pytest.mark.parametrize("text", [r"\u0000", r"a\ud800b"], ids=["NUL", "half a character"])
@each([(api, route) for api, route in CHECKED if route.method == "POST" and not route.action])
def test_text_that_no_database_takes_is_400(shared_cloud: Cloud, api: str, route: Route, text: str) -> None:
    body = f'{{"any": {{"name": "{text}"}}, "{text}": 1}}'

    answer = send(shared_cloud, api, route, data=body, headers={"Content-Type": "application/json"})

    assert answer.status_code == 400
    assert "proper text" in answer.text


@each(LISTS)
def test_no_query_breaks_anything(shared_cloud: Cloud, api: str, route: Route) -> None:
    # A query that is closed is refused for a name that it does not know, before any other is looked at.
    names, at_once = (sorted(route.query["properties"]), 5) if route.query else (PARAMETERS, 10)
    for value in HOSTILE:
        for start in range(0, len(names), at_once):
            query = urllib.parse.urlencode([(name, value) for name in names[start : start + at_once]])
            answer = send(shared_cloud, api, route, path=f"{route.path}?{query}")
            assert answer.status_code < 500, (query, answer.text)


@with_sqlite
@each(LISTS)
def test_no_number_breaks_anything(shared_cloud: Cloud, api: str, route: Route) -> None:
    for name in NUMBERS if api == "image" else NUMBERS[:2]:
        answer = send(shared_cloud, api, route, path=f"{route.path}?{name}={ENDLESS}")
        assert answer.status_code < 500, (name, answer.text)


SINCE_275 = [
    (api, route)
    for api, route in CLOSED
    if route.query is not None and route.since <= Microversion(2, 74) and route.until >= Microversion(2, 75)
]


@with_sqlite
@each(SINCE_275)
def test_what_a_query_knows_nothing_of_is_refused_since_2_75(shared_cloud: Cloud, api: str, route: Route) -> None:
    path = f"{path_of(route)}?unheard-of=1"

    refused = send(shared_cloud, api, route, path=path, version="2.75")
    assert (refused.status_code, "unheard-of" in refused.text) == (400, True)
    passed = send(shared_cloud, api, route, path=path, version="2.74")
    assert "unheard-of" not in passed.text
