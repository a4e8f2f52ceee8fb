"""Building the operations."""

from pathlib import Path
from typing import Any

from nova_lite import plugins
from nova_lite.cmd.wiring.base import Base, metadata_settings, network_mode
from nova_lite.core.catalog import Catalog, services_of
from nova_lite.core.console import ConsoleType
from nova_lite.core.quota import Limits
from nova_lite.drivers import shadow
from nova_lite.drivers.image.objects import ObjectSource
from nova_lite.drivers.image.web import WebSource
from nova_lite.drivers.runner import Runner
from nova_lite.drivers.seal import Seal
from nova_lite.operations.agents import Agents
from nova_lite.operations.aggregates import Aggregates
from nova_lite.operations.boot import Boot
from nova_lite.operations.certificates import Certificates
from nova_lite.operations.client_tokens import ClientTokens
from nova_lite.operations.cloud import Cloud
from nova_lite.operations.consoles import Consoles, ConsoleSettings
from nova_lite.operations.dns import Dns
from nova_lite.operations.evacuation import Evacuation
from nova_lite.operations.events import Events
from nova_lite.operations.fixed_ips import FixedIps
from nova_lite.operations.flavors import Flavors
from nova_lite.operations.floating_ips import FloatingIps
from nova_lite.operations.guests import Guests
from nova_lite.operations.hosts import Hosts
from nova_lite.operations.identity import Identity, IdentitySettings
from nova_lite.operations.identity_passwords import PasswordRules
from nova_lite.operations.image_access import ImageLimits
from nova_lite.operations.image_bundles import BundleReader, ImageBundles
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
from nova_lite.operations.networks import NetworkDefaults, Networks
from nova_lite.operations.orders import Orders
from nova_lite.operations.ports import Ports
from nova_lite.operations.provider_rules import ProviderRules
from nova_lite.operations.quotas import Quotas
from nova_lite.operations.rebuild import Rebuild
from nova_lite.operations.rescue import Rescue
from nova_lite.operations.resize import Resize, Rules
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

_QUOTA_FLAGS = {
    "injected_files": "max_injected_files",
    "injected_file_content_bytes": "max_injected_file_content_bytes",
    "injected_file_path_bytes": "max_injected_file_path_bytes",
}
"""Resources whose flag has another name."""

_RESOURCES = (
    "instances", "cores", "ram", "metadata_items", "key_pairs", "server_groups", "server_group_members",
    "fixed_ips", "floating_ips", "networks", "security_groups", "security_group_rules",
    *_QUOTA_FLAGS,
)  # fmt: skip


def make_cloud(base: Base) -> Cloud:
    """Build all operations."""
    conf, database = base.conf, base.database
    limits = limits_of(conf)
    store = plugins.load(conf, "image_service").from_flags(conf)
    image_limits = ImageLimits(
        image_bytes=conf.image_size_cap,
        project_bytes=conf.user_storage_quota,
        members=conf.image_member_quota,
        properties=conf.image_property_quota,
        tags=conf.image_tag_quota,
    )
    images = Images(database, store, image_limits)
    runner = Runner.from_flag(conf.root_helper)

    def hash_password(password: str) -> str:
        """Return what guests' disks are given of a password: nothing, unless the flag says so."""
        return shadow.hashed(runner, password) if conf.libvirt_inject_password else ""

    boot = Boot(
        database,
        images,
        base.scheduler,
        limits,
        metadata_items=conf.quota_metadata_items,
        force_config_drive=conf.force_config_drive,
        hash_password=hash_password,
    )
    orders = Orders(database, base.scheduler, base.compute)
    servers = Servers(
        database,
        boot,
        orders,
        base.compute,
        base.network,
        down_after=conf.service_down_time,
        keeps_deleted=conf.reclaim_instance_interval > 0,
    )
    memberships = Memberships(database, base.compute)
    identity, certificates = make_identity(base), Certificates(base.cert)
    reader = BundleReader(
        ObjectSource.from_flags(conf), identity, certificates, only_signed=conf.require_signed_bundles
    )
    imports = ImageImports(database, store, image_limits, WebSource.from_flags(conf), reader)
    return Cloud(
        servers=servers,
        server_groups=ServerGroups(database, limits),
        server_metadata=ServerMetadata(database, most=conf.quota_metadata_items),
        tags=Tags(database),
        rebuild=Rebuild(
            images, orders, limits, metadata_items=conf.quota_metadata_items, hash_password=hash_password
        ),
        rescue=Rescue(database, images, orders, image_id=conf.rescue_image_id),
        resize=Resize(database, base.scheduler, base.compute, Rules(limits, conf.allow_resize_to_same_host)),
        live_migrations=LiveMigrations(database, orders, down_after=conf.service_down_time),
        shelving=Shelving(orders, offloads=conf.shelved_offload_time == 0),
        evacuation=Evacuation(orders, down_after=conf.service_down_time),
        snapshots=Snapshots(orders, metadata_items=conf.quota_metadata_items),
        interfaces=Interfaces(database, orders),
        guests=Guests(database, orders, base.compute, Seal(Path(conf.secret_key_file))),
        consoles=Consoles(database, base.compute, console_settings(conf)),
        events=Events(database, orders, base.compute),
        flavors=Flavors(database),
        key_pairs=KeyPairs(database, limits),
        usage=Usage(database),
        quotas=Quotas(database, limits),
        hosts=Hosts(database, base.compute, down_after=conf.service_down_time),
        aggregates=Aggregates(database, images, base.compute, down_after=conf.service_down_time),
        agents=Agents(database),
        certificates=certificates,
        images=images,
        image_members=ImageMembers(database, image_limits),
        image_imports=imports,
        image_bundles=ImageBundles(reader, images, imports),
        identity=identity,
        networks=Networks(database, network_defaults(conf)),
        ports=Ports(database, limits, memberships, base.network),
        fixed_ips=FixedIps(database),
        floating_ips=FloatingIps(
            database,
            base.network,
            limits,
            default_pool=conf.default_floating_pool,
            default_interface=conf.public_interface,
        ),
        dns=Dns(database, base.network, instance_domain=conf.instance_dns_domain.lower().rstrip(".")),
        routers=Routers(database),
        resource_tags=ResourceTags(database),
        security_groups=SecurityGroups(database, base.compute, limits),
        memberships=memberships,
        provider_rules=ProviderRules(database, base.compute, down_after=conf.service_down_time),
        metadata=Metadata(database, metadata_settings(conf), cache_seconds=conf.metadata_cache_seconds),
        metadata_tokens=MetadataTokens(Seal(Path(conf.secret_key_file))),
        network_tags=NetworkTags(database),
        client_tokens=ClientTokens(database),
    )


def make_identity(base: Base) -> Identity:
    """Build the identity operations."""
    conf = base.conf
    settings = IdentitySettings(
        token_seconds=conf.auth_token_ttl,
        token_cache_seconds=conf.token_cache_seconds,
        signature_seconds=60 * conf.credential_auth_ttl,
        password_rounds=conf.password_hash_rounds,
        secret_key_file=conf.secret_key_file,
        password_rules=PasswordRules(
            pattern=conf.password_regex,
            description=conf.password_regex_description,
            days=conf.password_expires_days,
            least_days=conf.minimum_password_age,
            unique=conf.unique_last_password_count,
            attempts=conf.lockout_failure_attempts,
            lockout_seconds=conf.lockout_duration,
        ),
    )
    ports = {api: conf[f"{api}_listen_port"] for api in conf.enabled_apis}
    catalog = Catalog(conf.region_name, services_of(conf.enabled_apis, ports=ports), conf.public_host)
    return Identity(base.database, settings, catalog)


def console_settings(conf: Any) -> ConsoleSettings:
    """Return where consoles are shown as the flags say."""
    urls = {
        ConsoleType.NOVNC: conf.novncproxy_base_url,
        ConsoleType.XVPVNC: conf.xvpvncproxy_base_url,
        ConsoleType.SPICE: conf.html5spiceproxy_base_url,
        ConsoleType.SERIAL: conf.serialproxy_base_url,
    }
    return ConsoleSettings(
        {kind: url for kind, url in urls.items() if url}, conf.console_token_ttl, conf.console_token_single_use
    )


def limits_of(conf: Any) -> Limits:
    """Return the default limits of projects as the flags set them."""
    return Limits({name: conf[f"quota_{_QUOTA_FLAGS.get(name, name)}"] for name in _RESOURCES})


def network_defaults(conf: Any) -> NetworkDefaults:
    """Return what a new network gets where the request says nothing."""
    return NetworkDefaults(
        bridge=conf.flat_network_bridge,
        bridge_interface=conf.flat_interface or "",
        dns=tuple(server for server in (conf.flat_network_dns,) if server),
        mtu=conf.network_device_mtu or 1500,
        mode=network_mode(conf),
        multi_host=conf.multi_host,
        injected=conf.flat_injected,
        vlan_interface=conf.vlan_interface,
        vlan_start=conf.vlan_start,
        vpn_ip=conf.vpn_ip,
        vpn_start=conf.vpn_start,
        vpn_clients=conf.cnt_vpn_clients,
        range_v6=conf.fixed_range_v6 if conf.use_ipv6 else "",
        ipv6_backend=conf.ipv6_backend,
    )
