"""The whole schema: importing this module registers every table with ``Base.metadata``."""

from nova_lite.db import (
    actions,
    addresses,
    aggregates,
    application_credentials,
    catalog_entries,
    compute_nodes,
    domains,
    ec2_credentials,
    flavors,
    groups,
    images,
    instances,
    key_pairs,
    networks,
    projects,
    quotas,
    role_assignments,
    roles,
    security_groups,
    server_groups,
    server_migrations,
    services,
    tokens,
    users,
)
from nova_lite.db.base import Base

MODULES = (
    actions,
    addresses,
    aggregates,
    application_credentials,
    catalog_entries,
    compute_nodes,
    domains,
    ec2_credentials,
    flavors,
    groups,
    images,
    instances,
    key_pairs,
    networks,
    projects,
    quotas,
    role_assignments,
    roles,
    security_groups,
    server_groups,
    server_migrations,
    services,
    tokens,
    users,
)
"""The modules that define tables."""

METADATA = Base.metadata
