"""The metadata service of guests at 169.254.169.254."""
