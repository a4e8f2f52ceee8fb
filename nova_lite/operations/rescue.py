"""Rescuing: a server that does not boot is started from another disk, to be mended."""

import secrets

from sqlalchemy.orm import Session

from nova_lite.core import ids
from nova_lite.core.actions import Action, new_action
from nova_lite.core.context import RequestContext
from nova_lite.core.errors import NotFound
from nova_lite.core.instance_states import Verb
from nova_lite.db import actions, instances
from nova_lite.db.engine import Database
from nova_lite.operations import boot
from nova_lite.operations.images import Images
from nova_lite.rpc.compute import ComputeProxy


class Rescue:
    """Turns requests for a rescue into actions; ``image_id`` is the image for servers that name none."""

    def __init__(self, database: Database, images: Images, compute: ComputeProxy, *, image_id: str) -> None:
        self._database = database
        self._images = images
        self._compute = compute
        self._image_id = image_id

    def begin(self, context: RequestContext, uuid: str, image_id: str = "", admin_password: str = "") -> str:
        """Begin to rescue a server from an image, by default its own; returns the administrator's password.

        Raises NotFound, WrongState, Locked, InvalidInput for an image that does not exist.
        """
        instance = self._database.read(
            "server.instance", lambda session: instances.get(session, uuid, context.scope())
        )
        if instance is None:
            raise NotFound(f"Instance {uuid} could not be found.")
        chosen = image_id or self._image_id or instance.image_id
        image = boot.usable_image(self._images, context, chosen)
        action_id = ids.new_uuid()

        def work(session: Session) -> Action:
            instances.begin(session, instance, Verb.RESCUE, despite_lock=context.is_admin)
            parameters = boot.image_parameters(image) | {"image_id": image.id}
            action = new_action(context, instance, Verb.RESCUE, action_id, parameters)
            actions.insert(session, [action])
            return action

        def landed(session: Session) -> Action | None:
            return actions.get(session, action_id)

        action = self._database.run("server.rescue", work, landed=landed)
        self._compute.on(action.host).perform(context, [action.id])
        return admin_password or secrets.token_urlsafe(9)
