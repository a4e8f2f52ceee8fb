"""The policy rules of the identity API with their defaults.

A rule that anybody passes stands for a resource of which everybody has some: the operation behind it lets a
caller see its own and refuses the rest.
"""

import dataclasses

from nova_lite.core.policy import ADMIN, ANY, EVERY_SCOPE, Rule

_SERVICE = "role:admin or role:service"
_READ_ALL = "role:admin or (role:reader and system_scope:all)"

TOKENS: tuple[Rule, ...] = (
    Rule("identity:validate_token", ANY, "Look at a token: one's own, any for services"),
    Rule("identity:revoke_token", ANY, "End a token: one's own, any for an admin"),
    Rule("identity:ec2_tokens", _SERVICE, "Ask whose the signature of an EC2 request is"),
    Rule("identity:s3_tokens", _SERVICE, "Ask whose the signature of an S3 request is"),
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
    Rule("identity:list_project_tags", ANY, "List the tags of a project: one with a role on it, any for an admin"),
    Rule("identity:get_project_tag", ANY, "Tell whether a project has a tag"),
    Rule("identity:create_project_tag", ADMIN, "Add a tag to a project"),
    Rule("identity:update_project_tags", ADMIN, "Replace the tags of a project"),
    Rule("identity:delete_project_tag", ADMIN, "Remove a tag of a project"),
    Rule("identity:delete_project_tags", ADMIN, "Remove every tag of a project"),
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

GROUPS: tuple[Rule, ...] = (
    Rule("identity:list_groups", _READ_ALL, "List groups"),
    Rule("identity:get_group", _READ_ALL, "Show a group"),
    Rule("identity:create_group", ADMIN, "Create a group"),
    Rule("identity:update_group", ADMIN, "Change a group"),
    Rule("identity:delete_group", ADMIN, "Delete a group"),
    Rule(
        "identity:list_groups_for_user", ANY, "List the groups of a user: one's own, anybody's for an admin"
    ),
    Rule("identity:list_users_in_group", _READ_ALL, "List the users in a group"),
    Rule("identity:add_user_to_group", ADMIN, "Put a user into a group"),
    Rule("identity:check_user_in_group", _READ_ALL, "Check whether a user is in a group"),
    Rule("identity:remove_user_from_group", ADMIN, "Take a user out of a group"),
    Rule("identity:list_system_grants_for_group", _READ_ALL, "List the roles of a group on the system"),
    Rule("identity:check_system_grant_for_group", _READ_ALL, "Check a role of a group on the system"),
    Rule("identity:create_system_grant_for_group", ADMIN, "Give a group a role on the system"),
    Rule("identity:revoke_system_grant_for_group", ADMIN, "Take a role on the system from a group"),
)

CREDENTIALS: tuple[Rule, ...] = (
    Rule(
        "identity:list_application_credentials",
        ANY,
        "List application credentials: one's own, any for an admin",
    ),
    Rule(
        "identity:get_application_credential",
        ANY,
        "Show an application credential: one's own, any for an admin",
    ),
    Rule("identity:create_application_credential", ANY, "Make an application credential for oneself"),
    Rule(
        "identity:delete_application_credential",
        ANY,
        "Remove an application credential, or anybody's as an admin",
    ),
    Rule("identity:list_credentials", ANY, "List kept secrets: one's own, everybody's for an admin"),
    Rule("identity:get_credential", ANY, "Show a kept secret: one's own, any for an admin"),
    Rule("identity:create_credential", ANY, "Have a secret kept: for oneself, for anybody as an admin"),
    Rule("identity:update_credential", ANY, "Change a kept secret: one's own, any for an admin"),
    Rule("identity:delete_credential", ANY, "Have a secret forgotten: one's own, any for an admin"),
    Rule("identity:list_access_rules", ANY, "List access rules: one's own, anybody's for an admin"),
    Rule("identity:get_access_rule", ANY, "Show an access rule: one's own, anybody's for an admin"),
    Rule("identity:delete_access_rule", ANY, "Remove an access rule: one's own, anybody's for an admin"),
    Rule("identity:ec2_list_credentials", ANY, "List EC2 keys: one's own, any for an admin"),
    Rule("identity:ec2_get_credential", ANY, "Show EC2 keys: one's own, any for an admin"),
    Rule("identity:ec2_create_credential", ANY, "Make EC2 keys: for oneself, for anybody as an admin"),
    Rule("identity:ec2_delete_credential", ANY, "Remove EC2 keys: one's own, any for an admin"),
)

CATALOG: tuple[Rule, ...] = (
    Rule("identity:list_services", _READ_ALL, "List services"),
    Rule("identity:get_service", _READ_ALL, "Show a service"),
    Rule("identity:list_endpoints", _READ_ALL, "List endpoints"),
    Rule("identity:get_endpoint", _READ_ALL, "Show an endpoint"),
    Rule("identity:list_regions", ANY, "List regions"),
    Rule("identity:get_region", ANY, "Show a region"),
    Rule("identity:create_service", ADMIN, "Add a service"),
    Rule("identity:update_service", ADMIN, "Change a service"),
    Rule("identity:delete_service", ADMIN, "Remove a service"),
    Rule("identity:create_endpoint", ADMIN, "Add an endpoint"),
    Rule("identity:update_endpoint", ADMIN, "Change an endpoint"),
    Rule("identity:delete_endpoint", ADMIN, "Remove an endpoint"),
    Rule("identity:create_region", ADMIN, "Add a region"),
    Rule("identity:update_region", ADMIN, "Change a region"),
    Rule("identity:delete_region", ADMIN, "Remove a region"),
    Rule("identity:list_role_inference_rules", _READ_ALL, "List which roles imply which"),
    Rule("identity:list_implied_roles", _READ_ALL, "List the roles that a role implies"),
    Rule("identity:get_implied_role", _READ_ALL, "Tell whether a role implies another"),
    Rule("identity:create_implied_role", ADMIN, "Let a role imply another"),
    Rule("identity:delete_implied_role", ADMIN, "Let a role no longer imply another"),
)

LIMITS: tuple[Rule, ...] = (
    Rule("identity:get_limit_model", ANY, "See by which model services are to keep to limits"),
    Rule("identity:list_registered_limits", ANY, "List the limits of everybody"),
    Rule("identity:get_registered_limit", ANY, "Show a limit of everybody"),
    Rule("identity:create_registered_limits", ADMIN, "Add limits of everybody"),
    Rule("identity:update_registered_limit", ADMIN, "Change a limit of everybody"),
    Rule("identity:delete_registered_limit", ADMIN, "Remove a limit of everybody"),
    Rule("identity:list_limits", ANY, "List limits of projects: those of the token, all for an admin"),
    Rule("identity:get_limit", ANY, "Show a limit of a project: that of the token, any for an admin"),
    Rule("identity:create_limits", ADMIN, "Add limits of projects and domains"),
    Rule("identity:update_limit", ADMIN, "Change a limit of a project or a domain"),
    Rule("identity:delete_limit", ADMIN, "Remove a limit of a project or a domain"),
)

RULES: tuple[Rule, ...] = tuple(
    dataclasses.replace(rule, scopes=EVERY_SCOPE)
    for rule in (*TOKENS, *PEOPLE, *GROUPS, *CREDENTIALS, *ROLES, *CATALOG, *LIMITS)
)
