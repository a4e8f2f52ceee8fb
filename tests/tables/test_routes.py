"""The table of routes: each has its rule and its schemas, none hides another, no rule is left over."""

import itertools

import jsonschema
import pytest

from nova_lite.api.openstack.policies import RULES
from nova_lite.api.openstack.routes import ROUTES
from nova_lite.api.route import PUBLIC, Route

ALL = [(api, route) for api, routes in ROUTES.items() for route in routes]
WRITING = {"POST", "PUT", "PATCH"}


def _name(value: object) -> str:
    return f"{value.method} {value.path} {value.action}" if isinstance(value, Route) else str(value)


@pytest.mark.parametrize(("api", "route"), ALL, ids=_name)
def test_every_route_has_a_rule_that_exists(api: str, route: Route) -> None:
    assert route.policy == PUBLIC or route.policy in {rule.name for rule in RULES}


@pytest.mark.parametrize(("api", "route"), ALL, ids=_name)
def test_every_body_is_checked_unless_it_is_bytes_or_none_is_wanted(api: str, route: Route) -> None:
    said_by_the_path = route.method == "PUT" and route.status in (201, 204)
    if route.method in WRITING and not route.streams and not said_by_the_path:
        assert route.schema is not None
    for schema in (route.schema, route.query):
        if schema is not None:
            jsonschema.Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("api", ROUTES)
def test_no_route_hides_another(api: str) -> None:
    for one, other in itertools.combinations(ROUTES[api], 2):
        same = (one.method, one.path, one.action) == (other.method, other.path, other.action)
        assert not same or one.until < other.since or other.until < one.since, (one, other)


def test_every_rule_is_some_routes_or_is_asked_for_by_a_handler() -> None:
    used = {route.policy for _, route in ALL}

    assert sorted(rule.name for rule in RULES if rule.name not in used) == []


def test_every_rule_says_what_it_guards_and_stands_once() -> None:
    names = [rule.name for rule in RULES]

    assert len(names) == len(set(names))
    assert all(rule.description.strip() for rule in RULES)
