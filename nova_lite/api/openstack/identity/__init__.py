"""Identity API v3 resources."""
