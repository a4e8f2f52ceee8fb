"""The table of everything that an operator may replace by an import string, and how it is loaded.

Each slot is a flag that holds the import string of a class, with the ABC that the class has to fill. A class
of a third party, in a package of its own, is loaded the same way.
"""

import dataclasses
import importlib
import inspect
from collections.abc import Iterable, Mapping
from typing import Any

from nova_lite.core.errors import ConfigurationError


@dataclasses.dataclass(frozen=True, slots=True)
class Slot:
    """A place for a class: its flag, the ABC (as an import string), what the class does there.

    ``short`` gives our own classes names that are easier to type; names of Essex are among them. ``many``
    slots hold a list, ``optional`` ones may be empty.
    """

    flag: str
    base: str
    description: str
    short: Mapping[str, str] = dataclasses.field(default_factory=dict)
    many: bool = False
    optional: bool = False


_VIRT = "nova_lite.drivers.virt"
_NET = "nova_lite.drivers.net"
_DNS = "nova_lite.drivers.dns"
_DNS_SHORT = {
    "none": f"{_DNS}.none.NoDns",
    "file": f"{_DNS}.files.FileDns",
    "ldap": f"{_DNS}.ldap.LdapDns",
    "powerdns": f"{_DNS}.powerdns.PowerDns",
    "fake": f"{_DNS}.fake.FakeDns",
    "nova.network.dns_driver.DNSDriver": f"{_DNS}.none.NoDns",
    "nova.network.minidns.MiniDNS": f"{_DNS}.files.FileDns",
    "nova.network.ldapdns.LdapDNS": f"{_DNS}.ldap.LdapDns",
}
_FILTERS = "nova_lite.scheduler.filters"

SLOTS: Mapping[str, Slot] = {
    slot.flag: slot
    for slot in (
        Slot(
            "compute_manager",
            "nova_lite.rpc.compute.ComputeContract",
            "does nova-compute's work",
            {"nova.compute.manager.ComputeManager": "nova_lite.compute.manager.ComputeManager"},
        ),
        Slot(
            "network_manager",
            "nova_lite.rpc.network.NetworkContract",
            "does nova-network's work",
            {
                f"{prefix}{name}": f"nova_lite.network.{module}.{name}"
                for module, name in (
                    ("flat", "FlatManager"),
                    ("flatdhcp", "FlatDHCPManager"),
                    ("vlan", "VlanManager"),
                )
                for prefix in ("", "nova.network.manager.")
            },
        ),
        Slot(
            "cert_manager",
            "nova_lite.rpc.cert.CertContract",
            "does nova-cert's work",
            {"nova.cert.manager.CertManager": "nova_lite.cert.manager.CertManager"},
        ),
        Slot(
            "scheduler_manager",
            "nova_lite.rpc.scheduler.SchedulerContract",
            "chooses hosts",
            {"nova.scheduler.manager.SchedulerManager": "nova_lite.scheduler.manager.FilterScheduler"},
        ),
        Slot(
            "scheduler_default_filters",
            f"{_FILTERS}.base.HostFilter",
            "says whether a host can take an instance",
            {
                "ComputeFilter": f"{_FILTERS}.compute.ComputeFilter",
                "AvailabilityZoneFilter": f"{_FILTERS}.availability_zone.AvailabilityZoneFilter",
                "RamFilter": f"{_FILTERS}.room.RamFilter",
                "CoreFilter": f"{_FILTERS}.room.CoreFilter",
                "DiskFilter": f"{_FILTERS}.room.DiskFilter",
                "AllHostsFilter": f"{_FILTERS}.all_hosts.AllHostsFilter",
                "IsolatedHostsFilter": f"{_FILTERS}.isolated_hosts.IsolatedHostsFilter",
                "JsonFilter": f"{_FILTERS}.json_query.JsonFilter",
                "SameHostFilter": f"{_FILTERS}.affinity.SameHostFilter",
                "DifferentHostFilter": f"{_FILTERS}.affinity.DifferentHostFilter",
                "SimpleCIDRAffinityFilter": f"{_FILTERS}.affinity.SimpleCIDRAffinityFilter",
                "ServerGroupAffinityFilter": f"{_FILTERS}.affinity.ServerGroupAffinityFilter",
                "ServerGroupAntiAffinityFilter": f"{_FILTERS}.affinity.ServerGroupAntiAffinityFilter",
            },
            many=True,
        ),
        Slot(
            "scheduler_weights",
            "nova_lite.scheduler.weights.Weigher",
            "says how well a host suits an instance",
            {
                "FreeMemoryWeigher": "nova_lite.scheduler.weights.FreeMemoryWeigher",
                "FillFirstWeigher": "nova_lite.scheduler.weights.FillFirstWeigher",
                "ServerGroupSoftAffinityWeigher": "nova_lite.scheduler.weights.ServerGroupSoftAffinityWeigher",
                "ServerGroupSoftAntiAffinityWeigher": "nova_lite.scheduler.weights.ServerGroupSoftAntiAffinityWeigher",
            },
            many=True,
        ),
        Slot(
            "compute_driver",
            f"{_VIRT}.base.VirtDriver",
            "speaks to the hypervisor",
            {"libvirt": f"{_VIRT}.libvirt.driver.LibvirtDriver", "fake": f"{_VIRT}.fake.FakeVirtDriver"},
        ),
        Slot(
            "network_driver",
            f"{_NET}.base.NetworkDriver",
            "makes bridges, DHCP and NAT on a host",
            {
                "linux": f"{_NET}.linux.LinuxNetworkDriver",
                "fake": f"{_NET}.fake.FakeNetworkDriver",
                "nova.network.linux_net": f"{_NET}.linux.LinuxNetworkDriver",
            },
        ),
        Slot(
            "firewall_driver",
            f"{_NET}.base.FirewallDriver",
            "filters the guests' traffic",
            {
                "nftables": f"{_NET}.firewall.NftablesFirewall",
                "fake": f"{_NET}.fake.FakeFirewall",
                "nova.virt.firewall.IptablesFirewallDriver": f"{_NET}.firewall.NftablesFirewall",
                "nova.virt.libvirt.firewall.IptablesFirewallDriver": f"{_NET}.firewall.NftablesFirewall",
            },
        ),
        Slot(
            "image_service",
            "nova_lite.drivers.image.base.ImageStore",
            "keeps the images' bytes",
            {
                "file": "nova_lite.drivers.image.files.FileImageStore",
                "glance": "nova_lite.drivers.image.glance.GlanceImageStore",
                "s3": "nova_lite.drivers.image.s3.S3ImageStore",
            },
        ),
        Slot(
            "object_store",
            "nova_lite.drivers.object.base.ObjectStore",
            "keeps buckets and objects",
            {"file": "nova_lite.drivers.object.files.FileObjectStore"},
        ),
        Slot("instance_dns_manager", f"{_DNS}.base.DnsDriver", "keeps the names of instances", _DNS_SHORT),
        Slot("floating_ip_dns_manager", f"{_DNS}.base.DnsDriver", "keeps the names of floating addresses", _DNS_SHORT),
        Slot(
            "rpc_backend",
            "nova_lite.rpc.transport.Transport",
            "carries messages between the daemons",
            {
                "local": "nova_lite.rpc.local.LocalTransport",
                "rabbit": "nova_lite.rpc.rabbit.RabbitTransport",
            },
            optional=True,
        ),
    )
}
"""Every slot, by its flag."""


def load(conf: Any, flag: str) -> Any:
    """Return the class that the flag of a slot names.

    Raises ConfigurationError when there is none, or when it does not fill the slot's ABC.
    """
    return _load(SLOTS[flag], conf[flag])


def load_all(conf: Any, flag: str) -> tuple[Any, ...]:
    """Return the classes that the flag of a slot for many names, in its order; raises as ``load``."""
    return tuple(_load(SLOTS[flag], name) for name in conf[flag])


def check_all(conf: Any, flags: Iterable[str] = tuple(SLOTS)) -> None:
    """Load what the slots name that a daemon uses, so that a mistake shows at start.

    Raises ConfigurationError.
    """
    for slot in map(SLOTS.__getitem__, flags):
        if slot.many:
            load_all(conf, slot.flag)
        elif conf[slot.flag] or not slot.optional:
            load(conf, slot.flag)


def _load(slot: Slot, name: str) -> Any:
    found = _find(slot, slot.short.get(name, name))
    base = _find(slot, slot.base)
    if not (isinstance(found, type) and issubclass(found, base)):
        raise ConfigurationError(f"The flag --{slot.flag} names {name}, which is not a {base.__name__}.")
    if inspect.isabstract(found):
        missing = ", ".join(sorted(getattr(found, "__abstractmethods__", ())))
        raise ConfigurationError(f"The flag --{slot.flag} names {name}, which misses: {missing}.")
    return found


def _find(slot: Slot, path: str) -> Any:
    module, _, name = path.rpartition(".")
    if not module:
        known = ", ".join(short for short in slot.short if "." not in short)
        hint = f"; our own are {known}" if known else ""
        raise ConfigurationError(f"The flag --{slot.flag} needs the import string of a class{hint}.")
    try:
        return getattr(importlib.import_module(module), name)
    except ImportError as error:
        raise ConfigurationError(f"The flag --{slot.flag} names {path}, but {error}.") from error
    except AttributeError as error:
        raise ConfigurationError(f"The flag --{slot.flag} names {path}, which does not exist.") from error
