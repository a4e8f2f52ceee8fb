"""nova_lite: a cloud controller that rents out virtual machines, addresses, networks and images."""

__version__ = "0.1.0"
