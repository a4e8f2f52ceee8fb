"""Limits of resources: what every project may have of something, and what single ones may instead.

Identity keeps them for services that ask; what a service does with them is its own matter. Compute asks for none:
its quotas are changed by os-quota-sets and os-quota-class-sets, which the clients of today call, and shown there
and in the limits of a project, as Nova does it by default (``quota.driver = nova.quota.DbQuotaDriver``). Would it
heed registered limits as well, each number had two places where it could be changed, and either could be wrong.
"""

import dataclasses

from nova_lite.core.context import RequestContext
from nova_lite.core.identity import ADMIN, READER, SERVICE

MODEL = "flat"
MODEL_DESCRIPTION = "Limit enforcement and validation does not take project hierarchy into consideration."


@dataclasses.dataclass(frozen=True, slots=True)
class RegisteredLimit:
    """How many of a service's resource a project may have where nothing else is said; -1 is no limit.

    Without ``region_id`` it is for no region in particular.
    """

    id: str
    service_id: str
    resource_name: str
    default_limit: int
    region_id: str = ""
    description: str | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Limit:
    """How many of a service's resource one project, or else one domain, may have."""

    id: str
    service_id: str
    resource_name: str
    resource_limit: int
    region_id: str = ""
    project_id: str = ""
    domain_id: str = ""
    description: str | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class LimitFilter:
    """Which limits to list; None means any. ``project_id`` and ``domain_id`` are for those of single ones only."""

    service_id: str | None = None
    region_id: str | None = None
    resource_name: str | None = None
    project_id: str | None = None
    domain_id: str | None = None


def sees_every_limit(context: RequestContext) -> bool:
    """Tell whether the caller may look at the limits of all: an admin, a service, a reader of the system."""
    return (
        context.is_admin
        or not {ADMIN, SERVICE}.isdisjoint(context.roles)
        or (context.system_scope and READER in context.roles)
    )
