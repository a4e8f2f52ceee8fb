"""A request as a resource's function sees it, and the answer that it gives."""

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import webob

from nova_lite.core.context import RequestContext

if TYPE_CHECKING:
    from nova_lite.operations.cloud import Cloud

Json = dict[str, Any]


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
    the raw request for what streams.
    """

    context: RequestContext
    cloud: "Cloud"
    params: Mapping[str, str]
    request: webob.Request
    body: Json = dataclasses.field(default_factory=dict)
    version: Microversion = Microversion(2, 1)

    def at_least(self, minor: int) -> bool:
        """Tell whether the request's microversion is 2.``minor`` or later."""
        return self.version.minor >= minor

    def query(self, name: str, default: str | None = None) -> str | None:
        """Return a query parameter's last value."""
        values = self.request.GET.getall(name)
        return values[-1] if values else default

    def url(self, path: str = "") -> str:
        """Return the absolute URL of ``path`` (which starts with a slash) on the API that was called.

        The scheme and host are those that the client used, ``X-Forwarded-*`` of a trusted proxy included.
        """
        return self.request.host_url + path


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
