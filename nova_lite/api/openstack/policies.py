"""Every policy rule with its default, assembled from a table an API."""

from nova_lite.api.openstack.compute.policies import RULES as COMPUTE
from nova_lite.api.openstack.identity.policies import RULES as IDENTITY
from nova_lite.api.openstack.image.policies import RULES as IMAGE
from nova_lite.api.openstack.network.policies import RULES as NETWORK
from nova_lite.core.policy import Rule

RULES: tuple[Rule, ...] = (*COMPUTE, *IDENTITY, *IMAGE, *NETWORK)
