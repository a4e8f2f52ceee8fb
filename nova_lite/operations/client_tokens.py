"""Clients' tokens: what came of the request that brought one, and forgetting old ones."""

import datetime
from collections.abc import Mapping, Sequence

from nova_lite.core import clock
from nova_lite.core.context import RequestContext
from nova_lite.db import client_tokens
from nova_lite.db.engine import Database

_KEPT = datetime.timedelta(hours=25)
"""For how long a token is good after what it made is gone."""


class ClientTokens:
    """The operations on clients' tokens."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of_resources(self, context: RequestContext, resource_ids: Sequence[str]) -> Mapping[str, str]:
        """Return the tokens by which things were made, by the things' ids."""
        if not resource_ids:
            return {}
        return self._database.read(
            "client_tokens.of_resources", lambda session: client_tokens.of_resources(session, resource_ids)
        )

    def purge(self) -> None:
        """Forget the tokens that are good no more."""
        before = clock.now() - _KEPT
        self._database.run("client_tokens.purge", lambda session: client_tokens.purge(session, before))
