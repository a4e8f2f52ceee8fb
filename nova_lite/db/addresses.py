"""Which instances hold which fixed addresses: given with their interfaces when they boot, and taken away again.

An instance that asks again gets nothing anew. A port that a project keeps is bound to an instance with the
address that it holds, and keeps that when the instance ends.
"""

import dataclasses
import datetime
from collections.abc import Sequence
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from nova_lite.core import clock, ids
from nova_lite.core.boot import RequestedNetwork
from nova_lite.core.errors import Conflict, NoAddress, NotFound
from nova_lite.core.instance_states import Verb
from nova_lite.core.network import Network, VirtualInterface
from nova_lite.db import address_claims, networks, virtual_interfaces
from nova_lite.db.actions import ActionRow
from nova_lite.db.address_claims import Place
from nova_lite.db.instance_rows import InstanceRow
from nova_lite.db.networks import FIXED_IPS, FLOATING_IPS
from nova_lite.db.virtual_interfaces import INTERFACES, IS_FREE

_ACTIONS = cast(sa.Table, ActionRow.__table__)
_INSTANCES = cast(sa.Table, InstanceRow.__table__)
_NETWORKS = networks.TABLE


@dataclasses.dataclass(frozen=True, slots=True)
class Holder:
    """Who holds an address: the instance and when it changed last, with all addresses that it has now.

    Each of those is with its interface, which no other instance ever has, and with a floating one that leads there.
    """

    address: str
    instance_uuid: str
    updated_at: datetime.datetime
    every: tuple[tuple[str, str, str], ...]


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
    for interface in address_claims.claim(session, [place for place in wanted if not place.port_id]):
        found[interface.instance_uuid].append(interface)
    kept = [uuid for uuid, of_instance in rows.items() if any(row.vif_id for row in of_instance)]
    for place in wanted:
        if place.port_id:
            bind(session, place.port_id, place.instance_uuid, place.tag)
            kept.append(place.instance_uuid)
    if kept:
        found |= virtual_interfaces.of_instances(session, kept)
    return found


def hold(session: Session, network: Network, port_id: str, mac: str, fixed_ip: str = "", owner_id: str = "") -> None:
    """Make an interface of a project that is no instance's, and holds an address by itself; raises as ``attach``."""
    address_claims.claim(session, [Place(port_id, network, fixed_ip, port_id, mac, owner_id=owner_id)])


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
    owner = session.execute(sa.select(_INSTANCES.c.project_id).where(_INSTANCES.c.uuid == instance_uuid)).scalar()
    place = Place(instance_uuid, network, fixed_ip, ids.new_uuid(), ids.new_mac(), tag, owner_id=owner or "")
    (made,) = address_claims.claim(session, [place])
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


def orphans(session: Session) -> list[str]:
    """Return the uuids of instances that are gone and still have addresses or interfaces."""
    alive = sa.select(_INSTANCES.c.uuid).where(_INSTANCES.c.deleted == sa.false())
    free = sa.select(INTERFACES.c.id).where(IS_FREE)
    holders = [
        sa.select(column).where(column.is_not(None), column.not_in(alive), column.not_in(free))
        for column in (FIXED_IPS.c.instance_uuid, INTERFACES.c.instance_uuid)
    ]
    return [uuid for uuid in session.execute(sa.union(*holders)).scalars() if uuid]


_CANDIDATES = (
    sa.select(
        _INSTANCES.c.id.label("instance_id"),
        _INSTANCES.c.uuid.label("instance_uuid"),
        _INSTANCES.c.project_id.label("owner_id"),
        _INSTANCES.c.launched_at,
        _ACTIONS.c.parameters,
        INTERFACES.c.id.label("vif_id"),
        *_NETWORKS.columns,
    )
    .select_from(_INSTANCES)
    .outerjoin(_ACTIONS, sa.and_(_ACTIONS.c.resource_id == _INSTANCES.c.uuid, _ACTIONS.c.verb == Verb.BOOT))
    .outerjoin(_NETWORKS, sa.and_(networks.usable_by(_INSTANCES.c.project_id), networks.HAS_SUBNET))
    .outerjoin(
        INTERFACES,
        sa.and_(INTERFACES.c.instance_uuid == _INSTANCES.c.uuid, INTERFACES.c.network_id == _NETWORKS.c.id),
    )
    .where(_INSTANCES.c.uuid.in_(sa.bindparam("uuids")), _INSTANCES.c.deleted == sa.false())
)


def _candidates(session: Session, instance_uuids: Sequence[str]) -> dict[str, list[Any]]:
    """Return for each living instance a row a network that it may use: all that allocating has to read."""
    found: dict[str, list[Any]] = {}
    rows = session.execute(_CANDIDATES, {"uuids": instance_uuids}).all()
    # Here and not in the statement: MariaDB 10.11 sorts what is so wide in a table of its own, and has died of it.
    for row in sorted(rows, key=lambda row: (row.instance_id, row.id or 0)):
        found.setdefault(row.instance_uuid, []).append(row)
    return found


def _needs_network(rows: Sequence[Any]) -> bool:
    """Tell whether an instance is to have the networks of its project, and that has none."""
    asked = (rows[0].parameters or {}).get("networks")
    return rows[0].launched_at is None and asked is None and rows[0].uuid is None


def _missing(instance_uuid: str, rows: Sequence[Any]) -> list[Place]:
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
            more = {"tag": request.tag, "port_id": request.port, "owner_id": row.owner_id}
            place = Place(instance_uuid, network, request.fixed_ip, ids.new_uuid(), ids.new_mac(), **more)
            places.append(place)
    return places
