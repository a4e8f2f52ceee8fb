"""Tags in requests and answers."""

from collections.abc import Collection, Mapping, Sequence

from nova_lite.api.ec2.call import Ec2Call
from nova_lite.api.ec2.errors import Ec2Error, invalid
from nova_lite.api.ec2.xml import Shape, text
from nova_lite.core.resource_tags import LONGEST_KEY, LONGEST_VALUE, MOST, ResourceKind, ResourceTag

TAG = Shape(text("key", lambda tag: tag[0]), text("value", lambda tag: tag[1]))

Tags = Mapping[str, str]


def wanted_tags(
    call: Ec2Call, kind: ResourceKind, passed_over: Collection[ResourceKind] = ()
) -> dict[str, str]:
    """Return the tags that what is to be made of a kind shall have; raises Ec2Error.

    Those for kinds of ``passed_over`` are left out.
    """
    found: dict[str, str] = {}
    for specification in call.list("TagSpecification"):
        named = specification["ResourceType"]
        tags = checked(specification.get("Tag", []))
        if named in passed_over:
            continue
        if named != kind:
            raise invalid("TagSpecification.ResourceType", named, f"It must be {kind} here.")
        found |= tags
    return found


def checked(wanted: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Return tags by key; raises Ec2Error for a bad one, for a key twice and for too many."""
    tags: dict[str, str] = {}
    for tag in wanted:
        key, value = tag["Key"], tag.get("Value", "")
        if not 1 <= len(key) <= LONGEST_KEY or key.lower().startswith("aws:"):
            raise invalid(
                "Tag.Key", key, f"It needs 1 to {LONGEST_KEY} characters and may not begin with aws:"
            )
        if len(value) > LONGEST_VALUE:
            raise invalid("Tag.Value", value, f"It has at most {LONGEST_VALUE} characters.")
        if key in tags:
            raise invalid("Tag.Key", key, "It is there twice.")
        tags[key] = value
    if len(tags) > MOST:
        raise Ec2Error("TagLimitExceeded", f"A resource has at most {MOST} tags.")
    return tags


def put_tags(call: Ec2Call, kind: ResourceKind, resource_id: str, tags: Tags) -> None:
    """Give a new resource its tags."""
    if tags:
        call.cloud.resource_tags.put(
            call.context, [ResourceTag(kind, resource_id, key, value) for key, value in tags.items()]
        )


def tags_by_resource(call: Ec2Call, resource_ids: Sequence[str] | None = None) -> dict[str, dict[str, str]]:
    """Return the project's tags by resource (its UUID) and key; those of instances are not among them."""
    found: dict[str, dict[str, str]] = {}
    for tag in call.cloud.resource_tags.listing(call.context, resource_ids):
        found.setdefault(tag.resource_id, {})[tag.key] = tag.value
    return found
