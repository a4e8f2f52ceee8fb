"""Identity: users, projects, domains, roles, tokens and the catalog, once for every front door."""

from nova_lite.operations.identity_access_rules import IdentityAccessRules
from nova_lite.operations.identity_base import IdentitySettings
from nova_lite.operations.identity_catalog import IdentityCatalog
from nova_lite.operations.identity_groups import IdentityGroups
from nova_lite.operations.identity_limits import IdentityLimits
from nova_lite.operations.identity_projects import IdentityProjects
from nova_lite.operations.identity_roles import IdentityRoles
from nova_lite.operations.identity_signers import IdentitySigners
from nova_lite.operations.identity_stored_credentials import IdentityStoredCredentials
from nova_lite.operations.identity_users import IdentityUsers

__all__ = ["Identity", "IdentitySettings"]


class Identity(
    IdentitySigners,
    IdentityProjects,
    IdentityUsers,
    IdentityGroups,
    IdentityRoles,
    IdentityStoredCredentials,
    IdentityAccessRules,
    IdentityCatalog,
    IdentityLimits,
):
    """All operations of identity; each base holds those on one noun."""
