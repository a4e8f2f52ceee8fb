"""Routers: names for the way that every network has to the world anyway."""

import datetime
from collections.abc import Mapping
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from nova_lite.core import clock
from nova_lite.core.network import Router
from nova_lite.db.base import MYSQL, UUID, Base, counted


class RouterRow(Base):
    """One router; ``pool`` is that of its gateway's addresses."""

    __tablename__ = "routers"
    __table_args__ = MYSQL

    id: Mapped[str] = mapped_column(UUID, primary_key=True)
    name: Mapped[str]
    project_id: Mapped[str] = mapped_column(sa.String(64), index=True)
    admin_state_up: Mapped[bool] = mapped_column(default=True)
    pool: Mapped[str] = mapped_column(default="")
    revision: Mapped[int] = counted()
    created_at: Mapped[datetime.datetime]
    updated_at: Mapped[datetime.datetime]


class RouterNetworkRow(Base):
    """A network that a router leads to."""

    __tablename__ = "router_networks"
    __table_args__ = MYSQL

    router_id: Mapped[str] = mapped_column(UUID, primary_key=True)
    network_uuid: Mapped[str] = mapped_column(UUID, primary_key=True)


_TABLE = cast(sa.Table, RouterRow.__table__)
_NETWORKS = cast(sa.Table, RouterNetworkRow.__table__)


def insert(session: Session, router: Router) -> None:
    """Add a router that leads to no network yet."""
    values = {column.name: getattr(router, column.name) for column in _TABLE.c}
    session.execute(sa.insert(_TABLE).values(**values))


def get(session: Session, router_id: str, scope: str | None) -> Router | None:
    """Return a router of a project, of any when ``scope`` is None."""
    return next(iter(_values(session, _scoped(scope).where(_TABLE.c.id == router_id))), None)


def listing(session: Session, scope: str | None) -> list[Router]:
    """Return the routers of a project, of all when ``scope`` is None."""
    return _values(session, _scoped(scope).order_by(_TABLE.c.created_at, _TABLE.c.id))


def update(session: Session, router_id: str, changes: Mapping[str, Any]) -> None:
    """Change a router."""
    session.execute(
        sa.update(_TABLE).where(_TABLE.c.id == router_id).values(updated_at=clock.now(), **changes)
    )


def delete(session: Session, router_id: str) -> None:
    """Remove a router that leads to no network."""
    session.execute(sa.delete(_TABLE).where(_TABLE.c.id == router_id))


def add_network(session: Session, router_id: str, network_uuid: str) -> None:
    """Let a router lead to one more network."""
    session.execute(sa.insert(_NETWORKS).values(router_id=router_id, network_uuid=network_uuid))
    update(session, router_id, {})


def remove_network(session: Session, router_id: str, network_uuid: str) -> None:
    """Let a router lead to a network no more."""
    session.execute(
        sa.delete(_NETWORKS).where(_NETWORKS.c.router_id == router_id, _NETWORKS.c.network_uuid == network_uuid)
    )
    update(session, router_id, {})


def forget_network(session: Session, network_uuid: str) -> None:
    """Let no router lead to a network that goes."""
    session.execute(sa.delete(_NETWORKS).where(_NETWORKS.c.network_uuid == network_uuid))


def _scoped(scope: str | None) -> sa.Select[Any]:
    query = sa.select(_TABLE)
    return query if scope is None else query.where(_TABLE.c.project_id == scope)


def _values(session: Session, query: sa.Select[Any]) -> list[Router]:
    rows = [row._asdict() for row in session.execute(query)]
    leads = sa.select(_NETWORKS).where(_NETWORKS.c.router_id.in_([row["id"] for row in rows]))
    found: dict[str, list[str]] = {}
    for router_id, network_uuid in session.execute(leads.order_by(_NETWORKS.c.network_uuid)):
        found.setdefault(router_id, []).append(network_uuid)
    return [Router(**row, network_uuids=tuple(found.get(row["id"], ()))) for row in rows]
