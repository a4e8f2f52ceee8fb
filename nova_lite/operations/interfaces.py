"""Network interfaces of servers: attached with an address, detached without a trace."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from nova_lite.core.context import RequestContext
from nova_lite.core.errors import Conflict, InvalidInput, NotFound
from nova_lite.core.instance import Instance
from nova_lite.core.instance_states import Verb
from nova_lite.core.network import Network, Port, VirtualInterface
from nova_lite.db import addresses, networks, ports, revisions, virtual_interfaces
from nova_lite.db.engine import Database
from nova_lite.operations.orders import Order, Orders

_ATTEMPTS = 5


class Interfaces:
    """The operations on the interfaces of servers; a server has at most one in a network."""

    def __init__(self, database: Database, orders: Orders) -> None:
        self._database = database
        self._orders = orders

    def attach_port(self, context: RequestContext, uuid: str, port_id: str, tag: str = "") -> VirtualInterface:
        """Order an interface that is a port of the project's; raises as ``attach``, and Conflict for one in use."""
        made: list[VirtualInterface] = []

        def prepare(session: Session, instance: Instance) -> Mapping[str, Any]:
            (port,) = free_ports(session, context, [port_id])
            held = virtual_interfaces.of_instances(session, [uuid]).get(uuid, ())
            if port.interface.network_id in {interface.network_id for interface in held}:
                raise InvalidInput(f"Instance {uuid} has an interface in the network of port {port_id} already.")
            addresses.bind(session, port_id, uuid, tag)
            every = virtual_interfaces.of_instances(session, [uuid])[uuid]
            made[:] = [interface for interface in every if interface.id == port_id]
            return {"interface": _parameters(made[-1])}

        self._orders.place(context, uuid, Order(lambda _: Verb.ATTACH_INTERFACE, prepare))
        return made[-1]

    def attach(
        self, context: RequestContext, uuid: str, network: str = "", address: str = "", tag: str = ""
    ) -> VirtualInterface:
        """Order an interface in a network, named by id or label, at ``address`` or any.

        Without a network it is the first one that the server is not in yet. Raises NotFound, InvalidInput,
        NoAddress, WrongState, Locked.
        """
        made: list[VirtualInterface] = []

        def prepare(session: Session, instance: Instance) -> Mapping[str, Any]:
            chosen = _network(session, context, instance, network)
            made.append(addresses.attach(session, uuid, chosen, address, tag))
            return {"interface": _parameters(made[-1])}

        for left in reversed(range(_ATTEMPTS)):
            try:
                self._orders.place(context, uuid, Order(lambda _: Verb.ATTACH_INTERFACE, prepare))
                break
            except Conflict as error:
                # Others took the address that was looked at; a wrong state is another kind of conflict.
                if type(error) is not Conflict or not left:
                    raise
        return made[-1]

    def detach(
        self, context: RequestContext, uuid: str, *, port_id: str = "", address: str = "", forget: bool = False
    ) -> None:
        """Order the end of the interface that has an id, or an address; raises NotFound, WrongState, Locked.

        A port that the project keeps stays for other servers, unless it is to ``forget`` it.
        """

        def prepare(session: Session, instance: Instance) -> Mapping[str, Any]:
            for interface in virtual_interfaces.of_instances(session, [uuid]).get(uuid, ()):
                if port_id == interface.id or address == (interface.address or interface.address_v6):
                    revisions.require(session, "ports", interface.id, context.seen_revision)
                    if forget:
                        ports.forget(session, interface.id)
                    return {"interface": _parameters(interface)}
            raise NotFound(f"Instance {uuid} has no interface {port_id or address}.")

        self._orders.place(context, uuid, Order(lambda _: Verb.DETACH_INTERFACE, prepare))


def free_ports(session: Session, context: RequestContext, port_ids: Sequence[str]) -> list[Port]:
    """Return ports that servers may have, in that order; raises NotFound, and Conflict for one that is in use."""
    found = {port.interface.id: port for port in ports.listing(session, context.scope(), {"id": port_ids})}
    for port_id in port_ids:
        if port_id not in found:
            raise NotFound(f"Port {port_id} could not be found.")
        if found[port_id].is_attached:
            raise Conflict(f"Port {port_id} is still in use.")
    return [found[port_id] for port_id in port_ids]


def _network(session: Session, context: RequestContext, instance: Instance, wanted: str) -> Network:
    """Return the network that an instance is to have an interface in."""
    held = {
        interface.network_id
        for interface in virtual_interfaces.of_instances(session, [instance.uuid]).get(instance.uuid, ())
    }
    if not wanted:
        for network in networks.listing(session, instance.project_id):
            if network.id not in held and network.has_subnet:
                return network
        raise InvalidInput(f"There is no network that instance {instance.uuid} is not in.")
    found = networks.get(session, wanted, instance.project_id)
    labelled = [found] if found else networks.labelled(session, wanted, instance.project_id)
    if len(labelled) != 1:
        raise InvalidInput(f"Network {wanted[:60]} could not be found, or there are several of that label.")
    if labelled[0].id in held:
        raise InvalidInput(
            f"Instance {instance.uuid} has an interface in network {labelled[0].label} already."
        )
    if not labelled[0].has_subnet:
        raise InvalidInput(f"Network {labelled[0].label} has no subnet.")
    return labelled[0]


def _parameters(interface: VirtualInterface) -> dict[str, Any]:
    return {
        field.name: getattr(interface, field.name)
        for field in dataclasses.fields(interface)
        if field.name not in ("created_at", "floating")
    }
