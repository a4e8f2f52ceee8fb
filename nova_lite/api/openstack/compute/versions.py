"""The compute API's version documents."""

from nova_lite.api import microversions
from nova_lite.api.call import Call, Json, Reply
from nova_lite.core.errors import NotFound

_MEDIA_TYPES = [{"base": "application/json", "type": "application/vnd.openstack.compute+json;version=2.1"}]
_UPDATED = "2013-07-23T11:33:21Z"


def root(call: Call) -> Reply:
    """List the versions."""
    return Reply({"versions": [_old(call), _current(call)]})


def show(call: Call) -> Reply:
    """Show the current version."""
    return Reply({"version": _current(call) | {"media-types": _MEDIA_TYPES}})


def extensions(call: Call) -> Reply:
    """List the extensions: everything is part of the API's core."""
    return Reply({"extensions": []})


def extension(call: Call) -> Reply:
    """Show an extension: there is none, as everything is part of the API's core."""
    raise NotFound(f"There is no extension {call.params['alias'][:60]}.")


def show_old(call: Call) -> Reply:
    """Show the version of before microversions, under the path at which it was asked for."""
    return Reply({"version": _old(call, call.request.path_info.rstrip("/")) | {"media-types": _MEDIA_TYPES}})


def _old(call: Call, path: str = "/v2") -> Json:
    return {
        "id": "v2.0",
        "status": "SUPPORTED",
        "version": "",
        "min_version": "",
        "updated": "2011-01-21T11:33:21Z",
        "links": [{"rel": "self", "href": call.url(f"{path}/")}],
    }


def _current(call: Call) -> Json:
    first, last = microversions.RANGES["compute"]
    return {
        "id": "v2.1",
        "status": "CURRENT",
        "version": str(last),
        "min_version": str(first),
        "updated": _UPDATED,
        "links": [{"rel": "self", "href": call.url("/v2.1/")}],
    }
