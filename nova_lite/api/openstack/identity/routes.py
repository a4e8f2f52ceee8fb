"""The route table of the identity API."""

from nova_lite.api.call import Handler
from nova_lite.api.openstack.identity import (
    credentials,
    discovery,
    domains,
    groups,
    implied_roles,
    limits,
    old_tokens,
    projects,
    role_assignments,
    roles,
    services,
    signatures,
    stored_credentials,
    tokens,
    users,
)
from nova_lite.api.openstack.schemas import identity as schemas
from nova_lite.api.openstack.schemas.identity_auth import (
    AUTHENTICATE,
    EC2_TOKENS,
    OLD_AUTHENTICATE,
    S3_TOKENS,
)
from nova_lite.api.openstack.schemas.identity_limits import (
    CREATE_LIMITS,
    REGISTER_LIMITS,
    UPDATE_LIMIT,
    UPDATE_REGISTERED_LIMIT,
)
from nova_lite.api.route import PUBLIC, Route

_TOKENS = "/v3/auth/tokens"

TOKENS: tuple[Route, ...] = (
    Route("GET", "/", discovery.versions, PUBLIC, status=300),
    Route("GET", "/v3", discovery.version, PUBLIC),
    Route("POST", _TOKENS, tokens.create, PUBLIC, AUTHENTICATE, status=201),
    Route("GET", _TOKENS, tokens.show, "identity:validate_token"),
    Route("DELETE", _TOKENS, tokens.revoke, "identity:revoke_token", status=204),
    Route("POST", "/v3/ec2tokens", signatures.ec2_tokens, "identity:ec2_tokens", EC2_TOKENS),
    Route("POST", "/v3/s3tokens", signatures.s3_tokens, "identity:s3_tokens", S3_TOKENS),
    Route("GET", "/v3/auth/catalog", tokens.catalog, "identity:get_auth_catalog"),
    Route("GET", "/v3/auth/projects", tokens.list_projects, "identity:get_auth_projects"),
    Route("GET", "/v3/auth/domains", tokens.list_domains, "identity:get_auth_domains"),
    Route("GET", "/v3/auth/system", tokens.list_systems, "identity:get_auth_system"),
)

_USER = "/v3/users/{user_id}"
_PROJECT = "/v3/projects/{project_id}"
_DOMAIN = "/v3/domains/{domain_id}"
_ROLE = "/v3/roles/{role_id}"

PEOPLE: tuple[Route, ...] = (
    Route("GET", "/v3/users", users.listing, "identity:list_users"),
    Route("POST", "/v3/users", users.create, "identity:create_user", schemas.CREATE_USER, status=201),
    Route("GET", _USER, users.show, "identity:get_user"),
    Route("PATCH", _USER, users.update, "identity:update_user", schemas.UPDATE_USER),
    Route("DELETE", _USER, users.delete, "identity:delete_user", status=204),
    Route("POST", f"{_USER}/password", users.change_password, PUBLIC, schemas.CHANGE_PASSWORD, status=204),
    Route("GET", f"{_USER}/projects", projects.listing_of_user, "identity:list_user_projects"),
    Route("GET", "/v3/projects", projects.listing, "identity:list_projects"),
    Route(
        "POST", "/v3/projects", projects.create, "identity:create_project", schemas.CREATE_PROJECT, status=201
    ),
    Route("GET", _PROJECT, projects.show, "identity:get_project"),
    Route("PATCH", _PROJECT, projects.update, "identity:update_project", schemas.UPDATE_PROJECT),
    Route("DELETE", _PROJECT, projects.delete, "identity:delete_project", status=204),
    Route("GET", f"{_PROJECT}/tags", projects.list_tags, "identity:list_project_tags"),
    Route(
        "PUT", f"{_PROJECT}/tags", projects.replace_tags, "identity:update_project_tags", schemas.PROJECT_TAGS
    ),
    Route(
        "DELETE", f"{_PROJECT}/tags", projects.remove_tags, "identity:delete_project_tags", status=204
    ),
    Route("GET", f"{_PROJECT}/tags/{{tag}}", projects.check_tag, "identity:get_project_tag", status=204),
    Route("PUT", f"{_PROJECT}/tags/{{tag}}", projects.add_tag, "identity:create_project_tag", status=201),
    Route("DELETE", f"{_PROJECT}/tags/{{tag}}", projects.remove_tag, "identity:delete_project_tag", status=204),
    Route("GET", "/v3/domains", domains.listing, "identity:list_domains"),
    Route("POST", "/v3/domains", domains.create, "identity:create_domain", schemas.CREATE_DOMAIN, status=201),
    Route("GET", _DOMAIN, domains.show, "identity:get_domain"),
    Route("PATCH", _DOMAIN, domains.update, "identity:update_domain", schemas.UPDATE_DOMAIN),
    Route("DELETE", _DOMAIN, domains.delete, "identity:delete_domain", status=204),
)


def _grants(actors: str, rule: str, plural: str) -> tuple[Route, ...]:
    """Return the routes for the roles of one kind of actor on one kind of target."""
    of_actor = f"{actors}/roles"
    one = f"{of_actor}/{{role_id}}"
    return (
        Route("GET", of_actor, role_assignments.listing_of_actor, f"identity:list_{plural}"),
        Route("PUT", one, role_assignments.grant, f"identity:create_{rule}", status=204),
        Route("GET", one, role_assignments.check, f"identity:check_{rule}", status=204),
        Route("DELETE", one, role_assignments.revoke, f"identity:revoke_{rule}", status=204),
    )


_GROUP = "/v3/groups/{group_id}"
_MEMBER = f"{_GROUP}/users/{{user_id}}"

GROUPS: tuple[Route, ...] = (
    Route("GET", "/v3/groups", groups.listing, "identity:list_groups"),
    Route("POST", "/v3/groups", groups.create, "identity:create_group", schemas.CREATE_GROUP, status=201),
    Route("GET", _GROUP, groups.show, "identity:get_group"),
    Route("PATCH", _GROUP, groups.update, "identity:update_group", schemas.UPDATE_GROUP),
    Route("DELETE", _GROUP, groups.delete, "identity:delete_group", status=204),
    Route("GET", f"{_USER}/groups", groups.listing_of_user, "identity:list_groups_for_user"),
    Route("GET", f"{_GROUP}/users", groups.list_members, "identity:list_users_in_group"),
    Route("PUT", _MEMBER, groups.add_member, "identity:add_user_to_group", status=204),
    Route("GET", _MEMBER, groups.check_member, "identity:check_user_in_group", status=204),
    Route("DELETE", _MEMBER, groups.remove_member, "identity:remove_user_from_group", status=204),
)

_APPLICATION = f"{_USER}/application_credentials"
_APPLICATION_CREDENTIAL = f"{_APPLICATION}/{{credential_id}}"
_EC2 = f"{_USER}/credentials/OS-EC2"
_EC2_CREDENTIAL = f"{_EC2}/{{access}}"

CREDENTIALS: tuple[Route, ...] = (
    Route(
        "GET", _APPLICATION, credentials.list_application_credentials, "identity:list_application_credentials"
    ),
    Route(
        "POST", _APPLICATION, credentials.create_application_credential,
        "identity:create_application_credential", schemas.CREATE_APPLICATION_CREDENTIAL, status=201,
    ),
    Route(
        "GET", _APPLICATION_CREDENTIAL, credentials.show_application_credential,
        "identity:get_application_credential",
    ),
    Route(
        "DELETE", _APPLICATION_CREDENTIAL, credentials.delete_application_credential,
        "identity:delete_application_credential", status=204,
    ),
    Route("GET", _EC2, credentials.list_ec2_credentials, "identity:ec2_list_credentials"),
    Route(
        "POST", _EC2, credentials.create_ec2_credential, "identity:ec2_create_credential",
        schemas.CREATE_EC2_CREDENTIAL, status=201,
    ),
    Route("GET", _EC2_CREDENTIAL, credentials.show_ec2_credential, "identity:ec2_get_credential"),
    Route("DELETE", _EC2_CREDENTIAL, credentials.delete_ec2_credential, "identity:ec2_delete_credential", status=204),
)  # fmt: skip

_STORED = "/v3/credentials/{credential_id}"
_RULE = f"{_USER}/access_rules/{{rule_id}}"

STORED: tuple[Route, ...] = (
    Route("GET", "/v3/credentials", stored_credentials.listing, "identity:list_credentials"),
    Route(
        "POST", "/v3/credentials", stored_credentials.create, "identity:create_credential", schemas.CREATE_CREDENTIAL,
        status=201,
    ),
    Route("GET", _STORED, stored_credentials.show, "identity:get_credential"),
    Route("PATCH", _STORED, stored_credentials.update, "identity:update_credential", schemas.UPDATE_CREDENTIAL),
    Route("DELETE", _STORED, stored_credentials.delete, "identity:delete_credential", status=204),
    Route("GET", f"{_USER}/access_rules", stored_credentials.list_access_rules, "identity:list_access_rules"),
    Route("GET", _RULE, stored_credentials.show_access_rule, "identity:get_access_rule"),
    Route("DELETE", _RULE, stored_credentials.delete_access_rule, "identity:delete_access_rule", status=204),
)  # fmt: skip



def _inherited(actors: str) -> tuple[Route, ...]:
    """Return the routes for the roles that one kind of actor has on the projects below one kind of target."""
    one = f"/v3/OS-INHERIT/{actors}/roles/{{role_id}}/inherited_to_projects"
    return (
        Route("PUT", one, role_assignments.grant, "identity:create_grant", status=204),
        Route("GET", one, role_assignments.check, "identity:check_grant", status=204),
        Route("DELETE", one, role_assignments.revoke, "identity:revoke_grant", status=204),
    )


_INHERITED = "roles/inherited_to_projects"

INHERITED: tuple[Route, ...] = (
    *(
        Route(
            "GET",
            f"/v3/OS-INHERIT/domains/{{domain_id}}/{actors}/{_INHERITED}",
            role_assignments.listing_of_actor,
            "identity:list_grants",
        )
        for actors in ("users/{user_id}", "groups/{group_id}")
    ),
    *_inherited("domains/{domain_id}/users/{user_id}"),
    *_inherited("domains/{domain_id}/groups/{group_id}"),
    *_inherited("projects/{project_id}/users/{user_id}"),
    *_inherited("projects/{project_id}/groups/{group_id}"),
)

ROLES: tuple[Route, ...] = (
    Route("GET", "/v3/roles", roles.listing, "identity:list_roles"),
    Route("POST", "/v3/roles", roles.create, "identity:create_role", schemas.CREATE_ROLE, status=201),
    Route("GET", _ROLE, roles.show, "identity:get_role"),
    Route("PATCH", _ROLE, roles.update, "identity:update_role", schemas.UPDATE_ROLE),
    Route("DELETE", _ROLE, roles.delete, "identity:delete_role", status=204),
    Route("GET", "/v3/role_assignments", role_assignments.listing, "identity:list_role_assignments"),
    *_grants(f"{_PROJECT}/users/{{user_id}}", "grant", "grants"),
    *_grants(f"{_PROJECT}/groups/{{group_id}}", "grant", "grants"),
    *_grants(f"{_DOMAIN}/users/{{user_id}}", "grant", "grants"),
    *_grants(f"{_DOMAIN}/groups/{{group_id}}", "grant", "grants"),
    *_grants("/v3/system/users/{user_id}", "system_grant_for_user", "system_grants_for_user"),
    *_grants("/v3/system/groups/{group_id}", "system_grant_for_group", "system_grants_for_group"),
)


def _entries(noun: str, create: Handler, update: Handler, delete: Handler) -> tuple[Route, ...]:
    """Return the routes by which one kind of the catalog's entries is added, changed and removed."""
    one = f"/v3/{noun}s/{{{noun}_id}}"
    wanted, changed = getattr(schemas, f"CREATE_{noun.upper()}"), getattr(schemas, f"UPDATE_{noun.upper()}")
    return (
        Route("POST", f"/v3/{noun}s", create, f"identity:create_{noun}", wanted, status=201),
        Route("PATCH", one, update, f"identity:update_{noun}", changed),
        Route("DELETE", one, delete, f"identity:delete_{noun}", status=204),
    )


CATALOG: tuple[Route, ...] = (
    Route("GET", "/v3/services", services.list_services, "identity:list_services"),
    Route("GET", "/v3/services/{service_id}", services.show_service, "identity:get_service"),
    *_entries("service", services.create_service, services.update_service, services.delete_service),
    Route("GET", "/v3/endpoints", services.list_endpoints, "identity:list_endpoints"),
    Route("GET", "/v3/endpoints/{endpoint_id}", services.show_endpoint, "identity:get_endpoint"),
    *_entries("endpoint", services.create_endpoint, services.update_endpoint, services.delete_endpoint),
    Route("GET", "/v3/regions", services.list_regions, "identity:list_regions"),
    Route("GET", "/v3/regions/{region_id}", services.show_region, "identity:get_region"),
    *_entries("region", services.create_region, services.update_region, services.delete_region),
)

_IMPLIES = "/v3/roles/{role_id}/implies"
_IMPLIED = f"{_IMPLIES}/{{implied_role_id}}"

IMPLIED: tuple[Route, ...] = (
    Route("GET", "/v3/role_inferences", implied_roles.listing, "identity:list_role_inference_rules"),
    Route("GET", _IMPLIES, implied_roles.listing_of_role, "identity:list_implied_roles"),
    Route("PUT", _IMPLIED, implied_roles.create, "identity:create_implied_role", status=201),
    Route("GET", _IMPLIED, implied_roles.show, "identity:get_implied_role"),
    Route("DELETE", _IMPLIED, implied_roles.delete, "identity:delete_implied_role", status=204),
)

_REGISTERED = "/v3/registered_limits"
_REGISTERED_LIMIT = f"{_REGISTERED}/{{limit_id}}"
_LIMIT = "/v3/limits/{limit_id}"

LIMITS: tuple[Route, ...] = (
    Route("GET", _REGISTERED, limits.REGISTERED.listing, "identity:list_registered_limits"),
    Route(
        "POST", _REGISTERED, limits.REGISTERED.create, "identity:create_registered_limits", REGISTER_LIMITS, status=201
    ),
    Route("GET", _REGISTERED_LIMIT, limits.REGISTERED.show, "identity:get_registered_limit"),
    Route(
        "PATCH", _REGISTERED_LIMIT, limits.REGISTERED.update, "identity:update_registered_limit",
        UPDATE_REGISTERED_LIMIT,
    ),
    Route(
        "DELETE", _REGISTERED_LIMIT, limits.REGISTERED.delete, "identity:delete_registered_limit", status=204
    ),
    Route("GET", "/v3/limits", limits.SINGLE.listing, "identity:list_limits"),
    Route("POST", "/v3/limits", limits.SINGLE.create, "identity:create_limits", CREATE_LIMITS, status=201),
    Route("GET", "/v3/limits/model", limits.model, "identity:get_limit_model"),
    Route("GET", _LIMIT, limits.SINGLE.show, "identity:get_limit"),
    Route("PATCH", _LIMIT, limits.SINGLE.update, "identity:update_limit", UPDATE_LIMIT),
    Route("DELETE", _LIMIT, limits.SINGLE.delete, "identity:delete_limit", status=204),
)  # fmt: skip

OLD: tuple[Route, ...] = (
    Route("GET", "/v2.0", old_tokens.version, PUBLIC),
    Route("POST", "/v2.0/tokens", old_tokens.create, PUBLIC, OLD_AUTHENTICATE),
    Route("GET", "/v2.0/tenants", old_tokens.tenants, "identity:get_auth_projects"),
    Route("GET", "/v1.0", old_tokens.log_in_by_headers, PUBLIC, status=204),
    Route("GET", "/v1.1", old_tokens.log_in_by_headers, PUBLIC, status=204),
)

ROUTES: tuple[Route, ...] = (
    *TOKENS, *PEOPLE, *GROUPS, *CREDENTIALS, *STORED, *ROLES, *INHERITED, *IMPLIED, *CATALOG, *LIMITS, *OLD,
)  # fmt: skip
