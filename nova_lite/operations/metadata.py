"""What a guest may learn of itself, found by the address that it asks from."""

import threading

import cachetools
from sqlalchemy.orm import Session

from nova_lite.core.errors import Conflict, InvalidInput, NotFound
from nova_lite.core.metadata import InstanceMetadata, MetadataSettings
from nova_lite.db import addresses, instance_metadata, instances
from nova_lite.db.addresses import Holder
from nova_lite.db.engine import Database

_LONGEST_PASSWORD = 1024
_MOST_REMEMBERED = 10_000


class Metadata:
    """The operations of the metadata service.

    Who holds an address is looked up each time, for addresses change hands. What that holder was told is
    remembered for ``cache_seconds``: a guest that starts asks for dozens of files at once. A change of the
    instance itself or of its addresses is seen at once.
    """

    def __init__(self, database: Database, settings: MetadataSettings, *, cache_seconds: float = 0.0) -> None:
        self._database = database
        self._settings = settings
        self._told: cachetools.TTLCache[Holder, InstanceMetadata] = cachetools.TTLCache(
            _MOST_REMEMBERED, cache_seconds
        )
        self._guard = threading.Lock()

    def of_address(self, address: str) -> InstanceMetadata:
        """Return what there is about the instance that holds a fixed address; raises NotFound."""

        def work(session: Session) -> tuple[Holder, InstanceMetadata]:
            holder = addresses.holder_of(session, address)
            with self._guard:
                told = None if holder is None else self._told.get(holder)
            if holder is not None and told is not None:
                return holder, told
            instance = None if holder is None else instances.get(session, holder.instance_uuid)
            if holder is None or instance is None:
                raise NotFound(f"No instance has the address {address}.")
            return holder, instance_metadata.of(session, instance, self._settings, address=address)

        holder, told = self._database.read("metadata.of_address", work)
        with self._guard:
            self._told.setdefault(holder, told)
        return told

    def tell_password(self, address: str, encrypted: str) -> None:
        """Keep the password, encrypted for the key pair, that the guest with this address tells; once.

        Raises NotFound, Conflict when it told one already, InvalidInput for one that is too long.
        """
        if not 0 < len(encrypted) <= _LONGEST_PASSWORD:
            raise InvalidInput(f"A password has between 1 and {_LONGEST_PASSWORD} characters.")

        def work(session: Session) -> None:
            holder = addresses.holder_of(session, address)
            if holder is None:
                raise NotFound(f"No instance has the address {address}.")
            if not instances.keep_password_data(session, holder.instance_uuid, encrypted):
                raise Conflict("The password is set already.")

        self._database.run("metadata.tell_password", work)
