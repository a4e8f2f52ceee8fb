"""Networks: the table, and the addresses that are made and removed with a network."""

import dataclasses
import datetime
import ipaddress
import random
from collections.abc import Iterable, Sequence
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from nova_lite.core import clock
from nova_lite.core.errors import Conflict, NoAddress
from nova_lite.core.network import AddressCount, Network
from nova_lite.db.base import BIG_ID, MYSQL, UUID, Base, counted

_ROWS_AT_ONCE = 1000
_SPREAD = 16
"""How many free networks are looked at, so that two projects seldom try the same one."""


class NetworkRow(Base):
    """One network with its only subnet."""

    __tablename__ = "networks"
    __table_args__ = (sa.Index("ix_networks_project", "project_id"), MYSQL)

    id: Mapped[int] = mapped_column(primary_key=True)
    uuid: Mapped[str] = mapped_column(UUID, unique=True)
    label: Mapped[str]
    subnet_name: Mapped[str] = mapped_column(default="")
    cidr: Mapped[str] = mapped_column(sa.String(43), default="")
    gateway: Mapped[str] = mapped_column(sa.String(39), default="")
    dhcp_start: Mapped[str] = mapped_column(sa.String(39), default="")
    dhcp_end: Mapped[str] = mapped_column(sa.String(39), default="")
    dns1: Mapped[str] = mapped_column(sa.String(39), default="")
    dns2: Mapped[str] = mapped_column(sa.String(39), default="")
    bridge: Mapped[str] = mapped_column(sa.String(15))
    bridge_interface: Mapped[str] = mapped_column(sa.String(15), default="")
    vlan: Mapped[int | None] = mapped_column(unique=True)
    mtu: Mapped[int] = mapped_column(default=1500)
    multi_host: Mapped[bool] = mapped_column(default=False)
    host: Mapped[str] = mapped_column(default="")
    project_id: Mapped[str] = mapped_column(sa.String(64), default="")
    first_of: Mapped[str | None] = mapped_column(sa.String(64), unique=True)
    cidr_v6: Mapped[str] = mapped_column(sa.String(43), default="", server_default="")
    gateway_v6: Mapped[str] = mapped_column(sa.String(39), default="", server_default="")
    injected: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    vpn_public_address: Mapped[str] = mapped_column(sa.String(39), default="", server_default="")
    vpn_public_port: Mapped[int | None]
    vpn_private_address: Mapped[str] = mapped_column(sa.String(39), default="", server_default="")
    routed: Mapped[bool] = mapped_column(default=True, server_default=sa.true())
    ipv6_backend: Mapped[str] = mapped_column(sa.String(32), default="rfc2462", server_default="rfc2462")
    revision: Mapped[int] = counted()
    created_at: Mapped[datetime.datetime]
    updated_at: Mapped[datetime.datetime]


class FixedIpRow(Base):
    """One address of a network; free while no instance holds it.

    ``leased`` is what the DHCP server says: a free address may still be leased to the guest that is gone.
    ``host`` names the host that is its guests' gateway by this address; such a one is reserved.
    """

    __tablename__ = "fixed_ips"
    __table_args__ = (
        sa.Index("ix_fixed_ips_free", "network_id", "instance_uuid", "leased", "updated_at"),
        sa.Index("ix_fixed_ips_instance", "instance_uuid"),
        sa.UniqueConstraint("network_id", "host"),
        MYSQL,
    )

    id: Mapped[int] = mapped_column(BIG_ID, primary_key=True, autoincrement=True)
    network_id: Mapped[int] = mapped_column(sa.ForeignKey("networks.id"))
    address: Mapped[str] = mapped_column(sa.String(39), unique=True)
    reserved: Mapped[bool] = mapped_column(default=False)
    instance_uuid: Mapped[str | None] = mapped_column(UUID)
    vif_id: Mapped[str | None] = mapped_column(UUID)
    leased: Mapped[bool] = mapped_column(default=False)
    host: Mapped[str | None]
    updated_at: Mapped[datetime.datetime]


class FloatingIpRow(Base):
    """A floating address; ``vif_id`` means nothing once that interface is gone.

    ``assigned_to`` is the interface that it came to by itself, which has one such at most.
    """

    __tablename__ = "floating_ips"
    __table_args__ = (sa.Index("ix_floating_ips_pool", "pool", "project_id"), MYSQL)

    id: Mapped[str] = mapped_column(UUID, primary_key=True)
    address: Mapped[str] = mapped_column(sa.String(39), unique=True)
    pool: Mapped[str]
    interface: Mapped[str] = mapped_column(sa.String(15))
    project_id: Mapped[str] = mapped_column(sa.String(64), default="", index=True)
    vif_id: Mapped[str | None] = mapped_column(UUID, index=True)
    auto_assigned: Mapped[bool] = mapped_column(default=False)
    assigned_to: Mapped[str | None] = mapped_column(UUID, unique=True)
    revision: Mapped[int] = counted()
    created_at: Mapped[datetime.datetime]
    updated_at: Mapped[datetime.datetime]


TABLE = cast(sa.Table, NetworkRow.__table__)
FLOATING_IPS = cast(sa.Table, FloatingIpRow.__table__)
FIXED_IPS = cast(sa.Table, FixedIpRow.__table__)


def insert(session: Session, network: Network) -> Network:
    """Add a network without addresses and return it with the id that the database gave."""
    values = {name: getattr(network, name) for name in _FIELDS if name != "id"}
    added = session.execute(sa.insert(TABLE).values(**values))
    return dataclasses.replace(network, id=added.inserted_primary_key[0])  # type: ignore[attr-defined]


def add_addresses(session: Session, network: Network, reserved: Iterable[str]) -> None:
    """Make all addresses of the network's range, those in ``reserved`` never to be given to guests.

    Raises Conflict where another network has one of them.
    """
    kept = set(reserved)
    now = clock.now()
    rows = [
        {"network_id": network.id, "address": address, "reserved": address in kept, "updated_at": now}
        for address in map(str, ipaddress.ip_network(network.cidr))
    ]
    try:
        for first in range(0, len(rows), _ROWS_AT_ONCE):
            session.execute(sa.insert(FIXED_IPS).values(rows[first : first + _ROWS_AT_ONCE]))
    except sa.exc.IntegrityError as error:
        raise Conflict(f"The range {network.cidr} overlaps with another network's.") from error


def get(session: Session, uuid: str, scope: str | None = None) -> Network | None:
    """Return a network that the project ``scope`` may use (its own or a shared one), any when None."""
    row = session.execute(_visible(scope).where(TABLE.c.uuid == uuid)).one_or_none()
    return None if row is None else to_value(row)


def labelled(session: Session, label: str, scope: str | None = None) -> list[Network]:
    """Return the networks of that label that the project may use."""
    return _values(session, _visible(scope).where(TABLE.c.label == label))


def listing(session: Session, scope: str | None = None) -> list[Network]:
    """Return the networks that the project may use, the oldest first."""
    return _values(session, _visible(scope))


def on_host(session: Session, host: str) -> list[Network]:
    """Return the networks with a subnet whose DHCP server and gateway are on ``host``, multi_host ones left out."""
    mine = sa.and_(TABLE.c.host == host, TABLE.c.multi_host == sa.false())
    return _values(session, sa.select(TABLE).where(mine, HAS_SUBNET, _IN_USE))


def by_ids(session: Session, network_ids: Sequence[int]) -> list[Network]:
    """Return networks by the numbers of their rows."""
    return _values(session, sa.select(TABLE).where(TABLE.c.id.in_(network_ids)))


def claim_for_host(session: Session, host: str) -> int:
    """Take the networks that no network host serves yet; returns how many."""
    taken = session.execute(
        sa.update(TABLE).where(TABLE.c.host == "", TABLE.c.multi_host == sa.false(), _IN_USE).values(host=host)
    )
    return int(taken.rowcount)  # type: ignore[attr-defined]


def claim_for_project(session: Session, project_id: str) -> None:
    """Give a project its first network with a VLAN: one that no project has.

    Raises NoAddress when there is none, and Conflict when others did the same at the same time: then the
    transaction is to be run again.
    """
    free = sa.select(TABLE.c.id).where(TABLE.c.vlan.is_not(None), TABLE.c.project_id == "", HAS_SUBNET)
    found = session.execute(free.order_by(TABLE.c.id).limit(_SPREAD)).scalars().all()
    if not found:
        theirs = sa.select(TABLE.c.id).where(TABLE.c.project_id == project_id, HAS_SUBNET)
        if session.execute(theirs.limit(1)).first() is not None:
            raise Conflict(f"Project {project_id} got its network meanwhile.")
        raise NoAddress(f"No network is left for project {project_id}.")
    try:
        taken = session.execute(
            sa.update(TABLE)
            .where(TABLE.c.id == random.choice(found), TABLE.c.project_id == "")
            .values(project_id=project_id, first_of=project_id, updated_at=clock.now())
        )
    except sa.exc.IntegrityError as error:
        raise Conflict(f"Project {project_id} got its network meanwhile.") from error
    if not taken.rowcount:  # type: ignore[attr-defined]
        raise Conflict("Another project got the network meanwhile.")


def set_project(session: Session, network: Network, project_id: str) -> None:
    """Give a network to a project, or with an empty one to none; raises Conflict while instances hold addresses.

    A network without VLAN is everybody's when it is no project's, so that its instances may stay.
    """
    holders = sa.select(FIXED_IPS.c.id).where(
        FIXED_IPS.c.network_id == network.id, FIXED_IPS.c.instance_uuid.is_not(None)
    )
    change = sa.update(TABLE).where(TABLE.c.id == network.id)
    if network.vlan is not None and network.project_id != project_id:
        change = change.where(sa.not_(sa.exists(holders)))
    # A network that is nobody's is no host's: who gets it next may have another.
    host = {"host": ""} if network.vlan is not None and not project_id else {}
    values = {"project_id": project_id, "first_of": None, "updated_at": clock.now(), **host}
    if not session.execute(change.values(**values)).rowcount:  # type: ignore[attr-defined]
        raise Conflict(f"Network {network.uuid} is in use: instances hold addresses of it.")


def update(session: Session, uuid: str, **values: Any) -> None:
    """Change columns of a network."""
    session.execute(sa.update(TABLE).where(TABLE.c.uuid == uuid).values(updated_at=clock.now(), **values))


def require_unused(session: Session, network: Network) -> None:
    """Raise Conflict while an instance holds an address of a network."""
    held = sa.select(FIXED_IPS.c.id).where(
        FIXED_IPS.c.network_id == network.id, FIXED_IPS.c.instance_uuid.is_not(None)
    )
    if session.execute(held.limit(1)).first() is not None:
        raise Conflict(f"Network {network.uuid} is in use: instances hold addresses of it.")


def remove_addresses(session: Session, network: Network) -> None:
    """Remove all addresses of a network; raises Conflict while an instance holds one."""
    session.execute(
        sa.delete(FIXED_IPS).where(FIXED_IPS.c.network_id == network.id, FIXED_IPS.c.instance_uuid.is_(None))
    )
    left = sa.select(FIXED_IPS.c.id).where(FIXED_IPS.c.network_id == network.id).limit(1)
    if session.execute(left).first() is not None:
        raise Conflict(f"Network {network.uuid} is in use: instances hold addresses of it.")


def delete(session: Session, network: Network) -> None:
    """Remove a network with its addresses; raises Conflict while an instance holds one."""
    remove_addresses(session, network)
    session.execute(sa.delete(TABLE).where(TABLE.c.id == network.id))


def address_counts(session: Session) -> dict[int, AddressCount]:
    """Count by network id the addresses that guests may have and those that they hold."""
    query = (
        sa.select(FIXED_IPS.c.network_id, sa.func.count(), sa.func.count(FIXED_IPS.c.instance_uuid))
        .where(FIXED_IPS.c.reserved == sa.false())
        .group_by(FIXED_IPS.c.network_id)
    )
    return {row[0]: AddressCount(total=row[1], used=row[2]) for row in session.execute(query)}


def usable_by(project: sa.ColumnElement[str] | str) -> sa.ColumnElement[bool]:
    """Return the condition that a project, or a column that names one, may use a network."""
    shared = sa.and_(TABLE.c.project_id == "", TABLE.c.vlan.is_(None))
    return sa.or_(shared, TABLE.c.project_id == project)


HAS_SUBNET = sa.or_(TABLE.c.cidr != "", TABLE.c.cidr_v6 != "")
"""The condition that guests can get addresses of a network, of either version of IP."""

_IN_USE = sa.or_(TABLE.c.vlan.is_(None), TABLE.c.project_id != "")
"""The condition that a network is one that instances may be in: one with a VLAN waits for its project."""


_FIELDS: Sequence[str] = tuple(column.name for column in TABLE.columns if column.name != "first_of")


def to_value(row: sa.Row[Any]) -> Network:
    """Make a value of a row that holds all columns of the table."""
    values = row._mapping
    return Network(**{name: values[name] for name in _FIELDS})


def _visible(scope: str | None) -> sa.Select[Any]:
    query = sa.select(TABLE)
    return query if scope is None else query.where(usable_by(scope))


def _values(session: Session, query: sa.Select[Any]) -> list[Network]:
    return [to_value(row) for row in session.execute(query.order_by(TABLE.c.id))]
