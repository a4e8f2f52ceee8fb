"""The network of a Linux host: bridges by netlink, DHCP by dnsmasq, address translation by nftables."""

import contextlib
import ipaddress
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from nova_lite.core.errors import ConfigurationError, DriverError
from nova_lite.drivers.net import arp, bridges, links, nat
from nova_lite.drivers.net.base import Difference, LinkPlan, NetworkDriver, NetworkPlan, NotServed
from nova_lite.drivers.net.conntrack import Connections
from nova_lite.drivers.net.dnsmasq import Dnsmasq, DnsmasqSettings
from nova_lite.drivers.net.floating import FloatingAddresses
from nova_lite.drivers.net.ruleset import Ruleset
from nova_lite.drivers.runner import Runner, require_programs

_FORWARDING = Path("/proc/sys/net/ipv4/ip_forward")
_IPV6 = Path("/proc/sys/net/ipv6/conf")
_METADATA_PREFIX = 32


class LinuxNetworkDriver(NetworkDriver):
    """Makes the host as the plans say; what is as it should be is not touched.

    ``changes`` counts what had to be changed since the start; ``needed`` are interfaces by the flags that name them.
    """

    def __init__(
        self, runner: Runner, settings: DnsmasqSettings, *, needed: Mapping[str, str] | None = None
    ) -> None:
        self._dnsmasq = Dnsmasq(runner, settings)
        self._ruleset = Ruleset(runner, [nat.TABLE, nat.CLOSED])
        self._folder = settings.folder
        self._script = settings.script
        self._needed = dict(needed or {})
        self._floating = FloatingAddresses(self._ruleset, Connections(runner))
        self.changes = 0

    @classmethod
    def from_flags(cls, conf: Any) -> "LinuxNetworkDriver":
        """Build the driver from nova-network's flags."""
        folder = Path(conf.networks_path)
        flag_files = conf.dhcpbridge_flagfile or ",".join(os.path.abspath(file) for file in conf.flagfile)
        environment = (("FLAGFILE", flag_files), ("NOVA_LEASE_SOCKET", str(folder / "leases.sock")))
        settings = DnsmasqSettings(
            folder=folder,
            script=_beside_us(conf.dhcpbridge),
            script_environment=environment,
            config_file=conf.dnsmasq_config_file,
            forwarders=tuple(conf.dns_server),
            names=Path(conf.dns_hosts_path),
            force_release=conf.force_dhcp_release,
        )
        needed = {name: conf[name] for name in ("flat_interface", "vlan_interface") if conf[name]}
        return cls(Runner.from_flag(conf.root_helper), settings, needed=needed)

    def start(self) -> None:
        """Check programs, the interfaces that flags name, and the folder."""
        require_programs("nft", "dnsmasq", "conntrack", "unshare")
        for flag, interface in self._needed.items():
            if not links.exists(interface):
                raise ConfigurationError(f"The flag --{flag} names {interface}, which is not there.")
        if not os.access(self._script, os.X_OK):
            raise ConfigurationError(f"The flag --dhcpbridge names {self._script}, which cannot be run.")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigurationError(f"cannot use networks_path {self._folder}: {error.strerror}") from error

    def apply(self, plans: tuple[NetworkPlan, ...]) -> None:
        """Make bridges, gateways, DHCP and NAT as ``plans`` say, and remove what is ours and not wanted."""
        if plans:
            self._forward()
        if any(plan.cidr_v6 for plan in plans):
            self._forward_v6()
        wanted = {plan.bridge for plan in plans}
        for bridge in self._dnsmasq.bridges() - wanted:
            self._dnsmasq.stop(bridge)
            self.changes += 1
        refused: dict[int, DriverError] = {}
        with bridges.locked(self._folder):
            for plan in plans:
                with _noted(plan, refused):
                    self.changes += bridges.make(plan.link, bridges.NETWORK)
            for bridge in bridges.marked(bridges.NETWORK) - wanted:
                links.set_gateways(bridge, set())
                bridges.release(bridge, bridges.NETWORK)
                self.changes += 1
        for plan in plans:
            if plan.network_id not in refused:
                with _noted(plan, refused):
                    self._serve(plan)
        self.changes += self._floating.apply(plans)
        if refused:
            raise NotServed(refused)

    def set_hosts(self, plan: NetworkPlan) -> None:
        """Tell the network's DHCP server of its hosts."""
        self.changes += self._dnsmasq.serve(plan, look=False)

    def set_floating(self, plan: NetworkPlan) -> None:
        """Carry the addresses, announce them, translate them, and cut what went the old way."""
        self.changes += self._floating.change(plan)

    def differences(self, plans: tuple[NetworkPlan, ...]) -> tuple[Difference, ...]:
        """Compare links, DHCP servers and rules with ``plans``."""
        found: list[Difference] = []
        for plan in plans:
            found += self._of_network(plan)
        wanted = {plan.bridge for plan in plans}
        found += [
            Difference("bridge", name, "there is a bridge of ours that no network wants")
            for name in sorted(bridges.marked(bridges.NETWORK) - wanted)
        ]
        found += [
            Difference("dnsmasq", name, "there is a DHCP server of ours that no network wants")
            for name in sorted(self._dnsmasq.bridges() - wanted)
        ]
        addresses = links.host_addresses()
        wanted_floating = {(one.interface, one.address) for plan in plans for one in plan.floating}
        found += [
            Difference("floating", address, f"{interface} carries it although it should not, or the other way round")
            for interface, address in sorted(wanted_floating ^ addresses.floating)
        ]
        script = nat.script(plans, addresses.local)
        if plans or self._ruleset.content():
            found += [
                Difference("rule", name, "the rules are not as the networks want them")
                for name in self._ruleset.differences(script)
            ]
        return tuple(found)

    def add_links(self, links: tuple[LinkPlan, ...]) -> None:
        """Make what is not there."""
        if any(bridges.problem(plan, bridges.COMPUTE) for plan in links):
            with bridges.locked(self._folder):
                for plan in links:
                    self.changes += bridges.make(plan, bridges.COMPUTE)

    def set_links(self, links: tuple[LinkPlan, ...]) -> None:
        """Make these, and take our mark from the others."""
        with bridges.locked(self._folder):
            for plan in links:
                self.changes += bridges.make(plan, bridges.COMPUTE)
            for bridge in bridges.marked(bridges.COMPUTE) - {plan.bridge for plan in links}:
                bridges.release(bridge, bridges.COMPUTE)
                self.changes += 1

    def link_differences(self, links: tuple[LinkPlan, ...]) -> tuple[Difference, ...]:
        """Compare bridges with ``links``."""
        problems = {plan.bridge: bridges.problem(plan, bridges.COMPUTE) for plan in links}
        found = [Difference("bridge", name, problem) for name, problem in problems.items() if problem]
        return tuple(found) + tuple(
            Difference("bridge", name, "there is a bridge for guests that no guest here needs")
            for name in sorted(bridges.marked(bridges.COMPUTE) - problems.keys())
        )

    def remove(self) -> None:
        """Remove every bridge, DHCP server and rule of ours."""
        for bridge in self._dnsmasq.bridges():
            self._dnsmasq.stop(bridge)
        with bridges.locked(self._folder):
            for mark in (bridges.NETWORK, bridges.COMPUTE):
                for bridge in bridges.marked(mark):
                    bridges.release(bridge, mark)
        links.remove_address("lo", links.METADATA_ADDRESS, _METADATA_PREFIX)
        self._floating.carry_nothing()
        self._ruleset.remove()

    def _serve(self, plan: NetworkPlan) -> None:
        if links.set_gateways(plan.bridge, _gateways(plan)):
            # Guests may know another host as the gateway.
            if plan.cidr:
                arp.announce(plan.bridge, plan.gateway)
            self.changes += 1
        self.changes += links.add_address("lo", links.METADATA_ADDRESS, _METADATA_PREFIX, scope_link=True)
        self.changes += self._dnsmasq.serve(plan)

    def _of_network(self, plan: NetworkPlan) -> list[Difference]:
        problem = bridges.problem(plan.link, bridges.NETWORK)
        if problem is not None:
            return [Difference("bridge", plan.bridge, problem)]
        found = [
            Difference("address", address, f"{plan.bridge} lacks the gateway's address")
            for address in sorted(links.missing_addresses(plan.bridge, _gateways(plan)))
        ]
        served = self._dnsmasq.problem(plan)
        return [*found, Difference("dnsmasq", plan.bridge, served)] if served else found

    def _forward(self) -> None:
        """Let the host forward packets between its interfaces."""
        try:
            self.changes += _write(_FORWARDING, "1")
        except OSError as error:
            raise DriverError(f"cannot switch on the forwarding of packets: {error.strerror}.") from error

    def _forward_v6(self) -> None:
        """Let the host forward IPv6 packets, and still hear its own routers, as a host that forwards would not."""
        try:
            for setting in sorted(_IPV6.glob("*/accept_ra")):
                if setting.read_text().strip() == "1":
                    self.changes += _write(setting, "2")
            self.changes += _write(_IPV6 / "all" / "forwarding", "1")
        except OSError as error:
            raise DriverError(f"cannot switch on the forwarding of IPv6: {error.strerror}.") from error


@contextlib.contextmanager
def _noted(plan: NetworkPlan, refused: dict[int, DriverError]) -> Iterator[None]:
    """Go on after an error, which is noted: the other networks of the host are not to suffer from it."""
    try:
        yield
    except DriverError as error:
        refused[plan.network_id] = error


def _write(setting: Path, value: str) -> bool:
    """Write a setting of the kernel; True if it was another."""
    if setting.read_text().strip() == value:
        return False
    setting.write_text(value)
    return True


def _gateways(plan: NetworkPlan) -> set[tuple[str, int]]:
    """Return the gateway's addresses, (address, prefix) each."""
    found = {(plan.gateway, ipaddress.ip_network(plan.cidr).prefixlen)} if plan.cidr else set()
    if plan.cidr_v6:
        found.add((plan.gateway_v6, ipaddress.ip_network(plan.cidr_v6).prefixlen))
    return found


def _beside_us(program: str) -> str:
    """Return the path of a program; one without folder is looked for where this program is, then in PATH."""
    if os.path.isabs(program):
        return program
    beside = Path(sys.argv[0]).resolve().parent / program
    return str(beside if beside.exists() else Path(sys.executable).parent / program)
