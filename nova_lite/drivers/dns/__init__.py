"""Drivers of name servers."""
