"""The operator's own services, endpoints and regions."""

import dataclasses
from collections.abc import Mapping
from typing import Any, TypeVar, cast

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from nova_lite.core.catalog_entries import EndpointEntry, Entries, RegionEntry, ServiceEntry
from nova_lite.db import identity
from nova_lite.db.base import LONG_TEXT, MYSQL, Base, JsonText


class ServiceEntryRow(Base):
    """One service."""

    __tablename__ = "catalog_services"
    __table_args__ = MYSQL

    id: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    type: Mapped[str]
    name: Mapped[str]
    description: Mapped[str] = mapped_column(LONG_TEXT)
    enabled: Mapped[bool]
    extra: Mapped[Any] = mapped_column(JsonText)


class RegionEntryRow(Base):
    """One region."""

    __tablename__ = "catalog_regions"
    __table_args__ = MYSQL

    id: Mapped[str] = mapped_column(primary_key=True)
    description: Mapped[str] = mapped_column(LONG_TEXT)
    parent_region_id: Mapped[str]
    extra: Mapped[Any] = mapped_column(JsonText)


class EndpointEntryRow(Base):
    """One endpoint."""

    __tablename__ = "catalog_endpoints"
    __table_args__ = MYSQL

    id: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    service_id: Mapped[str] = mapped_column(sa.String(64), index=True)
    interface: Mapped[str] = mapped_column(sa.String(16))
    url: Mapped[str] = mapped_column(LONG_TEXT)
    region_id: Mapped[str]
    enabled: Mapped[bool]
    extra: Mapped[Any] = mapped_column(JsonText)


Entry = TypeVar("Entry", ServiceEntry, EndpointEntry, RegionEntry)

_TABLES: Mapping[type, sa.Table] = {
    ServiceEntry: cast(sa.Table, ServiceEntryRow.__table__),
    EndpointEntry: cast(sa.Table, EndpointEntryRow.__table__),
    RegionEntry: cast(sa.Table, RegionEntryRow.__table__),
}
_ENDPOINTS = _TABLES[EndpointEntry]


def every(session: Session) -> Entries:
    """Return everything that was added."""
    return Entries(
        tuple(_listing(session, ServiceEntry)),
        tuple(_listing(session, EndpointEntry)),
        tuple(_listing(session, RegionEntry)),
    )


def insert(session: Session, entry: Entry) -> None:
    """Add an entry; raises Conflict when there is one with its id."""
    values = dataclasses.asdict(entry) | {"extra": dict(entry.extra)}
    identity.insert_named(session, _TABLES[type(entry)], values, f"There is already an entry {entry.id}.")


def replace(session: Session, entry: Entry) -> None:
    """Write an entry anew."""
    table = _TABLES[type(entry)]
    values = dataclasses.asdict(entry) | {"extra": dict(entry.extra)}
    session.execute(sa.update(table).where(table.c.id == entry.id).values(**values))


def delete(session: Session, entry: Entry) -> None:
    """Remove an entry, a service with its endpoints."""
    if isinstance(entry, ServiceEntry):
        session.execute(sa.delete(_ENDPOINTS).where(_ENDPOINTS.c.service_id == entry.id))
    identity.delete_by_id(session, _TABLES[type(entry)], entry.id)


def _listing(session: Session, kind: type[Entry]) -> list[Entry]:
    table = _TABLES[kind]
    return [kind(**row) for row in session.execute(sa.select(table).order_by(table.c.id)).mappings()]
