"""Which hosts serve which networks: one of them, or each compute host its own guests (multi_host)."""

from collections.abc import Collection, Sequence
from typing import cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from nova_lite.core import clock
from nova_lite.core.errors import Conflict, NoAddress
from nova_lite.core.network import Network
from nova_lite.db import networks, server_migrations
from nova_lite.db.instance_rows import InstanceRow
from nova_lite.db.networks import FIXED_IPS, TABLE
from nova_lite.db.virtual_interfaces import INTERFACES

_INSTANCES = cast(sa.Table, InstanceRow.__table__)

_ATTEMPTS = 20


def served_by(session: Session, host: str) -> list[Network]:
    """Return the networks that a host serves: those whose only host it is, and multi_host ones of its guests."""
    found = networks.on_host(session, host)
    query = (
        sa.select(TABLE)
        .where(TABLE.c.multi_host == sa.true(), networks.HAS_SUBNET, TABLE.c.id.in_(_networks_of_guests(host)))
        .order_by(TABLE.c.id)
    )
    return found + [networks.to_value(row) for row in session.execute(query)]


def gateway(session: Session, network: Network, host: str, *, claim: bool = True) -> str:
    """Return the address by which a host is the gateway of a multi_host network, claimed where it has none.

    Raises NoAddress, and Conflict when others took what was tried: then the transaction is to be run again.
    """
    mine = sa.select(FIXED_IPS.c.address).where(
        FIXED_IPS.c.network_id == network.id, FIXED_IPS.c.host == host
    )
    free = sa.and_(
        FIXED_IPS.c.network_id == network.id,
        FIXED_IPS.c.instance_uuid.is_(None),
        FIXED_IPS.c.reserved == sa.false(),
    )
    for _ in range(_ATTEMPTS):
        had = session.execute(mine).scalar_one_or_none()
        if had is not None:
            return str(had)
        if not claim:
            break
        # The last ones, so that it seldom meets the claims of guests, and the gateways stand together.
        query = sa.select(FIXED_IPS.c.id).where(free).order_by(FIXED_IPS.c.leased, FIXED_IPS.c.id.desc())
        chosen = session.execute(query.limit(1)).scalar_one_or_none()
        if chosen is None:
            break
        taking = sa.update(FIXED_IPS).where(FIXED_IPS.c.id == chosen, free)
        try:
            session.execute(taking.values(host=host, reserved=True, updated_at=clock.now()))
        except sa.exc.IntegrityError as error:
            raise Conflict(f"The host {host} got its address meanwhile.") from error
    else:
        raise Conflict("Too many others took addresses at the same time.")
    raise NoAddress(f"No address of network {network.label} is left for the gateway on {host}.")


def forget_gateways(session: Session, network: Network, host: str = "") -> None:
    """Give the gateway's addresses of a multi_host network back, of all hosts unless one is named."""
    change = sa.update(FIXED_IPS).where(FIXED_IPS.c.network_id == network.id, FIXED_IPS.c.host.is_not(None))
    if host:
        change = change.where(FIXED_IPS.c.host == host)
    session.execute(change.values(host=None, reserved=False, updated_at=clock.now()))


def hosts_of(session: Session, network_ids: Sequence[int]) -> dict[str, list[int]]:
    """Return the networks that each host serves of these; those of no host yet under an empty name."""
    query = sa.select(TABLE.c.host, TABLE.c.id).where(TABLE.c.id.in_(network_ids))
    single = query.where(TABLE.c.multi_host == sa.false())
    gateways = sa.select(FIXED_IPS.c.host, FIXED_IPS.c.network_id).where(
        FIXED_IPS.c.network_id.in_(network_ids), FIXED_IPS.c.host.is_not(None)
    )
    guests = (
        sa.select(_INSTANCES.c.host, INTERFACES.c.network_id)
        .join(INTERFACES, INTERFACES.c.instance_uuid == _INSTANCES.c.uuid)
        .join(TABLE, TABLE.c.id == INTERFACES.c.network_id)
        .where(
            TABLE.c.id.in_(network_ids), TABLE.c.multi_host == sa.true(), _INSTANCES.c.host.is_not(None)
        )
    )
    return _by_host(session, sa.union(single, gateways, guests))


def hosts_of_instances(session: Session, instance_uuids: Sequence[str]) -> dict[str, list[int]]:
    """Return the networks that each host serves for instances; those of no host yet under an empty name."""
    host = sa.case(
        (TABLE.c.multi_host == sa.true(), sa.func.coalesce(_INSTANCES.c.host, "")), else_=TABLE.c.host
    )
    query = (
        sa.select(host, TABLE.c.id)
        .join(INTERFACES, INTERFACES.c.network_id == TABLE.c.id)
        .outerjoin(_INSTANCES, _INSTANCES.c.uuid == INTERFACES.c.instance_uuid)
        .where(INTERFACES.c.instance_uuid.in_(instance_uuids))
        .distinct()
    )
    return _by_host(session, query)


def needed_by_guests(session: Session, host: str, leaving: Collection[str] = ()) -> list[Network]:
    """Return the networks in which the guests of a host are, without those that leave.

    Those whose migration to or from the host is not over count, too.
    """
    others = _INSTANCES.c.uuid.not_in(leaving)
    moving = _networks_of_instances().where(
        _INSTANCES.c.uuid.in_(server_migrations.instances_moving(host)), others
    )
    guests = _networks_of_guests(host).where(others)
    query = sa.select(TABLE).where(sa.or_(TABLE.c.id.in_(guests), TABLE.c.id.in_(moving)))
    return [networks.to_value(row) for row in session.execute(query.order_by(TABLE.c.id))]


def _networks_of_guests(host: str) -> sa.Select[tuple[int]]:
    return _networks_of_instances().where(_INSTANCES.c.host == host)


def _networks_of_instances() -> sa.Select[tuple[int]]:
    return (
        sa.select(INTERFACES.c.network_id)
        .join(_INSTANCES, _INSTANCES.c.uuid == INTERFACES.c.instance_uuid)
        .where(_INSTANCES.c.deleted == sa.false())
    )


def _by_host(session: Session, query: sa.Executable) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for host, network_id in session.execute(query):
        found.setdefault(host or "", []).append(network_id)
    return {host: sorted(ids) for host, ids in found.items()}
