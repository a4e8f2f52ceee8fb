"""A request as a resource's function sees it, and the answer that it gives."""

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import webob

from nova_lite.core.context import RequestContext

if TYPE_CHECKING:
    from nova_lite.operations.cloud import Cloud

Json = dict[str, Any]

CONF = "nova_lite.conf"
"""WSGI environ key of the flags, set where the daemon is wired."""
PREFIX = "nova_lite.prefix"
"""WSGI environ key of what stood in place of ``/v2.1`` in the client's path."""
OLD_CLIENT = "nova_lite.old_client"
"""WSGI environ key, set for clients that came to a path of before microversions."""
RATES = "nova_lite.rates"
"""WSGI environ key of a function that tells how often the caller may ask."""


@dataclasses.dataclass(frozen=True, slots=True, order=True)
class Microversion:
    """A version of an API that changes in small steps, such as 2.47."""

    major: int
    minor: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"

    @classmethod
    def parse(cls, text: str) -> "Microversion":
        """Read ``major.minor``; raises ValueError for anything else."""
        major, minor = text.split(".")
        if not (major.isdigit() and minor.isdigit()):
            raise ValueError(text)
        return cls(int(major), int(minor))


@dataclasses.dataclass(frozen=True, slots=True)
class Call:
    """One request, parsed, authorised and checked against its route's row.

    ``params`` are the path's variables, ``body`` the JSON document (empty where there is none), ``request``
    the raw request for what streams. ``base`` is what links begin with, empty for the request's own.
    """

    context: RequestContext
    cloud: "Cloud"
    params: Mapping[str, str]
    request: webob.Request
    body: Json = dataclasses.field(default_factory=dict)
    version: Microversion = Microversion(2, 1)
    base: str = ""

    def at_least(self, minor: int) -> bool:
        """Tell whether the request's microversion is 2.``minor`` or later."""
        return self.version.minor >= minor

    def query(self, name: str, default: str | None = None) -> str | None:
        """Return a query parameter's last value."""
        values = self.request.GET.getall(name)
        return values[-1] if values else default

    @property
    def conf(self) -> Any:
        """The daemon's flags."""
        return self.request.environ[CONF]

    def url(self, path: str = "") -> str:
        """Return the absolute URL of ``path`` (which starts with a slash) on the API that was called.

        Scheme, host and version are those that the client used, unless the operator set others in ``base``.
        """
        prefix: str | None = self.request.environ.get(PREFIX)
        if prefix is not None and path.startswith("/v2.1/"):
            path = prefix + path.removeprefix("/v2.1")
        return (self.base or self.request.host_url) + path


@dataclasses.dataclass(frozen=True, slots=True)
class Reply:
    """The answer to a call: ``body`` becomes JSON, ``stream`` is sent as it is.

    A ``status`` of 0 is the route's.
    """

    body: Any = None
    status: int = 0
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)
    stream: Iterable[bytes] | None = None


Handler = Callable[[Call], Reply]
