"""Ports: interfaces as the network's users know them, with names, options and whose they are.

A project may keep one: make it ahead of servers, give it to one after the other, and have it until it is deleted.
Each is a row of ``virtual_interfaces``, of which one that is kept has a project; see ``db/virtual_interfaces.py``
for how it holds its address.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from nova_lite.core import clock
from nova_lite.core.instance_states import PowerState
from nova_lite.core.network import DhcpOption, Port, VirtualInterface
from nova_lite.db import networks, virtual_interfaces
from nova_lite.db.instance_rows import InstanceRow
from nova_lite.db.networks import FIXED_IPS
from nova_lite.db.virtual_interfaces import INTERFACES, IS_FREE

_INSTANCES = cast(sa.Table, InstanceRow.__table__)
_NETWORKS = networks.TABLE

_TOLD = (INTERFACES.c.name, INTERFACES.c.description, INTERFACES.c.dhcp_options, INTERFACES.c.revision)
"""What is told of an interface as a port besides what it is as an interface."""


def listing(
    session: Session, scope: str | None, filters: Mapping[str, Sequence[str]], limit: int | None = None
) -> list[Port]:
    """Return interfaces and ports with whose they are, of one project unless ``scope`` is None.

    ``filters`` have the values wanted by name: id, device_id (the instance), network_id, mac_address,
    ip_address. The groups and floating addresses of the ports are left out.
    """
    project = sa.func.coalesce(INTERFACES.c.project_id, _INSTANCES.c.project_id)
    owner = [project.label("project_id"), _INSTANCES.c.hostname, _INSTANCES.c.host]
    owner += [_INSTANCES.c.availability_zone, _INSTANCES.c.power_state]
    query = virtual_interfaces.query().add_columns(*owner, *_TOLD)
    query = query.outerjoin(_INSTANCES, _INSTANCES.c.uuid == INTERFACES.c.instance_uuid)
    query = query.where(project.is_not(None) if scope is None else project == scope)
    for name, values in filters.items():
        query = query.where(_PORT_COLUMNS[name].in_(values))
    rows = session.execute(query.order_by(INTERFACES.c.created_at, INTERFACES.c.id).limit(limit))
    return [_to_port(row) for row in rows]


def describe(session: Session, port_id: str, **values: str) -> None:
    """Change what users call an interface: name, description."""
    session.execute(sa.update(INTERFACES).where(INTERFACES.c.id == port_id).values(**values))


def set_dhcp_options(session: Session, port_id: str, options: Sequence[DhcpOption]) -> None:
    """Write what the guest of an interface is told by DHCP besides."""
    written = [[option.name, option.value] for option in options]
    session.execute(sa.update(INTERFACES).where(INTERFACES.c.id == port_id).values(dhcp_options=written))


_PORT_COLUMNS: Mapping[str, sa.ColumnElement[Any]] = {
    "id": INTERFACES.c.id,
    "device_id": INTERFACES.c.instance_uuid,
    "network_id": _NETWORKS.c.uuid,
    "mac_address": INTERFACES.c.mac,
    "ip_address": FIXED_IPS.c.address,
}

PORT_FILTERS = frozenset(_PORT_COLUMNS)
"""What ports can be looked for by."""

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


def keep(session: Session, port_id: str, project_id: str, *, name: str, description: str) -> None:
    """Let an interface be a project's, whatever becomes of the server that has it."""
    session.execute(
        sa.update(INTERFACES)
        .where(INTERFACES.c.id == port_id)
        .values(project_id=project_id, name=name, description=description)
    )


def forget(session: Session, port_id: str) -> None:
    """Let an interface end with its server's use of it."""
    session.execute(
        sa.update(INTERFACES)
        .where(INTERFACES.c.id == port_id, INTERFACES.c.instance_uuid != INTERFACES.c.id)
        .values(project_id=None)
    )


def delete(session: Session, port_id: str) -> bool:
    """Remove a port that no server has, and free its address; False when there is no such one."""
    gone = session.execute(sa.delete(INTERFACES).where(INTERFACES.c.id == port_id, IS_FREE))
    if not gone.rowcount:  # type: ignore[attr-defined]
        return False
    session.execute(
        sa.update(FIXED_IPS)
        .where(FIXED_IPS.c.vif_id == port_id, FIXED_IPS.c.instance_uuid == port_id)
        .values(instance_uuid=None, vif_id=None, updated_at=clock.now())
    )
    return True


def count(session: Session, project_id: str) -> int:
    """Count the ports and the servers' interfaces of a project."""
    mine = sa.select(InstanceRow.uuid).where(InstanceRow.project_id == project_id, InstanceRow.deleted == sa.false())
    query = sa.select(sa.func.count(INTERFACES.c.id)).where(
        sa.or_(
            INTERFACES.c.project_id == project_id,
            sa.and_(INTERFACES.c.project_id.is_(None), INTERFACES.c.instance_uuid.in_(mine)),
        )
    )
    return int(session.execute(query).scalar_one())
