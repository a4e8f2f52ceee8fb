"""Tags that a project gives to resources, its own and those that it may use."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from nova_lite.core.context import RequestContext
from nova_lite.core.errors import TooLarge
from nova_lite.core.resource_tags import MOST, ResourceTag
from nova_lite.db import resource_tags
from nova_lite.db.engine import Database


class ResourceTags:
    """The operations on tags; those of instances are the instances' metadata."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def listing(
        self, context: RequestContext, resource_ids: Sequence[str] | None = None
    ) -> list[ResourceTag]:
        """Return the project's tags, of these resources or of all."""
        return self._database.read(
            "resource_tags.list",
            lambda session: resource_tags.listing(session, context.project_id, resource_ids),
        )

    def put(self, context: RequestContext, tags: Sequence[ResourceTag]) -> None:
        """Give resources tags, all or none; raises TooLarge where one would have too many."""

        def work(session: Session) -> None:
            resource_tags.put(session, context.project_id, tags)
            for resource_id in {tag.resource_id for tag in tags}:
                if resource_tags.count(session, context.project_id, resource_id) > MOST:
                    raise TooLarge(f"A resource has at most {MOST} tags.")

        self._database.run("resource_tags.put", work)

    def remove(
        self, context: RequestContext, resource_ids: Sequence[str], unwanted: Sequence[tuple[str, str | None]]
    ) -> None:
        """Take tags away: each by its key, if it has that value where one is given; all without any key."""

        def work(session: Session) -> None:
            for resource_id in resource_ids:
                for key, value in unwanted:
                    resource_tags.remove(session, context.project_id, resource_id, key, value)
                if not unwanted:
                    resource_tags.remove(session, context.project_id, resource_id)

        self._database.run("resource_tags.remove", work)

    def sweep(self) -> None:
        """Remove the tags of resources that are gone."""
        self._database.run("resource_tags.sweep", resource_tags.sweep)
