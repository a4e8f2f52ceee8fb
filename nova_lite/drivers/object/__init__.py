"""Places where the object store keeps its buckets."""
