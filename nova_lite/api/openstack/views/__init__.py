"""Renderers from values to response bodies."""
