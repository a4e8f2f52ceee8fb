"""Rescuing: a server that does not boot is started from another disk, to be mended."""

from nova_lite.core import ids
from nova_lite.core.context import RequestContext
from nova_lite.core.instance_states import Verb
from nova_lite.db.engine import Database
from nova_lite.operations import server_images
from nova_lite.operations.images import Images
from nova_lite.operations.orders import Order, Orders, find


class Rescue:
    """Turns requests for a rescue into orders; ``image_id`` is the image for servers that name none."""

    def __init__(self, database: Database, images: Images, orders: Orders, *, image_id: str) -> None:
        self._database = database
        self._images = images
        self._orders = orders
        self._image_id = image_id

    def begin(self, context: RequestContext, uuid: str, image_id: str = "", admin_password: str = "") -> str:
        """Begin to rescue a server from an image, by default its own; returns the administrator's password.

        Raises NotFound, WrongState, Locked, InvalidInput for an image that does not exist.
        """
        instance = self._database.read("server.instance", lambda session: find(session, context, uuid))
        chosen = image_id or self._image_id or instance.image_id
        image = server_images.usable(self._images, context, chosen)
        parameters = server_images.parameters(image) | {"image_id": image.id}
        self._orders.place(
            context, uuid, Order(lambda _: Verb.RESCUE, lambda _session, _instance: parameters)
        )
        return admin_password or ids.new_secret(9)
