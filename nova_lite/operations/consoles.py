"""Letting people at the consoles of guests: a URL with a token that works for a while."""

import dataclasses
import datetime
import hashlib
import urllib.parse
import uuid
from collections.abc import Mapping

from nova_lite.core import clock
from nova_lite.core.console import ConsoleAuthorization, ConsoleType
from nova_lite.core.context import RequestContext
from nova_lite.core.errors import Conflict, InvalidInput, NotFound, NotSupported
from nova_lite.core.instance_states import PowerState
from nova_lite.db import console_tokens
from nova_lite.db.engine import Database
from nova_lite.operations.orders import find
from nova_lite.rpc.compute import ComputeProxy

_ON = (PowerState.RUNNING, PowerState.PAUSED)


@dataclasses.dataclass(frozen=True, slots=True)
class ConsoleSettings:
    """Where the proxies are by the kind of console, and for how many seconds a token lets in."""

    proxies: Mapping[ConsoleType, str]
    token_seconds: float


class Consoles:
    """The operations on consoles."""

    def __init__(self, database: Database, compute: ComputeProxy, settings: ConsoleSettings) -> None:
        self._database = database
        self._compute = compute
        self._settings = settings

    def open(self, context: RequestContext, instance_uuid: str, kind: ConsoleType) -> str:
        """Return the URL of a guest's console, with a new token.

        Raises NotFound, Conflict for a guest that is off, InvalidInput for a kind that the host has not.
        """
        instance = self._database.read(
            "server.instance", lambda session: find(session, context, instance_uuid)
        )
        if not instance.host or instance.power_state not in _ON:
            raise Conflict(f"Instance {instance_uuid} is not ready: its guest does not run.")
        proxy = self._settings.proxies.get(kind)
        if proxy is None:
            raise InvalidInput(f"Unavailable console type {kind}.")
        try:
            address = self._compute.on(instance.host).console(context, instance.uuid, kind)
        except NotSupported as error:
            raise InvalidInput(f"Unavailable console type {kind}: {error}") from error
        token = str(uuid.uuid4())
        expires_at = clock.now() + datetime.timedelta(seconds=self._settings.token_seconds)
        authorization = ConsoleAuthorization(instance.uuid, kind, address, expires_at)
        self._database.run(
            "console.open", lambda session: console_tokens.insert(session, _hash(token), authorization)
        )
        return _url(proxy, kind, token)

    def authorization(self, context: RequestContext, token: str) -> ConsoleAuthorization:
        """Return what a token lets its bearer see; raises NotFound for one that is unknown or over."""
        found = self._database.read(
            "console.authorization", lambda session: console_tokens.get(session, _hash(token))
        )
        if found is None:
            raise NotFound("Token not found.")
        return found


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _url(proxy: str, kind: ConsoleType, token: str) -> str:
    """Return the proxy's address with the token, which noVNC takes as part of its own parameter ``path``."""
    query = urllib.parse.urlencode(
        {"path": f"?token={token}"} if kind is ConsoleType.NOVNC else {"token": token}
    )
    return f"{proxy}{'&' if '?' in proxy else '?'}{query}"
