"""Network API v2.0 facade resources."""
