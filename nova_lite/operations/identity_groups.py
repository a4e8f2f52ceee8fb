"""Groups of users, and who is in them."""

from sqlalchemy.orm import Session

from nova_lite.core import ids
from nova_lite.core.context import RequestContext
from nova_lite.core.errors import NotFound
from nova_lite.core.identity import Actor, ActorKind, Changes, Group, User
from nova_lite.db import groups, role_assignments
from nova_lite.db.identity import NamePage
from nova_lite.operations.identity_base import IdentityBase, columns, require_same_domain, require_self
from nova_lite.operations.identity_projects import find_domain
from nova_lite.operations.identity_users import find_user


class IdentityGroups(IdentityBase):
    """The operations on groups."""

    def create_group(self, context: RequestContext, group: Group) -> Group:
        """Create a group (the id is made here); raises Conflict for a taken name, NotFound for a domain."""
        created = Group(ids.new_hex(), group.name, group.domain_id, group.description, group.extra)

        def work(session: Session) -> Group:
            find_domain(session, created.domain_id)
            groups.insert(session, created)
            return created

        return self._change("create_group", work, lambda session: groups.get(session, created.id))

    def get_group(self, context: RequestContext, group_id: str) -> Group:
        """Return a group; raises NotFound."""
        return self._database.read("identity.get_group", lambda session: find_group(session, group_id))

    def list_groups(self, context: RequestContext, page: NamePage) -> list[Group]:
        """Return groups by name; raises InvalidInput for an unknown marker."""
        return self._database.read("identity.list_groups", lambda session: groups.listing(session, page))

    def list_groups_of_user(self, context: RequestContext, user_id: str) -> list[Group]:
        """Return the groups that a user is in; raises NotFound, Forbidden."""
        require_self(context, user_id, "identity:list_groups_for_user")

        def work(session: Session) -> list[Group]:
            find_user(session, user_id)
            return groups.of_user(session, user_id)

        return self._database.read("identity.list_groups_of_user", work)

    def update_group(self, context: RequestContext, group_id: str, changes: Changes) -> Group:
        """Change a group; raises NotFound, Conflict, InvalidInput."""

        def work(session: Session) -> Group:
            group = find_group(session, group_id)
            require_same_domain(changes, group.domain_id)
            values = columns(changes, group.extra, names=("name", "description"))
            if values:
                groups.update(session, group_id, **values)
            return find_group(session, group_id)

        return self._change("update_group", work)

    def delete_group(self, context: RequestContext, group_id: str) -> None:
        """Delete a group and its roles; raises NotFound."""

        def work(session: Session) -> None:
            role_assignments.delete_of_actor(session, Actor(group_id, ActorKind.GROUP))
            if not groups.delete(session, group_id):
                raise NotFound(f"Could not find group: {group_id}.")

        self._change("delete_group", work)

    def list_members(self, context: RequestContext, group_id: str) -> list[User]:
        """Return the users in a group; raises NotFound."""

        def work(session: Session) -> list[User]:
            find_group(session, group_id)
            return groups.members(session, [group_id]).get(group_id, [])

        return self._database.read("identity.list_members", work)

    def add_member(self, context: RequestContext, group_id: str, user_id: str) -> None:
        """Put a user into a group; again is no harm. Raises NotFound for what does not exist."""

        def work(session: Session) -> None:
            find_group(session, group_id)
            find_user(session, user_id)
            groups.add_member(session, group_id, user_id)

        self._change("add_member", work)

    def check_member(self, context: RequestContext, group_id: str, user_id: str) -> None:
        """Raise NotFound unless a user is in a group."""

        def work(session: Session) -> bool:
            find_group(session, group_id)
            find_user(session, user_id)
            return groups.has_member(session, group_id, user_id)

        if not self._database.read("identity.check_member", work):
            raise NotFound(f"User {user_id} not found in group {group_id}.")

    def remove_member(self, context: RequestContext, group_id: str, user_id: str) -> None:
        """Take a user out of a group, and with it the roles of the group; raises NotFound."""

        def work(session: Session) -> bool:
            find_group(session, group_id)
            find_user(session, user_id)
            return groups.remove_member(session, group_id, user_id)

        if not self._change("remove_member", work):
            raise NotFound(f"User {user_id} not found in group {group_id}.")


def find_group(session: Session, group_id: str) -> Group:
    """Return a group; raises NotFound."""
    group = groups.get(session, group_id)
    if group is None:
        raise NotFound(f"Could not find group: {group_id}.")
    return group
