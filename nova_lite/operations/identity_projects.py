"""Projects and the domains that they are in."""

from collections.abc import Callable

from sqlalchemy.orm import Session

from nova_lite.core import ids
from nova_lite.core.context import RequestContext
from nova_lite.core.errors import Forbidden, InvalidInput, NotFound
from nova_lite.core.identity import DEFAULT_DOMAIN, Changes, Domain, NewProject, Project, Scope, ScopeKind
from nova_lite.core.tags import TagFilter
from nova_lite.db import (
    application_credentials,
    credentials,
    domains,
    ec2_credentials,
    groups,
    limits,
    projects,
    role_assignments,
    users,
)
from nova_lite.db.identity import NamePage
from nova_lite.operations.identity_base import (
    IdentityBase,
    columns,
    not_authorized,
    require_same_domain,
    sees_all,
)

Retag = Callable[[tuple[str, ...]], tuple[str, ...]]
"""Makes the tags that a project is to have of those that it has."""


class IdentityProjects(IdentityBase):
    """The operations on projects and domains."""

    def create_project(self, context: RequestContext, new: NewProject) -> Project:
        """Create a project; raises Conflict for a taken name, NotFound or InvalidInput for its place."""
        project = Project(
            id=ids.new_hex(),
            name=new.name,
            domain_id=new.domain_id,
            parent_id=new.parent_id or new.domain_id,
            description=new.description,
            enabled=new.enabled,
            extra=new.extra,
            tags=new.tags,
        )

        def work(session: Session) -> Project:
            find_domain(session, new.domain_id)
            if project.parent_id != project.domain_id:
                parent = projects.get(session, project.parent_id)
                if parent is None or parent.domain_id != project.domain_id:
                    raise InvalidInput(f"The parent project {project.parent_id} is not in the domain.")
            projects.insert(session, project)
            return project

        return self._database.run(
            "identity.create_project", work, landed=lambda session: projects.get(session, project.id)
        )

    def get_project(self, context: RequestContext, project_id: str) -> Project:
        """Return a project; raises NotFound, and Forbidden for one on which the caller has no role."""
        project = self._database.read(
            "identity.get_project", lambda session: _visible_project(session, context, project_id)
        )
        if project is None:
            raise NotFound(f"Could not find project: {project_id}.")
        return project

    def find_project(self, name_or_id: str, domain_id: str = DEFAULT_DOMAIN) -> Project:
        """Return the project with an id, else the one with that name in a domain; raises NotFound."""

        def work(session: Session) -> Project | None:
            return projects.get(session, name_or_id) or projects.find(session, domain_id, name_or_id)

        project = self._database.read("identity.find_project", work)
        if project is None:
            raise NotFound(f"Could not find project: {name_or_id}.")
        return project

    def list_projects(
        self, context: RequestContext, page: NamePage | None = None, tags: TagFilter | None = None
    ) -> list[Project]:
        """Return projects by name, narrowed by their tags; raises InvalidInput for an unknown marker."""
        wanted = page or NamePage()
        return self._database.read(
            "identity.list_projects", lambda session: projects.listing(session, wanted, tags or TagFilter())
        )

    def update_project(self, context: RequestContext, project_id: str, changes: Changes) -> Project:
        """Change a project; raises NotFound, Conflict, InvalidInput."""

        def work(session: Session) -> Project:
            projects.lock(session, project_id)
            project = _find_project(session, project_id)
            require_same_domain(changes, project.domain_id)
            values = columns(changes, project.extra, names=("name", "description", "enabled"))
            if changes.tags is not None:
                values["tags"] = list(changes.tags)
            if values:
                projects.update(session, project_id, **values)
            return _find_project(session, project_id)

        return self._change("update_project", work)

    def retag_project(self, context: RequestContext, project_id: str, change: Retag) -> Project:
        """Give a project the tags that ``change`` makes of those it has; raises NotFound, and what that raises."""

        def work(session: Session) -> Project:
            projects.lock(session, project_id)
            projects.update(session, project_id, tags=list(change(_find_project(session, project_id).tags)))
            return _find_project(session, project_id)

        return self._change("retag_project", work)

    def delete_project(self, context: RequestContext, project_id: str) -> None:
        """Delete a project and the roles on it; raises NotFound, Forbidden while others are below it."""

        def work(session: Session) -> None:
            if projects.has_children(session, project_id):
                raise Forbidden(f"Project {project_id} cannot be deleted: there are projects below it.")
            role_assignments.delete_of_target(session, Scope(ScopeKind.PROJECT, project_id))
            application_credentials.delete_of(session, project_id=project_id)
            ec2_credentials.delete_of(session, project_id=project_id)
            credentials.delete_of(session, project_id=project_id)
            limits.delete_of_project(session, project_id)
            if not projects.delete(session, project_id):
                raise NotFound(f"Could not find project: {project_id}.")

        self._change("delete_project", work)

    def create_domain(self, context: RequestContext, domain: Domain) -> Domain:
        """Create a domain (the id is made here); raises Conflict for a taken name."""
        created = Domain(ids.new_hex(), domain.name, domain.description, domain.enabled, domain.extra)

        def work(session: Session) -> Domain:
            domains.insert(session, created)
            return created

        return self._database.run(
            "identity.create_domain", work, landed=lambda session: domains.get(session, created.id)
        )

    def get_domain(self, context: RequestContext, domain_id: str) -> Domain:
        """Return a domain; raises NotFound, and Forbidden for another than the token's."""
        if not (sees_all(context) or context.domain_id == domain_id):
            raise not_authorized("identity:get_domain")
        return self._database.read("identity.get_domain", lambda session: find_domain(session, domain_id))

    def list_domains(self, context: RequestContext, page: NamePage | None = None) -> list[Domain]:
        """Return domains by name; raises InvalidInput for an unknown marker."""
        wanted = page or NamePage()
        return self._database.read("identity.list_domains", lambda session: domains.listing(session, wanted))

    def update_domain(self, context: RequestContext, domain_id: str, changes: Changes) -> Domain:
        """Change a domain; raises NotFound, Conflict, and Forbidden for disabling the default one."""
        if domain_id == DEFAULT_DOMAIN and changes.enabled is False:
            raise Forbidden("The default domain cannot be disabled.")

        def work(session: Session) -> Domain:
            domain = find_domain(session, domain_id)
            values = columns(changes, domain.extra, names=("name", "description", "enabled"))
            if values:
                domains.update(session, domain_id, **values)
            return find_domain(session, domain_id)

        return self._change("update_domain", work)

    def delete_domain(self, context: RequestContext, domain_id: str) -> None:
        """Delete a disabled domain with its users and projects; raises NotFound, Forbidden."""

        def work(session: Session) -> None:
            if find_domain(session, domain_id).enabled:
                raise Forbidden("Cannot delete a domain that is enabled, please disable it first.")
            limits.delete_of_domain(session, domain_id)
            role_assignments.delete_of_domain(session, domain_id)
            groups.delete_of_domain(session, domain_id)
            users.delete_of_domain(session, domain_id)
            projects.delete_of_domain(session, domain_id)
            domains.delete(session, domain_id)

        self._change("delete_domain", work)


def find_domain(session: Session, domain_id: str) -> Domain:
    """Return a domain; raises NotFound."""
    domain = domains.get(session, domain_id)
    if domain is None:
        raise NotFound(f"Could not find domain: {domain_id}.")
    return domain


def _find_project(session: Session, project_id: str) -> Project:
    project = projects.get(session, project_id)
    if project is None:
        raise NotFound(f"Could not find project: {project_id}.")
    return project


def _visible_project(session: Session, context: RequestContext, project_id: str) -> Project | None:
    """Return a project; raises Forbidden for a caller without a role on it, whether or not it exists."""
    mine = context.project_id == project_id or sees_all(context)
    if not mine and project_id not in role_assignments.targets_of(
        session, context.user_id, ScopeKind.PROJECT
    ):
        raise not_authorized("identity:get_project")
    return projects.get(session, project_id)
