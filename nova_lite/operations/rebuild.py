"""Rebuilding: the same server, with the addresses that it has, from an image anew."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy.orm import Session

from nova_lite.core import hardware, ids
from nova_lite.core.context import RequestContext
from nova_lite.core.errors import InvalidInput, OverQuota
from nova_lite.core.image import Image
from nova_lite.core.instance import Instance
from nova_lite.core.instance_states import Verb, VmState
from nova_lite.core.quota import Limits
from nova_lite.core.rebuild import RebuildRequest
from nova_lite.db import instance_rows, instances, key_pairs
from nova_lite.operations import injected_files, server_images, user_data
from nova_lite.operations.images import Images
from nova_lite.operations.orders import Order, Orders


class Rebuild:
    """Turns rebuild requests into changed rows and orders."""

    def __init__(
        self, images: Images, orders: Orders, limits: Limits, *, metadata_items: int,
        hash_password: Callable[[str], str] = lambda _password: "",
    ) -> None:  # fmt: skip
        self._images = images
        self._orders = orders
        self._limits = limits
        self._metadata_items = metadata_items
        self._hash_password = hash_password

    def begin(self, context: RequestContext, uuid: str, request: RebuildRequest) -> str:
        """Begin to make a server anew; returns its administrator's password.

        Raises NotFound, WrongState, Locked, OverQuota, InvalidInput for an image that does not exist or fit.
        """
        if len(request.metadata or ()) > self._metadata_items:
            raise OverQuota(f"Maximum number of metadata items exceeds {self._metadata_items}")
        user_data.check(request.changes.get("user_data") or "")
        injected_files.check(request.files or ())
        image = server_images.usable(self._images, context, request.image_id)
        password = request.admin_password or ids.new_secret(9)
        password_hash = self._hash_password(password)

        def prepare(session: Session, instance: Instance) -> Mapping[str, Any]:
            server_images.check_fit(instance.flavor, image)
            if request.files is not None:
                injected_files.check_limits(session, instance.project_id, self._limits, request.files)
                instances.set_files(session, [uuid], request.files)
            values = _values(session, context, instance, request, image)
            if request.options:
                changed = dataclasses.replace(instance.options, **request.options)
                values["options"] = instance_rows.options_to_json(changed)
            instances.update(session, uuid, admin_password_hash=password_hash, **values)
            return server_images.parameters(image)

        self._orders.place(context, uuid, Order(_verb, prepare))
        return password


def _verb(instance: Instance) -> Verb:
    return Verb.REBUILD_STOPPED if instance.vm_state is VmState.STOPPED else Verb.REBUILD


def _values(
    session: Session, context: RequestContext, instance: Instance, request: RebuildRequest, image: Image
) -> dict[str, Any]:
    values = {
        **request.changes,
        "image_id": image.id,
        "kernel_id": image.kernel_id,
        "ramdisk_id": image.ramdisk_id,
        "image_properties": hardware.kept(image.properties),
        "root_device_name": hardware.root_device(image.properties, instance.local_disks.root_plug),
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
