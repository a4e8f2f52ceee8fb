"""Drivers for links, addresses, DHCP and packet filters of a host."""
