"""Removing from this machine what the cloud made of it; the rows and disks stay."""

from nova_lite import concurrency, plugins
from nova_lite.conf import load
from tools.cloud.settings import Settings


def clean_host(settings: Settings) -> None:
    """Switch the guests off, and remove bridges, DHCP servers, filters and address translation."""
    concurrency.choose(concurrency.Mode.THREADING)
    conf = load([f"--flagfile={settings.flag_file}"], prog="nova-manage")
    driver = plugins.load(conf, "compute_driver").from_flags(conf)
    driver.start()
    for guest in driver.guests():
        driver.destroy(guest.uuid)
    plugins.load(conf, "firewall_driver").from_flags(conf).remove()
    plugins.load(conf, "network_driver").from_flags(conf).remove()
