"""Letting people at the consoles of guests: a URL with a token that works for a while."""

import dataclasses
import datetime
import hashlib
import urllib.parse
import uuid
from collections.abc import Collection, Mapping

from sqlalchemy.orm import Session

from nova_lite.core import clock
from nova_lite.core.console import ConsoleAddress, ConsoleAuthorization, ConsoleType
from nova_lite.core.context import RequestContext
from nova_lite.core.errors import Conflict, InvalidInput, NotFound, NotSupported
from nova_lite.core.instance import Instance
from nova_lite.core.instance_states import PowerState
from nova_lite.db import console_tokens, instances
from nova_lite.db.engine import Database
from nova_lite.operations.orders import find
from nova_lite.rpc.compute import ComputeProxy

_ON = (PowerState.RUNNING, PowerState.PAUSED)


@dataclasses.dataclass(frozen=True, slots=True)
class ConsoleSettings:
    """Where the proxies are by the kind of console, for how many seconds a token lets in, and whether once only."""

    proxies: Mapping[ConsoleType, str]
    token_seconds: float
    single_use: bool = False


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
        address = self._address(context, instance, kind)
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

    def enter(
        self, context: RequestContext, token: str, kinds: Collection[ConsoleType]
    ) -> ConsoleAuthorization:
        """Let the bearer of a token in: return what it lets see, with where that is at this moment.

        Its host is asked anew: since the token was given the guest may have moved, and its port may be another
        guest's. Raises NotFound for a token that is unknown, over or used up, or of none of the ``kinds``,
        and for an instance that is gone; Unavailable, DriverError, InvalidInput.
        """

        def work(session: Session) -> tuple[ConsoleAuthorization, Instance]:
            found = console_tokens.get(session, _hash(token))
            instance = instances.get(session, found.instance_uuid) if found and found.type in kinds else None
            if found is None or instance is None or not instance.host:
                raise NotFound("Token not found.")
            if self._settings.single_use and not console_tokens.use_up(session, _hash(token)):
                raise NotFound("Token not found.")
            return found, instance

        found, instance = self._database.run("console.enter", work)
        return dataclasses.replace(found, address=self._address(context, instance, found.type))

    def _address(self, context: RequestContext, instance: Instance, kind: ConsoleType) -> ConsoleAddress:
        """Ask an instance's host where its console is; raises InvalidInput for a kind that the host has not."""
        try:
            return self._compute.on(instance.host or "").console(context, instance.uuid, kind)
        except NotSupported as error:
            raise InvalidInput(f"Unavailable console type {kind}: {error}") from error


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _url(proxy: str, kind: ConsoleType, token: str) -> str:
    """Return the proxy's address with the token.

    noVNC takes it as part of its own parameter ``path``, and would wait for a button to be pressed.
    """
    query = urllib.parse.urlencode(
        {"path": f"?token={token}", "autoconnect": "true"} if kind is ConsoleType.NOVNC else {"token": token}
    )
    return f"{proxy}{'&' if '?' in proxy else '?'}{query}"
