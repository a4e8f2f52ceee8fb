"""JSON Schemas of request bodies."""
