"""What a guest may learn of itself, found by the address that it asks from."""

import dataclasses

from sqlalchemy.orm import Session

from nova_lite.core.errors import Conflict, InvalidInput, NotFound
from nova_lite.core.instance import Instance
from nova_lite.db import addresses, instances, security_groups
from nova_lite.db.engine import Database

_LONGEST_PASSWORD = 1024


@dataclasses.dataclass(frozen=True, slots=True)
class InstanceMetadata:
    """An instance with what the metadata service says of it; ``domain`` follows its host name.

    ``floating`` is the first address of the world that leads to it, empty for none.
    """

    instance: Instance
    address: str
    security_groups: tuple[str, ...]
    domain: str
    password: str = ""
    floating: str = ""

    @property
    def fqdn(self) -> str:
        """The instance's full host name."""
        return f"{self.instance.hostname}.{self.domain}" if self.domain else self.instance.hostname


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
            groups = tuple(security_groups.names_of(session, instance.uuid))
            interfaces = addresses.interfaces_of(session, [instance.uuid]).get(instance.uuid, ())
            floating = [one for interface in interfaces for one in interface.floating]
            return InstanceMetadata(
                instance,
                address,
                groups,
                self._domain,
                instances.password_data(session, instance.uuid),
                floating[0] if floating else "",
            )

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
