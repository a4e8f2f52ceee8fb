"""Every table: importing this module makes ``Base.metadata`` whole, for migrations and for tests."""

from nova_lite.db import (
    actions,
    addresses,
    compute_nodes,
    domains,
    flavors,
    images,
    instances,
    key_pairs,
    networks,
    projects,
    quotas,
    role_assignments,
    roles,
    security_groups,
    services,
    tokens,
    users,
)
from nova_lite.db.base import Base

__all__ = [
    "Base",
    "actions",
    "addresses",
    "compute_nodes",
    "domains",
    "flavors",
    "images",
    "instances",
    "key_pairs",
    "networks",
    "projects",
    "quotas",
    "role_assignments",
    "roles",
    "security_groups",
    "services",
    "tokens",
    "users",
]

METADATA = Base.metadata
"""The whole schema."""
