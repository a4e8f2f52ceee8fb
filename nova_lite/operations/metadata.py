"""What a guest may learn of itself, found by the address that it asks from."""

from sqlalchemy.orm import Session

from nova_lite.core.errors import Conflict, InvalidInput, NotFound
from nova_lite.core.metadata import InstanceMetadata
from nova_lite.db import addresses, instance_metadata, instances
from nova_lite.db.engine import Database

_LONGEST_PASSWORD = 1024


class Metadata:
    """The operations of the metadata service; nothing is remembered, for addresses change hands."""

    def __init__(self, database: Database, *, domain: str) -> None:
        self._database = database
        self._domain = domain

    def of_address(self, address: str) -> InstanceMetadata:
        """Return what there is about the instance that holds a fixed address; raises NotFound."""

        def work(session: Session) -> InstanceMetadata:
            uuid = addresses.instance_uuid_of(session, address)
            instance = None if uuid is None else instances.get(session, uuid)
            if instance is None:
                raise NotFound(f"No instance has the address {address}.")
            return instance_metadata.of(session, instance, domain=self._domain, address=address)

        return self._database.read("metadata.of_address", work)

    def tell_password(self, address: str, encrypted: str) -> None:
        """Keep the password, encrypted for the key pair, that the guest with this address tells; once.

        Raises NotFound, Conflict when it told one already, InvalidInput for one that is too long.
        """
        if not 0 < len(encrypted) <= _LONGEST_PASSWORD:
            raise InvalidInput(f"A password has between 1 and {_LONGEST_PASSWORD} characters.")

        def work(session: Session) -> None:
            uuid = addresses.instance_uuid_of(session, address)
            if uuid is None:
                raise NotFound(f"No instance has the address {address}.")
            if instances.password_data(session, uuid):
                raise Conflict("The password is set already.")
            instances.update(session, uuid, password_data=encrypted)

        self._database.run("metadata.tell_password", work)
