"""Rebuilding: the same server, with the addresses that it has, from an image anew."""

import secrets
from typing import Any

from sqlalchemy.orm import Session

from nova_lite.core import ids
from nova_lite.core.actions import Action, new_action
from nova_lite.core.context import RequestContext
from nova_lite.core.errors import InvalidInput, NotFound, OverQuota
from nova_lite.core.image import Image
from nova_lite.core.instance_states import Verb, VmState
from nova_lite.core.rebuild import RebuildRequest
from nova_lite.db import actions, instances, key_pairs
from nova_lite.db.engine import Database
from nova_lite.operations import boot
from nova_lite.operations.images import Images
from nova_lite.rpc.compute import ComputeProxy


class Rebuild:
    """Turns rebuild requests into changed rows and actions."""

    def __init__(
        self, database: Database, images: Images, compute: ComputeProxy, *, metadata_items: int
    ) -> None:
        self._database = database
        self._images = images
        self._compute = compute
        self._metadata_items = metadata_items

    def rebuild(self, context: RequestContext, uuid: str, request: RebuildRequest) -> str:
        """Begin to make a server anew; returns its administrator's password.

        Raises NotFound, WrongState, Locked, OverQuota, InvalidInput for an image that does not exist or fit.
        """
        if len(request.metadata or ()) > self._metadata_items:
            raise OverQuota(f"Maximum number of metadata items exceeds {self._metadata_items}")
        boot.check_user_data(request.changes.get("user_data") or "")
        image = boot.usable_image(self._images, context, request.image_id)
        action_id = ids.new_uuid()

        def work(session: Session) -> Action:
            return _begin(session, context, uuid, request, image, action_id)

        def landed(session: Session) -> Action | None:
            return actions.get(session, action_id)

        action = self._database.run("server.rebuild", work, landed=landed)
        self._compute.on(action.host).perform(context, [action.id])
        return request.admin_password or secrets.token_urlsafe(9)


def _begin(
    session: Session,
    context: RequestContext,
    uuid: str,
    request: RebuildRequest,
    image: Image,
    action_id: str,
) -> Action:
    instance = instances.get(session, uuid, context.scope())
    if instance is None:
        raise NotFound(f"Instance {uuid} could not be found.")
    verb = Verb.REBUILD_STOPPED if instance.vm_state is VmState.STOPPED else Verb.REBUILD
    instances.begin(session, instance, verb, despite_lock=context.is_admin)
    boot.check_fit(instance.flavor, image)
    values = _values(session, context, request, image)
    instances.update(session, uuid, **values)
    action = new_action(context, instance, verb, action_id, boot.image_parameters(image))
    actions.insert(session, [action])
    return action


def _values(
    session: Session, context: RequestContext, request: RebuildRequest, image: Image
) -> dict[str, Any]:
    values = {
        **request.changes,
        "image_id": image.id,
        "kernel_id": image.kernel_id,
        "ramdisk_id": image.ramdisk_id,
    }
    if request.metadata is not None:
        values["metadata"] = dict(request.metadata)
    if request.key_name is None:
        values |= {"key_name": None, "public_key": None}
    elif request.key_name:
        pair = key_pairs.get(session, context.user_id, request.key_name)
        if pair is None:
            raise InvalidInput(f"Invalid key_name provided: {request.key_name}.")
        values |= {"key_name": pair.name, "public_key": pair.public_key}
    return values
