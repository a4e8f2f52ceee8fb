"""Reading the bodies of identity, which take keys of the client's own beside those that mean something."""

from collections.abc import Container
from typing import Any

from nova_lite.api.call import Call, Json
from nova_lite.core.identity import DEFAULT_DOMAIN

_NOT_KEPT = frozenset({"id", "links"})


def extra_of(body: Json, known: Container[str]) -> dict[str, Any]:
    """Return what a body has beside the ``known`` keys: it is kept and shown again."""
    return {key: value for key, value in body.items() if key not in known and key not in _NOT_KEPT}


def home_domain(call: Call) -> str:
    """Return the domain in which the caller creates what names none: that of its token."""
    return call.context.domain_id or call.context.project_domain_id or DEFAULT_DOMAIN


def text(body: Json, key: str) -> str | None:
    """Return a text to be changed: null empties it, a key that is absent leaves it."""
    return None if key not in body else body[key] or ""
