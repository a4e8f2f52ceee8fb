"""Single attributes of instances: show, change, reset; and the password of a guest."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from nova_lite.api.ec2 import ids
from nova_lite.api.ec2.call import Ec2Call
from nova_lite.api.ec2.errors import Ec2Error, invalid, missing, unsupported
from nova_lite.api.ec2.instance_view import GROUP, METADATA_OPTIONS
from nova_lite.api.ec2.query import Blob, Flag, Many, Struct, Text
from nova_lite.api.ec2.query import ids as identifiers
from nova_lite.api.ec2.run_instances import wants_tokens
from nova_lite.api.ec2.security_groups import groups_named
from nova_lite.api.ec2.status import STOPPED, state_of
from nova_lite.api.ec2.xml import Shape, Write, always, either, flag, many, moment, one, text
from nova_lite.core import clock
from nova_lite.core.ec2_ids import ec2_id
from nova_lite.core.instance import Instance
from nova_lite.core.instance_states import VmState


@dataclasses.dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute of an instance, to be shown."""

    name: str
    instance: Instance
    groups: Sequence[tuple[str, str]] = ()


def _value(get: Any) -> Shape:
    return Shape(text("value", get))


def _truth(get: Any) -> Shape:
    return Shape(flag("value", get))


def _itself(instance: Instance) -> Instance:
    return instance


_ELEMENTS: dict[str, Write] = {
    "blockDeviceMapping": always("blockDeviceMapping", ()),
    "disableApiStop": one("disableApiStop", _itself, _truth(lambda i: i.options.disable_stop)),
    "disableApiTermination": one(
        "disableApiTermination", _itself, _truth(lambda i: i.options.disable_delete)
    ),
    "ebsOptimized": one("ebsOptimized", _itself, _truth(lambda i: i.options.ebs_optimized)),
    "enaSupport": always("enaSupport", {"value": False}),
    "enclaveOptions": always("enclaveOptions", {"enabled": False}),
    "instanceInitiatedShutdownBehavior": always("instanceInitiatedShutdownBehavior", {"value": "stop"}),
    "instanceType": one("instanceType", _itself, _value(lambda i: i.flavor.name)),
    "kernel": one(
        "kernel",
        _itself,
        Shape(either(lambda i: i.kernel_id, text("value", lambda i: ec2_id("aki", i.kernel_id)))),
    ),
    "productCodes": always("productCodes", ()),
    "ramdisk": one(
        "ramdisk",
        _itself,
        Shape(either(lambda i: i.ramdisk_id, text("value", lambda i: ec2_id("ari", i.ramdisk_id)))),
    ),
    "rootDeviceName": one("rootDeviceName", _itself, _value(lambda i: i.root_device_name)),
    "sourceDestCheck": always("sourceDestCheck", {"value": True}),
    "sriovNetSupport": always("sriovNetSupport", ""),
    "userData": one(
        "userData", _itself, Shape(either(lambda i: i.user_data, text("value", lambda i: i.user_data)))
    ),
}
ATTRIBUTES = (*_ELEMENTS, "groupSet")
"""The attributes that there are."""

_GROUPS = many("groupSet", lambda attribute: attribute.groups, GROUP)


def _write(out: list[str], attribute: Attribute) -> None:
    if attribute.name == "groupSet":
        _GROUPS(out, attribute)
    else:
        _ELEMENTS[attribute.name](out, attribute.instance)


SHOWN = Shape(text("instanceId", lambda attribute: ids.instance_id(attribute.instance)), _write)
METADATA = Shape(
    text("instanceId", ids.instance_id),
    one("instanceMetadataOptions", lambda instance: instance.options, METADATA_OPTIONS),
)
PASSWORD = Shape(
    text("instanceId", lambda told: told[0]),
    moment("timestamp", lambda told: told[1]),
    text("passwordData", lambda told: told[2]),
)

MODIFY = (
    Text("InstanceId", required=True), Text("Attribute", *ATTRIBUTES), Text("Value", longest=65535),
    identifiers("GroupId"),
    Struct("InstanceType", Text("Value")), Struct("DisableApiTermination", Flag("Value")),
    Struct("DisableApiStop", Flag("Value")), Struct("InstanceInitiatedShutdownBehavior", Text("Value")),
    Struct("UserData", Blob("Value")), Struct("SourceDestCheck", Flag("Value")), Struct("EbsOptimized", Flag("Value")),
    Struct("EnaSupport", Flag("Value")), Struct("Kernel", Text("Value")), Struct("Ramdisk", Text("Value")),
    Text("SriovNetSupport"),
    Many(Struct(
        "BlockDeviceMapping", Text("DeviceName"), Text("NoDevice"), Text("VirtualName"),
        Struct("Ebs", Flag("DeleteOnTermination"), Text("VolumeId")),
    )),
)  # fmt: skip
_OPTIONS = {
    "disableApiTermination": "disable_delete",
    "disableApiStop": "disable_stop",
    "ebsOptimized": "ebs_optimized",
}
"""The attributes that are options of an instance, and their fields."""


def describe_instance_attribute(call: Ec2Call) -> Attribute:
    """Show one attribute of an instance."""
    server = ids.server(call, call.get("InstanceId"))
    groups = tuple(zip(server.security_group_ids, server.security_groups, strict=True))
    return Attribute(call.get("Attribute"), server.instance, groups)


def modify_instance_attribute(call: Ec2Call) -> None:
    """Change one attribute of an instance."""
    instance = ids.instance(call, call.get("InstanceId"))
    name, value = _change(call)
    if name in _OPTIONS:
        call.cloud.servers.set_options(call.context, instance.uuid, **{_OPTIONS[name]: value})
    elif name == "groupSet":
        groups = groups_named(call, value, [])
        call.cloud.memberships.replace(call.context, instance.uuid, [group.id for group in groups])
    elif name == "userData":
        _require_stopped(instance)
        call.cloud.servers.update(call.context, instance.uuid, {"user_data": value or None})
    elif name == "instanceType":
        _require_stopped(instance)
        _change_type(call, instance, value)
    elif name == "instanceInitiatedShutdownBehavior":
        if value != "stop":
            raise unsupported("An instance whose guest switches itself off is stopped, never terminated.")
    elif name == "sourceDestCheck":
        if not value:
            raise unsupported("Guests may send only from their own addresses here.")
    else:
        raise unsupported(f"The attribute {name} cannot be changed.")


def modify_metadata_options(call: Ec2Call) -> Instance:
    """Change whether an instance's metadata is told only to who shows a token, and how far that goes."""
    instance = ids.instance(call, call.get("InstanceId"))
    tokens, changes = wants_tokens(call, call.values), dict[str, Any]()
    if "HttpTokens" in call.values:
        changes["metadata_tokens"] = tokens
    if "HttpPutResponseHopLimit" in call.values:
        changes["hop_limit"] = call.get("HttpPutResponseHopLimit")
    return call.cloud.servers.set_options(call.context, instance.uuid, **changes)


def reset_instance_attribute(call: Ec2Call) -> None:
    """Say of the attributes that can be reset that they are as they were."""
    ids.instance(call, call.get("InstanceId"))
    if call.get("Attribute") != "sourceDestCheck":
        raise unsupported(f"The attribute {call.get('Attribute')} cannot be reset: it is the image's.")


def get_password_data(call: Ec2Call) -> tuple[str, Any, str]:
    """Return the password that the guest told, encrypted for its key pair; empty while it has told none."""
    instance = ids.instance(call, call.get("InstanceId"), alive=False)
    told = ""
    if instance.vm_state is not VmState.DELETED:
        told = call.cloud.guests.password(call.context, instance.uuid)
    return ids.instance_id(instance), clock.now(), told


def _change(call: Ec2Call) -> tuple[str, Any]:
    """Return the attribute that a request changes, and its new value; raises Ec2Error unless it is one."""
    changes: list[tuple[str, Any]] = []
    for name in ATTRIBUTES:
        parameter = name[0].upper() + name[1:]
        if parameter in call.values and isinstance(call.values[parameter], dict):
            changes.append((name, call.part(parameter).get("Value")))
    if call.list("GroupId"):
        changes.append(("groupSet", call.list("GroupId")))
    if call.list("BlockDeviceMapping"):
        changes.append(("blockDeviceMapping", None))
    if call.get("Attribute") and "Value" in call.values:
        changes.append((call.get("Attribute"), call.get("Value")))
    if not changes:
        raise missing("Attribute")
    if len(changes) > 1:
        raise Ec2Error("InvalidParameterCombination", "Fields for multiple attribute types specified")
    name, value = changes[0]
    if value is None and name != "blockDeviceMapping":
        raise missing(f"{name[0].upper()}{name[1:]}.Value")
    return name, _typed(name, value)


def _typed(name: str, value: Any) -> Any:
    """Return a value as the attribute has it; raises Ec2Error."""
    if name in ("disableApiTermination", "disableApiStop", "ebsOptimized", "sourceDestCheck"):
        return value if isinstance(value, bool) else Flag("Value").read("Value", value)
    if name == "userData":
        return Blob("Value").read("Value", value)
    return value


def _require_stopped(instance: Instance) -> None:
    if state_of(instance) is not STOPPED:
        raise Ec2Error(
            "IncorrectInstanceState",
            f"The instance '{ids.instance_id(instance)}' is not in the 'stopped' state.",
        )


def _change_type(call: Ec2Call, instance: Instance, name: str) -> None:
    flavors = [flavor for flavor in call.cloud.flavors.listing(call.context) if flavor.name == name]
    if not flavors:
        raise invalid("InstanceType", name, "There is no such instance type.")
    call.cloud.resize.change_flavor(call.context, instance.uuid, flavors[0].id)
