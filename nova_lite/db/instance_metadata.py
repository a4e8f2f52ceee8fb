"""What is told to an instance of itself, put together from its rows."""

from sqlalchemy.orm import Session

from nova_lite.core.instance import Instance
from nova_lite.core.metadata import InstanceMetadata, MetadataSettings
from nova_lite.db import group_members, instances, virtual_interfaces


def of(
    session: Session, instance: Instance, settings: MetadataSettings, *, address: str = ""
) -> InstanceMetadata:
    """Return what is told to an instance that asks from ``address``, or that has its first address."""
    interfaces = tuple(virtual_interfaces.of_instances(session, [instance.uuid]).get(instance.uuid, ()))
    return InstanceMetadata(
        instance,
        address or next((interface.address for interface in interfaces if interface.address), ""),
        settings,
        security_groups=tuple(group_members.names_of(session, instance.uuid)),
        interfaces=interfaces,
        password=instances.password_data(session, instance.uuid),
        files=instances.files(session, instance.uuid),
    )
