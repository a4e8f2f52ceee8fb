"""Access rules: which paths their wildcards stand for."""

import time

import pytest

from nova_lite.core.access_rules import AccessRule, allowed


def fits(pattern: str, path: str) -> bool:
    return allowed([AccessRule("1", "compute", "GET", pattern)], "compute", "GET", path)


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("/v2.1/servers", "/v2.1/servers", True),
        ("/v2.1/servers", "/v2x1/servers", False),
        ("/v2.1/servers", "/v2.1/servers/", False),
        ("/v2.1/servers/{id}", "/v2.1/servers/x1", True),
        ("/v2.1/servers/{id}", "/v2.1/servers/", False),
        ("/v2.1/servers/{id}", "/v2.1/servers/x/ips", False),
        ("/v2.1/*/x", "/v2.1/servers/x", True),
        ("/v2.1/*/x", "/v2.1//x", False),
        ("/v2.1/**", "/v2.1/", True),
        ("/v2.1/**", "/v2.1/a/b", True),
        ("/v2.1/**/x", "/v2.1/a/b/x", True),
        ("/v2.1/**/x", "/v2.1/x", False),
        ("/**a**", "/bab", True),
        ("/****", "/", True),
        ("/a*c", "/abbc", True),
        ("/a*c", "/ac", False),
        ("/{a", "/{a", True),
        ("/{", "/x", False),
    ],
)
def test_a_wildcard_stands_for_one_segment_or_any_number(pattern: str, path: str, expected: bool) -> None:
    assert fits(pattern, path) is expected


@pytest.mark.parametrize("wildcard", ["**", "*"])
def test_no_rule_takes_long_to_look_at(wildcard: str) -> None:
    begun = time.monotonic()

    assert not fits(f"/{f'{wildcard}a' * 40}b", "/" + "a" * 8000)
    assert time.monotonic() - begun < 20
