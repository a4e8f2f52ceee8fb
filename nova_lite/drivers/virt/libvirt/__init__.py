"""Guests by libvirt and QEMU."""
