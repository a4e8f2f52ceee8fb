"""The OpenStack dialects: one route table, then a module a resource."""
