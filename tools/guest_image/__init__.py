"""Builds the small guest image from Debian packages, without root, loop devices or mounts."""
