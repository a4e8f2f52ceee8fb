"""Building the daemons that work behind the front doors."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nova_lite import plugins
from nova_lite.cert.manager import CertManager
from nova_lite.cmd import sockets
from nova_lite.cmd.daemon import Component, Periodic, Served
from nova_lite.cmd.wiring.base import Base, metadata_settings, network_mode
from nova_lite.compute.aging import Aging
from nova_lite.compute.group_filters import GroupFilters
from nova_lite.compute.host import ComputeHost
from nova_lite.compute.links import HostLinks
from nova_lite.compute.policy import Policy
from nova_lite.compute.reconcile import Reconciler
from nova_lite.compute.resources import ResourceReport
from nova_lite.compute.serial import SerialDoor, SerialPorts
from nova_lite.compute.work import Work
from nova_lite.core.dns import is_name
from nova_lite.core.errors import ConfigurationError
from nova_lite.drivers.dns.none import NoDns
from nova_lite.drivers.seal import Seal
from nova_lite.network.manager import NetworkManager
from nova_lite.network.names import Names
from nova_lite.network.settings import NetworkSettings, host_interfaces
from nova_lite.rpc.cert import CertContract
from nova_lite.rpc.compute import ComputeContract
from nova_lite.rpc.network import NetworkContract
from nova_lite.rpc.scheduler import SchedulerContract
from nova_lite.scheduler.hosts import Ratios
from nova_lite.scheduler.watch import HostWatch


@dataclasses.dataclass(frozen=True, slots=True)
class Managing:
    """A manager as a component: it starts before anybody rings, and drains after nobody does."""

    begin: Callable[[], None]
    end: Callable[[float], None]

    def start(self) -> None:
        """Start the manager; raises ConfigurationError, DriverError."""
        self.begin()

    def stop(self, drain_seconds: float) -> None:
        """Let the manager end its work."""
        self.end(drain_seconds)


def scheduler_parts(base: Base) -> list[Component]:
    """Return what chooses hosts."""
    conf = base.conf
    manager_class = plugins.load(conf, "scheduler_manager")
    manager = manager_class(
        base.database,
        base.compute,
        [found.from_flags(conf) for found in plugins.load_all(conf, "scheduler_default_filters")],
        [found() for found in plugins.load_all(conf, "scheduler_weights")],
        ratios=Ratios(
            cpu=conf.cpu_allocation_ratio,
            ram=conf.ram_allocation_ratio,
            disk=conf.disk_allocation_ratio,
            reserved_memory_mb=conf.reserved_host_memory_mb,
            reserved_disk_mb=conf.reserved_host_disk_mb,
            reserved_cpus=conf.reserved_host_cpus,
        ),
        down_after=conf.service_down_time,
    )
    watch = HostWatch(base.database, down_after=conf.service_down_time)
    return [
        base.heartbeat("nova-scheduler"),
        Served(lambda: base.transport.serve(SchedulerContract, manager, conf.host)),
        Periodic("placement sweep", conf.action_sweep_interval, manager.sweep),
        Periodic("host watch", conf.action_sweep_interval, watch.sweep),
    ]


def compute_host(base: Base) -> ComputeHost:
    """Build the tools of this compute host."""
    conf = base.conf
    driver = plugins.load(conf, "compute_driver").from_flags(conf)
    port = conf.serial_console_port if conf.serial_console_enabled else 0
    firewall = plugins.load(conf, "firewall_driver").from_flags(conf)
    return ComputeHost(
        name=conf.host,
        database=base.database,
        driver=driver,
        firewall=firewall,
        groups=GroupFilters(conf.host, base.database, firewall, base.compute),
        images=plugins.load(conf, "image_service").from_flags(conf),
        network=base.network,
        compute=base.compute,
        seal=Seal(Path(conf.secret_key_file)),
        serial=SerialPorts(driver, conf.serial_console_proxyclient_address, port),
        links=HostLinks(
            conf.host,
            base.database,
            plugins.load(conf, "network_driver").from_flags(conf),
            mode=network_mode(conf),
            interfaces=host_interfaces(conf),
        ),
        told=metadata_settings(conf),
        shutdown_timeout=conf.shutdown_timeout,
    )


def compute_parts(base: Base) -> list[Component]:
    """Return what runs guests on this host."""
    conf = base.conf
    host = compute_host(base)
    resources = ResourceReport(base.database, host.driver, host=conf.host, host_ip=conf.my_ip)
    manager = plugins.load(conf, "compute_manager")(
        host,
        resources,
        Reconciler(host, Policy.from_flags(conf)),
        Work(host, max_attempts=conf.action_max_attempts),
        workers=conf.compute_worker_threads,
    )
    aging = Aging(host, reclaim_after=conf.reclaim_instance_interval, offload_after=conf.shelved_offload_time)
    return [
        base.heartbeat("nova-compute", alone=True),
        Managing(manager.start, manager.stop),
        *serial_parts(host, conf),
        Served(lambda: base.transport.serve(ComputeContract, manager, conf.host)),
        Periodic("action sweep", conf.action_sweep_interval, manager.sweep),
        Periodic("resource report", conf.periodic_interval, resources.send),
        Periodic("repair", conf.periodic_interval, manager.repair),
        Periodic("aging", conf.periodic_interval, aging.sweep),
        Periodic("console logs", conf.periodic_interval, manager.bound_consoles),
        Periodic("image cache", conf.image_cache_manager_interval, manager.clean_cache),
        Periodic("power state", conf.sync_power_state_interval, manager.sync_power_states),
    ]


def serial_parts(host: ComputeHost, conf: Any) -> list[Component]:
    """Return what lets the proxy of serial consoles at this host's guests, if it may."""
    if not conf.serial_console_enabled:
        return []
    return [SerialDoor(host.serial, lambda: sockets.of_serial_consoles(conf))]


def network_manager(base: Base) -> NetworkManager:
    """Build the manager of this host's networks."""
    driver = plugins.load(base.conf, "network_driver").from_flags(base.conf)
    settings = NetworkSettings.from_flags(base.conf)
    manager_class = plugins.load(base.conf, "network_manager")
    manager: NetworkManager = manager_class(base.database, driver, settings, base.network)
    return manager


def names_parts(base: Base, manager: NetworkManager) -> list[Component]:
    """Return what keeps names in the domain name system, where the flags want any."""
    drivers = [plugins.load(base.conf, f"{kind}_dns_manager") for kind in ("instance", "floating_ip")]
    if all(driver is NoDns for driver in drivers):
        return []
    instances, floating = (driver.from_flags(base.conf) for driver in drivers)
    domain = base.conf.instance_dns_domain.lower().rstrip(".")
    if domain and not is_name(domain):
        raise ConfigurationError(f"The flag --instance_dns_domain names {domain}, which is no domain.")
    names = Names(base.database, instances, floating, instance_domain=domain)
    manager.names_changed = names.ring
    return [
        Managing(names.start, names.stop),
        Periodic("repair of names", base.conf.periodic_interval, names.repair),
    ]


def network_parts(base: Base) -> list[Component]:
    """Return what serves addresses on this host."""
    manager = network_manager(base)
    return [
        base.heartbeat("nova-network", alone=True),
        *names_parts(base, manager),
        Managing(manager.start, lambda _: manager.stop()),
        Served(lambda: base.transport.serve(NetworkContract, manager, base.conf.host)),
        Periodic("network repair", base.conf.periodic_interval, manager.converge),
    ]


def cert_manager(base: Base) -> CertManager:
    """Build what signs certificates."""
    manager: CertManager = plugins.load(base.conf, "cert_manager").from_flags(base.conf, base.database)
    return manager


def cert_parts(base: Base) -> list[Component]:
    """Return what signs certificates."""
    conf, manager = base.conf, cert_manager(base)
    return [
        base.heartbeat("nova-cert"),
        Managing(manager.start, lambda _: None),
        Served(lambda: base.transport.serve(CertContract, manager, conf.host)),
        Periodic("certificate purge", conf.periodic_interval, manager.forget_expired),
    ]
