"""What servers there were in a period, deleted ones too: one statement for any number of them."""

import datetime
from typing import cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from nova_lite.core.usage import ServerUsage
from nova_lite.db.instance_rows import InstanceRow

_TABLE = cast(sa.Table, InstanceRow.__table__)


def between(
    session: Session, begin: datetime.datetime, end: datetime.datetime, project_id: str | None = None
) -> list[ServerUsage]:
    """Return the servers of a project, or of all, that were there between two moments, by project and age."""
    there = sa.or_(_TABLE.c.terminated_at.is_(None), _TABLE.c.terminated_at > begin)
    query = sa.select(_TABLE).where(_TABLE.c.launched_at < end, there)
    if project_id is not None:
        query = query.where(_TABLE.c.project_id == project_id)
    rows = session.execute(query.order_by(_TABLE.c.project_id, _TABLE.c.id))
    return [
        ServerUsage(
            uuid=row.uuid,
            name=row.display_name,
            project_id=row.project_id,
            flavor=row.flavor["name"],
            state="terminated" if row.terminated_at else row.vm_state,
            vcpus=row.vcpus,
            memory_mb=row.memory_mb,
            local_gb=row.local_gb,
            started_at=row.launched_at,
            ended_at=row.terminated_at,
            begin=begin,
            end=end,
        )
        for row in rows
    ]
