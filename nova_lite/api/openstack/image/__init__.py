"""Image API v2 resources."""
