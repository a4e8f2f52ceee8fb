"""What one process remembers of identity for a few seconds, so that a request need not ask the database."""

import hashlib
import threading
import time
from collections.abc import Callable

import cachetools

from nova_lite.core import clock
from nova_lite.core.catalog_entries import Entries
from nova_lite.core.identity import RoleGraph, TokenInfo
from nova_lite.core.signer import Signer


def digest_of(secret: str) -> str:
    """Return the form in which a token is kept: its SHA-256 in hexadecimal."""
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()


class IdentityCache:
    """Valid tokens by digest, owners of access keys, and the graph of roles.

    ``seconds`` bounds how long a change made by another process stays unseen, 0 remembers nothing; ``size``
    bounds the number of tokens, of which the longest unused goes first.
    """

    def __init__(self, *, seconds: float, size: int, timer: Callable[[], float] = time.monotonic) -> None:
        self._tokens: cachetools.TTLCache[str, TokenInfo] = cachetools.TTLCache(size, seconds, timer)
        self._graph: cachetools.TTLCache[str, RoleGraph] = cachetools.TTLCache(1, seconds, timer)
        self._entries: cachetools.TTLCache[str, Entries] = cachetools.TTLCache(1, seconds, timer)
        self._signers: cachetools.TTLCache[tuple[str, str], Signer] = cachetools.TTLCache(size, seconds, timer)
        self._generation = 0
        self._lock = threading.Lock()

    def token(self, digest: str) -> TokenInfo | None:
        """Return a remembered token that has not expired."""
        with self._lock:
            info = self._tokens.get(digest)
        if info is None or info.expires_at <= clock.now():
            return None
        return info

    def signer(self, key: tuple[str, str]) -> Signer | None:
        """Return the remembered owner of an access key, by that and the project that came with it."""
        with self._lock:
            return self._signers.get(key)

    def remember_signer(self, key: tuple[str, str], signer: Signer, generation: int) -> None:
        """Remember a signer, unless something was forgotten since ``generation`` was taken."""
        with self._lock:
            if generation == self._generation:
                self._signers[key] = signer

    def graph(self) -> RoleGraph | None:
        """Return the remembered graph of roles."""
        with self._lock:
            return self._graph.get("")

    def entries(self) -> Entries | None:
        """Return what the operator added to the catalog, as remembered."""
        with self._lock:
            return self._entries.get("")

    def remember_entries(self, entries: Entries, generation: int) -> None:
        """Remember what was added, unless something was forgotten since ``generation`` was taken."""
        with self._lock:
            if generation == self._generation:
                self._entries[""] = entries

    def generation(self) -> int:
        """Return a number that ``forget`` changes: take it before reading what is then remembered."""
        with self._lock:
            return self._generation

    def remember_token(self, digest: str, info: TokenInfo, generation: int) -> None:
        """Remember a token, unless something was forgotten since ``generation`` was taken."""
        with self._lock:
            if generation == self._generation:
                self._tokens[digest] = info

    def remember_graph(self, graph: RoleGraph, generation: int) -> None:
        """Remember the graph of roles, unless something was forgotten since ``generation`` was taken."""
        with self._lock:
            if generation == self._generation:
                self._graph[""] = graph

    def forget_token(self, digest: str) -> None:
        """Forget one token, for it was revoked."""
        with self._lock:
            self._generation += 1
            self._tokens.pop(digest, None)

    def forget(self) -> None:
        """Forget everything, for something that it may depend on has changed."""
        with self._lock:
            self._generation += 1
            self._tokens.clear()
            self._graph.clear()
            self._signers.clear()
            self._entries.clear()
