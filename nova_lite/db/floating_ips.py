"""Floating addresses: each is claimed by one conditional UPDATE, and leads to the interface that its row names."""

import random
from collections.abc import Collection, Sequence
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from nova_lite.core import clock, ids
from nova_lite.core.errors import Conflict, NotFound
from nova_lite.core.network import FloatingIp, FloatingPool
from nova_lite.db.instance_rows import InstanceRow
from nova_lite.db.networks import FIXED_IPS
from nova_lite.db.networks import FLOATING_IPS as _TABLE
from nova_lite.db.networks import TABLE as _NETWORKS
from nova_lite.db.virtual_interfaces import HOLDS, INTERFACES

_INSTANCES = cast(sa.Table, InstanceRow.__table__)

_SPREAD = 16
"""How many free addresses are looked at, so that two callers seldom try the same one."""
_ATTEMPTS = 20

_FREED = {"project_id": "", "vif_id": None, "assigned_to": None, "auto_assigned": False}
"""What is so of an address that nobody has."""


def insert(session: Session, addresses: Sequence[str], pool: str, interface: str) -> None:
    """Add addresses to a pool; raises Conflict when one of them is there."""
    known = sa.select(_TABLE.c.address).where(_TABLE.c.address.in_(addresses)).limit(1)
    taken = session.execute(known).scalar_one_or_none()
    if taken is not None:
        raise Conflict(f"Floating IP {taken} already exists.")
    now = clock.now()
    rows = [
        {
            "id": ids.new_uuid(),
            "address": address,
            "pool": pool,
            "interface": interface,
            "project_id": "",
            "auto_assigned": False,
            "created_at": now,
            "updated_at": now,
        }
        for address in addresses
    ]
    try:
        session.execute(sa.insert(_TABLE), rows)
    except sa.exc.IntegrityError as error:
        raise Conflict(f"A floating IP of {addresses[0]} to {addresses[-1]} already exists.") from error


def remove(session: Session, addresses: Sequence[str]) -> int:
    """Remove addresses that nobody has; returns how many. Raises Conflict when somebody has one of them."""
    held = sa.select(_TABLE.c.address).where(_TABLE.c.address.in_(addresses), _TABLE.c.project_id != "")
    taken = session.execute(held.limit(1)).scalar_one_or_none()
    if taken is not None:
        raise Conflict(f"Floating IP {taken} is in use.")
    gone = session.execute(
        sa.delete(_TABLE).where(_TABLE.c.address.in_(addresses), _TABLE.c.project_id == "")
    )
    return int(gone.rowcount)  # type: ignore[attr-defined]


def pools(session: Session) -> list[FloatingPool]:
    """Return the pools that have addresses."""
    used = sa.func.sum(sa.case((_TABLE.c.project_id != "", 1), else_=0))
    query = sa.select(_TABLE.c.pool, sa.func.count(), used).group_by(_TABLE.c.pool).order_by(_TABLE.c.pool)
    return [FloatingPool(name, total, int(taken)) for name, total, taken in session.execute(query)]


def listing(session: Session, scope: str | None, *, held: bool = True) -> list[FloatingIp]:
    """Return the addresses of a project, of all when ``scope`` is None; with those that nobody has unless ``held``."""
    query = _query().order_by(_TABLE.c.created_at, _TABLE.c.address)
    if held:
        query = query.where(_TABLE.c.project_id != "")
    if scope is not None:
        query = query.where(_TABLE.c.project_id == scope)
    return [_to_value(row) for row in session.execute(query)]


def get(session: Session, id_or_address: str, scope: str | None) -> FloatingIp | None:
    """Return an address that a project has, by its id or as it is written; None for none."""
    query = _query().where(sa.or_(_TABLE.c.id == id_or_address, _TABLE.c.address == id_or_address))
    query = query.where(_TABLE.c.project_id != "")
    if scope is not None:
        query = query.where(_TABLE.c.project_id == scope)
    row = session.execute(query).one_or_none()
    return None if row is None else _to_value(row)


def count(session: Session, project_id: str) -> int:
    """Return how many addresses a project has, those left out that came by themselves."""
    query = sa.select(sa.func.count()).where(_TABLE.c.project_id == project_id, _TABLE.c.auto_assigned.is_(False))
    return int(session.execute(query).scalar_one())


def assign(session: Session, pool: str, project_id: str, vif_id: str) -> bool:
    """Give an interface an address of its own, which goes with it; False when it has been given one.

    Raises NotFound when there is none.
    """
    try:
        with session.begin_nested():
            allocate(session, pool, project_id, vif_id=vif_id)
    except sa.exc.IntegrityError:
        return False
    return True


def allocate(
    session: Session, pool: str, project_id: str, *, address: str = "", vif_id: str = ""
) -> FloatingIp:
    """Give a free address of a pool, or a certain one, to a project; raises NotFound when there is none.

    With ``vif_id`` it is that interface's own, which has one at most: another breaks a constraint.
    """
    own = {"vif_id": vif_id or None, "assigned_to": vif_id or None, "auto_assigned": bool(vif_id)}
    for _ in range(_ATTEMPTS):
        query = sa.select(_TABLE.c.id).where(_TABLE.c.pool == pool, _TABLE.c.project_id == "")
        if address:
            query = query.where(_TABLE.c.address == address)
        free = session.execute(query.limit(_SPREAD)).scalars().all()
        if not free:
            break
        chosen = random.choice(free)
        taken = session.execute(
            sa.update(_TABLE)
            .where(_TABLE.c.id == chosen, _TABLE.c.project_id == "")
            .values(project_id=project_id, updated_at=clock.now(), **own)
        )
        if taken.rowcount:  # type: ignore[attr-defined]
            found = get(session, chosen, project_id)
            assert found is not None
            return found
    if address:
        raise NotFound(f"Floating IP {address} is not free in pool {pool}.")
    raise NotFound(f"No more floating IPs in pool {pool}.")


def release(session: Session, floating_id: str, project_id: str) -> bool:
    """Take an address from a project; False when that does not have it."""
    freed = session.execute(
        sa.update(_TABLE)
        .where(_TABLE.c.id == floating_id, _TABLE.c.project_id == project_id)
        .values(updated_at=clock.now(), **_FREED)
    )
    return bool(freed.rowcount)  # type: ignore[attr-defined]


def point(session: Session, floating_id: str, project_id: str, vif_id: str | None) -> bool:
    """Let an address lead to an interface, or nowhere; False when the project does not have it."""
    pointed = session.execute(
        sa.update(_TABLE)
        .where(_TABLE.c.id == floating_id, _TABLE.c.project_id == project_id)
        .values(vif_id=vif_id, updated_at=clock.now())
    )
    return bool(pointed.rowcount)  # type: ignore[attr-defined]


def leading_to(
    session: Session, network_ids: Sequence[int], host: str = "", only: Collection[str] | None = None
) -> list[FloatingIp]:
    """Return the addresses that lead to guests of networks; of multi_host ones those on ``host`` only.

    With ``only`` those that lead to these instances.
    """
    query = _query().where(INTERFACES.c.network_id.in_(network_ids), _TABLE.c.project_id != "")
    if only is not None:
        query = query.where(INTERFACES.c.instance_uuid.in_(only))
    if host:
        query = query.join(_NETWORKS, _NETWORKS.c.id == INTERFACES.c.network_id)
        query = query.outerjoin(_INSTANCES, _INSTANCES.c.uuid == INTERFACES.c.instance_uuid)
        query = query.where(sa.or_(_NETWORKS.c.multi_host == sa.false(), _INSTANCES.c.host == host))
    return [_to_value(row) for row in session.execute(query.order_by(_TABLE.c.address))]


def release_automatic(session: Session) -> int:
    """Take back the addresses that came by themselves and lead nowhere any more; returns how many."""
    alive = sa.select(INTERFACES.c.id)
    freed = session.execute(
        sa.update(_TABLE)
        .where(
            _TABLE.c.auto_assigned.is_(True), sa.or_(_TABLE.c.vif_id.is_(None), _TABLE.c.vif_id.not_in(alive))
        )
        .values(updated_at=clock.now(), **_FREED)
    )
    return int(freed.rowcount)  # type: ignore[attr-defined]


def _query() -> sa.Select[Any]:
    return (
        sa.select(
            *(column for column in _TABLE.c if column.name not in ("vif_id", "assigned_to")),
            sa.func.coalesce(INTERFACES.c.id, "").label("vif_id"),
            sa.func.coalesce(FIXED_IPS.c.address, "").label("fixed_address"),
            sa.func.coalesce(INTERFACES.c.instance_uuid, "").label("instance_uuid"),
            sa.func.coalesce(INTERFACES.c.network_id, 0).label("network_id"),
        )
        .outerjoin(INTERFACES, INTERFACES.c.id == _TABLE.c.vif_id)
        .outerjoin(FIXED_IPS, HOLDS)
    )


def _to_value(row: sa.Row[Any]) -> FloatingIp:
    return FloatingIp(**row._asdict())
