"""Limits that identity keeps for services: of everybody, and of single projects and domains."""

import dataclasses
from collections.abc import Callable, Sequence

from sqlalchemy.orm import Session

from nova_lite.core import ids
from nova_lite.core.context import RequestContext
from nova_lite.core.errors import Forbidden, InvalidInput, NotFound
from nova_lite.core.limits import Limit, LimitFilter, RegisteredLimit, sees_every_limit
from nova_lite.db import catalog_entries, domains, limits, projects
from nova_lite.operations.identity_base import IdentityBase, not_authorized

_IN_USE = (
    "Unable to update or delete registered limit {} because there are project limits associated with it."
)


class IdentityLimits(IdentityBase):
    """The operations on limits; the id of a new one is made here."""

    def register_limits(
        self, context: RequestContext, wanted: Sequence[RegisteredLimit]
    ) -> list[RegisteredLimit]:
        """Add limits of everybody, all or none; raises InvalidInput for what is not there, Conflict."""
        made = [dataclasses.replace(one, id=ids.new_hex()) for one in wanted]

        def work(session: Session) -> list[RegisteredLimit]:
            for one in made:
                self._check_place(session, one.service_id, one.region_id)
                limits.register(session, one)
            return made

        def landed(session: Session) -> list[RegisteredLimit] | None:
            return made if made and limits.registered(session, made[0].id) else None

        return self._database.run("identity.register_limits", work, landed=landed)

    def list_registered_limits(self, context: RequestContext, wanted: LimitFilter) -> list[RegisteredLimit]:
        """Return the limits of everybody, by resource."""
        return self._database.read(
            "identity.list_registered_limits", lambda session: limits.list_registered(session, wanted)
        )

    def get_registered_limit(self, context: RequestContext, limit_id: str) -> RegisteredLimit:
        """Return a limit of everybody; raises NotFound."""
        return self._database.read(
            "identity.get_registered_limit", lambda session: _find_registered(session, limit_id)
        )

    def update_registered_limit(
        self, context: RequestContext, limit_id: str, change: Callable[[RegisteredLimit], RegisteredLimit]
    ) -> RegisteredLimit:
        """Change a limit of everybody; raises NotFound, InvalidInput, Conflict, and Forbidden while it is used."""

        def work(session: Session) -> RegisteredLimit:
            changed = change(_find_registered(session, limit_id))
            self._check_place(session, changed.service_id, changed.region_id)
            if not limits.replace_registered(session, changed):
                raise Forbidden(_IN_USE.format(limit_id))
            return changed

        return self._database.run("identity.update_registered_limit", work)

    def delete_registered_limit(self, context: RequestContext, limit_id: str) -> None:
        """Remove a limit of everybody; raises NotFound, and Forbidden while it is used."""

        def work(session: Session) -> None:
            _find_registered(session, limit_id)
            if not limits.delete_registered(session, limit_id):
                raise Forbidden(_IN_USE.format(limit_id))

        self._database.run("identity.delete_registered_limit", work)

    def create_limits(self, context: RequestContext, wanted: Sequence[Limit]) -> list[Limit]:
        """Add limits of projects and domains, all or none.

        Raises InvalidInput for what is not there, Conflict, and Forbidden where there is none of everybody.
        """
        made = [dataclasses.replace(one, id=ids.new_hex()) for one in wanted]

        def work(session: Session) -> list[Limit]:
            for one in made:
                self._check_place(session, one.service_id, one.region_id)
                if one.project_id and projects.get(session, one.project_id) is None:
                    raise InvalidInput(f"Could not find project: {one.project_id}.")
                if one.domain_id and domains.get(session, one.domain_id) is None:
                    raise InvalidInput(f"Could not find domain: {one.domain_id}.")
                if not limits.insert(session, one):
                    raise Forbidden("Unable to create a limit that has no corresponding registered limit.")
            return made

        def landed(session: Session) -> list[Limit] | None:
            return made if made and limits.get(session, made[0].id) else None

        return self._database.run("identity.create_limits", work, landed=landed)

    def list_limits(self, context: RequestContext, wanted: LimitFilter) -> list[Limit]:
        """Return limits of single ones, by resource: of the token's project or domain, to services of all."""

        def work(session: Session) -> list[Limit]:
            found = limits.listing(session, wanted)
            return [one for one in found if self._sees(session, context, one)]

        return self._database.read("identity.list_limits", work)

    def get_limit(self, context: RequestContext, limit_id: str) -> Limit:
        """Return a limit of a project or a domain; raises NotFound, and Forbidden for another's."""

        def work(session: Session) -> Limit | None:
            found = limits.get(session, limit_id)
            if not sees_every_limit(context) and not (found and self._sees(session, context, found)):
                raise not_authorized("identity:get_limit")
            return found

        found = self._database.read("identity.get_limit", work)
        if found is None:
            raise _no_limit(limit_id)
        return found

    def update_limit(
        self, context: RequestContext, limit_id: str, change: Callable[[Limit], Limit]
    ) -> Limit:
        """Change the number and the words of a limit of a project or a domain; raises NotFound."""

        def work(session: Session) -> Limit:
            found = limits.get(session, limit_id)
            if found is None:
                raise _no_limit(limit_id)
            changed = change(found)
            limits.update(
                session, limit_id, resource_limit=changed.resource_limit, description=changed.description
            )
            return changed

        return self._database.run("identity.update_limit", work)

    def delete_limit(self, context: RequestContext, limit_id: str) -> None:
        """Remove a limit of a project or a domain; raises NotFound."""
        if not self._database.run("identity.delete_limit", lambda session: limits.delete(session, limit_id)):
            raise _no_limit(limit_id)

    def _sees(self, session: Session, context: RequestContext, limit: Limit) -> bool:
        if sees_every_limit(context):
            return True
        if not context.domain_id:
            return bool(context.project_id) and limit.project_id == context.project_id
        project = projects.get(session, limit.project_id) if limit.project_id else None
        return context.domain_id == (project.domain_id if project else limit.domain_id)

    def _check_place(self, session: Session, service_id: str, region_id: str) -> None:
        """Raise InvalidInput for a service or a region that is not in the catalog."""
        every = catalog_entries.every(session)
        if service_id not in {one.id for one in every.services} | {one.id for one in self.catalog.services}:
            raise InvalidInput(f"Could not find service: {service_id}.")
        if region_id not in {one.id for one in every.regions} | {self.catalog.region, ""}:
            raise InvalidInput(f"Could not find region: {region_id}.")


def _find_registered(session: Session, limit_id: str) -> RegisteredLimit:
    found = limits.registered(session, limit_id)
    if found is None:
        raise NotFound(f"Could not find registered limit for id: {limit_id}.")
    return found


def _no_limit(limit_id: str) -> NotFound:
    return NotFound(f"Could not find limit for {limit_id}.")
