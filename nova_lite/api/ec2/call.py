"""A request of the EC2 API as an action's handler sees it, and the row of an action."""

import base64
import dataclasses
import functools
import hashlib
import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import webob

from nova_lite.api.ec2 import query
from nova_lite.api.ec2.errors import Codes
from nova_lite.api.ec2.query import Parameter, Values
from nova_lite.api.ec2.xml import RETURN, Shape
from nova_lite.core.context import RequestContext
from nova_lite.core.identity import ADMIN

if TYPE_CHECKING:
    from nova_lite.operations.cloud import Cloud


@dataclasses.dataclass(frozen=True, slots=True)
class Ec2Call:
    """One request, authenticated, authorised and read by its action's schema."""

    context: RequestContext
    cloud: "Cloud"
    conf: Any
    values: Values
    request: webob.Request

    def get(self, name: str, default: Any = None) -> Any:
        """Return a parameter's value."""
        return self.values.get(name, default)

    def list(self, name: str) -> list[Any]:
        """Return the items of a list, none where it was not sent."""
        found: list[Any] = self.values.get(name, [])
        return found

    def part(self, name: str) -> Mapping[str, Any]:
        """Return the members of a structure, none where it was not sent."""
        found: Mapping[str, Any] = self.values.get(name, {})
        return found

    def elevated(self) -> RequestContext:
        """Return the context with the power that the caller's roles give it, for what needs an administrator."""
        return dataclasses.replace(self.context, is_admin=ADMIN in self.context.roles)

    def fingerprint(self) -> str:
        """Return a digest that another request has too exactly when it asks for the same."""
        return hashlib.sha256(json.dumps(query.plain_values(self.values)).encode()).hexdigest()


Handler = Callable[[Ec2Call], Any]


@dataclasses.dataclass(frozen=True, slots=True)
class Action:
    """One thing that a client can ask for.

    ``check`` is who may (in oslo.policy's language), ``answer`` how what the handler returns is written,
    ``parameters`` what may be sent beside DryRun. ``codes`` name errors of the domain that the action calls
    otherwise than the usual way. ``service`` is ec2 or sts.
    """

    name: str
    handler: Handler
    check: str
    doc: str
    parameters: tuple[Parameter, ...] = ()
    answer: Shape = RETURN
    codes: Codes = dataclasses.field(default_factory=dict)
    service: str = "ec2"

    @property
    def policy(self) -> str:
        """The name of the rule that lets a caller in."""
        return f"ec2:{self.name}"


def token_of(marker: str) -> str:
    """Return the token for the page after ``marker``."""
    return base64.urlsafe_b64encode(marker.encode()).decode()


@functools.lru_cache(maxsize=1024)
def marker_of(token: str) -> str | None:
    """Return the marker of a token for a page, None for a token that is none."""
    try:
        marker = base64.urlsafe_b64decode(token.encode()).decode("ascii")
    except ValueError:
        return None
    return marker if marker.isprintable() and len(marker) <= 300 else None
