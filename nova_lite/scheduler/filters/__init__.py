"""Filters: each says whether a host can take a request."""
