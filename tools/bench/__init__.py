"""Measures the cloud with simulated guests: ratios and counts to compare, never a test."""
