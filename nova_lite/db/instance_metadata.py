"""What is told to an instance of itself, put together from its rows."""

from sqlalchemy.orm import Session

from nova_lite.core.instance import Instance
from nova_lite.core.metadata import InstanceMetadata
from nova_lite.db import addresses, instances, security_groups


def of(session: Session, instance: Instance, *, domain: str, address: str = "") -> InstanceMetadata:
    """Return what is told to an instance that asks from ``address``, or that has its first address."""
    interfaces = addresses.interfaces_of(session, [instance.uuid]).get(instance.uuid, ())
    floating = [one for interface in interfaces for one in interface.floating]
    return InstanceMetadata(
        instance,
        address or next((interface.address for interface in interfaces), ""),
        tuple(security_groups.names_of(session, instance.uuid)),
        domain,
        instances.password_data(session, instance.uuid),
        floating[0] if floating else "",
        instances.files(session, instance.uuid),
    )
