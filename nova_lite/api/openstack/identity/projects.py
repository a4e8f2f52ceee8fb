"""Projects."""

from nova_lite.api.call import Call, Json, Reply
from nova_lite.api.openstack.identity.bodies import extra_of, home_domain, text
from nova_lite.api.openstack.identity.paging import listed, page, truth
from nova_lite.core.errors import InvalidInput, NotFound
from nova_lite.core.identity import Changes, NewProject, Project
from nova_lite.core.tags import TagFilter
from nova_lite.operations.identity_projects import Retag

_LONGEST_TAG = 255
_MOST_TAGS = 80

_KNOWN = frozenset({"name", "description", "enabled", "domain_id", "parent_id", "is_domain", "tags"})


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
        tags=_tags(body),
    )
    return Reply({"project": render(call, call.cloud.identity.create_project(call.context, new))})


def listing(call: Call) -> Reply:
    """List projects; as domains are none, a list of those that are has nothing in it."""
    if truth(call.query("is_domain", "false") or "true"):
        return listed(call, "projects", [])
    part = page(call, "name", "domain_id", "parent_id", "enabled")
    found = call.cloud.identity.list_projects(call.context, part, _wanted_tags(call))
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
        tags=_tags(body) if "tags" in body else None,
    )
    project = call.cloud.identity.update_project(call.context, call.params["project_id"], changes)
    return Reply({"project": render(call, project)})


def delete(call: Call) -> Reply:
    """Delete a project."""
    call.cloud.identity.delete_project(call.context, call.params["project_id"])
    return Reply()


def list_tags(call: Call) -> Reply:
    """List the tags of a project."""
    return _tagged(call, _project(call))


def replace_tags(call: Call) -> Reply:
    """Replace the tags of a project."""
    return _tagged(call, _retag(call, lambda _: _tags(call.body)))


def remove_tags(call: Call) -> Reply:
    """Remove every tag of a project."""
    _retag(call, lambda _: ())
    return Reply()


def check_tag(call: Call) -> Reply:
    """Tell whether a project has a tag."""
    _require_tag(call, _project(call).tags)
    return Reply()


def add_tag(call: Call) -> Reply:
    """Add a tag to a project."""
    tag = call.params["tag"]
    if len(tag) > _LONGEST_TAG or "," in tag:
        raise InvalidInput(f"A tag has at most {_LONGEST_TAG} characters, of which none is a comma or a slash.")

    def added(tags: tuple[str, ...]) -> tuple[str, ...]:
        if tag not in tags and len(tags) >= _MOST_TAGS:
            raise InvalidInput(f"A project has at most {_MOST_TAGS} tags.")
        return tuple(dict.fromkeys((*tags, tag)))

    _retag(call, added)
    return Reply()


def remove_tag(call: Call) -> Reply:
    """Remove a tag of a project."""

    def left(tags: tuple[str, ...]) -> tuple[str, ...]:
        _require_tag(call, tags)
        return tuple(tag for tag in tags if tag != call.params["tag"])

    _retag(call, left)
    return Reply()


def _project(call: Call) -> Project:
    return call.cloud.identity.get_project(call.context, call.params["project_id"])


def _require_tag(call: Call, tags: tuple[str, ...]) -> None:
    if call.params["tag"] not in tags:
        raise NotFound(f"Could not find project tag: {call.params['tag'][:255]}.")


def _retag(call: Call, change: Retag) -> Project:
    return call.cloud.identity.retag_project(call.context, call.params["project_id"], change)


def _tagged(call: Call, project: Project) -> Reply:
    return Reply({"tags": list(project.tags), "links": {"self": call.request.path_url}})


def _tags(body: Json) -> tuple[str, ...]:
    return tuple(dict.fromkeys(body.get("tags") or ()))


def _wanted_tags(call: Call) -> TagFilter:
    names = ("tags", "tags-any", "not-tags", "not-tags-any")
    return TagFilter(*(tuple(tag for tag in (call.query(name) or "").split(",") if tag) for name in names))


def render(call: Call, project: Project) -> Json:
    """Return a project as clients see it."""
    return {
        "options": {},
        **project.extra,
        "tags": list(project.tags),
        "id": project.id,
        "name": project.name,
        "domain_id": project.domain_id,
        "parent_id": project.parent_id,
        "description": project.description,
        "enabled": project.enabled,
        "is_domain": False,
        "links": {"self": call.url(f"/v3/projects/{project.id}")},
    }
