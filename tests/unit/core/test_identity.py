"""Which roles follow from which."""

from nova_lite.core import clock
from nova_lite.core.identity import (
    IssuedToken,
    Named,
    PasswordProof,
    Reference,
    Role,
    RoleGraph,
    Scope,
    ScopeKind,
    TokenInfo,
)


def graph(*implications: tuple[str, str]) -> RoleGraph:
    names = "abcd"
    implied: dict[str, tuple[str, ...]] = {}
    for prior, other in implications:
        implied[prior] = (*implied.get(prior, ()), other)
    return RoleGraph({name: Role(name, name) for name in names}, implied)


def expanded(graph: RoleGraph, *roles: str) -> list[str]:
    return [role.name for role in graph.expand(frozenset(roles))]


def test_a_role_brings_all_that_it_implies() -> None:
    assert expanded(graph(("a", "b"), ("b", "c")), "a") == ["a", "b", "c"]
    assert expanded(graph(("a", "b"), ("a", "d")), "a", "c") == ["a", "b", "c", "d"]


def test_roles_that_imply_each_other_come_to_an_end() -> None:
    assert expanded(graph(("a", "b"), ("b", "a")), "b") == ["a", "b"]


def test_an_unknown_role_brings_nothing() -> None:
    assert expanded(graph(), "x") == []


def test_secrets_do_not_show_when_a_value_is_printed() -> None:
    now = clock.now()
    info = TokenInfo(
        Reference("u", "u"), Scope(ScopeKind.UNSCOPED), None, (), ("password",), ("audit",), now, now
    )

    assert "hush" not in repr(IssuedToken("hush", info))
    assert "hush" not in repr(PasswordProof(Named(id="u"), "hush"))
