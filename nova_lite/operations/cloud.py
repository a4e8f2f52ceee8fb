"""All operations of the cloud, as the front doors and nova-manage get them."""

import dataclasses

from nova_lite.operations.agents import Agents
from nova_lite.operations.aggregates import Aggregates
from nova_lite.operations.certificates import Certificates
from nova_lite.operations.client_tokens import ClientTokens
from nova_lite.operations.consoles import Consoles
from nova_lite.operations.dns import Dns
from nova_lite.operations.evacuation import Evacuation
from nova_lite.operations.events import Events
from nova_lite.operations.fixed_ips import FixedIps
from nova_lite.operations.flavors import Flavors
from nova_lite.operations.floating_ips import FloatingIps
from nova_lite.operations.guests import Guests
from nova_lite.operations.hosts import Hosts
from nova_lite.operations.identity import Identity
from nova_lite.operations.image_bundles import ImageBundles
from nova_lite.operations.image_imports import ImageImports
from nova_lite.operations.image_members import ImageMembers
from nova_lite.operations.images import Images
from nova_lite.operations.interfaces import Interfaces
from nova_lite.operations.key_pairs import KeyPairs
from nova_lite.operations.live_migration import LiveMigrations
from nova_lite.operations.memberships import Memberships
from nova_lite.operations.metadata import Metadata
from nova_lite.operations.metadata_tokens import MetadataTokens
from nova_lite.operations.network_tags import NetworkTags
from nova_lite.operations.networks import Networks
from nova_lite.operations.ports import Ports
from nova_lite.operations.provider_rules import ProviderRules
from nova_lite.operations.quotas import Quotas
from nova_lite.operations.rebuild import Rebuild
from nova_lite.operations.rescue import Rescue
from nova_lite.operations.resize import Resize
from nova_lite.operations.resource_tags import ResourceTags
from nova_lite.operations.routers import Routers
from nova_lite.operations.security_groups import SecurityGroups
from nova_lite.operations.server_groups import ServerGroups
from nova_lite.operations.server_metadata import ServerMetadata
from nova_lite.operations.servers import Servers
from nova_lite.operations.shelving import Shelving
from nova_lite.operations.snapshots import Snapshots
from nova_lite.operations.tags import Tags
from nova_lite.operations.usage import Usage


@dataclasses.dataclass(frozen=True, slots=True)
class Cloud:
    """What a user or an operator can ask for, by noun."""

    servers: Servers
    server_groups: ServerGroups
    server_metadata: ServerMetadata
    tags: Tags
    snapshots: Snapshots
    rebuild: Rebuild
    rescue: Rescue
    resize: Resize
    live_migrations: LiveMigrations
    shelving: Shelving
    evacuation: Evacuation
    interfaces: Interfaces
    guests: Guests
    consoles: Consoles
    events: Events
    flavors: Flavors
    key_pairs: KeyPairs
    quotas: Quotas
    usage: Usage
    hosts: Hosts
    aggregates: Aggregates
    agents: Agents
    certificates: Certificates
    images: Images
    image_members: ImageMembers
    image_imports: ImageImports
    image_bundles: ImageBundles
    identity: Identity
    networks: Networks
    ports: Ports
    fixed_ips: FixedIps
    floating_ips: FloatingIps
    dns: Dns
    routers: Routers
    resource_tags: ResourceTags
    security_groups: SecurityGroups
    memberships: Memberships
    provider_rules: ProviderRules
    metadata: Metadata
    metadata_tokens: MetadataTokens
    network_tags: NetworkTags
    client_tokens: ClientTokens
