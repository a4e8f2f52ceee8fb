"""Compute API v2.1 resources."""
