"""What a boot needs of what there is: a flavor, a key of the user, the project's default group; by one statement."""

import dataclasses
from typing import cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from nova_lite.core.context import RequestContext
from nova_lite.core.instance import Flavor
from nova_lite.db import flavors
from nova_lite.db.key_pairs import TABLE as KEYS
from nova_lite.db.security_groups import DEFAULT, SecurityGroupRow

_GROUPS = cast(sa.Table, SecurityGroupRow.__table__)

_KEY = sa.select(KEYS.c.public_key).where(
    KEYS.c.user_id == sa.bindparam("user"), KEYS.c.name == sa.bindparam("key")
)
_GROUP = sa.select(_GROUPS.c.id).where(
    _GROUPS.c.project_id == sa.bindparam("project"), _GROUPS.c.name == DEFAULT
)
_BESIDE = (_KEY.scalar_subquery().label("public_key"), _GROUP.scalar_subquery().label("default_group"))
"""Built once: putting them together takes longer than asking them."""


@dataclasses.dataclass(frozen=True, slots=True)
class BootParts:
    """What was found; None for a key or a group that there is not."""

    flavor: Flavor
    public_key: str | None
    default_group: str | None


def find(session: Session, context: RequestContext, flavor_id: str, key_name: str) -> BootParts | None:
    """Return what a caller's boot needs; None where there is no such flavor that it may use."""
    query = flavors.visible(context.scope()).where(flavors.TABLE.c.id == flavor_id).add_columns(*_BESIDE)
    names = {"user": context.user_id, "key": key_name, "project": context.project_id}
    row = session.execute(query, names).one_or_none()
    return None if row is None else BootParts(flavors.to_value(row), row.public_key, row.default_group)
