"""The interfaces of instances and the fixed addresses that they hold.

An address is claimed by one conditional UPDATE, however many instances ask at once; which addresses are
tried is only a guess. The interface of an instance on a network is unique, so that asking again changes
nothing. A port that a project keeps (``db/ports.py``) is an interface that outlives its instance: while none
has it, its own id stands where the instance's would, and holds its address.
"""

import dataclasses
import datetime
import random
from collections.abc import Collection, Mapping, Sequence
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from nova_lite.core import clock, ids
from nova_lite.core.boot import RequestedNetwork
from nova_lite.core.errors import Conflict, NoAddress, NotFound
from nova_lite.core.instance_states import PowerState, Verb
from nova_lite.core.network import DhcpOption, HeldAddress, Network, Port, VirtualInterface
from nova_lite.db import networks
from nova_lite.db.actions import ActionRow
from nova_lite.db.base import MYSQL, UUID, Base, JsonText, counted
from nova_lite.db.instance_rows import InstanceRow
from nova_lite.db.networks import FIXED_IPS, FLOATING_IPS

_SPREAD = 32
"""How many free addresses more than needed are looked at, so that two daemons seldom try the same one."""

_ATTEMPTS = 20


class VirtualInterfaceRow(Base):
    """One network interface of an instance; ``project_id`` is whose port it is if it outlives that."""

    __tablename__ = "virtual_interfaces"
    __table_args__ = (sa.UniqueConstraint("instance_uuid", "network_id"), MYSQL)

    id: Mapped[str] = mapped_column(UUID, primary_key=True)
    mac: Mapped[str] = mapped_column(sa.String(17), unique=True)
    instance_uuid: Mapped[str] = mapped_column(UUID)
    network_id: Mapped[int] = mapped_column(sa.ForeignKey("networks.id"), index=True)
    name: Mapped[str | None]
    description: Mapped[str | None]
    tag: Mapped[str | None]
    project_id: Mapped[str | None] = mapped_column(sa.String(64))
    dhcp_options: Mapped[Any] = mapped_column(JsonText, nullable=True)
    revision: Mapped[int] = counted()
    created_at: Mapped[datetime.datetime]


INTERFACES = cast(sa.Table, VirtualInterfaceRow.__table__)
_ACTIONS = cast(sa.Table, ActionRow.__table__)
_INSTANCES = cast(sa.Table, InstanceRow.__table__)
_NETWORKS = networks.TABLE

_TOLD = (INTERFACES.c.name, INTERFACES.c.description, INTERFACES.c.dhcp_options, INTERFACES.c.revision)
"""What is told of an interface as a port besides what it is as an interface."""

IS_FREE = sa.and_(INTERFACES.c.instance_uuid == INTERFACES.c.id, INTERFACES.c.project_id.is_not(None))
"""What a port is that a project keeps and no instance has."""

HOLDS = sa.and_(
    FIXED_IPS.c.instance_uuid == INTERFACES.c.instance_uuid, FIXED_IPS.c.vif_id == INTERFACES.c.id
)


@dataclasses.dataclass(frozen=True, slots=True)
class Holder:
    """Who holds an address: the instance and when it changed last, with all addresses that it has now.

    Each of those is with its interface, which no other instance ever has, and with a floating one that leads there.
    """

    address: str
    instance_uuid: str
    updated_at: datetime.datetime
    every: tuple[tuple[str, str, str], ...]


@dataclasses.dataclass(frozen=True, slots=True)
class _Place:
    """An instance that is to have an interface on a network."""

    instance_uuid: str
    network: Network
    fixed_ip: str
    vif_id: str
    mac: str
    tag: str = ""
    port_id: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class _Free:
    """An address that was free when it was looked at."""

    id: int
    address: str
    leased: bool


def allocate(
    session: Session, instance_uuids: Sequence[str], *, vlans: bool = False
) -> dict[str, list[VirtualInterface]]:
    """Give instances their interfaces and addresses, and return all that they have now.

    Each instance that was never launched gets what its boot action asks for: the networks named there, none,
    or all of its project; with ``vlans`` a project that has no network gets its first one.
    One that has an interface on a network keeps it; one that is deleted gets nothing and is not in the
    answer. Raises NoAddress when a network has no free address, NotFound for a requested network that the
    project cannot use, and Conflict when a requested address is taken or when the same was done at the same
    time: then the transaction is to be run again.
    """
    rows = _candidates(session, instance_uuids)
    needy = {of_one[0].owner_id for of_one in rows.values() if _needs_network(of_one)} if vlans else ()
    for project_id in sorted(needy):
        networks.claim_for_project(session, project_id)
    if needy:
        rows = _candidates(session, instance_uuids)
    found: dict[str, list[VirtualInterface]] = {uuid: [] for uuid in rows}
    wanted = [place for uuid, of_instance in rows.items() for place in _missing(uuid, of_instance)]
    for interface in _claim_all(session, [place for place in wanted if not place.port_id]):
        found[interface.instance_uuid].append(interface)
    kept = [uuid for uuid, of_instance in rows.items() if any(row.vif_id for row in of_instance)]
    for place in wanted:
        if place.port_id:
            bind(session, place.port_id, place.instance_uuid, place.tag)
            kept.append(place.instance_uuid)
    if kept:
        found |= interfaces_of(session, kept)
    return found


def hold(session: Session, network: Network, port_id: str, mac: str, fixed_ip: str = "") -> None:
    """Make an interface that is no instance's, and holds an address by itself; raises as ``attach``."""
    _claim_all(session, [_Place(port_id, network, fixed_ip, port_id, mac)])


def bind(session: Session, port_id: str, instance_uuid: str, tag: str = "") -> None:
    """Give an instance a port that nobody has; raises NoAddress for one that is gone or somebody's, Conflict."""
    try:
        taken = session.execute(
            sa.update(INTERFACES)
            .where(INTERFACES.c.id == port_id, IS_FREE)
            .values(instance_uuid=instance_uuid, tag=tag or None)
        )
    except sa.exc.IntegrityError as error:
        raise Conflict(f"Instance {instance_uuid} has an interface in the network of port {port_id}.") from error
    if not taken.rowcount:  # type: ignore[attr-defined]
        raise NoAddress(f"Port {port_id} is still in use.")
    session.execute(
        sa.update(FIXED_IPS)
        .where(FIXED_IPS.c.vif_id == port_id, FIXED_IPS.c.instance_uuid == port_id)
        .values(instance_uuid=instance_uuid, updated_at=clock.now())
    )


def attach(
    session: Session, instance_uuid: str, network: Network, fixed_ip: str = "", tag: str = ""
) -> VirtualInterface:
    """Give an instance an interface on one more network, and an address there; ``tag`` is for its guest to read.

    Raises NoAddress, NotFound for an address that the network does not have, and Conflict as ``allocate``.
    """
    place = _Place(instance_uuid, network, fixed_ip, ids.new_uuid(), ids.new_mac(), tag)
    (made,) = _claim_all(session, [place])
    return made


def detach(session: Session, interface_id: str, instance_uuid: str) -> None:
    """Take an interface and its address from an instance; one that it has not any more is not an error."""
    _unbind(session, INTERFACES.c.id == interface_id, INTERFACES.c.instance_uuid == instance_uuid)
    session.execute(
        sa.update(FIXED_IPS)
        .where(FIXED_IPS.c.vif_id == interface_id, FIXED_IPS.c.instance_uuid == instance_uuid)
        .values(instance_uuid=None, vif_id=None, updated_at=clock.now())
    )
    session.execute(
        sa.delete(INTERFACES).where(INTERFACES.c.id == interface_id, INTERFACES.c.instance_uuid == instance_uuid)
    )


def release(session: Session, instance_uuids: Sequence[str]) -> int:
    """Take all addresses and interfaces of instances away; returns how many addresses they had."""
    freed = free_addresses(session, instance_uuids)
    drop_interfaces(session, instance_uuids, freed)
    return freed


def free_addresses(session: Session, instance_uuids: Sequence[str]) -> int:
    """Take all addresses of instances away, to drop their interfaces afterwards; returns how many they had.

    Those of ports that projects keep are held by the ports.
    """
    kept = sa.select(INTERFACES.c.id).where(INTERFACES.c.project_id.is_not(None))
    own = sa.case((FIXED_IPS.c.vif_id.in_(kept), FIXED_IPS.c.vif_id))
    freed = session.execute(
        sa.update(FIXED_IPS)
        .where(FIXED_IPS.c.instance_uuid.in_(instance_uuids))
        .ordered_values(
            (FIXED_IPS.c.instance_uuid, own),
            (FIXED_IPS.c.vif_id, own),
            (FIXED_IPS.c.updated_at, clock.now()),
        )
    )
    return int(freed.rowcount)  # type: ignore[attr-defined]


def drop_interfaces(session: Session, instance_uuids: Sequence[str], freed: int) -> None:
    """Remove the interfaces of instances of which ``freed`` addresses were taken away; kept ports are nobody's."""
    mine = INTERFACES.c.instance_uuid.in_(instance_uuids)
    gone = session.execute(sa.delete(INTERFACES).where(mine, INTERFACES.c.project_id.is_(None)))
    deleted = int(gone.rowcount)  # type: ignore[attr-defined]
    if not deleted or deleted != freed:
        # Not all were interfaces that end with their instances.
        _unbind(session, mine)


def _unbind(session: Session, *which: sa.ColumnElement[bool]) -> None:
    """Let the ports among interfaces that projects keep be nobody's, with their addresses."""
    unbound = session.execute(
        sa.update(INTERFACES)
        .where(INTERFACES.c.project_id.is_not(None), *which)
        .values(instance_uuid=INTERFACES.c.id, tag=None)
    )
    if unbound.rowcount:  # type: ignore[attr-defined]
        free = sa.select(INTERFACES.c.id).where(IS_FREE)
        now = clock.now()
        session.execute(
            sa.update(FIXED_IPS)
            .where(FIXED_IPS.c.vif_id.in_(free), FIXED_IPS.c.instance_uuid != FIXED_IPS.c.vif_id)
            .values(instance_uuid=FIXED_IPS.c.vif_id, updated_at=now)
        )
        # A floating address leads to a guest or nowhere.
        session.execute(
            sa.update(FLOATING_IPS)
            .where(FLOATING_IPS.c.vif_id.in_(free))
            .values(vif_id=None, assigned_to=None, updated_at=now)
        )


def interfaces_of(session: Session, instance_uuids: Sequence[str]) -> dict[str, list[VirtualInterface]]:
    """Return the interfaces of instances by instance; one that has none is not in the answer."""
    rows: dict[str, dict[str, Any]] = {}
    for row in session.execute(_INTERFACES_OF, {"uuids": instance_uuids}):
        values = rows.setdefault(row.id, dict(zip(_OF_NAMES, row, strict=True)) | {"floating": ()})
        if row.floating is not None:
            values["floating"] += (row.floating,)
    found: dict[str, list[VirtualInterface]] = {}
    for values in rows.values():
        found.setdefault(values["instance_uuid"], []).append(VirtualInterface(**values))
    return found


def ports(
    session: Session, scope: str | None, filters: Mapping[str, Sequence[str]], limit: int | None = None
) -> list[Port]:
    """Return interfaces and ports with whose they are, of one project unless ``scope`` is None.

    ``filters`` have the values wanted by name: id, device_id (the instance), network_id, mac_address,
    ip_address. The groups and floating addresses of the ports are left out.
    """
    project = sa.func.coalesce(INTERFACES.c.project_id, _INSTANCES.c.project_id)
    owner = [project.label("project_id"), _INSTANCES.c.hostname, _INSTANCES.c.host]
    owner += [_INSTANCES.c.availability_zone, _INSTANCES.c.power_state]
    query = _interfaces().add_columns(*owner, *_TOLD)
    query = query.outerjoin(_INSTANCES, _INSTANCES.c.uuid == INTERFACES.c.instance_uuid)
    query = query.where(project.is_not(None) if scope is None else project == scope)
    for name, values in filters.items():
        query = query.where(_PORT_COLUMNS[name].in_(values))
    rows = session.execute(query.order_by(INTERFACES.c.created_at, INTERFACES.c.id).limit(limit))
    return [_to_port(row) for row in rows]


def describe_port(session: Session, port_id: str, **values: str) -> None:
    """Change what users call an interface: name, description."""
    session.execute(sa.update(INTERFACES).where(INTERFACES.c.id == port_id).values(**values))


def set_dhcp_options(session: Session, port_id: str, options: Sequence[DhcpOption]) -> None:
    """Write what the guest of an interface is told by DHCP besides."""
    written = [[option.name, option.value] for option in options]
    session.execute(sa.update(INTERFACES).where(INTERFACES.c.id == port_id).values(dhcp_options=written))


def holder_of(session: Session, address: str) -> Holder | None:
    """Return who holds an address, None where no living instance does."""
    every = FIXED_IPS.alias()
    query = (
        sa.select(
            FIXED_IPS.c.instance_uuid,
            _INSTANCES.c.updated_at,
            every.c.address,
            every.c.vif_id,
            FLOATING_IPS.c.address.label("floating"),
        )
        .join(_INSTANCES, _INSTANCES.c.uuid == FIXED_IPS.c.instance_uuid)
        .join(every, every.c.instance_uuid == FIXED_IPS.c.instance_uuid)
        .outerjoin(FLOATING_IPS, FLOATING_IPS.c.vif_id == every.c.vif_id)
        .where(FIXED_IPS.c.address == address, _INSTANCES.c.deleted == sa.false())
        .order_by(every.c.id, FLOATING_IPS.c.address)
    )
    rows = session.execute(query).all()
    if not rows:
        return None
    return Holder(
        address,
        rows[0].instance_uuid,
        rows[0].updated_at,
        tuple((row.address, row.vif_id or "", row.floating or "") for row in rows),
    )


def held(
    session: Session,
    network_ids: Sequence[int],
    host: str = "",
    *,
    firsts: bool = False,
    only: Collection[str] | None = None,
) -> list[HeldAddress]:
    """Return the addresses of networks that guests hold, with what their DHCP servers have to know.

    With ``host``, of multi_host networks those of the guests on that host only. Without ``firsts`` each counts as
    one in its guest's first network. With ``only`` those of these instances.
    """
    query = (
        sa.select(
            INTERFACES.c.mac,
            FIXED_IPS.c.address,
            sa.func.coalesce(_INSTANCES.c.hostname, "").label("hostname"),
            FIXED_IPS.c.instance_uuid,
            FIXED_IPS.c.network_id,
            FIXED_IPS.c.leased,
            (_is_first() if firsts else sa.literal(True)).label("first"),
            INTERFACES.c.dhcp_options,
        )
        .join(INTERFACES, HOLDS)
        .outerjoin(_INSTANCES, _INSTANCES.c.uuid == FIXED_IPS.c.instance_uuid)
        .where(FIXED_IPS.c.network_id.in_(network_ids), FIXED_IPS.c.instance_uuid != FIXED_IPS.c.vif_id)
        .order_by(FIXED_IPS.c.id)
    )
    if only is not None:
        query = query.where(FIXED_IPS.c.instance_uuid.in_(only))
    if host:
        query = query.join(_NETWORKS, _NETWORKS.c.id == FIXED_IPS.c.network_id)
        query = query.where(sa.or_(_NETWORKS.c.multi_host == sa.false(), _INSTANCES.c.host == host))
    return [
        HeldAddress(**{name: row._mapping[name] for name in _HELD_FIELDS}, options=_told(row), first=bool(row.first))
        for row in session.execute(query)
    ]


def _told(row: Any) -> tuple[tuple[str, str], ...]:
    """Return the DHCP options (RFC 2132) of a row's interface."""
    return tuple((name, value) for name, value in row.dhcp_options or ())


def _is_first() -> sa.ColumnElement[bool]:
    """Tell whether an interface is in the first of its instance's networks."""
    others = INTERFACES.alias("others")
    first = sa.select(sa.func.min(others.c.network_id)).where(
        others.c.instance_uuid == INTERFACES.c.instance_uuid
    )
    return INTERFACES.c.network_id == first.correlate(INTERFACES).scalar_subquery()


def set_leased(session: Session, address: str, mac: str, leased: bool) -> bool:
    """Record that the DHCP server gave an address to a guest, or took it back; False for an unknown one.

    A lease counts only for the interface that holds the address, the end of a lease always.
    """
    statement = sa.update(FIXED_IPS).where(FIXED_IPS.c.address == address).values(leased=leased)
    if leased:
        owner = sa.select(INTERFACES.c.id).where(INTERFACES.c.mac == mac).scalar_subquery()
        statement = statement.where(FIXED_IPS.c.vif_id == owner)
    return bool(session.execute(statement).rowcount)  # type: ignore[attr-defined]


def forget_leases(session: Session, network_ids: Sequence[int], before: datetime.datetime) -> int:
    """Take as ended the leases of addresses that were given back before a moment; returns how many."""
    ended = session.execute(
        sa.update(FIXED_IPS)
        .where(
            FIXED_IPS.c.network_id.in_(network_ids),
            FIXED_IPS.c.instance_uuid.is_(None),
            FIXED_IPS.c.leased == sa.true(),
            FIXED_IPS.c.updated_at < before,
        )
        .values(leased=False)
    )
    return int(ended.rowcount)  # type: ignore[attr-defined]


def orphans(session: Session) -> list[str]:
    """Return the uuids of instances that are gone and still have addresses or interfaces."""
    alive = sa.select(_INSTANCES.c.uuid).where(_INSTANCES.c.deleted == sa.false())
    free = sa.select(INTERFACES.c.id).where(IS_FREE)
    holders = [
        sa.select(column).where(column.is_not(None), column.not_in(alive), column.not_in(free))
        for column in (FIXED_IPS.c.instance_uuid, INTERFACES.c.instance_uuid)
    ]
    return [uuid for uuid in session.execute(sa.union(*holders)).scalars() if uuid]


_PORT_COLUMNS: Mapping[str, sa.ColumnElement[Any]] = {
    "id": INTERFACES.c.id,
    "device_id": INTERFACES.c.instance_uuid,
    "network_id": _NETWORKS.c.uuid,
    "mac_address": INTERFACES.c.mac,
    "ip_address": FIXED_IPS.c.address,
}

PORT_FILTERS = frozenset(_PORT_COLUMNS)
"""What ports can be looked for by."""

_HELD_FIELDS = ("mac", "address", "hostname", "instance_uuid", "network_id", "leased")

_OF_NETWORK = (
    "vlan", "bridge_interface", "multi_host", "injected", "dns1", "dns2", "cidr_v6", "gateway_v6",
)  # fmt: skip
"""What an interface has from its network, beside what every look at it needs."""

_INTERFACE_FIELDS = tuple(
    field.name for field in dataclasses.fields(VirtualInterface) if field.name != "floating"
)


def _to_port(row: sa.Row[Any]) -> Port:
    values = row._mapping
    return Port(
        interface=VirtualInterface(**{name: values[name] for name in _INTERFACE_FIELDS}),
        project_id=values["project_id"],
        hostname=values["hostname"] or "",
        host=values["host"] or "",
        availability_zone=values["availability_zone"] or "",
        active=values["power_state"] == PowerState.RUNNING,
        name=values["name"] or "",
        description=values["description"] or "",
        dhcp_options=tuple(DhcpOption(*one) for one in values["dhcp_options"] or ()),
        revision=values["revision"],
    )


def _interfaces() -> sa.Select[Any]:
    return (
        sa.select(
            INTERFACES.c.id,
            INTERFACES.c.mac,
            INTERFACES.c.instance_uuid,
            INTERFACES.c.network_id,
            _NETWORKS.c.uuid.label("network_uuid"),
            _NETWORKS.c.label.label("network_label"),
            FIXED_IPS.c.address,
            _NETWORKS.c.cidr,
            _NETWORKS.c.gateway,
            _NETWORKS.c.bridge,
            _NETWORKS.c.mtu,
            INTERFACES.c.created_at,
            sa.func.coalesce(INTERFACES.c.tag, "").label("tag"),
            *(_NETWORKS.c[name] for name in _OF_NETWORK),
            sa.func.coalesce(_gateway_of_host(), _NETWORKS.c.gateway).label("dhcp_server"),
        )
        .join(_NETWORKS, _NETWORKS.c.id == INTERFACES.c.network_id)
        .join(FIXED_IPS, HOLDS)
    )


def _gateway_of_host() -> sa.ScalarSelect[Any]:
    """The address by which the host of an interface's instance is the gateway of a multi_host network."""
    gateways = FIXED_IPS.alias("gateways")
    host = sa.select(_INSTANCES.c.host).where(_INSTANCES.c.uuid == INTERFACES.c.instance_uuid)
    return (
        sa.select(gateways.c.address)
        .where(
            gateways.c.network_id == INTERFACES.c.network_id,
            gateways.c.host == host.correlate(INTERFACES).scalar_subquery(),
        )
        .correlate(INTERFACES)
        .scalar_subquery()
    )


# What every boot and look at a server asks is built once, which takes longer than asking it.
_INTERFACES_OF = (
    _interfaces()
    .add_columns(FLOATING_IPS.c.address.label("floating"))
    .outerjoin(FLOATING_IPS, FLOATING_IPS.c.vif_id == INTERFACES.c.id)
    .where(INTERFACES.c.instance_uuid.in_(sa.bindparam("uuids")))
    .order_by(INTERFACES.c.network_id, FLOATING_IPS.c.address)
)
_OF_NAMES = tuple(column.name for column in _INTERFACES_OF.selected_columns)
_CANDIDATES = (
    sa.select(
        _INSTANCES.c.uuid.label("instance_uuid"),
        _INSTANCES.c.project_id.label("owner_id"),
        _INSTANCES.c.launched_at,
        _ACTIONS.c.parameters,
        INTERFACES.c.id.label("vif_id"),
        *_NETWORKS.columns,
    )
    .select_from(_INSTANCES)
    .outerjoin(_ACTIONS, sa.and_(_ACTIONS.c.resource_id == _INSTANCES.c.uuid, _ACTIONS.c.verb == Verb.BOOT))
    .outerjoin(_NETWORKS, sa.and_(networks.usable_by(_INSTANCES.c.project_id), _NETWORKS.c.cidr != ""))
    .outerjoin(
        INTERFACES,
        sa.and_(INTERFACES.c.instance_uuid == _INSTANCES.c.uuid, INTERFACES.c.network_id == _NETWORKS.c.id),
    )
    .where(_INSTANCES.c.uuid.in_(sa.bindparam("uuids")), _INSTANCES.c.deleted == sa.false())
    .order_by(_INSTANCES.c.id, _NETWORKS.c.id)
)
_FREE = (
    sa.select(FIXED_IPS.c.id, FIXED_IPS.c.address, FIXED_IPS.c.leased)
    .where(
        FIXED_IPS.c.network_id == sa.bindparam("network_id"),
        FIXED_IPS.c.instance_uuid.is_(None),
        FIXED_IPS.c.reserved == sa.false(),
    )
    .order_by(FIXED_IPS.c.leased, FIXED_IPS.c.updated_at, FIXED_IPS.c.id)
    .limit(sa.bindparam("most"))
)


def _candidates(session: Session, instance_uuids: Sequence[str]) -> dict[str, list[Any]]:
    """Return for each living instance a row a network that it may use: all that allocating has to read."""
    found: dict[str, list[Any]] = {}
    for row in session.execute(_CANDIDATES, {"uuids": instance_uuids}):
        found.setdefault(row.instance_uuid, []).append(row)
    return found


def _needs_network(rows: Sequence[Any]) -> bool:
    """Tell whether an instance is to have the networks of its project, and that has none."""
    asked = (rows[0].parameters or {}).get("networks")
    return rows[0].launched_at is None and asked is None and rows[0].uuid is None


def _missing(instance_uuid: str, rows: Sequence[Any]) -> list[_Place]:
    """Return the interfaces that an instance is to have and has not."""
    if rows[0].launched_at is not None:
        # Since its boot, interfaces may have been attached and detached.
        return []
    by_uuid = {row.uuid: row for row in rows if row.uuid is not None}
    asked = (rows[0].parameters or {}).get("networks")
    if asked == "none":
        return []
    if asked is None:
        chosen = [RequestedNetwork(uuid) for uuid in by_uuid]
    else:
        chosen = [RequestedNetwork(**{name: text or "" for name, text in item.items()}) for item in asked]
    places = []
    for request in chosen:
        row = by_uuid.get(request.uuid)
        if row is None:
            raise NotFound(f"Network {request.uuid} could not be found.")
        if row.vif_id is None:
            network = networks.to_value(row)
            vif_id, mac = ids.new_uuid(), ids.new_mac()
            places.append(_Place(instance_uuid, network, request.fixed_ip, vif_id, mac, request.tag, request.port))
    return places


def _claim_all(session: Session, places: Sequence[_Place]) -> list[VirtualInterface]:
    """Claim an address for each place and record its interface."""
    if not places:
        return []
    by_network: dict[int, list[_Place]] = {}
    for place in places:
        by_network.setdefault(place.network.id, []).append(place)
    claimed: dict[str, str] = {}
    for of_network in by_network.values():
        claimed |= _claim_fixed(session, [place for place in of_network if place.fixed_ip])
        claimed |= _claim_any(session, [place for place in of_network if not place.fixed_ip])
    now = clock.now()
    interfaces = [_interface(place, claimed[place.vif_id], now) for place in places]
    try:
        session.execute(
            sa.insert(INTERFACES),
            [
                {name: getattr(interface, name) for name in ("id", "mac", "instance_uuid", "network_id")}
                | {"tag": interface.tag or None, "created_at": now}
                for interface in interfaces
            ],
        )
    except sa.exc.IntegrityError as error:
        raise Conflict("An interface with the same MAC address or network was made meanwhile.") from error
    return interfaces


def _interface(place: _Place, address: str, now: datetime.datetime) -> VirtualInterface:
    network = place.network
    return VirtualInterface(
        id=place.vif_id,
        mac=place.mac,
        instance_uuid=place.instance_uuid,
        network_id=network.id,
        network_uuid=network.uuid,
        network_label=network.label,
        address=address,
        cidr=network.cidr,
        gateway=network.gateway,
        bridge=network.bridge,
        mtu=network.mtu,
        created_at=now,
        tag=place.tag,
        vlan=network.vlan,
        bridge_interface=network.bridge_interface,
        multi_host=network.multi_host,
        injected=network.injected,
        dhcp_server=network.gateway,
        dns1=network.dns1,
        dns2=network.dns2,
        cidr_v6=network.cidr_v6,
        gateway_v6=network.gateway_v6,
    )


def _claim_any(session: Session, places: Sequence[_Place]) -> dict[str, str]:
    """Claim any free address for places of one network; returns the addresses by interface."""
    claimed: dict[str, str] = {}
    for _ in range(_ATTEMPTS):
        left = [place for place in places if place.vif_id not in claimed]
        if not left:
            return claimed
        free = _free(session, left[0].network, len(left))
        claimed |= _take(session, list(zip(free, left, strict=True)))
    raise Conflict("Too many others took addresses at the same time.")


def _free(session: Session, network: Network, count: int) -> list[_Free]:
    """Guess ``count`` free addresses: first those that no gone guest may still use, the longest unused."""
    asked = {"network_id": network.id, "most": count + _SPREAD}
    found = [_Free(*row) for row in session.execute(_FREE, asked)]
    if len(found) < count:
        raise NoAddress(f"No more addresses are available in network {network.label}.")
    unleased = [free for free in found if not free.leased]
    if len(unleased) < count:
        return found[:count]
    return sorted(random.sample(unleased, count), key=lambda free: free.id)


def _claim_fixed(session: Session, places: Sequence[_Place]) -> dict[str, str]:
    """Claim the very addresses that places of one network ask for."""
    claimed: dict[str, str] = {}
    for place in places:
        query = sa.select(FIXED_IPS.c.id, FIXED_IPS.c.address, FIXED_IPS.c.leased).where(
            FIXED_IPS.c.network_id == place.network.id,
            FIXED_IPS.c.address == place.fixed_ip,
            FIXED_IPS.c.reserved == sa.false(),
        )
        row = session.execute(query).one_or_none()
        if row is None:
            raise NotFound(f"Network {place.network.label} has no address {place.fixed_ip} for instances.")
        taken = _take(session, [(_Free(*row), place)])
        if not taken:
            raise NoAddress(f"Fixed IP address {place.fixed_ip} is already in use.")
        claimed |= taken
    return claimed


def _take(session: Session, pairs: Sequence[tuple[_Free, _Place]]) -> dict[str, str]:
    """Take the addresses that still are free, in one UPDATE; returns what was got, by interface."""
    row = FIXED_IPS.c.id
    taken = session.execute(
        sa.update(FIXED_IPS)
        .where(
            row.in_([free.id for free, _ in pairs]),
            FIXED_IPS.c.instance_uuid.is_(None),
            FIXED_IPS.c.reserved == sa.false(),
        )
        .values(
            instance_uuid=sa.case({free.id: place.instance_uuid for free, place in pairs}, value=row),
            vif_id=sa.case({free.id: place.vif_id for free, place in pairs}, value=row),
            updated_at=clock.now(),
        )
    )
    wanted = {place.vif_id: free.address for free, place in pairs}
    if taken.rowcount == len(pairs):  # type: ignore[attr-defined]
        return wanted
    got = sa.select(FIXED_IPS.c.vif_id).where(
        FIXED_IPS.c.vif_id.in_(wanted), row.in_([f.id for f, _ in pairs])
    )
    return {vif_id: wanted[vif_id] for vif_id in session.execute(got).scalars()}
