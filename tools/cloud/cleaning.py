"""Removing from this machine what the cloud made of it; the rows and disks stay."""

from pathlib import Path

from nova_lite import concurrency, plugins
from nova_lite.conf import load


def clean_host(flag_file: Path) -> None:
    """Switch the guests off, and remove bridges, DHCP servers, filters and address translation."""
    concurrency.choose(concurrency.Mode.THREADING)
    conf = load([f"--flagfile={flag_file}"], prog="nova-manage")
    driver = plugins.load(conf, "compute_driver").from_flags(conf)
    driver.start()
    for guest in driver.guests():
        driver.destroy(guest.uuid)
    plugins.load(conf, "firewall_driver").from_flags(conf).remove()
    plugins.load(conf, "network_driver").from_flags(conf).remove()
