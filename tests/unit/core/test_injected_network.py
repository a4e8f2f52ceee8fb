"""What a guest finds of its network where no DHCP server tells it."""

import dataclasses

from nova_lite.core import injected_network
from nova_lite.core.network import VirtualInterface, address_v6

INTERFACE = VirtualInterface(
    id="8d4c2d6e-0000-4000-8000-000000000001", mac="fa:16:3e:01:02:03", instance_uuid="i", network_id=1,
    network_uuid="n", network_label="private", address="10.0.0.5", cidr="10.0.0.0/24", gateway="10.0.0.1",
    injected=True, dns1="9.9.9.9", mtu=1400,
)  # fmt: skip


def test_an_address_is_formed_of_prefix_and_mac() -> None:
    assert address_v6("fd00:1::/64", "fa:16:3e:01:02:03") == "fd00:1::f816:3eff:fe01:203"


def test_injected_networks_are_written_down() -> None:
    with_v6 = dataclasses.replace(INTERFACE, cidr_v6="fd00:1::/64", gateway_v6="fd00:1::1")
    assert injected_network.content([with_v6]) == (
        "auto lo\niface lo inet loopback\n\n"
        "auto eth0\niface eth0 inet static\n    address 10.0.0.5\n    netmask 255.255.255.0\n"
        "    broadcast 10.0.0.255\n    gateway 10.0.0.1\n    mtu 1400\n    dns-nameservers 9.9.9.9\n"
        "iface eth0 inet6 static\n    address fd00:1::f816:3eff:fe01:203\n    netmask 64\n    gateway fd00:1::1\n"
    )


def test_an_interface_with_dhcp_stays_one_in_the_file() -> None:
    served = dataclasses.replace(INTERFACE, injected=False)
    assert injected_network.content([served]) == ""
    text = injected_network.content([served, INTERFACE])
    assert "auto eth0\niface eth0 inet dhcp\n" in text
    assert "iface eth1 inet static\n    address 10.0.0.5\n" in text


def test_a_network_without_a_way_out_names_none() -> None:
    inner = dataclasses.replace(INTERFACE, gateway="", cidr_v6="fd00:1::/64", gateway_v6="")
    assert "gateway" not in injected_network.content([inner])
