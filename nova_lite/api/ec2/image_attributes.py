"""Single attributes of images: show, change, reset; who may launch one among them."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from nova_lite.api.ec2 import ids
from nova_lite.api.ec2.call import Ec2Call
from nova_lite.api.ec2.errors import missing
from nova_lite.api.ec2.image_view import FOR_ALL, Shown
from nova_lite.api.ec2.images import described, own
from nova_lite.api.ec2.xml import Shape, always, either, many, one, text
from nova_lite.core import ids as uuids
from nova_lite.core.ec2_ids import ec2_id
from nova_lite.core.image import Image, MemberStatus, Visibility

_PERMISSION = Shape(
    either(lambda each: each == "all", text("group", lambda each: each)),
    either(lambda each: each != "all", text("userId", lambda each: each)),
)


def _only(name: str, *elements: Any) -> Any:
    """Elements that are there only where the attribute ``name`` is asked for."""
    shape = Shape(*elements)

    def write(out: list[str], thing: Any) -> None:
        if thing[0] == name:
            shape.write(out, thing[1])

    return write


_VALUE = "value"
ATTRIBUTE = Shape(
    text("imageId", lambda thing: thing[1].id),
    _only(
        "launchPermission",
        many(
            "launchPermission",
            lambda shown: ["all"] if shown.public else list(shown.members),
            _PERMISSION,
        ),
    ),
    _only(
        "description", one("description", lambda shown: shown, Shape(text(_VALUE, lambda s: s.description)))
    ),
    _only(
        "kernel",
        one(
            "kernel",
            lambda shown: shown,
            Shape(
                either(
                    lambda s: uuids.is_uuid(s.image.kernel_id),
                    text(_VALUE, lambda s: ec2_id("aki", s.image.kernel_id)),
                )
            ),
        ),
    ),
    _only(
        "ramdisk",
        one(
            "ramdisk",
            lambda shown: shown,
            Shape(
                either(
                    lambda s: uuids.is_uuid(s.image.ramdisk_id),
                    text(_VALUE, lambda s: ec2_id("ari", s.image.ramdisk_id)),
                )
            ),
        ),
    ),
    _only(
        "rootDeviceName",
        one("rootDeviceName", lambda shown: shown, Shape(text(_VALUE, lambda s: s.root_device))),
    ),
    _only("blockDeviceMapping", always("blockDeviceMapping", ())),
    _only("productCodes", always("productCodes", ())),
    _only("sriovNetSupport", always("sriovNetSupport", "")),
)
IMAGE_ATTRIBUTES = (
    "launchPermission", "description", "kernel", "ramdisk", "rootDeviceName", "blockDeviceMapping", "productCodes",
    "sriovNetSupport",
)  # fmt: skip


def describe_image_attribute(call: Ec2Call) -> tuple[str, Shown]:
    """Show one attribute of an image."""
    name = call.get("Attribute")
    image = own(call) if name == "launchPermission" else ids.image(call, call.get("ImageId"))
    members: Sequence[str] = ()
    if name == "launchPermission" and image.visibility is Visibility.SHARED:
        found = call.cloud.image_members.listing(call.context, image.id)
        members = [member.member_id for member in found if member.status is MemberStatus.ACCEPTED]
    return name, Shown(image, members=members)


def modify_image_attribute(call: Ec2Call) -> None:
    """Change who may launch an image, or its description."""
    image = own(call)
    if "Description" in call.values:
        text_of = call.part("Description").get("Value", "")
        call.cloud.images.update(
            call.context, image.id, lambda old: described(old, {"description": text_of})
        )
        return
    added, removed = _permissions(call)
    if not (added or removed):
        raise missing("LaunchPermission")
    _permit(call, image, added, removed)


def update_image(call: Ec2Call) -> None:
    """Change what an image says of itself, as tools of old do."""
    image = own(call)
    texts = {name: call.get(parameter) for name, parameter in _TEXTS.items() if parameter in call.values}
    others = {
        f"{kind}_id": ids.image(call, call.get(parameter), prefix).id
        for kind, parameter, prefix in (("kernel", "KernelId", "aki"), ("ramdisk", "RamdiskId", "ari"))
        if parameter in call.values
    }

    def change(old: Image) -> Image:
        properties = {name: value for name, value in {**old.properties, **texts, **others}.items() if value}
        return dataclasses.replace(old, name=call.get("Name", old.name), properties=properties)

    call.cloud.images.update(call.context, image.id, change)


_TEXTS = {"description": "Description", "architecture": "Architecture", "root_device_name": "RootDeviceName"}
"""The properties that UpdateImage sets by its parameters; an empty one goes."""


def reset_image_attribute(call: Ec2Call) -> None:
    """Let nobody but the owner launch an image."""
    image = own(call)
    members = []
    if image.visibility is Visibility.SHARED:
        members = [member.member_id for member in call.cloud.image_members.listing(call.context, image.id)]
    _permit(call, image, [], ["all", *members])


def _permissions(call: Ec2Call) -> tuple[list[str], list[str]]:
    """Return who may launch an image from now on and who not, everybody as ``all``; old clients say it otherwise."""
    changes = call.part("LaunchPermission")
    sides: dict[str, list[str]] = {
        "add": [each.get("Group") or each.get("UserId", "") for each in changes.get("Add", [])],
        "remove": [each.get("Group") or each.get("UserId", "") for each in changes.get("Remove", [])],
    }
    named = [*call.list("UserGroup"), *call.list("UserId")]
    if named:
        operation = call.get("OperationType")
        if call.get("Attribute", "launchPermission") != "launchPermission" or operation is None:
            raise missing("OperationType")
        sides[operation] += named
    for each in sides["add"] + sides["remove"]:
        if not each:
            raise missing("LaunchPermission.Group")
    return sides["add"], sides["remove"]


def _permit(call: Ec2Call, image: Image, added: Sequence[str], removed: Sequence[str]) -> None:
    context = call.elevated()
    visibility = image.visibility
    if "all" in added:
        visibility = Visibility.PUBLIC if context.is_admin else Visibility.COMMUNITY
    elif "all" in removed and visibility in FOR_ALL:
        visibility = Visibility.SHARED
    projects = [each for each in added if each != "all"]
    if projects and visibility not in (*FOR_ALL, Visibility.SHARED):
        visibility = Visibility.SHARED
    if visibility is not image.visibility:
        call.cloud.images.update(
            context, image.id, lambda old: dataclasses.replace(old, visibility=visibility)
        )
    if visibility is not Visibility.SHARED:
        return
    members = {member.member_id for member in call.cloud.image_members.listing(call.context, image.id)}
    for project in projects:
        if project not in members:
            call.cloud.image_members.add(call.context, image.id, project, status=MemberStatus.ACCEPTED)
    for project in removed:
        if project in members:
            call.cloud.image_members.remove(call.context, image.id, project)
