"""Revisions of what the network keeps, which clients claim before they change it."""

from sqlalchemy.orm import Session

from nova_lite.core.context import RequestContext
from nova_lite.core.errors import NotFound, RevisionMismatch
from nova_lite.db import revisions
from nova_lite.db.engine import Database


class Revisions:
    """The operation on revisions; whether the caller may see a resource is asked before."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def claim(self, context: RequestContext, kind: str, resource_id: str, revision: int) -> None:
        """Take a revision that the caller saw, so that nobody else who saw it can; raises RevisionMismatch, NotFound.

        It is counted up by this: what the caller changes afterwards is another revision still.
        """

        def work(session: Session) -> int | None:
            if revisions.claim(session, kind, resource_id, revision):
                return revision
            return revisions.current(session, kind, resource_id)

        found = self._database.run("revisions.claim", work)
        if found is None:
            raise NotFound(f"{resource_id} could not be found.")
        if found != revision:
            raise RevisionMismatch(f"Constrained to {revision}, but current revision is {found}")
