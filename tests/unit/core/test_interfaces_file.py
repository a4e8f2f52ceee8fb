"""The file from which guests without DHCP know their addresses."""

import dataclasses

from nova_lite.core import interfaces_file
from nova_lite.core.network import VirtualInterface

ONE = VirtualInterface(
    "i", "02:00:00:00:00:01", "u", 1, "n", "private", "10.0.0.5", cidr="10.0.0.0/24", gateway="10.0.0.1",
    injected=True, dns1="10.0.0.2", dns2="10.0.0.3",
)  # fmt: skip


def test_a_guest_of_a_network_with_injection_has_its_address_in_the_file() -> None:
    text = interfaces_file.render([dataclasses.replace(ONE, injected=False), ONE])

    assert "auto eth0\niface eth0 inet dhcp\n" in text
    assert "iface eth1 inet static\n    address 10.0.0.5\n    netmask 255.255.255.0\n" in text
    assert "    gateway 10.0.0.1\n    dns-nameservers 10.0.0.2 10.0.0.3\n" in text


def test_other_guests_have_no_such_file() -> None:
    assert interfaces_file.render([dataclasses.replace(ONE, injected=False)]) == ""
    assert interfaces_file.render([]) == ""
