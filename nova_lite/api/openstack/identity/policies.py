"""The policy rules of the identity API with their defaults.

A rule that anybody passes stands for a resource of which everybody has some: the operation behind it lets a
caller see its own and refuses the rest.
"""

from nova_lite.core.policy import ADMIN, ANY, Rule

_READ_ALL = "role:admin or (role:reader and system_scope:all)"

TOKENS: tuple[Rule, ...] = (
    Rule("identity:validate_token", ANY, "Look at a token: one's own, any for services"),
    Rule("identity:revoke_token", ANY, "End a token: one's own, any for an admin"),
    Rule("identity:get_auth_catalog", ANY, "See the catalog"),
    Rule("identity:get_auth_projects", ANY, "List the projects that one can log in to"),
    Rule("identity:get_auth_domains", ANY, "List the domains that one can log in to"),
    Rule("identity:get_auth_system", ANY, "See whether one can log in to the system"),
)

PEOPLE: tuple[Rule, ...] = (
    Rule("identity:list_users", _READ_ALL, "List users"),
    Rule("identity:get_user", ANY, "Show a user: oneself, anybody for an admin"),
    Rule("identity:create_user", ADMIN, "Create a user"),
    Rule("identity:update_user", ADMIN, "Change a user"),
    Rule("identity:delete_user", ADMIN, "Delete a user"),
    Rule(
        "identity:list_user_projects", ANY, "List the projects of a user: one's own, anybody's for an admin"
    ),
    Rule("identity:list_projects", _READ_ALL, "List projects"),
    Rule("identity:get_project", ANY, "Show a project: one with a role on it, any for an admin"),
    Rule("identity:create_project", ADMIN, "Create a project"),
    Rule("identity:update_project", ADMIN, "Change a project"),
    Rule("identity:delete_project", ADMIN, "Delete a project"),
    Rule("identity:list_domains", _READ_ALL, "List domains"),
    Rule("identity:get_domain", ANY, "Show a domain: that of the token, any for an admin"),
    Rule("identity:create_domain", ADMIN, "Create a domain"),
    Rule("identity:update_domain", ADMIN, "Change a domain"),
    Rule("identity:delete_domain", ADMIN, "Delete a domain"),
)

ROLES: tuple[Rule, ...] = (
    Rule("identity:list_roles", _READ_ALL, "List roles"),
    Rule("identity:get_role", _READ_ALL, "Show a role"),
    Rule("identity:create_role", ADMIN, "Create a role"),
    Rule("identity:update_role", ADMIN, "Change a role"),
    Rule("identity:delete_role", ADMIN, "Delete a role"),
    Rule("identity:list_grants", _READ_ALL, "List the roles of a user on a project or a domain"),
    Rule("identity:check_grant", _READ_ALL, "Check a role of a user on a project or a domain"),
    Rule("identity:create_grant", ADMIN, "Give a user a role on a project or a domain"),
    Rule("identity:revoke_grant", ADMIN, "Take a role on a project or a domain from a user"),
    Rule("identity:list_system_grants_for_user", _READ_ALL, "List the roles of a user on the system"),
    Rule("identity:check_system_grant_for_user", _READ_ALL, "Check a role of a user on the system"),
    Rule("identity:create_system_grant_for_user", ADMIN, "Give a user a role on the system"),
    Rule("identity:revoke_system_grant_for_user", ADMIN, "Take a role on the system from a user"),
    Rule("identity:list_role_assignments", _READ_ALL, "List who has which role on what"),
)

CATALOG: tuple[Rule, ...] = (
    Rule("identity:list_services", _READ_ALL, "List services"),
    Rule("identity:get_service", _READ_ALL, "Show a service"),
    Rule("identity:list_endpoints", _READ_ALL, "List endpoints"),
    Rule("identity:get_endpoint", _READ_ALL, "Show an endpoint"),
    Rule("identity:list_regions", ANY, "List regions"),
    Rule("identity:get_region", ANY, "Show a region"),
)

RULES: tuple[Rule, ...] = (*TOKENS, *PEOPLE, *ROLES, *CATALOG)
