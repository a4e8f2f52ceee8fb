"""What a guest may learn of itself, found by the address that it asks from."""

import dataclasses

from sqlalchemy.orm import Session

from nova_lite.core.errors import NotFound
from nova_lite.core.instance import Instance
from nova_lite.db import addresses, instances, security_groups
from nova_lite.db.engine import Database


@dataclasses.dataclass(frozen=True, slots=True)
class InstanceMetadata:
    """An instance with what the metadata service says of it; ``domain`` follows its host name."""

    instance: Instance
    address: str
    security_groups: tuple[str, ...]
    domain: str

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
            return InstanceMetadata(instance, address, groups, self._domain)

        return self._database.read("metadata.of_address", work)
