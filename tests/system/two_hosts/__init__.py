"""A cloud over two hosts with real guests, by the openstack client."""
