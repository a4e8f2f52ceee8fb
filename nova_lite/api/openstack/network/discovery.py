"""What the network API says of itself: versions, extensions, and the collections that are always empty."""

from nova_lite.api.call import Call, Handler, Json, Reply
from nova_lite.api.openstack.network.listings import listed
from nova_lite.core.errors import NotFound

_UPDATED = "2012-01-01T10:00:00-00:00"

_EXTENSIONS = {
    "agent": "agent",
    "availability_zone": "Availability Zone",
    "external-net": "Neutron external network",
    "net-mtu": "Network MTU",
    "network-ip-availability": "Network IP Availability",
    "network_availability_zone": "Network Availability Zone",
    "port-security": "Port Security",
    "project-id": "project_id field enabled",
    "provider": "Provider Network",
    "quotas": "Quota management support",
    "revision-if-match": "If-Match constraints based on revision_number",
    "router": "Neutron L3 Router",
    "security-group": "security-group",
    "service-type": "Neutron Service Type Management",
    "standard-attr-revisions": "Resource revision numbers",
    "standard-attr-tag": "Tag support for resources with standard attribute: network, port, subnet and others",
    "standard-attr-timestamp": "Resource timestamps",
}
"""The extensions that there are, by alias."""


def versions(call: Call) -> Reply:
    """List the versions of the API."""
    link = {"rel": "self", "href": call.url("/v2.0/")}
    return Reply({"versions": [{"id": "v2.0", "status": "CURRENT", "links": [link]}]})


def resources(call: Call) -> Reply:
    """List the collections of this version."""
    names = ("network", "subnet", "port", "security-group", "security-group-rule", "floatingip", "router")
    return Reply(
        {
            "resources": [
                {
                    "name": name,
                    "collection": f"{name}s",
                    "links": [{"rel": "self", "href": call.url(f"/v2.0/{name}s")}],
                }
                for name in names
            ]
        }
    )


def extensions(call: Call) -> Reply:
    """List the extensions."""
    return Reply({"extensions": [_extension(alias) for alias in _EXTENSIONS]})


def extension(call: Call) -> Reply:
    """Show an extension."""
    alias = call.params["alias"]
    if alias not in _EXTENSIONS:
        raise NotFound(f"Extension with alias {alias} does not exist")
    return Reply({"extension": _extension(alias)})


def empty(name: str) -> Handler:
    """Return the handler of a collection in which there never is anything."""

    def listing(call: Call) -> Reply:
        return listed(call, name, [])

    return listing


def _extension(alias: str) -> Json:
    name = _EXTENSIONS[alias]
    return {"alias": alias, "name": name, "description": name, "updated": _UPDATED, "links": []}
