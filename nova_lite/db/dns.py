"""Domains that operators let be used, and the names in them: what name servers are to tell.

A domain that is removed stays, empty and marked, until the name server has forgotten it.
"""

import datetime
from collections.abc import Sequence
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from nova_lite.core import clock
from nova_lite.core.dns import DnsDomain, DnsEntry, DnsScope, label_of
from nova_lite.core.errors import Conflict
from nova_lite.db.base import MYSQL, Base
from nova_lite.db.instance_rows import InstanceRow
from nova_lite.db.networks import FIXED_IPS


class DnsDomainRow(Base):
    """One domain."""

    __tablename__ = "dns_domains"
    __table_args__ = (MYSQL,)

    domain: Mapped[str] = mapped_column(sa.String(253), primary_key=True)
    scope: Mapped[str] = mapped_column(sa.String(16))
    availability_zone: Mapped[str] = mapped_column(default="")
    project_id: Mapped[str] = mapped_column(sa.String(64), default="")
    deleted: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime.datetime]


class DnsEntryRow(Base):
    """One name."""

    __tablename__ = "dns_entries"
    __table_args__ = (MYSQL,)

    domain: Mapped[str] = mapped_column(sa.String(253), primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(253), primary_key=True)
    address: Mapped[str] = mapped_column(sa.String(39), index=True)
    updated_at: Mapped[datetime.datetime]


_DOMAINS = cast(sa.Table, DnsDomainRow.__table__)
_ENTRIES = cast(sa.Table, DnsEntryRow.__table__)
_INSTANCES = cast(sa.Table, InstanceRow.__table__)


def domains(session: Session, *, deleted: bool = False) -> list[DnsDomain]:
    """Return the domains, or those that name servers are to forget."""
    query = sa.select(_DOMAINS).where(_DOMAINS.c.deleted == deleted).order_by(_DOMAINS.c.domain)
    return [
        DnsDomain(row.domain, DnsScope(row.scope), row.availability_zone, row.project_id)
        for row in session.execute(query)
    ]


def insert_domain(session: Session, domain: DnsDomain) -> None:
    """Add a domain, or take up again one that name servers were to forget; raises Conflict for one that is there."""
    values = {
        "domain": domain.name,
        "scope": domain.scope.value,
        "availability_zone": domain.availability_zone,
        "project_id": domain.project_id,
        "deleted": False,
        "created_at": clock.now(),
    }
    marked = (_DOMAINS.c.domain == domain.name, _DOMAINS.c.deleted == sa.true())
    taken_up = session.execute(sa.update(_DOMAINS).where(*marked).values(values))
    if taken_up.rowcount:  # type: ignore[attr-defined]
        return
    try:
        with session.begin_nested():
            session.execute(sa.insert(_DOMAINS).values(values))
    except sa.exc.IntegrityError as error:
        raise Conflict(f"Domain {domain.name} already exists.") from error


def delete_domain(session: Session, name: str) -> bool:
    """Mark a domain as one to forget, and remove its names; False when there is none."""
    marked = session.execute(
        sa.update(_DOMAINS)
        .where(_DOMAINS.c.domain == name, _DOMAINS.c.deleted == sa.false())
        .values(deleted=True)
    )
    session.execute(sa.delete(_ENTRIES).where(_ENTRIES.c.domain == name))
    return bool(marked.rowcount)  # type: ignore[attr-defined]


def forget_domain(session: Session, name: str) -> None:
    """Remove a domain that was marked."""
    session.execute(sa.delete(_DOMAINS).where(_DOMAINS.c.domain == name, _DOMAINS.c.deleted == sa.true()))


def entries(session: Session, domain: str, *, name: str = "", address: str = "") -> list[DnsEntry]:
    """Return the names in a domain, or those of a name or an address."""
    query = sa.select(_ENTRIES).where(_ENTRIES.c.domain == domain).order_by(_ENTRIES.c.name)
    if name:
        query = query.where(_ENTRIES.c.name == name)
    if address:
        query = query.where(_ENTRIES.c.address == address)
    return [DnsEntry(row.domain, row.name, row.address) for row in session.execute(query)]


def every_entry(session: Session) -> list[DnsEntry]:
    """Return all names in all domains."""
    return [DnsEntry(row.domain, row.name, row.address) for row in session.execute(sa.select(_ENTRIES))]


def set_entry(session: Session, entry: DnsEntry) -> None:
    """Give a name an address, whether it had another or none; raises Conflict when the same is done by others."""
    key = (_ENTRIES.c.domain == entry.domain, _ENTRIES.c.name == entry.name)
    values = {"address": entry.address, "updated_at": clock.now()}
    changed = session.execute(sa.update(_ENTRIES).where(*key).values(values))
    if changed.rowcount:  # type: ignore[attr-defined]
        return
    try:
        with session.begin_nested():
            session.execute(sa.insert(_ENTRIES).values(domain=entry.domain, name=entry.name, **values))
    except sa.exc.IntegrityError as error:
        raise Conflict(f"The name {entry.name} in {entry.domain} was made meanwhile.") from error


def delete_entry(session: Session, domain: str, name: str) -> bool:
    """Remove a name; False when there is none."""
    gone = session.execute(sa.delete(_ENTRIES).where(_ENTRIES.c.domain == domain, _ENTRIES.c.name == name))
    return bool(gone.rowcount)  # type: ignore[attr-defined]


def forget_address(session: Session, address: str) -> None:
    """Remove the names of an address that goes back to its pool."""
    session.execute(sa.delete(_ENTRIES).where(_ENTRIES.c.address == address))


def names_of_instances(session: Session, availability_zone: str = "") -> dict[str, str]:
    """Return the addresses of instances, of one zone or of all, by their uuid and by what their users call them.

    Of several that are called the same the oldest has the name.
    """
    first = (
        sa.select(FIXED_IPS.c.instance_uuid, sa.func.min(FIXED_IPS.c.id).label("id"))
        # The names lead to IPv4 addresses.
        .where(FIXED_IPS.c.instance_uuid.is_not(None), FIXED_IPS.c.address.not_like("%:%"))
        .group_by(FIXED_IPS.c.instance_uuid)
        .subquery()
    )
    query: sa.Select[Any] = (
        sa.select(_INSTANCES.c.uuid, _INSTANCES.c.display_name, FIXED_IPS.c.address)
        .join(first, first.c.instance_uuid == _INSTANCES.c.uuid)
        .join(FIXED_IPS, FIXED_IPS.c.id == first.c.id)
        .where(_INSTANCES.c.deleted == sa.false())
        .order_by(_INSTANCES.c.id)
    )
    if availability_zone:
        query = query.where(_INSTANCES.c.availability_zone == availability_zone)
    rows: Sequence[Any] = session.execute(query).all()
    found = {row.uuid: row.address for row in rows}
    for row in rows:
        label = label_of(row.display_name)
        if label:
            found.setdefault(label, row.address)
    return found
