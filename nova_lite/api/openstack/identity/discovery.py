"""Which versions of the identity API there are."""

from nova_lite.api.call import Call, Json, Reply


def versions(call: Call) -> Reply:
    """Answer the root: choose among the versions, of which there is one."""
    body = {"versions": {"values": [_version(call)]}}
    return Reply(body, headers={"Location": call.url("/v3/")})


def version(call: Call) -> Reply:
    """Describe version 3."""
    return Reply({"version": _version(call)})


def _version(call: Call) -> Json:
    return {
        "id": "v3.14",
        "status": "stable",
        "updated": "2020-04-07T00:00:00Z",
        "links": [{"rel": "self", "href": call.url("/v3/")}],
        "media-types": [{"base": "application/json", "type": "application/vnd.openstack.identity-v3+json"}],
    }
