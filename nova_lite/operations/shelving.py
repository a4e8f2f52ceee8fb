"""Shelving: a server that is not needed for a while gives its host up and keeps all else."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from nova_lite.core import ids
from nova_lite.core.context import RequestContext
from nova_lite.core.errors import Forbidden, InvalidInput
from nova_lite.core.image import Visibility
from nova_lite.core.instance import Instance
from nova_lite.core.instance_states import PowerState, Verb, VmState
from nova_lite.db import images, instances
from nova_lite.operations.images import new_image
from nova_lite.operations.orders import Order, Orders


class Shelving:
    """The operations that put servers on the shelf and take them down; ``offloads`` as the flag says."""

    def __init__(self, orders: Orders, *, offloads: bool) -> None:
        self._orders = orders
        self._offloads = offloads

    def shelve(self, context: RequestContext, uuid: str) -> None:
        """Begin to make an image of a server and to free its host; raises NotFound, WrongState, Locked."""

        def prepare(session: Session, instance: Instance) -> Mapping[str, Any]:
            base = images.get(session, instance.image_id)
            image = new_image(
                context,
                ids.new_uuid(),
                name=f"{instance.display_name}-shelved",
                owner=instance.project_id,
                visibility=Visibility.PRIVATE,
                min_disk=instance.flavor.root_gb,
                properties={
                    "image_type": "snapshot",
                    "instance_uuid": instance.uuid,
                    "base_image_ref": base.id if base is not None else instance.image_id,
                },
            )
            images.insert(session, image)
            instances.update(session, uuid, shelved_image_id=image.id)
            return {
                "image_id": image.id,
                "off": instance.power_state is PowerState.SHUTDOWN,
                "offload": self._offloads,
            }

        self._orders.place(context, uuid, Order(lambda _: Verb.SHELVE, prepare))

    def offload(self, context: RequestContext, uuid: str) -> None:
        """Begin to free the host of a server that is shelved; raises NotFound, WrongState, Locked."""
        self._orders.place(
            context, uuid, Order(lambda _: Verb.SHELVE_OFFLOAD, lambda _session, _instance: {"off": True})
        )

    def unshelve(self, context: RequestContext, uuid: str, *, zone: str = "", host: str = "") -> None:
        """Begin to start a server that is shelved, in a zone or on a host if it has none.

        Raises NotFound, WrongState, Locked, Forbidden for a host of others than admins, InvalidInput where the
        server has a host already.
        """
        if host and not context.is_admin:
            raise Forbidden("Policy doesn't allow a host to be chosen.")

        def choose(instance: Instance) -> Verb:
            return Verb.UNSHELVE_HERE if instance.vm_state is VmState.SHELVED else Verb.UNSHELVE

        def prepare(session: Session, instance: Instance) -> Mapping[str, Any]:
            if instance.host and (zone or host):
                raise InvalidInput("A server that is on a host cannot be unshelved to another place.")
            if zone:
                instances.update(session, uuid, pinned_zone=zone)
            parameters: dict[str, Any] = {"image_id": instance.shelved_image_id or "", "off": False}
            return parameters | ({"force_host": host} if host else {})

        self._orders.place(context, uuid, Order(choose, prepare))
