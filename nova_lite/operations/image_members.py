"""Sharing images with projects."""

from sqlalchemy.orm import Session

from nova_lite.core import clock
from nova_lite.core.context import RequestContext
from nova_lite.core.errors import Forbidden, NotFound, TooLarge
from nova_lite.core.image import Image, ImageMember, MemberStatus, Visibility
from nova_lite.db import image_members
from nova_lite.db.engine import Database
from nova_lite.operations.image_access import ImageLimits, find


class ImageMembers:
    """The operations on the members of images: an owner names them, each of them accepts or rejects."""

    def __init__(self, database: Database, limits: ImageLimits) -> None:
        self._database = database
        self._limits = limits

    def listing(self, context: RequestContext, image_id: str) -> list[ImageMember]:
        """Return an image's members, of which a member sees itself only; raises NotFound, Forbidden."""

        def work(session: Session) -> list[ImageMember]:
            image = _shared(session, context, image_id)
            only = None if _owns(context, image) else context.project_id
            return image_members.of_image(session, image_id, only)

        return self._database.read("image.members", work)

    def get(self, context: RequestContext, image_id: str, member_id: str) -> ImageMember:
        """Return a member; raises NotFound, Forbidden."""
        for member in self.listing(context, image_id):
            if member.member_id == member_id:
                return member
        raise _no_member(image_id, member_id)

    def add(
        self,
        context: RequestContext,
        image_id: str,
        member_id: str,
        status: MemberStatus = MemberStatus.PENDING,
    ) -> ImageMember:
        """Share an image with a project; raises NotFound, Forbidden, Conflict, TooLarge."""
        now = clock.now()
        member = ImageMember(image_id, member_id, status, now, now)

        def work(session: Session) -> ImageMember:
            self._require_owner(session, context, image_id)
            if len(image_members.of_image(session, image_id)) >= self._limits.members:
                raise TooLarge(f"An image has at most {self._limits.members} members.")
            image_members.add(session, member)
            return member

        def landed(session: Session) -> ImageMember | None:
            return next((one for one in image_members.of_image(session, image_id, member_id)), None)

        return self._database.run("image.add_member", work, landed=landed)

    def answer(
        self, context: RequestContext, image_id: str, member_id: str, status: MemberStatus
    ) -> ImageMember:
        """Record what a project makes of an image, which only it may say; raises NotFound, Forbidden."""

        def work(session: Session) -> ImageMember:
            image = _shared(session, context, image_id)
            if not context.is_admin and context.project_id != member_id:
                if _owns(context, image):
                    raise Forbidden("Only the member itself says whether it accepts an image.")
                raise _no_member(image_id, member_id)
            if not image_members.set_status(session, image_id, member_id, status):
                raise _no_member(image_id, member_id)
            return image_members.of_image(session, image_id, member_id)[0]

        return self._database.run("image.answer_member", work)

    def remove(self, context: RequestContext, image_id: str, member_id: str) -> None:
        """Share an image with a project no longer; raises NotFound, Forbidden."""

        def work(session: Session) -> bool:
            self._require_owner(session, context, image_id)
            if not image_members.remove(session, image_id, member_id):
                raise _no_member(image_id, member_id)
            return True

        def landed(session: Session) -> bool | None:
            return None if image_members.of_image(session, image_id, member_id) else True

        self._database.run("image.remove_member", work, landed=landed)

    @staticmethod
    def _require_owner(session: Session, context: RequestContext, image_id: str) -> None:
        if not _owns(context, _shared(session, context, image_id)):
            raise Forbidden(f"Only the owner of image {image_id} shares it.")


def _shared(session: Session, context: RequestContext, image_id: str) -> Image:
    image = find(session, context, image_id)
    if image.visibility is not Visibility.SHARED:
        raise Forbidden("Only shared images have members.")
    return image


def _owns(context: RequestContext, image: Image) -> bool:
    return context.is_admin or image.owner == context.project_id


def _no_member(image_id: str, member_id: str) -> NotFound:
    return NotFound(f"Image {image_id} is not shared with project {member_id}.")
