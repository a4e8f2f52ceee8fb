"""Which version of an API a request speaks, and how the answer says so."""

import webob

from nova_lite.api.call import OLD_CLIENT, Microversion
from nova_lite.api.errors import HttpError
from nova_lite.core.errors import InvalidInput

LEGACY = "X-OpenStack-Nova-API-Version"
STANDARD = "OpenStack-API-Version"

RANGES = {"compute": (Microversion(2, 1), Microversion(2, 96))}
"""The first and the last microversion of each API that has any."""

CLOSED_QUERIES = {"compute": Microversion(2, 75)}
"""Since when an API refuses query parameters that it does not know; before, and elsewhere, they are let pass."""
NEVER = Microversion(99, 999)

_NONE = Microversion(2, 1)


def negotiate(api: str, request: webob.Request) -> Microversion:
    """Return the version that the request asks for, the first one when it does not say.

    Raises InvalidInput for a malformed header and HttpError (406) for a version out of range.
    """
    if api not in RANGES:
        return _NONE
    first, last = RANGES[api]
    asked = _asked(api, request)
    if asked is None:
        version = first
    elif asked == "latest":
        version = last
    else:
        version = _parse(asked)
    if not first <= version <= last:
        raise HttpError(
            406, f"Version {version} is not supported by the API. Minimum is {first} and maximum is {last}."
        )
    request.environ["nova_lite.microversion"] = version
    return version


def headers(api: str, request: webob.Request) -> dict[str, str]:
    """Return the headers that every answer of a versioned API carries, errors included."""
    if api not in RANGES or OLD_CLIENT in request.environ:
        return {}
    version = request.environ.get("nova_lite.microversion", RANGES[api][0])
    return {
        STANDARD: f"{api} {version}",
        LEGACY: str(version),
        "Vary": f"{STANDARD}, {LEGACY}",
    }


def is_said(api: str, request: webob.Request) -> bool:
    """Tell whether the request says which version it speaks."""
    return _asked(api, request) is not None


def _asked(api: str, request: webob.Request) -> str | None:
    for entry in request.headers.get(STANDARD, "").split(","):
        service, _, version = entry.strip().partition(" ")
        if service == api and version:
            return version.strip()
    return request.headers.get(LEGACY)


def _parse(text: str) -> Microversion:
    try:
        return Microversion.parse(text)
    except ValueError as error:
        raise InvalidInput(
            f"API Version String {text[:40]} is of invalid format. Must be of format MajorNum.MinorNum."
        ) from error
