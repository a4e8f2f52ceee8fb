"""Flags of nova-network."""

from oslo_config import cfg

FLAGS = (
    cfg.StrOpt(
        "network_manager",
        default="nova_lite.network.flatdhcp.FlatDHCPManager",
        help="Class that does nova-network's work, in the mode of networking that is wanted:"
        " FlatDHCPManager, VlanManager, FlatManager.",
    ),
    cfg.StrOpt(
        "network_driver",
        default="nova_lite.drivers.net.linux.LinuxNetworkDriver",
        help="Class that makes bridges, gateways, DHCP and NAT on a host; 'linux' and 'fake' are short for ours.",
    ),
    cfg.StrOpt("network_host", default="$host", help="Host whose nova-network serves new networks."),
    cfg.StrOpt("networks_path", default="$state_path/networks", help="Folder of the DHCP servers' files."),
    cfg.StrOpt("flat_network_bridge", default="br100", help="Bridge of a flat network."),
    cfg.StrOpt("flat_interface", default="", help="Interface of the host that is put in the flat bridge."),
    cfg.StrOpt("vlan_interface", default="", help="Interface of the host that carries the projects' VLANs."),
    cfg.IntOpt("vlan_start", default=100, min=1, max=4094, help="Number of the first VLAN."),
    cfg.IntOpt("num_networks", default=1, min=1, help="Networks into which a new range is divided."),
    cfg.IntOpt(
        "network_size", default=0, min=0, help="Addresses of each network of a new range; 0: as large as may be."
    ),
    cfg.StrOpt("vpn_ip", default="$my_ip", help="Public address of the VPNs of projects with a VLAN."),
    cfg.IntOpt("vpn_start", default=1000, min=1, max=65535, help="Port of the first of these VPNs."),
    cfg.IntOpt("cnt_vpn_clients", default=0, min=0, help="Last addresses of a VLAN, kept for VPN clients."),
    cfg.IntOpt(
        "create_unique_mac_address_attempts",
        default=5,
        min=1,
        help="How often a new guest is given another MAC and address where somebody else has got the first.",
    ),
    cfg.BoolOpt("multi_host", default=False, help="New networks: each compute host serves its own guests."),
    cfg.BoolOpt("flat_injected", default=False, help="New networks: guests find their address in a file."),
    cfg.BoolOpt("use_ipv6", default=False, help="New networks: guests have IPv6, too."),
    cfg.StrOpt("fixed_range_v6", default="fd00::/48", help="Range whose /64 prefixes new networks get."),
    cfg.StrOpt(
        "ipv6_backend",
        default="rfc2462",
        choices=["rfc2462", "account_identifier"],
        help="New networks: guests form their IPv6 addresses of their MACs, or are told by DHCPv6 of ones that say"
        " whose they are.",
    ),
    cfg.BoolOpt(
        "use_single_default_gateway",
        default=False,
        help="Tell a guest in several networks of the first one's way out only.",
    ),
    cfg.StrOpt("flat_network_dns", default="8.8.4.4", help="Name server of a new flat network."),
    cfg.StrOpt("fixed_range", default="10.0.0.0/8", help="Range from which guests' addresses are taken."),
    cfg.StrOpt("public_interface", default="eth0", help="Interface of the host that faces the world."),
    cfg.StrOpt("default_floating_pool", default="nova", help="Pool of floating addresses where none is named."),
    cfg.BoolOpt(
        "auto_assign_floating_ip", default=False, help="Give every new instance a floating address by itself."
    ),
    cfg.StrOpt(
        "routing_source_ip",
        default="$my_ip",
        help="Address with which guests' traffic to the world leaves; empty takes the outgoing interface's.",
    ),
    cfg.ListOpt(
        "dmz_cidr", default=[], help="Ranges that guests reach with their own addresses, however they leave else."
    ),
    cfg.StrOpt("dhcp_domain", default="novalocal", help="Domain of the guests' host names."),
    cfg.IntOpt("dhcp_lease_time", default=120, min=120, help="Seconds for which a guest holds its address."),
    cfg.ListOpt(
        "dns_server", default=[], help="Name servers to which dnsmasq forwards; empty asks the host's."
    ),
    cfg.StrOpt("dnsmasq_config_file", default="", help="File of further settings for dnsmasq."),
    cfg.StrOpt(
        "dhcpbridge", default="nova-dhcpbridge", help="Program that dnsmasq calls when a lease changes."
    ),
    cfg.StrOpt(
        "dhcpbridge_flagfile", default="", help="Flag file of that program; empty takes this daemon's."
    ),
    cfg.IntOpt("network_device_mtu", default=1500, min=576, max=9216, help="MTU of guests' interfaces."),
    cfg.BoolOpt("force_dhcp_release", default=True, help="Free a guest's lease when the guest is deleted."),
    cfg.IntOpt(
        "fixed_ip_disassociate_timeout",
        default=600,
        min=0,
        help="Seconds after which a freed address whose lease did not end is given out again.",
    ),
)
