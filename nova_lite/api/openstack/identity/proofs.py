"""Reading what a client sends to log in."""

from collections.abc import Callable, Mapping

from nova_lite.api.call import Json
from nova_lite.core.errors import InvalidInput, Unauthenticated
from nova_lite.core.identity import (
    CredentialProof,
    Named,
    PasswordProof,
    Proof,
    ScopeKind,
    ScopeRequest,
    TokenProof,
)


def proofs(identity: Json) -> tuple[Proof, ...]:
    """Return the proofs of ``auth.identity``, one for each method that it names.

    Raises InvalidInput when the data of a method is missing, Unauthenticated for an unknown method.
    """
    return tuple(_proof(identity, method) for method in dict.fromkeys(identity["methods"]))


def scope(auth: Json) -> ScopeRequest | None:
    """Return the scope that ``auth`` asks for, None when it asks for none in particular."""
    asked = auth.get("scope")
    if not asked:
        return None
    if asked == "unscoped":
        return ScopeRequest(ScopeKind.UNSCOPED)
    ((kind, value),) = asked.items()
    if kind == ScopeKind.PROJECT:
        return ScopeRequest(ScopeKind.PROJECT, _named(value, "project"))
    if kind == ScopeKind.DOMAIN:
        return ScopeRequest(ScopeKind.DOMAIN, Named(id=value.get("id", ""), name=value.get("name", "")))
    return ScopeRequest(ScopeKind(kind))


def _proof(identity: Json, method: str) -> Proof:
    if method not in METHODS:
        raise Unauthenticated()
    if method not in identity:
        raise InvalidInput(f"The data of the authentication method {method} is missing.")
    return METHODS[method](identity[method])


def _password(data: Json) -> Proof:
    user = data["user"]
    return PasswordProof(_named(user, "user"), user["password"])


def _token(data: Json) -> Proof:
    return TokenProof(data["id"])


def _credential(data: Json) -> Proof:
    user = data.get("user")
    if "id" in data:
        return CredentialProof(Named(id=data["id"]), data["secret"])
    if "name" not in data or user is None:
        raise InvalidInput("The credential must be given by its id, or by its name and its user.")
    return CredentialProof(Named(name=data["name"]), data["secret"], _named(user, "user"))


METHODS: Mapping[str, Callable[[Json], Proof]] = {
    "password": _password,
    "token": _token,
    "application_credential": _credential,
}
"""The ways to prove who somebody is, by the name that clients use."""


def _named(value: Json, noun: str) -> Named:
    """Read who or what is meant: an id, or a name with a domain; raises InvalidInput for neither."""
    if "id" in value:
        return Named(id=value["id"])
    domain = value.get("domain")
    if "name" not in value or domain is None:
        raise InvalidInput(f"The {noun} must be given by its id, or by its name and its domain.")
    return Named(name=value["name"], domain_id=domain.get("id", ""), domain_name=domain.get("name", ""))
