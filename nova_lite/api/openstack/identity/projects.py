"""Projects."""

from nova_lite.api.call import Call, Json, Reply
from nova_lite.api.openstack.identity.bodies import extra_of, home_domain, text
from nova_lite.api.openstack.identity.paging import listed, page, truth
from nova_lite.core.identity import Changes, NewProject, Project

_KNOWN = frozenset({"name", "description", "enabled", "domain_id", "parent_id", "is_domain"})


def create(call: Call) -> Reply:
    """Create a project, in the caller's domain unless the body says otherwise."""
    body = call.body["project"]
    new = NewProject(
        name=body["name"],
        domain_id=body.get("domain_id") or home_domain(call),
        parent_id=body.get("parent_id") or "",
        description=body.get("description") or "",
        enabled=body.get("enabled", True),
        extra=extra_of(body, _KNOWN),
    )
    return Reply({"project": render(call, call.cloud.identity.create_project(call.context, new))})


def listing(call: Call) -> Reply:
    """List projects; as domains are none, a list of those that are has nothing in it."""
    if truth(call.query("is_domain", "false") or "true"):
        return listed(call, "projects", [])
    part = page(call, "name", "domain_id", "parent_id", "enabled")
    found = call.cloud.identity.list_projects(call.context, part)
    return listed(call, "projects", [render(call, project) for project in found], part)


def listing_of_user(call: Call) -> Reply:
    """List the projects on which a user has a role."""
    found = call.cloud.identity.list_projects_of_user(call.context, call.params["user_id"])
    return listed(call, "projects", [render(call, project) for project in found])


def show(call: Call) -> Reply:
    """Show a project."""
    project = call.cloud.identity.get_project(call.context, call.params["project_id"])
    return Reply({"project": render(call, project)})


def update(call: Call) -> Reply:
    """Change a project."""
    body = call.body["project"]
    changes = Changes(
        name=body.get("name"),
        description=text(body, "description"),
        enabled=body.get("enabled"),
        domain_id=body.get("domain_id"),
        extra=extra_of(body, _KNOWN),
    )
    project = call.cloud.identity.update_project(call.context, call.params["project_id"], changes)
    return Reply({"project": render(call, project)})


def delete(call: Call) -> Reply:
    """Delete a project."""
    call.cloud.identity.delete_project(call.context, call.params["project_id"])
    return Reply()


def render(call: Call, project: Project) -> Json:
    """Return a project as clients see it."""
    return {
        "tags": [],
        "options": {},
        **project.extra,
        "id": project.id,
        "name": project.name,
        "domain_id": project.domain_id,
        "parent_id": project.parent_id,
        "description": project.description,
        "enabled": project.enabled,
        "is_domain": False,
        "links": {"self": call.url(f"/v3/projects/{project.id}")},
    }
