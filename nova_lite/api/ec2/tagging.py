"""CreateTags, DeleteTags and DescribeTags: tags of every kind of resource.

The tags of an instance are its metadata in the compute API, so that both show the same.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence

from nova_lite.api.ec2 import addresses, filters, ids, key_pairs, network_interfaces, paging, subnets
from nova_lite.api.ec2.call import Ec2Call
from nova_lite.api.ec2.errors import Ec2Error, missing
from nova_lite.api.ec2.filters import Table
from nova_lite.api.ec2.instances import every_instance
from nova_lite.api.ec2.paging import Listed
from nova_lite.api.ec2.tags import checked
from nova_lite.api.ec2.xml import Shape, text
from nova_lite.core.ec2_ids import ec2_id
from nova_lite.core.instance_states import VmState
from nova_lite.core.resource_tags import MOST, ResourceKind, ResourceTag

_PREFIXES = {
    ResourceKind.INSTANCE: "i",
    ResourceKind.IMAGE: "ami",
    ResourceKind.KEY_PAIR: "key",
    ResourceKind.SECURITY_GROUP: "sg",
    ResourceKind.SECURITY_GROUP_RULE: "sgr",
    ResourceKind.ELASTIC_IP: "eipalloc",
    ResourceKind.NETWORK_INTERFACE: "eni",
    ResourceKind.SUBNET: "subnet",
    ResourceKind.VPC: "vpc",
    ResourceKind.VOLUME: "vol",
    ResourceKind.SNAPSHOT: "snap",
}


@dataclasses.dataclass(frozen=True, slots=True)
class Resource:
    """What a tag is for."""

    kind: ResourceKind
    uuid: str


@dataclasses.dataclass(frozen=True, slots=True)
class Shown:
    """A tag with what it is for."""

    id: str
    kind: str
    key: str
    value: str


TAGS = paging.shape(
    "tagSet",
    Shape(
        text("resourceId", lambda shown: shown.id),
        text("resourceType", lambda shown: shown.kind),
        text("key", lambda shown: shown.key),
        text("value", lambda shown: shown.value),
    ),
)

_FILTERS: Table = {
    "key": lambda shown: shown.key,
    "resource-id": lambda shown: shown.id,
    "resource-type": lambda shown: shown.kind,
    "value": lambda shown: shown.value,
}


def create_tags(call: Ec2Call) -> None:
    """Give resources tags; another value of the same key goes."""
    tags = checked(call.list("Tag"))
    found = _resources(call, call.list("ResourceId"))
    instances = [each.uuid for each in found if each.kind is ResourceKind.INSTANCE]
    for server in ids.servers(call, [ec2_id("i", uuid) for uuid in instances]):
        if len({**server.instance.metadata, **tags}) > MOST:
            raise Ec2Error("TagLimitExceeded", f"A resource has at most {MOST} tags.")
    others = [each for each in found if each.kind is not ResourceKind.INSTANCE]
    if others:
        call.cloud.resource_tags.put(
            call.context,
            [ResourceTag(each.kind, each.uuid, key, value) for each in others for key, value in tags.items()],
        )
    for uuid in instances:
        call.cloud.server_metadata.set(call.context, uuid, tags, replace=False)


def delete_tags(call: Ec2Call) -> None:
    """Take tags away: by key, or by key and value; all where no tag is named."""
    unwanted = [(tag["Key"], tag.get("Value")) for tag in call.list("Tag")]
    found = _resources(call, call.list("ResourceId"))
    call.cloud.resource_tags.remove(
        call.context, [each.uuid for each in found if each.kind is not ResourceKind.INSTANCE], unwanted
    )
    for each in found:
        if each.kind is ResourceKind.INSTANCE:
            call.cloud.server_metadata.change(call.context, each.uuid, lambda old: _without(old, unwanted))


def describe_tags(call: Ec2Call) -> Listed:
    """List the project's tags, those of instances that ended no more."""
    shown = [
        Shown(ids.instance_id(instance), ResourceKind.INSTANCE, key, value)
        for instance in every_instance(call)
        if instance.vm_state is not VmState.DELETED
        for key, value in sorted(instance.metadata.items())
    ]
    images = {}
    tags = call.cloud.resource_tags.listing(call.context)
    wanted = [tag.resource_id for tag in tags if tag.kind is ResourceKind.IMAGE]
    if wanted:
        images = {
            image.id: ids.image_id(image) for image in call.cloud.images.starting_with(call.context, wanted)
        }
    for tag in tags:
        identifier = images.get(tag.resource_id) or ec2_id(_PREFIXES[tag.kind], tag.resource_id)
        shown.append(Shown(identifier, tag.kind, tag.key, tag.value))
    chosen = filters.chosen(shown, call.list("Filter"), _FILTERS, lambda each: {each.key: each.value})
    return paging.paged(call, chosen, lambda each: f"{each.id}/{each.key.encode().hex()}")


def _without(old: Mapping[str, str], unwanted: Sequence[tuple[str, str | None]]) -> dict[str, str]:
    if not unwanted:
        return {}
    gone = {key for key, value in unwanted if value is None or old.get(key) == value}
    return {key: value for key, value in old.items() if key not in gone}


def _resources(call: Ec2Call, wanted: Sequence[str]) -> list[Resource]:
    """Return the resources that identifiers stand for, each once; raises Ec2Error."""
    by_kind: dict[str, list[str]] = {}
    for identifier in dict.fromkeys(wanted):
        prefix = identifier.rpartition("-")[0]
        if prefix not in _FINDERS:
            raise Ec2Error("InvalidID", f"The ID '{identifier[:100]}' is not valid")
        by_kind.setdefault(prefix, []).append(identifier)
    if not by_kind:
        raise missing("ResourceId")
    return [each for prefix, named in by_kind.items() for each in _FINDERS[prefix](call, named)]


def _instances(call: Ec2Call, named: Sequence[str]) -> list[Resource]:
    return [Resource(ResourceKind.INSTANCE, ids.instance(call, each).uuid) for each in named]


def _images(call: Ec2Call, named: Sequence[str]) -> list[Resource]:
    return [Resource(ResourceKind.IMAGE, image.id) for image in ids.images(call, named)]


def _groups(call: Ec2Call, named: Sequence[str]) -> list[Resource]:
    ids.starts(named, "InvalidGroupId", "sg")
    groups = call.cloud.security_groups.list(call.context)
    found = ids.pick(groups, named, lambda group: ec2_id("sg", group.id), "InvalidGroup", "security group")
    return [Resource(ResourceKind.SECURITY_GROUP, group.id) for group in found]


def _rules(call: Ec2Call, named: Sequence[str]) -> list[Resource]:
    code = "InvalidSecurityGroupRuleId"
    ids.starts(named, code, "sgr")
    rules = [rule for group in call.cloud.security_groups.list(call.context) for rule in group.rules]
    found = ids.pick(rules, named, lambda rule: ec2_id("sgr", rule.id), code, "security group rule ID")
    return [Resource(ResourceKind.SECURITY_GROUP_RULE, rule.id) for rule in found]


def _addresses(call: Ec2Call, named: Sequence[str]) -> list[Resource]:
    code = "InvalidAllocationID"
    ids.starts(named, code, "eipalloc")
    found = ids.pick(addresses.every(call), named, lambda each: each.allocation, code, "allocation ID")
    return [Resource(ResourceKind.ELASTIC_IP, each.address.id) for each in found]


def _interfaces(call: Ec2Call, named: Sequence[str]) -> list[Resource]:
    code = "InvalidNetworkInterfaceID"
    ids.starts(named, code, "eni")
    found = ids.pick(network_interfaces.every(call), named, lambda each: each.id, code, "networkInterface ID")
    return [Resource(ResourceKind.NETWORK_INTERFACE, each.port.interface.id) for each in found]


def _keys(call: Ec2Call, named: Sequence[str]) -> list[Resource]:
    ids.starts(named, "InvalidKeyPairId", "key")
    found = ids.pick(key_pairs.every(call), named, lambda each: each.id, "InvalidKeyPair", "key pair")
    return [Resource(ResourceKind.KEY_PAIR, each.pair.uuid) for each in found]


def _subnets(call: Ec2Call, named: Sequence[str]) -> list[Resource]:
    return [Resource(ResourceKind.SUBNET, subnets.subnet(call, each).uuid) for each in named]


def _vpcs(call: Ec2Call, named: Sequence[str]) -> list[Resource]:
    ids.starts(named, "InvalidVpcID", "vpc")
    found = ids.pick([subnets.vpc(call)], named, lambda each: each.id, "InvalidVpcID", "vpc ID")
    return [Resource(ResourceKind.VPC, each.uuid) for each in found]


def _nothing(code: str, malformed: str, what: str, prefix: str) -> "Finder":
    def find(call: Ec2Call, named: Sequence[str]) -> list[Resource]:
        ids.starts(named, malformed, prefix)
        raise ids.not_found(code, what, named)

    return find


Finder = Callable[[Ec2Call, Sequence[str]], list[Resource]]

_FINDERS: dict[str, Finder] = {
    "i": _instances,
    "ami": _images,
    "aki": _images,
    "ari": _images,
    "sg": _groups,
    "sgr": _rules,
    "eipalloc": _addresses,
    "eni": _interfaces,
    "key": _keys,
    "subnet": _subnets,
    "vpc": _vpcs,
    "vol": _nothing("InvalidVolume", "InvalidVolumeID", "volume", "vol"),
    "snap": _nothing("InvalidSnapshot", "InvalidSnapshotID", "snapshot", "snap"),
}
"""Finds the resources of identifiers by their prefix."""
