"""Flags of networks that the seed system had and this one has not, with what is so instead."""

from collections.abc import Mapping

_ONE_CLASS = "One class, which --network_driver names, makes a host's bridges, gateways and address translation."
_ELSEWHERE = "nova-network itself plugs guests in and gives them addresses; no other network service is asked."

FORMER: Mapping[str, str] = {
    "l3_lib": _ONE_CLASS,
    "linuxnet_interface_driver": _ONE_CLASS,
    "linuxnet_ovs_integration_bridge": "Bridges are Linux ones; a class of your own (--network_driver) may use others.",
    "send_arp_for_ha": "A host always announces the addresses that it begins to carry.",
    "floating_range": "The command nova-manage floating create names the range.",
    "gateway": "The command nova-manage network create names the gateway.",
    "gateway_v6": "The command nova-manage network create names the gateway.",
    "allow_same_net_traffic": "Guests in one network reach each other as their security groups allow.",
    "security_group_handler": "Compute hosts keep the filters; nobody else is told of groups.",
    "fake_network": "With --network_driver=fake and --firewall_driver=fake networks are simulated.",
    "stub_network": "With --network_driver=fake and --firewall_driver=fake networks are simulated.",
    "fake_call": "It never did anything.",
    **dict.fromkeys(
        (
            "quantum_connection_host", "quantum_connection_port", "quantum_default_tenant_id", "quantum_ipam_lib",
            "quantum_port_security_include_link_local", "quantum_use_dhcp", "quantum_use_port_security",
            "use_melange_mac_generation", "melange_host", "melange_port", "melange_num_retries",
        ),
        _ELSEWHERE,
    ),
}  # fmt: skip
"""By name: a sentence for the operator, who is to take the flag out."""
