"""Members of images in the image API: the projects that an image is shared with."""

from nova_lite.api.call import Call, Json, Reply
from nova_lite.core import clock
from nova_lite.core.image import ImageMember, MemberStatus


def listing(call: Call) -> Reply:
    """List an image's members."""
    found = call.cloud.image_members.listing(call.context, call.params["image_id"])
    return Reply({"members": [_view(member) for member in found], "schema": "/v2/schemas/members"})


def show(call: Call) -> Reply:
    """Show a member."""
    image_id, member_id = call.params["image_id"], call.params["member_id"]
    return Reply(_view(call.cloud.image_members.get(call.context, image_id, member_id)))


def create(call: Call) -> Reply:
    """Share an image with a project."""
    member = call.cloud.image_members.add(call.context, call.params["image_id"], call.body["member"])
    return Reply(_view(member))


def update(call: Call) -> Reply:
    """Accept or reject an image."""
    status = MemberStatus(call.body["status"])
    image_id, member_id = call.params["image_id"], call.params["member_id"]
    return Reply(_view(call.cloud.image_members.answer(call.context, image_id, member_id, status)))


def delete(call: Call) -> Reply:
    """Share an image with a project no longer."""
    call.cloud.image_members.remove(call.context, call.params["image_id"], call.params["member_id"])
    return Reply()


def _view(member: ImageMember) -> Json:
    return {
        "image_id": member.image_id,
        "member_id": member.member_id,
        "status": member.status,
        "created_at": clock.iso8601(member.created_at),
        "updated_at": clock.iso8601(member.updated_at),
        "schema": "/v2/schemas/member",
    }
