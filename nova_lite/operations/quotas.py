"""Quotas: limits and what is used of them; those that identity keeps are others (``core/limits.py``)."""

import dataclasses
from collections.abc import Mapping

from sqlalchemy.orm import Session

from nova_lite.core.context import RequestContext
from nova_lite.core.errors import InvalidInput
from nova_lite.core.quota import Limits
from nova_lite.db import floating_ips, quotas, security_groups, server_groups
from nova_lite.db.engine import Database


@dataclasses.dataclass(frozen=True, slots=True)
class Quota:
    """One resource's limit, what is used of it and what is on its way."""

    limit: int
    in_use: int
    reserved: int = 0


class Quotas:
    """The operations on quotas; ``limits`` are the defaults that the flags set."""

    def __init__(self, database: Database, limits: Limits) -> None:
        self._database = database
        self._limits = limits

    def get(self, context: RequestContext, project_id: str) -> dict[str, Quota]:
        """Return every limit of a project with what is used of it."""

        def work(session: Session) -> dict[str, Quota]:
            limits = quotas.effective(session, project_id, self._limits)
            usage = dataclasses.asdict(quotas.usage_of(session, project_id))
            usage["security_groups"] = security_groups.count(session, project_id)
            usage["floating_ips"] = floating_ips.count(session, project_id)
            usage["server_groups"] = server_groups.count(session, project_id)
            return {name: Quota(limit, usage.get(name, 0)) for name, limit in limits.values.items()}

        return self._database.read("quota.get", work)

    def defaults(self, context: RequestContext) -> Mapping[str, int]:
        """Return the limits of a project that has none of its own."""
        return self._database.read("quota.defaults", lambda session: self._defaults(session).values)

    def update(
        self, context: RequestContext, project_id: str, limits: Mapping[str, int], *, force: bool = False
    ) -> Mapping[str, int]:
        """Set limits of a project and return all; raises InvalidInput below what is used, unless forced."""
        self._check(limits)

        def work(session: Session) -> Mapping[str, int]:
            usage = dataclasses.asdict(quotas.usage_of(session, project_id))
            for name, limit in limits.items():
                if not force and 0 <= limit < usage.get(name, 0):
                    raise InvalidInput(
                        f"Quota limit {limit} for {name} must be greater than or equal to "
                        f"already used and reserved {usage[name]}."
                    )
            quotas.set_limits(session, project_id, limits)
            return quotas.effective(session, project_id, self._limits).values

        return self._database.run("quota.update", work)

    def update_defaults(self, context: RequestContext, limits: Mapping[str, int]) -> Mapping[str, int]:
        """Set limits of the default class and return all; raises InvalidInput."""
        self._check(limits)

        def work(session: Session) -> Mapping[str, int]:
            quotas.set_limits(session, quotas.DEFAULT_CLASS, limits)
            return self._defaults(session).values

        return self._database.run("quota.update_defaults", work)

    def delete(self, context: RequestContext, project_id: str) -> None:
        """Let the defaults hold for a project."""
        self._database.run("quota.delete", lambda session: quotas.clear_limits(session, project_id))

    def _defaults(self, session: Session) -> Limits:
        return self._limits.replaced(quotas.limits_of(session, quotas.DEFAULT_CLASS))

    def _check(self, limits: Mapping[str, int]) -> None:
        for name, limit in limits.items():
            if name not in self._limits.values:
                raise InvalidInput(f"There is no quota for {name}.")
            if limit < -1:
                raise InvalidInput(f"Quota limit {limit} for {name} must be -1 or greater.")
