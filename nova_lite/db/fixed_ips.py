"""Fixed addresses as operators look at them: whose each is, and whether guests may get it."""

from typing import cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from nova_lite.core import clock
from nova_lite.core.network import FixedIp
from nova_lite.db.instance_rows import InstanceRow
from nova_lite.db.networks import FIXED_IPS, TABLE

_INSTANCES = cast(sa.Table, InstanceRow.__table__)


def listing(session: Session, address: str | None = None, host: str | None = None) -> list[FixedIp]:
    """Return addresses in the order in which they were made: all, one, or those of instances on a host."""
    query = (
        sa.select(
            FIXED_IPS.c.address,
            TABLE.c.cidr,
            TABLE.c.cidr_v6,
            TABLE.c.gateway,
            FIXED_IPS.c.reserved,
            FIXED_IPS.c.leased,
            FIXED_IPS.c.instance_uuid,
            FIXED_IPS.c.vif_id,
            _INSTANCES.c.hostname,
            _INSTANCES.c.host,
        )
        .join(TABLE, TABLE.c.id == FIXED_IPS.c.network_id)
        .outerjoin(_INSTANCES, _INSTANCES.c.uuid == FIXED_IPS.c.instance_uuid)
        .order_by(FIXED_IPS.c.id)
    )
    if address is not None:
        query = query.where(FIXED_IPS.c.address == address)
    if host is not None:
        query = query.where(_INSTANCES.c.host == host)
    return [
        FixedIp(
            address=row.address,
            cidr=row.cidr or row.cidr_v6,
            gateway=row.gateway,
            reserved=row.reserved,
            leased=row.leased,
            # A port that no server has holds its address by itself.
            instance_uuid="" if row.instance_uuid in (None, row.vif_id) else row.instance_uuid,
            hostname=row.hostname or "",
            host=row.host or "",
        )
        for row in session.execute(query)
    ]


def set_reserved(session: Session, address: str, reserved: bool) -> None:
    """Keep an address from guests, or let them have it; who holds it now keeps it."""
    session.execute(
        sa.update(FIXED_IPS)
        .where(FIXED_IPS.c.address == address)
        .values(reserved=reserved, updated_at=clock.now())
    )
