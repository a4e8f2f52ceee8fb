"""The image API's version documents."""

from nova_lite.api.call import Call, Json, Reply

NEWEST = 7
"""The minor version that describes best what is served: hashes, hidden and community images."""


def root(call: Call) -> Reply:
    """Offer the versions as alternatives."""
    return Reply(_document(call), status=300)


def versions(call: Call) -> Reply:
    """List the versions."""
    return Reply(_document(call))


def _document(call: Call) -> Json:
    links = [{"rel": "self", "href": call.url("/v2/")}]
    return {
        "versions": [
            {"id": f"v2.{minor}", "status": "CURRENT" if minor == NEWEST else "SUPPORTED", "links": links}
            for minor in range(NEWEST, -1, -1)
        ]
    }
