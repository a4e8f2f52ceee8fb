"""THE table: every route of every OpenStack API, assembled from a table an API."""

from nova_lite.api.openstack.compute.routes import ROUTES as COMPUTE
from nova_lite.api.openstack.identity.routes import ROUTES as IDENTITY
from nova_lite.api.openstack.image.routes import ROUTES as IMAGE
from nova_lite.api.openstack.network.routes import ROUTES as NETWORK
from nova_lite.api.route import Route

ROUTES: dict[str, tuple[Route, ...]] = {
    "compute": COMPUTE,
    "identity": IDENTITY,
    "image": IMAGE,
    "network": NETWORK,
}
