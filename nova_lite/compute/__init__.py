"""nova-compute: runs the flows that change guests on its host."""
