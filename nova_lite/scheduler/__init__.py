"""Chooses hosts for instances and claims room on them."""
